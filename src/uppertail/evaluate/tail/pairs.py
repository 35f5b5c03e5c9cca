"""Pairs of responses to one prompt, and best-of-n: what needs every pair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from uppertail.evaluate.tail.groups import Chunk
from uppertail.evaluate.tail.table import Floats, Ints
from uppertail.theory import chances_best_of_n, compare, win_rate_best_of_n

BINS: Final = 10
"""Bins of the gold quantile, by the mean of the pair."""
TOPS: Final = (1.0, 0.5, 0.25, 0.1)
"""Regions: both responses are among the best share of their prompt."""
LADDER: Final = (1, 2, 4, 8, 16, 32, 64)
"""The n of best-of-n."""
BLOCK: Final = 128
"""A prompt with more responses is cut into random blocks of at most this many: unbiased, and
the number of pairs grows with the responses, not with their square."""
MOST_BLOCKS: Final = 1024
"""Blocks of one prompt: eight million pairs put the sampling error below 0.001."""
_ENTRIES: Final = 1 << 19
"""Pairs in work at a time."""
_UNIT: Final = 1 << 20
"""Quantiles as integers are in units of one over this."""


class PairSums(NamedTuple):
    """Sums over the prompts of each of Q bundles."""

    counts: Floats
    """[Q, BINS, len(TOPS), 3] pairs that the reward has right, tied, inverted, by the mean of
    their gold quantiles and by the narrowest region that holds both."""
    wins: Floats
    """[Q, len(LADDER)] win rate of best-of-n, summed over prompts that have more than n."""
    gold: Floats
    """[Q, len(LADDER)] mean gold of best-of-n, summed over the same prompts."""
    perfect: Floats
    """[Q, len(LADDER)] the same where gold itself chooses."""
    prompts: Floats
    """[Q, len(LADDER)] how many prompts those are."""

    @property
    def bins(self) -> Floats:
        """[Q, BINS, 3] pairs by gold quantile."""
        return np.asarray(self.counts.sum(axis=2))

    @property
    def tops(self) -> Floats:
        """[Q, len(TOPS), 3] pairs by region; a wider region holds the narrower ones."""
        return np.asarray(self.counts.sum(axis=1)[:, ::-1].cumsum(axis=1)[:, ::-1])


def pair_sums(
    chunk: Chunk, reward: Floats, gold: Floats, quantile: Floats, *, bundles: int, draw: Generator
) -> PairSums:
    """Return the sums of one chunk. `reward`, `gold` and its `quantile` are [M]."""
    counts = np.zeros(bundles * BINS * len(TOPS) * 3)
    best = np.zeros((4, len(LADDER), bundles))
    for rows, bundle, share in _blocks(chunk, draw):
        r, g = reward[rows], gold[rows]
        _count_pairs(r, g, quantile[rows], bundle, counts)
        _add_best(r, g, bundle, share, best)
    return PairSums(counts.reshape(bundles, BINS, len(TOPS), 3), *best.transpose(0, 2, 1))


def _blocks(chunk: Chunk, draw: Generator) -> Iterator[tuple[Ints, Ints, float]]:
    """Yield rows [B, N] and bundle [B] of blocks, and what share of its prompt each one is."""
    for size in np.unique(chunk.sizes):
        prompts = np.flatnonzero(chunk.sizes == size)
        blocks = -(-int(size) // BLOCK)
        width, kept = int(size) // blocks, min(blocks, MOST_BLOCKS)
        order = np.broadcast_to(np.arange(size), (len(prompts), size))
        if blocks > 1:
            order = draw.permuted(order, axis=1)[:, : kept * width]
        rows = (chunk.starts[prompts][:, None] + order).reshape(-1, width)
        bundle = np.repeat(chunk.bundle[prompts], kept)
        step = max(1, _ENTRIES // width**2)
        for at in range(0, len(rows), step):
            yield rows[at : at + step], bundle[at : at + step], 1 / kept


def _count_pairs(r: Floats, g: Floats, q: Floats, bundle: Ints, counts: Floats) -> None:
    """Add each pair of different gold to its bin, region and outcome."""
    # The inner loop of a report: small integers, and contiguous slices instead of indices.
    place = (q * _UNIT).astype(np.int32)
    level = np.zeros(q.shape, dtype=np.int8)
    for top in TOPS[1:]:
        level += q >= 1 - top
    owner = (bundle * BINS * len(TOPS) * 3)[:, None]
    for apart in range(1, r.shape[1]):
        better = _order(g[:, apart:], g[:, :-apart])
        outcome = 1 - better * _order(r[:, apart:], r[:, :-apart])
        within = (place[:, apart:] + place[:, :-apart]) * BINS // (2 * _UNIT)
        region = np.minimum(level[:, apart:], level[:, :-apart])
        code = owner + (within * len(TOPS) + region) * 3 + outcome
        counts += np.bincount(code[better != 0], minlength=len(counts))


def _order(a: Floats, b: Floats) -> NDArray[np.int8]:
    """Return the sign of a - b."""
    return (a > b).astype(np.int8) - (a < b).astype(np.int8)


def _add_best(r: Floats, g: Floats, bundle: Ints, share: float, best: Floats) -> None:
    """Add what best-of-n gives for each n that leaves an outsider to compare with."""
    by_reward = compare(r, g)
    below = (g[:, None, :] < g[:, :, None]).sum(axis=2)
    upto = (g[:, None, :] <= g[:, :, None]).sum(axis=2)
    bundles = best.shape[2]
    for at, n in enumerate(LADDER):
        if n >= r.shape[1]:
            break
        found = (
            win_rate_best_of_n(by_reward, n),
            (chances_best_of_n(by_reward.below, by_reward.upto, n) * g).sum(axis=1),
            (chances_best_of_n(below, upto, n) * g).sum(axis=1),
            np.ones(len(r)),
        )
        for sums, values in zip(best, found, strict=True):
            sums[at] += np.bincount(bundle, weights=values * share, minlength=bundles)
