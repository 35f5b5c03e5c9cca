"""How alike two texts are, from their words alone."""

from __future__ import annotations

import re
from collections.abc import Hashable

WORD = re.compile(r"\w+")


def word_runs(text: str, length: int = 1) -> frozenset[tuple[str, ...]]:
    """Return the set of runs of `length` words; of all words where there are fewer.

    A text without words is its own single run, so that "!!" and "??" differ.
    """
    words = WORD.findall(text.lower()) or [text]
    last = max(1, len(words) - length + 1)
    return frozenset(tuple(words[i : i + length]) for i in range(last))


def jaccard(a: frozenset[Hashable], b: frozenset[Hashable]) -> float:
    """Return the share of two sets that they have in common, in [0, 1]; two empty sets are alike."""
    union = len(a | b)
    return len(a & b) / union if union else 1.0
