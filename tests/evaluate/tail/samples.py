"""Made-up responses whose truth is known."""

from typing import Any

import numpy as np

from uppertail.evaluate.tail import Table
from uppertail.evaluate.tail.table import Floats


def proxy_of(gold: Floats, c: float = 0.25) -> Floats:
    """The reward that reverses the best share c."""
    return np.where(gold <= 1 - c, gold, 2 - c - gold)


def table(prompts: int = 300, size: int = 16, *, seed: int = 0, **columns: Any) -> Table:
    """A table whose reward reverses the best quarter, unless columns say otherwise."""
    gold = np.random.default_rng(seed).random(prompts * size)
    return Table(
        source="made up",
        prompt=np.repeat(np.arange(prompts), size),
        rewards=columns.pop("rewards", {"reward": proxy_of(gold)}),
        gold=columns.pop("gold", gold),
        **columns,
    )
