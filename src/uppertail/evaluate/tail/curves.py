"""Curves of a reward: the tilted policy at each strength, and the misspecification map."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from uppertail.evaluate.tail.groups import Chunk, Ranks, rank
from uppertail.evaluate.tail.table import Floats

STRENGTHS: Final = np.geomspace(0.03, 3e3, 64)
"""b in units of one over the reward's typical spread within a prompt: KL from 5e-4 nats to
where each prompt's policy sits on its best response."""
MAP_BINS: Final = 20


class CurveSums(NamedTuple):
    """Sums over the prompts of each of Q bundles; B strengths."""

    kl: Floats
    """[Q, B] KL of the tilted policy."""
    win_rate: Floats
    """[Q, B] its win rate: the tilted mean of the gold quantile."""
    length: Floats
    """[Q, B] its mean length over the base policy's; NaN where lengths are unknown."""
    map: Floats
    """[Q, MAP_BINS] mean gold quantile in each bin of the reward's quantile."""
    prompts: Floats
    """[Q] how many prompts."""


def curve_sums(
    chunk: Chunk,
    reward: Floats,
    quantile: Floats,
    *,
    scale: float,
    bundles: int,
    length: Floats | None = None,
    map_too: bool = True,
) -> CurveSums:
    """Return the sums of one chunk.

    Args:
        chunk: which prompts.
        reward: [M] rewards.
        quantile: [M] gold quantiles within the prompt.
        scale: the reward's typical spread within a prompt; strengths are in 1/scale.
        bundles: Q.
        length: [M] lengths, if known.
        map_too: whether to fill the map, else zeros.
    """
    highest = np.maximum.reduceat(reward, chunk.starts)
    lowered = (reward - np.repeat(highest, chunk.sizes)) / scale
    relative = None if length is None else length / np.repeat(_mean(chunk, length), chunk.sizes)
    sums = np.full((3, len(STRENGTHS), bundles), np.nan)
    for at, b in enumerate(STRENGTHS):
        weight = np.exp(b * lowered)
        total = chunk.sum(weight)
        kl = b * chunk.sum(weight * lowered) / total - np.log(total / chunk.sizes)
        sums[0, at] = chunk.bundled(np.maximum(kl, 0.0), bundles)
        sums[1, at] = chunk.bundled(chunk.sum(weight * quantile) / total, bundles)
        if relative is not None:
            sums[2, at] = chunk.bundled(chunk.sum(weight * relative) / total, bundles)
    return CurveSums(
        kl=sums[0].T,
        win_rate=sums[1].T,
        length=sums[2].T,
        map=_map_sums(chunk, rank(reward, chunk), quantile, bundles)
        if map_too
        else np.zeros((bundles, MAP_BINS)),
        prompts=chunk.bundled(np.ones(len(chunk.sizes)), bundles),
    )


def _mean(chunk: Chunk, values: Floats) -> Floats:
    return np.maximum(chunk.sum(values) / chunk.sizes, 1e-12)


def _map_sums(chunk: Chunk, ranks: Ranks, quantile: Floats, bundles: int) -> Floats:
    """Return [Q, MAP_BINS] the mean gold quantile by quantile of the reward.

    N responses cut [0, 1] into N equal steps; tied responses share the mean of their steps.
    The integral of that staircase is linear between steps, so bins of any width are exact.
    """
    size = ranks.upto - ranks.below
    tie_sum = _tie_sums(chunk, ranks, quantile)
    running = np.concatenate([[0.0], np.cumsum((tie_sum / size)[ranks.order])])
    out = np.empty((MAP_BINS, bundles))
    before = running[chunk.starts]
    for bin_ in range(MAP_BINS):
        at = chunk.sizes * (bin_ + 1) / MAP_BINS
        whole = np.minimum(at.astype(np.int64), chunk.sizes - 1)
        low = chunk.starts + whole
        upto = running[low] + (at - whole) * (running[low + 1] - running[low])
        out[bin_] = chunk.bundled((upto - before) * MAP_BINS / chunk.sizes, bundles)
        before = upto
    return out.T


def _tie_sums(chunk: Chunk, ranks: Ranks, values: Floats) -> Floats:
    """Return, for each row, the sum of `values` over the rows that tie with it."""
    begins = ranks.below[ranks.order]
    new = np.concatenate([[True], begins[1:] != begins[:-1]])
    new[chunk.starts] = True
    first = np.flatnonzero(new)
    sums = np.add.reduceat(values[ranks.order], first)
    out = np.empty(len(values))
    out[ranks.order] = np.repeat(sums, np.diff(np.append(first, len(values))))
    return out
