"""What tokens cost: the bundled table, and a price's arithmetic."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated

import msgspec

from uppertail.models.interface import Usage

if TYPE_CHECKING:
    from uppertail.models.config import ModelConfig

Dollars = Annotated[float, msgspec.Meta(ge=0)]

_RESELLERS = frozenset({"litellm", "openrouter"})
_SNAPSHOT = re.compile(r"-(?:20\d\d-?\d\d-?\d\d|latest)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars per million tokens."""

    input: Dollars
    output: Dollars
    cached_input: Dollars | None = None
    """Prompt tokens found in the provider's cache; None charges them as `input`."""

    def cost(self, usage: Usage) -> float:
        """Return the dollars that `usage` costs."""
        cached = min(usage.cached_tokens, usage.prompt_tokens)
        cached_price = self.input if self.cached_input is None else self.cached_input
        millionths = (
            (usage.prompt_tokens - cached) * self.input
            + cached * cached_price
            + usage.completion_tokens * self.output
        )
        return millionths / 1e6


def price_of(config: ModelConfig) -> Price | None:
    """Return the price of a model's tokens, or None where nobody said.

    The configuration's own price comes first, then the bundled table: the exact name, or the
    name without its snapshot date. Gateways (OpenRouter, LiteLLM) are looked up by the vendor
    in the model's name. Unknown is not free: a server of your own has no price either until
    you give it one.
    """
    if config.price is not None:
        return config.price
    vendor, model = config.provider, config.model
    if vendor in _RESELLERS:
        vendor, _, model = model.partition("/")
    listed = _bundled().get(vendor, {})
    return listed.get(model) or listed.get(_SNAPSHOT.sub("", model))


@cache
def _bundled() -> Mapping[str, Mapping[str, Price]]:
    """Return the bundled table by provider and model."""
    table = tomllib.loads(files(__package__).joinpath("prices.toml").read_text("utf-8"))
    del table["date"]
    return msgspec.convert(table, dict[str, dict[str, Price]])
