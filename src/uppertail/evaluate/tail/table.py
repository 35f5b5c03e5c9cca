"""The input of a tail report: scored responses, column by column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from uppertail.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Goods = Literal["score", "rank"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """R responses of the base policy to P prompts. NaN is what nobody scored or labelled."""

    source: str
    """Where it comes from, for messages."""
    prompt: Ints
    """[R] which prompt, in 0..P-1, in any order."""
    rewards: Mapping[str, Floats]
    """[R] each; the first is the reward that the report is about, a second is compared."""
    gold: Floats | None = None
    """[R] true quality, higher is better; scales may differ from prompt to prompt."""
    retest: Floats | None = None
    """[R] the first reward, scored a second time."""
    features: Mapping[str, Floats] = field(default_factory=dict)
    """[R] each: what can be seen of a response without judging it; `length` among them."""

    def __post_init__(self) -> None:
        """Refuse what cannot be measured.

        Raises:
            InputError: a column has another length, a value is infinite, or nothing is scored.
        """
        for name, values in self.columns():
            if len(values) != len(self.prompt):
                raise InputError(f"expected {len(self.prompt)} values", field=name)
            _refuse_infinite(self.source, name, values)
        for name, values in self.rewards.items():
            if not np.isfinite(values).any():
                raise InputError("no response has a reward", file=self.source, field=name)
        if self.gold is not None and not np.isfinite(self.gold).any():
            raise InputError(
                "no response has a gold label; leave the column out for a report without gold",
                file=self.source,
                field="gold",
            )

    def columns(self) -> list[tuple[str, Floats]]:
        """Return every column of numbers with its name."""
        named = [*self.rewards.items(), ("gold", self.gold), ("retest", self.retest)]
        return [(name, values) for name, values in named if values is not None]

    @property
    def prompts(self) -> int:
        """P, the number of prompts."""
        return int(self.prompt.max()) + 1 if len(self.prompt) else 0


def _refuse_infinite(source: str, name: str, values: Floats) -> None:
    infinite = np.isinf(values)
    if infinite.any():
        raise InputError(
            f"{int(infinite.sum())} values are infinite; no policy can be tilted by them. "
            "Leave the cell empty if the response could not be scored",
            file=source,
            line=int(infinite.argmax()) + 1,
            field=name,
        )
