"""Responses by prompt: which ones can be measured, and ranks within a prompt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from uppertail.evaluate.tail.table import Floats, Ints

BUNDLES: Final = 4096
"""Intervals resample prompts; above this number they resample bundles of prompts, which
gives the same intervals (bundles are as independent as prompts) in bounded memory."""
CHUNK: Final = 1 << 16
"""Rows in work at a time, so that temporary arrays stay in the processor's cache."""


class Chunk(NamedTuple):
    """Some whole prompts."""

    rows: Ints
    """[M] rows of the table, prompt by prompt."""
    starts: Ints
    """[p] where each prompt begins in `rows`."""
    sizes: Ints
    """[p] its responses."""
    bundle: Ints
    """[p] the bundle that it is resampled with."""

    def per_row(self, values: Ints) -> Ints:
        """Return the value of its prompt for each row."""
        return np.repeat(values, self.sizes)

    def sum(self, values: Floats) -> Floats:
        """Return the sum over each prompt's rows."""
        return np.asarray(np.add.reduceat(values, self.starts))

    def bundled(self, values: Floats, bundles: int) -> Floats:
        """Return the sum over each bundle's prompts."""
        return np.asarray(np.bincount(self.bundle, weights=values, minlength=bundles))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Groups:
    """The prompts with at least two usable responses."""

    rows: Ints
    """[M] rows of the table, prompt by prompt."""
    bounds: Ints
    """[P + 1] where each prompt begins and ends in `rows`."""
    single: int
    """Prompts left out because only one of their responses is usable."""
    bundles: int
    """How many bundles the prompts are resampled in."""

    @property
    def prompts(self) -> int:
        """P, the number of prompts."""
        return len(self.bounds) - 1

    @property
    def sizes(self) -> Ints:
        """[P] usable responses of each prompt."""
        return np.diff(self.bounds)

    def chunks(self) -> Iterator[Chunk]:
        """Yield the prompts in stretches of about `CHUNK` rows, never part of a prompt."""
        first = 0
        while first < self.prompts:
            wanted = np.searchsorted(self.bounds, self.bounds[first] + CHUNK, side="right") - 1
            last = max(first + 1, int(wanted))
            low, high = self.bounds[first], self.bounds[last]
            yield Chunk(
                rows=self.rows[low:high],
                starts=self.bounds[first:last] - low,
                sizes=np.diff(self.bounds[first : last + 1]),
                bundle=np.arange(first, last) % self.bundles,
            )
            first = last


def group(prompt: Ints, usable: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Groups:
    """Return the usable rows by prompt, without prompts that have only one."""
    rows = np.flatnonzero(usable)
    codes = prompt[rows]
    if (np.diff(codes) < 0).any():
        order = np.argsort(codes, kind="stable")
        rows, codes = rows[order], codes[order]
    edges = (
        np.flatnonzero(np.diff(codes, prepend=-1, append=-1)) if len(codes) else np.zeros(1, int)
    )
    sizes = np.diff(edges)
    several = sizes >= 2
    kept = rows[np.repeat(several, sizes)]
    bounds = np.concatenate([[0], np.cumsum(sizes[several])]).astype(np.int64)
    return Groups(
        rows=kept,
        bounds=bounds,
        single=int((~several).sum()),
        bundles=max(1, min(BUNDLES, len(bounds) - 1)),
    )


class Ranks(NamedTuple):
    """Places of rows within their prompt. [M] each."""

    below: Ints
    """Responses of the prompt with a lower value."""
    upto: Ints
    """Responses with a lower or equal value, the row itself included."""
    order: Ints
    """Rows from the lowest value to the highest, prompt by prompt."""

    def quantile(self, size: Ints) -> Floats:
        """Return the mid-rank quantile, (rank - 1/2) / N with ties averaged, in (0, 1)."""
        return np.asarray((self.below + self.upto) / (2 * size))


def rank(values: Floats, chunk: Chunk) -> Ranks:
    """Return the place of each row's value within its prompt."""
    order = _order(values, chunk)
    ranked = values[order]
    begins = np.concatenate([[True], ranked[1:] != ranked[:-1]])
    begins[chunk.starts] = True
    first = np.flatnonzero(begins)
    counts = np.diff(np.append(first, len(values)))
    offset = chunk.per_row(chunk.starts)
    below, upto = np.empty(len(values), dtype=np.int64), np.empty(len(values), dtype=np.int64)
    below[order] = np.repeat(first, counts) - offset
    upto[order] = np.repeat(first + counts, counts) - offset
    return Ranks(below, upto, order)


def _order(values: Floats, chunk: Chunk) -> Ints:
    """Return rows from the lowest value to the highest, prompt by prompt."""
    size = int(chunk.sizes[0])
    if (chunk.sizes == size).all():  # several times faster, and the usual case
        within = values.reshape(-1, size).argsort(axis=1)
        return np.asarray((within + chunk.starts[:, None]).ravel())
    return np.lexsort((values, chunk.per_row(np.arange(len(chunk.sizes)))))
