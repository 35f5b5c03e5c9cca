"""Estimates and their resamples to figures with intervals."""

from __future__ import annotations

import numpy as np

from uppertail import theory
from uppertail.evaluate.tail.curves import MAP_BINS
from uppertail.evaluate.tail.figure import figure, plain
from uppertail.evaluate.tail.measure import KLS, Estimates, Sums, has_peaked
from uppertail.evaluate.tail.pairs import BINS, LADDER, TOPS
from uppertail.evaluate.tail.result import (
    AgainstGold,
    BestOfN,
    CurvePoint,
    Difference,
    MapOf,
    PeakOf,
    Region,
)
from uppertail.evaluate.tail.table import Floats

QUARTER = TOPS.index(0.25)


def against_gold(name: str, sums: Sums, estimates: Estimates, perfect: Floats) -> AgainstGold:
    """Return what is reported of one reward.

    Args:
        name: of the reward.
        sums: over bundles, for counts.
        estimates: [R] of it, the first unweighted.
        perfect: [len(KLS)] win rates of gold as its own reward, on the same responses.
    """
    top_counts = sums.pairs.tops.sum(axis=(0, 2))
    bin_counts = sums.pairs.bins.sum(axis=(0, 2))
    regions = [
        _region(1 - top, 1.0, top_counts[at], estimates.tops[:, at]) for at, top in enumerate(TOPS)
    ]
    bins = tuple(
        _region(at / BINS, (at + 1) / BINS, bin_counts[at], estimates.bins[:, at])
        for at in range(BINS)
    )
    return AgainstGold(
        name=name,
        pairs=regions[0],
        tops=tuple(regions[1:]),
        bins=bins,
        map=_map(estimates),
        curve=_curve(estimates, perfect, regions[0]),
        kl_limit=float(estimates.kl_limit[0]),
        peak=_peak(estimates),
        best_of_n=_best_of_n(sums, estimates),
    )


def _region(low: float, high: float, pairs: float, shares: Floats) -> Region:
    right, tied, inverted = (figure(shares[:, at]) for at in range(3))
    return Region(low=low, high=high, pairs=round(pairs), right=right, tied=tied, inverted=inverted)


def _map(estimates: Estimates) -> MapOf:
    values = estimates.map[0]
    highest = int(values.argmax())
    return MapOf(
        gold=tuple(figure(estimates.map[:, at]) for at in range(MAP_BINS)),
        rising=float((np.diff(values) > 0).mean()),
        turn=(highest + 0.5) / MAP_BINS,
        drop=figure(estimates.map.max(axis=1) - estimates.map[:, -1]),
    )


def _curve(estimates: Estimates, perfect: Floats, pairs: Region) -> tuple[CurvePoint, ...]:
    """Return the curve at each KL that the samples reach."""
    worst = _worst_case(pairs)
    return tuple(
        CurvePoint(
            kl=kl,
            win_rate=figure(estimates.win_rate[:, at]),
            perfect=plain(perfect[at]),
            worst=float(theory.gold_at_kl(worst, kl)),
            length=figure(estimates.length[:, at]),
        )
        for at, kl in enumerate(KLS)
        if np.isfinite(estimates.win_rate[0, at])
    )


def _worst_case(pairs: Region) -> theory.Misspecification:
    """Return the reward that has the same share of right pairs and errs only at the top.

    Reversing the best share c inverts the pairs inside it, c² of all; ties count half.
    """
    assert pairs.right.value is not None  # gold differs somewhere, so there are pairs
    assert pairs.tied.value is not None
    right = pairs.right.value + pairs.tied.value / 2
    return theory.top_wrong(float(np.sqrt(max(0.0, 1 - right))))


def _peak(estimates: Estimates) -> PeakOf:
    return PeakOf(
        kl=figure(estimates.peak_kl),
        win_rate=figure(estimates.peak_win_rate),
        lost=figure(estimates.lost),
        falls=has_peaked(estimates),
    )


def _best_of_n(sums: Sums, estimates: Estimates) -> tuple[BestOfN, ...]:
    prompts = sums.pairs.prompts.sum(axis=0)
    return tuple(
        BestOfN(
            n=n,
            kl=float(theory.kl_best_of_n(n)),
            prompts=round(prompts[at]),
            win_rate=figure(estimates.best_wins[:, at]),
            gold=figure(estimates.best_gold[:, at]),
            perfect_gold=plain(estimates.perfect_gold[0, at]),
        )
        for at, n in enumerate(LADDER)
        if prompts[at] > 0
    )


def difference(first: Estimates, second: Estimates) -> Difference:
    """Return the first minus the second, paired: the same prompts in each resample."""
    return Difference(
        right=figure(first.tops[:, 0, 0] - second.tops[:, 0, 0]),
        top_right=figure(first.tops[:, QUARTER, 0] - second.tops[:, QUARTER, 0]),
        win_rate=tuple(
            (kl, figure(first.win_rate[:, at] - second.win_rate[:, at]))
            for at, kl in enumerate(KLS)
            if np.isfinite(first.win_rate[0, at] - second.win_rate[0, at])
        ),
        peak_kl=figure(first.peak_kl - second.peak_kl),
        peak_win_rate=figure(first.peak_win_rate - second.peak_win_rate),
    )
