"""Misspecified rewards given as a function, as a table or as samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike

from uppertail.theory.best_of_n import places_of
from uppertail.theory.maps import Floats, Misspecification, by_quantile

Map = Callable[[Floats], Floats]
Scale = Literal["quantile", "value"]

_EVEN: Final = 1 << 15
_CLOSEST: Final = 1e-9
"""Pieces shrink geometrically to this width at both ends of [0, 1], since a strong tilt
looks only at the last 1/b of the distribution."""


def from_function(f: Map, *, breaks: Sequence[float] = ()) -> Misspecification:
    """Return the law of gold ~ U(0, 1) and proxy = f(gold), f any bounded function.

    Args:
        f: takes and returns an array; need not be monotone nor preserve measure.
        breaks: gold values in (0, 1) where f jumps or bends. With them a piecewise linear
            f is exact; without, a jump is off by the width of a piece, 3e-5.
    """
    edges = _grid(breaks)
    gold = np.stack([edges[:-1], edges[1:]], axis=1)
    return Misspecification(mass=np.diff(edges), gold=gold, proxy=_ends(f, edges))


def from_inverse(inverse: Map, *, breaks: Sequence[float] = ()) -> Misspecification:
    """Return the law of a proxy u ~ U(0, 1) whose gold is `inverse(u)`.

    `inverse` is f^{-1} of Theorem 1 (ii), or, where the proxy does not determine gold,
    the mean gold at proxy quantile u. Arguments as in `from_function`.
    """
    edges = _grid(breaks)
    return by_quantile(edges, _ends(inverse, edges))


def from_table(gold: ArrayLike, *, edges: ArrayLike | None = None) -> Misspecification:
    """Return the law of a proxy u ~ U(0, 1) with mean gold known in bins of u.

    Args:
        gold: [S] mean gold of each bin, from the lowest rewards to the highest.
        edges: [S + 1] bin edges, rising from 0 to 1; equal bins unless given.
    """
    level = np.asarray(gold, dtype=np.float64)
    at = np.linspace(0, 1, len(level) + 1) if edges is None else np.asarray(edges)
    return by_quantile(at, np.stack([level, level], axis=1))


def from_samples(
    proxy: ArrayLike, gold: ArrayLike, *, scale: Scale = "quantile"
) -> Misspecification:
    """Return the empirical law of N responses of the base policy.

    Tilting it gives w_i ∝ exp(b proxy_i), KL = sum w_i log(N w_i), and the weighted mean gold.

    Args:
        proxy: [N] rewards, on their own scale.
        gold: [N] true qualities.
        scale: `quantile` replaces gold by its mid-rank quantile, (rank - 1/2) / N with ties
            averaged, so that its tilted mean is a win rate; `value` keeps it, so that its
            tilted mean is the expected gold reward.
    """
    r, g = np.asarray(proxy, dtype=np.float64), np.asarray(gold, dtype=np.float64)
    if r.shape != g.shape or r.ndim != 1 or not len(r):
        raise ValueError("proxy and gold must be two lists of the same length, not empty")
    if scale == "quantile":
        below, upto = places_of(g)
        g = (below + upto) / (2 * len(g))
    mass = np.full(len(r), 1 / len(r))
    return Misspecification(
        mass=mass, gold=np.stack([g, g], axis=1), proxy=np.stack([r, r], axis=1)
    )


def _grid(breaks: Sequence[float]) -> Floats:
    close = np.geomspace(_CLOSEST, 1 / _EVEN, 200)
    inner = np.concatenate([np.arange(1, _EVEN) / _EVEN, close, 1 - close, np.asarray(breaks)])
    if not ((inner > 0) & (inner < 1)).all():
        raise ValueError("breaks must be inside (0, 1)")
    return np.concatenate([[0.0], np.unique(inner), [1.0]])


def _ends(f: Map, edges: Floats) -> Floats:
    """Return f at both ends of each piece, from inside, so that a jump at an edge is no slope."""
    inward = np.diff(edges) * 1e-9
    return np.stack([f(edges[:-1] + inward), f(edges[1:] - inward)], axis=1)
