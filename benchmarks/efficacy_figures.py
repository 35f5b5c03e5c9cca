"""Shares, intervals and tables of the efficacy benchmark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean
from typing import Literal

from efficacy_trials import Told, Trial

Region = Literal["high", "low"]
What = Literal["right", "tied", "inverted"]
RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean in percentage points, and its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.1f} [{self.low:+.1f}, {self.high:+.1f}]"


def share(trials: Iterable[Trial], region: Region, what: What = "right") -> float:
    """Return the percentage of pairs that are right, tied or inverted: the mean over prompts."""
    return 100 * fmean(getattr(told, what) for told in _told(trials, region) if told)


def _told(trials: Iterable[Trial], region: Region) -> list[Told | None]:
    return [trial.high if region == "high" else trial.low for trial in trials]


def calls(trials: Iterable[Trial]) -> float:
    """Return the mean number of model calls a prompt."""
    return fmean(trial.calls for trial in trials)


def criteria(trials: Iterable[Trial]) -> float:
    """Return the mean number of criteria of the finished rubrics."""
    return fmean(trial.criteria for trial in trials)


def gain(better: Iterable[Trial], worse: Iterable[Trial], region: Region) -> Interval:
    """Return by how much one way's share of right pairs exceeds another's on the same prompts.

    Prompts are drawn with replacement. Differences are ninths or the like, so that few differ
    and their counts are all that has to be drawn from.
    """
    pairs = zip(_told(better, region), _told(worse, region), strict=True)
    counts = Counter(100 * (a.right - b.right) for a, b in pairs if a and b)
    values, weights = list(counts), list(counts.values())
    size = sum(weights)
    random = Random(0)
    means = sorted(fmean(random.choices(values, weights, k=size)) for _ in range(RESAMPLES))
    mean = sum(value * count for value, count in counts.items()) / size
    return Interval(mean, means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1])


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
