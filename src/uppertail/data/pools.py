"""Inputs to pools: one a prompt, in input order, with what was kept out of each."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from uppertail.data.formats import Source, read_rows
from uppertail.data.join import joined
from uppertail.data.place import Place
from uppertail.data.prompts import SeenIds, prompt_in
from uppertail.data.responses import Draft, Quarantined, drafts_in, is_flat, sort_out
from uppertail.types import Pool, Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRow:
    """A pool, where its prompt stands, and the responses that were kept out of it."""

    pool: Pool
    place: Place
    quarantined: tuple[Quarantined, ...]


def read_pools(
    source: Source, responses: Source | None = None, *, scratch: Path | None = None
) -> Generator[PoolRow, None, None]:
    """Yield one pool a prompt, in input order.

    Rows that hold a whole pool are streamed. Flat rows, and responses in an input of their
    own, are first joined in a temporary database; then nothing is yielded before all of
    the input has been read. Memory grows by at most 80 bytes a prompt (see `SeenIds`).

    Args:
        source: prompts with their responses; or prompts alone, if `responses` is given.
        responses: responses in an input of their own, each with its `prompt_id`.
        scratch: folder for the temporary database; None for the system's.

    Raises:
        InputError: an input cannot be read, or a row is not what it must be.
        StorageError: the temporary database cannot be written.
        MissingExtra: an input needs the `data` extra.
    """
    if responses is None and not is_flat(next(read_rows(source))):
        yield from _streamed(source)
        return
    with joined(source, responses, scratch) as join:
        for prompt, place, drafts in join:
            yield _pool_row(prompt, place, drafts)


def _streamed(source: Source) -> Iterator[PoolRow]:
    seen = SeenIds(source)
    for row in read_rows(source):
        prompt = prompt_in(row)
        seen.add(prompt.id, row.place)
        yield _pool_row(prompt, row.place, drafts_in(row))


def _pool_row(prompt: Prompt, place: Place, drafts: tuple[Draft, ...]) -> PoolRow:
    kept, quarantined = sort_out(prompt.id, drafts)
    pool = Pool(prompt=prompt, responses=kept)
    return PoolRow(pool=pool, place=place, quarantined=quarantined)
