"""Ids as numbers, and labels that stand in another file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from uppertail.errors import InputError
from uppertail.evaluate.tail.table import Floats, Ints


class Keys(NamedTuple):
    """Ids of rows, as numbers. Those that a file does not have are None."""

    prompt: Ints
    response: Ints | None
    chosen: Ints | None
    rejected: Ints | None


class Codes:
    """Numbers for ids, in order of first appearance: the same in every file that is read."""

    def __init__(self) -> None:
        self._prompts: dict[Any, int] = {}
        self._responses: dict[Any, int] = {}

    def encode(self, key: str, values: Any, path: Path, name: str) -> Ints:  # noqa: ANN401
        """Return the numbers of an Arrow column of ids.

        Raises:
            InputError: an id is missing.
        """
        if values.null_count:
            raise InputError("an id is missing", file=path, field=name)
        known = self._prompts if key == "prompt" else self._responses
        encoded = values.dictionary_encode()
        codes = [known.setdefault(str(id_), len(known)) for id_ in encoded.dictionary.to_pylist()]
        places = encoded.indices.to_numpy(zero_copy_only=False)
        return np.asarray(np.array(codes, dtype=np.int64)[places])


def look_up(keys: Keys, values: Floats, rows: Keys) -> Floats:
    """Return the value of each row's (prompt, response), NaN where there is none.

    Where an id stands twice, the last value counts.
    """
    assert keys.response is not None
    assert rows.response is not None
    known, wanted = _pairs(keys.prompt, keys.response), _pairs(rows.prompt, rows.response)
    order = np.argsort(known, kind="stable")
    place = np.searchsorted(known[order], wanted, side="right") - 1
    found = (place >= 0) & (known[order][np.maximum(place, 0)] == wanted)
    return np.where(found, values[order][np.maximum(place, 0)], np.nan)


def borda(preferences: Keys, rows: Keys) -> Floats:
    """Return the share of its comparisons that each row won, NaN where it was in none."""
    assert preferences.chosen is not None
    assert preferences.rejected is not None
    sides = np.concatenate([preferences.chosen, preferences.rejected])
    prompts = np.tile(preferences.prompt, 2)
    won = np.repeat([1.0, 0.0], len(preferences.prompt))
    pairs, place = np.unique(_pairs(prompts, sides), return_inverse=True)
    share = np.bincount(place, weights=won) / np.bincount(place)
    keys = Keys(pairs >> 32, pairs & 0xFFFFFFFF, None, None)
    return look_up(keys, share, rows)


def _pairs(prompt: Ints, response: Ints) -> Ints:
    return np.asarray((prompt << 32) | response)
