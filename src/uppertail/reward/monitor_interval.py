"""Confidence bounds of a mean difference by Student's t, without a numerical library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, fsum, inf, lgamma, log, pi, sqrt
from typing import Final, Literal

_EPSILON: Final = 1e-14
_TINY: Final = 1e-300
_TERMS: Final = 400
_STEPS: Final = 100
_CLOSE: Final = 1e-10
_OVERLAP: Final = 0.5
"""Share of the smaller side's prompts that must be on both sides for pairs to be formed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How far a mean moved between two sets of prompts, with one-sided bounds."""

    value: float
    """After minus before."""
    low: float
    """The true change is above this but with the chance that was asked for."""
    high: float
    prompts: int
    """Pairs, or the prompts of the smaller side."""
    basis: Literal["paired", "unpaired"]


def change(before: Mapping[str, float], after: Mapping[str, float], *, alpha: float) -> Change:
    """Return by how much the mean of `after` differs from that of `before`.

    Where at least half of the smaller side's prompts are on both sides, the differences of
    those are what is averaged (paired t). Else the sides are two samples (Welch's t).
    Prompts are taken as independent draws.

    Args:
        before: a mean for each prompt.
        after: the same, later.
        alpha: chance that a bound is wrong, each by itself, in (0, 0.5).
    """
    both = [prompt for prompt in before if prompt in after]
    fewest = min(len(before), len(after))
    if len(both) >= 2 and len(both) >= _OVERLAP * fewest:
        mean, squares = _moments([after[prompt] - before[prompt] for prompt in both])
        error, freedom = sqrt(squares / len(both)), len(both) - 1.0
        return _change(mean, error, freedom, alpha, len(both), "paired")
    if fewest < 2:
        value = _mean(list(after.values())) - _mean(list(before.values()))
        return Change(value=value, low=-inf, high=inf, prompts=fewest, basis="unpaired")
    first, second = _moments(list(before.values())), _moments(list(after.values()))
    parts = first[1] / len(before), second[1] / len(after)
    error = sqrt(sum(parts))
    share = fsum(p * p / (n - 1) for p, n in zip(parts, (len(before), len(after)), strict=True))
    freedom = error**4 / share if share else fewest - 1.0
    return _change(second[0] - first[0], error, freedom, alpha, fewest, "unpaired")


def _change(
    value: float,
    error: float,
    freedom: float,
    alpha: float,
    prompts: int,
    basis: Literal["paired", "unpaired"],
) -> Change:
    reach = error * t_quantile(alpha, freedom) if error else 0.0
    return Change(value=value, low=value - reach, high=value + reach, prompts=prompts, basis=basis)


def _mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values) if values else 0.0


def _moments(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and the unbiased variance of at least two values."""
    mean = _mean(values)
    return mean, fsum((value - mean) ** 2 for value in values) / (len(values) - 1)


def t_quantile(alpha: float, freedom: float) -> float:
    """Return what Student's t exceeds with chance `alpha`, in (0, 0.5), by Newton's method."""
    scale = exp(lgamma((freedom + 1) / 2) - lgamma(freedom / 2)) / sqrt(freedom * pi)
    t = 1.0
    for _ in range(_STEPS):
        tail = t_tail(t, freedom)
        density = scale * (1 + t * t / freedom) ** (-(freedom + 1) / 2)
        # On the logarithm of the tail, which is nearly straight: a handful of steps.
        step = log(tail / alpha) * tail / density
        t = t + step if t + step > 0 else t / 2
        if abs(step) < _CLOSE * t:
            break
    return t


def t_tail(t: float, freedom: float) -> float:
    """Return the chance that Student's t exceeds `t`, at least 0."""
    whole = freedom + t * t
    return 0.5 * _beta(freedom / whole, t * t / whole, freedom / 2, 0.5)


def _beta(x: float, rest: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function at `x`.

    `rest` is 1 - x, which could not be had from an `x` near 1.

    Source:
        The continued fraction of DLMF 8.17.22, by Lentz's method.
    """
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _fraction(rest, x, b, a)
    return _fraction(x, rest, a, b)


def _fraction(x: float, rest: float, a: float, b: float) -> float:
    """Return the same for an `x` for which the fraction converges soon."""
    if x <= 0.0:
        return 0.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(rest)) / a
    fraction, c, d = 1.0, 1.0, 0.0
    for term in range(_TERMS):
        d = 1.0 + _step(term, x, a, b) * d
        d = 1.0 / (d if abs(d) > _TINY else _TINY)
        c = 1.0 + _step(term, x, a, b) / c
        c = c if abs(c) > _TINY else _TINY
        fraction *= c * d
        if abs(c * d - 1.0) < _EPSILON:
            break
    return front * (fraction - 1.0)


def _step(term: int, x: float, a: float, b: float) -> float:
    """Return the numerator of a level of the continued fraction; the first is 1."""
    if term == 0:
        return 1.0
    m = term // 2
    if term % 2 == 0:
        return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
    return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
