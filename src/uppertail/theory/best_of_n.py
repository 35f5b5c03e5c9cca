"""Best-of-n: draw n responses from the base policy and keep the one with the highest proxy.

Ties for the highest proxy are broken at random, and every estimator here is averaged over
that choice exactly. Shapes: [..., N] is N responses of the base policy to one prompt; leading
axes are prompts with equally many responses.

Source: arXiv 2509.21500, section 3 for the setting; KL of best-of-n: Beirami et al.,
arXiv 2401.01879. The finite-sample formulas are ours.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, xlogy

from uppertail.theory.maps import Floats, Misspecification

Ints = NDArray[np.int64]


class Comparisons(NamedTuple):
    """How each response compares with the others of its prompt. All [..., N]."""

    below: Ints
    """How many have a lower proxy."""
    upto: Ints
    """How many have a lower or equal proxy, itself included."""
    wins_below: Floats
    """How many of those with a lower proxy it beats by gold; gold ties count half."""
    wins_same: Floats
    """The same among those with an equal proxy, without itself."""
    wins_above: Floats
    """The same among those with a higher proxy."""


def kl_best_of_n(n: ArrayLike) -> Floats:
    """Return ln n - (n - 1)/n, the KL of best-of-n in nats for a reward without ties."""
    n = np.asarray(n, dtype=np.float64)
    return np.asarray(np.log(n) - (n - 1) / n)


def kl_best_of_n_tied(mass: ArrayLike, n: int) -> float:
    """Return the KL of best-of-n, in nats, for a reward of finitely many values.

    A level of mass p_k is chosen with P_k = F_k^n - F_{k-1}^n, so KL = sum P_k ln(P_k / p_k).

    Args:
        mass: [K] probability of each value under the base policy, lowest value first.
        n: how many responses are drawn.
    """
    p = np.asarray(mass, dtype=np.float64)
    cumulative = np.concatenate([[0.0], np.cumsum(p)])
    chosen = np.diff(cumulative**n)
    return float((xlogy(chosen, chosen) - xlogy(chosen, p)).sum())


def best_of_n(law: Misspecification, n: int) -> float:
    """Return the mean gold of best-of-n: `∫ f^{-1}(u) n u^{n-1} du` for a U(0, 1) proxy.

    The perfect reward gives n/(n + 1). Pieces with the same constant proxy are one tie.
    Exact where pieces overlap in no other way; pieces that do are ordered by their middle.
    """
    _at_least_one(n)
    order = np.lexsort((law.proxy[:, 1], law.proxy[:, 0], law.proxy.mean(axis=1)))
    mass, gold, proxy = law.mass[order], law.gold[order], law.proxy[order]
    falls = proxy[:, 0] > proxy[:, 1]
    gold = np.where(falls[:, None], gold[:, ::-1], gold)
    flat = (proxy[:-1] == proxy[1:]).all(axis=1) & (proxy[1:, 0] == proxy[1:, 1])
    tie = np.cumsum(np.concatenate([[True], ~flat])) - 1
    level_mass = _sums(tie, mass)
    level_gold = np.stack([_sums(tie, mass * side) for side in gold.T], axis=1)
    level_gold /= level_mass[:, None]
    return _best_of_pieces(level_mass, level_gold, _constant(proxy, tie), n)


def _sums(group: Ints, values: Floats) -> Floats:
    return np.bincount(group, weights=values).astype(np.float64)


def _constant(proxy: Floats, tie: Ints) -> NDArray[np.bool_]:
    """Return, for each tie group, whether its proxy is one value: then gold is its mean."""
    first = np.unique(tie, return_index=True)[1]
    return np.asarray(proxy[first, 0] == proxy[first, 1])


def _best_of_pieces(mass: Floats, gold: Floats, tied: NDArray[np.bool_], n: int) -> float:
    """Return ∫ g n u^{n-1} du over pieces in rising order of proxy, g linear or averaged."""
    end = np.minimum(np.cumsum(mass), 1.0)
    end[-1] = 1.0
    start = np.concatenate([[0.0], end[:-1]])
    slope = (gold[:, 1] - gold[:, 0]) / (end - start)
    slope[tied] = 0.0
    level = np.where(tied, gold.mean(axis=1), gold[:, 0] - slope * start)
    power = end**n - start**n
    next_power = end ** (n + 1) - start ** (n + 1)
    return float((level * power + slope * next_power * n / (n + 1)).sum())


def mean_best_of_n(proxy: ArrayLike, gold: ArrayLike, n: int) -> Floats:
    """Return, for each prompt, an unbiased estimate of the expected gold of best-of-n.

    The mean over all C(N, n) subsets of the gold of the one with the highest proxy,
    `sum_i C(i-1, n-1)/C(N, n) g_(i)`, with gold averaged inside proxy ties.

    Args:
        proxy: [..., N] rewards.
        gold: [..., N] true qualities on any scale; their own mean at n = 1.
        n: how many responses are drawn, in 1..N.
    """
    r, g = np.asarray(proxy, dtype=np.float64), np.asarray(gold, dtype=np.float64)
    places = [places_of(own) for own in r.reshape(-1, r.shape[-1])]
    below, upto = np.array(places).reshape(-1, 2, r.shape[-1]).transpose(1, 0, 2)
    below, upto = below.reshape(r.shape), upto.reshape(r.shape)
    return np.asarray((chances_best_of_n(below, upto, n) * g).sum(axis=-1))


def places_of(values: ArrayLike) -> tuple[Ints, Ints]:
    """Return, for each of N values, how many are lower, and how many are lower or equal."""
    ranked = np.sort(np.asarray(values))
    return (
        np.searchsorted(ranked, values, side="left"),
        np.searchsorted(ranked, values, side="right"),
    )


def chances_best_of_n(below: Ints, upto: Ints, n: int) -> Floats:
    """Return the chance of each response to be the best of n drawn without replacement.

    Args:
        below: [..., N] how many responses of the prompt have a lower proxy.
        upto: [..., N] how many have a lower or equal one, itself included.
        n: how many are drawn, in 1..N.
    """
    total = below.shape[-1]
    _at_most(n, total)
    return (_subsets(upto, total, n) - _subsets(below, total, n)) / (upto - below)


def win_rate_best_of_n(comparisons: Comparisons, n: int) -> Floats:
    """Return, for each prompt, an unbiased estimate of the win rate of best-of-n.

    The mean, over all subsets of n and over the responses outside the subset, of whether the
    chosen one is better (ties half). The chosen one is never compared with those it was
    chosen among, so that small samples give no optimism: an empirical quantile would.

    Args:
        comparisons: from `compare`.
        n: how many responses are drawn, in 1..N-1.
    """
    low, high, wins_below, wins_same, wins_above = comparisons
    total = low.shape[-1]
    _at_most(n, total - 1)
    size = high - low
    at_low, at_high = _subsets(low, total, n), _subsets(high, total, n)
    without = _subsets(high - 1, total, n)  # subsets that leave out one more of its level
    above = wins_above * (at_high - at_low) / size
    same = wins_same * (without - at_low) / np.maximum(size - 1, 1)
    below = wins_below * (without - _subsets(low - 1, total, n)) / size
    return np.asarray((above + same + below).sum(axis=-1) / (total - n))


def compare(proxy: ArrayLike, gold: ArrayLike) -> Comparisons:
    """Return how each response compares with the others of its prompt.

    Time and memory grow with N², at a few bytes a pair.

    Args:
        proxy: [..., N] rewards.
        gold: [..., N] true qualities, of which only the order matters.
    """
    r, g = np.asarray(proxy), np.asarray(gold)
    lower = r[..., None, :] < r[..., :, None]
    equal = r[..., None, :] == r[..., :, None]
    wins = (g[..., None, :] < g[..., :, None]).astype(np.int8) * np.int8(2)
    wins += g[..., None, :] == g[..., :, None]  # in halves; a response ties with itself
    below = lower.sum(axis=-1)
    all_wins = wins.sum(axis=-1, dtype=np.int64) - 1
    wins_below = (wins * lower).sum(axis=-1, dtype=np.int64)
    wins_same = (wins * equal).sum(axis=-1, dtype=np.int64) - 1
    return Comparisons(
        below=below,
        upto=below + equal.sum(axis=-1),
        wins_below=wins_below / 2,
        wins_same=wins_same / 2,
        wins_above=(all_wins - wins_below - wins_same) / 2,
    )


def _subsets(size: Ints, total: int, n: int) -> Floats:
    """Return C(size, n) / C(total, n), which is 0 where size < n."""
    return np.asarray(_table(total, n)[np.maximum(size, 0)])


@lru_cache(maxsize=1024)
def _table(total: int, n: int) -> Floats:
    """Return C(size, n) / C(total, n) for every size in 0..total."""
    every = np.arange(n, total + 1, dtype=np.float64)
    log = gammaln(every + 1) - gammaln(every - n + 1)
    table = np.concatenate([np.zeros(n), np.exp(log - log[-1])])
    table.setflags(write=False)
    return table


def _at_least_one(n: int) -> None:
    if n < 1:
        raise ValueError(f"best-of-n needs n >= 1, not {n}")


def _at_most(n: int, most: int) -> None:
    _at_least_one(n)
    if n > most:
        raise ValueError(f"best-of-{n} cannot be estimated: n may be at most {most} here")
