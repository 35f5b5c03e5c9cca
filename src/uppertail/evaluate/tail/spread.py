"""What a reward says without any gold: ties, levels, spread, and noise from scoring twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from uppertail.evaluate.tail.groups import Chunk, Groups, rank
from uppertail.evaluate.tail.table import Floats, Ints

GROUP_SIZES: Final = (4, 8, 16)
"""Group sizes of RL for which the share of groups without a gradient is predicted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The reward within prompts. Means over prompts."""

    prompts: int
    responses: int
    group_size: float
    """Mean number of scored responses of a prompt."""
    all_tied: float
    """Share of prompts whose responses all have one reward: no gradient, no choice."""
    all_tied_in_groups: tuple[float | None, ...]
    """Expected share of all-tied groups of 4, 8 and 16; None where no prompt has as many."""
    tied_pairs: float
    """Share of pairs with equal reward."""
    top_tied: float
    """Mean share of responses that share the highest reward, 1/N without ties."""
    distinct: float
    """Mean number of different rewards of a prompt."""
    standard_deviation: float
    """Mean over prompts of the standard deviation within the prompt, in units of the reward."""
    kl_bound: float
    """Mean of ln(N / responses tied at the top), in nats: no policy on these responses can be
    further from the base policy, however strong the tilt. It is <= ln K for K equal levels,
    and <= ln N."""
    kl_bound_samples: float
    """Mean of ln N: the bound that the number of samples sets by itself."""


def spread(groups: Groups, reward: Floats) -> Spread:
    """Return how the reward is spread within prompts. At least one prompt."""
    parts = [_chunk_spread(chunk, reward[chunk.rows]) for chunk in groups.chunks()]
    values = np.concatenate(parts, axis=1)
    means = np.nanmean(values[:6], axis=1)
    tied = [None if np.isnan(row).all() else float(np.nanmean(row)) for row in values[6:]]
    sizes = groups.sizes
    return Spread(
        prompts=groups.prompts,
        responses=len(groups.rows),
        group_size=float(sizes.mean()),
        all_tied=float(means[0]),
        all_tied_in_groups=tuple(tied),
        tied_pairs=float(means[1]),
        top_tied=float(means[2]),
        distinct=float(means[3]),
        standard_deviation=float(means[4]),
        kl_bound=float(means[5]),
        kl_bound_samples=float(np.log(sizes).mean()),
    )


def _chunk_spread(chunk: Chunk, reward: Floats) -> Floats:
    """Return [6 + len(GROUP_SIZES), p] figures of each prompt."""
    ranks = rank(reward, chunk)
    size, tie = chunk.sizes, ranks.upto - ranks.below
    highest = np.maximum.reduceat(np.where(ranks.upto == chunk.per_row(size), tie, 0), chunk.starts)
    mean = chunk.sum(reward) / size
    variance = chunk.sum((reward - np.repeat(mean, size)) ** 2) / size
    return np.stack(
        [
            highest == size,
            chunk.sum((tie - 1).astype(float)) / (size * (size - 1)),
            highest / size,
            chunk.sum(1 / tie),
            np.sqrt(variance),
            np.log(size / highest),
            *(_tied_in_group(chunk, tie, wanted) for wanted in GROUP_SIZES),
        ]
    )


def _tied_in_group(chunk: Chunk, tie: Ints, wanted: int) -> Floats:
    """Return the chance that `wanted` responses drawn from each prompt all tie; NaN if too few."""
    chance = 1 / tie  # each tie of t responses is counted by its t rows
    total = chunk.per_row(chunk.sizes)
    for drawn in range(wanted):
        chance = chance * np.maximum(tie - drawn, 0) / np.maximum(total - drawn, 1)
    return np.where(chunk.sizes >= wanted, chunk.sum(chance), np.nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retest:
    """How well a reward repeats itself on the same responses."""

    responses: int
    correlation: float | None
    """Within prompts; None where one of the two is constant."""
    noise: float
    """Standard deviation of one scoring's noise, in units of the reward."""
    same_order: float | None
    """Share of pairs ordered by both scorings that both order alike; None without such pairs."""
    changed_ties: float
    """Share of pairs that tie in exactly one of the two scorings."""


def retest(groups: Groups, first: Floats, second: Floats, *, seed: int) -> Retest:
    """Return how two scorings of the same responses differ. At least one prompt.

    Order is judged on one random pair of each response with another of its prompt.
    """
    draw = np.random.default_rng(seed)
    moments, pairs = np.zeros(4), np.zeros(3)
    for chunk in groups.chunks():
        a, b = first[chunk.rows], second[chunk.rows]
        a0, b0 = _centred(chunk, a), _centred(chunk, b)
        moments += [(a0 * b0).sum(), (a0**2).sum(), (b0**2).sum(), ((a0 - b0) ** 2).sum()]
        shift = draw.integers(1, chunk.per_row(chunk.sizes))
        place = np.arange(len(a)) - chunk.per_row(chunk.starts)
        other = chunk.per_row(chunk.starts) + (place + shift) % chunk.per_row(chunk.sizes)
        sign = np.sign(a - a[other]) * np.sign(b - b[other])
        one_tied = (a == a[other]) != (b == b[other])
        pairs += [(sign > 0).sum(), (sign != 0).sum(), one_tied.sum()]
    responses = len(groups.rows)
    constant = moments[1] == 0 or moments[2] == 0
    freedom = 2 * (responses - groups.prompts)
    return Retest(
        responses=responses,
        correlation=None if constant else float(moments[0] / np.sqrt(moments[1] * moments[2])),
        noise=float(np.sqrt(moments[3] / freedom)),
        same_order=float(pairs[0] / pairs[1]) if pairs[1] else None,
        changed_ties=float(pairs[2] / responses),
    )


def _centred(chunk: Chunk, values: Floats) -> Floats:
    return values - np.repeat(chunk.sum(values) / chunk.sizes, chunk.sizes)
