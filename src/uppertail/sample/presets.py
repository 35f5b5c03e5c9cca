"""Which models fill the pool in the paper's variants (arXiv 2509.21500, section 4.2, app. F).

The names are ours: provider and model as `uppertail.models` resolves them. Hosts come and
go; a name that is gone fails with one clear message and can be replaced with `--model`.
"""

from __future__ import annotations

GOOD = "gemini/gemini-2.5-flash-lite"
GREAT = "gemini/gemini-2.5-pro"

DIVERSE = (
    "openai/gpt-5",
    "openai/gpt-4o-2024-05-13",
    "openai/gpt-4.1",
    "openai/o3",
    "openai/o1-2024-12-17",
    "openai/o4-mini",
    "gemini/gemini-2.5-flash",
    "gemini/gemini-2.5-pro",
    "anthropic/claude-sonnet-4-20250514",
    "anthropic/claude-3-7-sonnet-20250219",
    "fireworks/accounts/fireworks/models/deepseek-v3",
    "fireworks/accounts/fireworks/models/deepseek-r1",
    "fireworks/accounts/fireworks/models/kimi-k2-instruct",
    "fireworks/accounts/fireworks/models/glm-4p5",
    "fireworks/accounts/fireworks/models/qwen3-235b-a22b-instruct-2507",
    "mistral/mistral-medium-latest",
)
"""The 16 models of "4 great & diverse pairs", once each."""

POOLS: dict[str, tuple[tuple[str, ...], int]] = {
    "one-good-pair": ((GOOD,), 2),
    "one-great-pair": ((GREAT,), 2),
    "four-great": ((GREAT,), 16),
    "four-great-diverse": (DIVERSE, 1),
}
"""Preset name to models and samples of each."""

TEMPERATURE = 1.0
"""Of every rollout (spec B.4)."""

TOP_P = 0.95
"""Declared in the paper's code, and never sent by it (spec D.4, 16); sent here."""
