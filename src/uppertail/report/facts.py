"""What the report says of a run besides its prompts: settings, models, spend, times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSpend:
    """What the calls of one role (proposer, verifier, sampler) took."""

    calls: int = 0
    """Calls that were answered and paid for, over all processes of the run."""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Part of `prompt_tokens` that the server found in its prefix cache."""
    completion_tokens: int = 0
    """Reasoning included."""
    usd: float | None = None
    """None where the price is not known."""
    p50_seconds: float | None = None
    """Median latency of the calls that were sent; None where none was."""
    p95_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """One run as its folder describes it."""

    command: str
    """The command's name, such as `refine`."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Every setting as text, by name, in the order to show."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Role to model name."""
    spend: Mapping[str, RoleSpend] = field(default_factory=dict)
    """Role to what its calls took."""
    quarantined: Mapping[str, int] = field(default_factory=dict)
    """Reason to number of responses that were kept out of the pools."""
    started: str = ""
    """When the run began, as it should be shown."""
    finished: str = ""
    wall_seconds: float = 0.0
