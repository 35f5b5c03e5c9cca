"""Misspecified rewards: how the proxy and the true quality go together under the base policy.

The base distribution is cut into S pieces. Along a piece of probability `mass`, gold and
proxy both run linearly from `start` to `end`. That one form holds every case of Figure 2
exactly, ties (a piece whose proxy is constant), noise (a piece whose gold is its mean),
score levels, tables and finite samples, and every integral over it is in closed form.

Source: arXiv 2509.21500, section 3 and Figure 2. The figure's maps are their own inverses, so
"gold as a function of the proxy's quantile" and "proxy as a function of gold" are one
function; for the others we store the former.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
MASS_TOLERANCE: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Misspecification:
    """A joint law of gold and proxy, as S linear pieces."""

    mass: Floats
    """[S] probability of each piece under the base policy; positive, sums to 1."""
    gold: Floats
    """[S, 2] gold at the start and at the end of each piece."""
    proxy: Floats
    """[S, 2] proxy reward at the same places."""

    def __post_init__(self) -> None:
        """Refuse what is no probability law.

        Raises:
            ValueError: shapes differ, a value is not finite, or masses are not a distribution.
        """
        pieces = len(self.mass)
        if not pieces or self.gold.shape != (pieces, 2) or self.proxy.shape != (pieces, 2):
            raise ValueError(f"expected gold and proxy of shape ({pieces}, 2) for {pieces} pieces")
        if not all(np.isfinite(a).all() for a in (self.mass, self.gold, self.proxy)):
            raise ValueError("masses, gold and proxy values must be finite")
        if (self.mass <= 0).any() or abs(self.mass.sum() - 1) > MASS_TOLERANCE:
            raise ValueError("masses must be positive and sum to 1")


def by_quantile(edges: ArrayLike, gold: ArrayLike) -> Misspecification:
    """Return a reward with U(0, 1) values, with its mean gold linear between `edges`.

    Args:
        edges: [S + 1] proxy quantiles, rising from 0 to 1. Empty pieces are dropped.
        gold: [S, 2] gold at both ends of each piece.
    """
    at, ends = np.asarray(edges, dtype=np.float64), np.asarray(gold, dtype=np.float64)
    if at[0] != 0 or at[-1] != 1 or (np.diff(at) < 0).any():
        raise ValueError("edges must rise from 0 to 1")
    kept = np.diff(at) > 0
    proxy = np.stack([at[:-1], at[1:]], axis=1)
    return Misspecification(mass=np.diff(at)[kept], gold=ends[kept], proxy=proxy[kept])


def correct() -> Misspecification:
    """Return the perfect reward, f(r) = r."""
    return by_quantile([0, 1], [[0, 1]])


def reversed_order() -> Misspecification:
    """Return the reward in reverse, f(r) = 1 - r."""
    return by_quantile([0, 1], [[1, 0]])


def top_wrong(c: float) -> Misspecification:
    """Return a reward that reverses the best share `c` and is right below it.

    f(r) = r for r <= 1 - c, else 2 - c - r. Source: Figure 2, "Top c wrong".
    """
    _share(c)
    return by_quantile([0, 1 - c, 1], [[0, 1 - c], [1, 1 - c]])


def worst_wrong(c: float) -> Misspecification:
    """Return a reward that reverses the worst share `c` and is right above it.

    f(r) = c - r for r <= c, else r. Source: Figure 2, "Worst c wrong".
    """
    _share(c)
    return by_quantile([0, c, 1], [[c, 0], [c, 1]])


def top_shuffled(c: float) -> Misspecification:
    """Return a reward that orders the best share `c` at random: pure noise at the top.

    The win rate stops at 1 - c/2 while the KL goes on growing.
    """
    _share(c)
    return by_quantile([0, 1 - c, 1], [[0, 1 - c], [1 - c / 2, 1 - c / 2]])


def top_tied(c: float) -> Misspecification:
    """Return min(r, 1 - c): the best share `c` gets one reward. KL <= ln(1/c).

    The win rate stops at 1 - c/2, as with noise, but no KL is wasted.
    """
    _share(c)
    law = top_shuffled(c)
    return Misspecification(mass=law.mass, gold=law.gold, proxy=np.minimum(law.proxy, 1 - c))


def score_levels(k: int) -> Misspecification:
    """Return a correct reward of `k` equally likely values. KL <= ln k, win rate <= 1 - 1/(2k)."""
    if k < 1:
        raise ValueError(f"a reward has at least one level, not {k}")
    middles = (np.arange(k) + 0.5) / k
    both = np.stack([middles, middles], axis=1)
    return Misspecification(mass=np.full(k, 1 / k), gold=both, proxy=both)


def _share(c: float) -> None:
    if not 0 <= c <= 1:
        raise ValueError(f"a share must be in [0, 1], not {c!r}")
