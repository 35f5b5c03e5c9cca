"""Shares, intervals and tables of the efficacy benchmark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean
from typing import Literal

from efficacy_trials import Trial

Region = Literal["high", "low"]
RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean in percentage points, and its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.1f} [{self.low:+.1f}, {self.high:+.1f}]"


def marks(trials: Iterable[Trial], region: Region) -> list[int]:
    """Return 1, 0 or -1 for right, tied and inverted; pairs without a truth left out."""
    seen = (getattr(trial, region) for trial in trials)
    return [mark for mark in seen if mark is not None]


def share(found: Sequence[int], mark: int) -> float:
    """Return the percentage of `mark`."""
    return 100 * found.count(mark) / len(found)


def accuracy(trials: Iterable[Trial], region: Region) -> float:
    """Return the percentage of pairs ordered as gold orders them; ties count as wrong."""
    return share(marks(trials, region), 1)


def calls(trials: Iterable[Trial]) -> float:
    """Return the mean number of model calls a prompt."""
    return fmean(trial.calls for trial in trials)


def gain(better: Iterable[Trial], worse: Iterable[Trial], region: Region) -> Interval:
    """Return by how much one way's accuracy exceeds another's on the same prompts.

    Pairs of outcomes are drawn with replacement. Differences take three values only, so that
    their counts are all that has to be drawn from.
    """
    pairs = zip(marks(better, region), marks(worse, region), strict=True)
    counts = Counter((a == 1) - (b == 1) for a, b in pairs)
    values, weights = list(counts), list(counts.values())
    size = sum(weights)
    random = Random(0)
    means = sorted(100 * fmean(random.choices(values, weights, k=size)) for _ in range(RESAMPLES))
    mean = 100 * sum(v * n for v, n in counts.items()) / size
    return Interval(mean, means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1])


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
