"""Rows to CSV and Parquet. What a cell cannot hold as it is stands there as JSON text."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uppertail.data.write import replaced, storing
from uppertail.errors import MissingExtra

if TYPE_CHECKING:
    import pyarrow as pa

OutRow = Mapping[str, object]
_BATCH = 1000
_WHOLE = ("sample", "round")
_NUMBERS = ("label", "score", "low", "high", "answered", "share", "margin")
_TRUTHS = ("on_policy",)


def write_csv(path: Path, rows: Iterable[OutRow]) -> int:
    """Write `rows` as CSV with the columns of the first; return how many there were.

    Lone surrogates become backslash escapes.

    Raises:
        StorageError: the folder cannot be written, or the disk is full.
    """
    header, every = _with_header(rows)
    written = 0
    with replaced(path) as part, storing(path):
        stream = part.open("w", encoding="utf-8", errors="backslashreplace", newline="")
        with stream:
            writer = csv.writer(stream)
            writer.writerow(header)
            for row in every:
                writer.writerow([_csv_cell(row.get(name)) for name in header])
                written += 1
    return written


def _csv_cell(value: object) -> object:
    """Return a text or number as it is, null as an empty cell, and all else as JSON text."""
    return value if value is None or isinstance(value, str) else _json(value)


def write_parquet(path: Path, rows: Iterable[OutRow]) -> int:
    """Write `rows` as Parquet with the columns of the first; return how many there were.

    Lone surrogates become backslash escapes.

    Raises:
        MissingExtra: pyarrow is not installed.
        StorageError: the folder cannot be written, or the disk is full.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtra("writing Parquet", "data") from None
    header, every = _with_header(rows)
    schema = pa.schema([(name, _type(name, pa)) for name in header])
    written = 0
    with replaced(path) as part, storing(path), pq.ParquetWriter(part, schema) as writer:
        while batch := list(islice(every, _BATCH)):
            cells = [{name: _arrow_cell(name, row.get(name)) for name in header} for row in batch]
            writer.write_table(pa.Table.from_pylist(cells, schema=schema))
            written += len(batch)
    return written


def _type(name: str, pa: Any) -> pa.DataType:  # noqa: ANN401 - a module of an optional package
    """Return the type of a column; anything that is not named here is a text."""
    if name in _WHOLE:
        return pa.int64()
    if name in _NUMBERS:
        return pa.float64()
    if name in _TRUTHS:
        return pa.bool_()
    if name == "pair":
        return pa.list_(pa.string())
    if name == "criteria":
        texts = [(part, pa.string()) for part in ("criterion_id", "criterion", "kind", "check")]
        return pa.list_(pa.struct([*texts[:2], ("weight", pa.float64()), *texts[2:]]))
    return pa.string()


def _arrow_cell(name: str, value: object) -> object:
    typed = name in _WHOLE + _NUMBERS + _TRUTHS + ("pair", "criteria")
    return _escaped(value if typed or value is None or isinstance(value, str) else _json(value))


def _escaped(value: object) -> object:
    """Return `value` with the lone surrogates of its texts as backslash escapes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    if isinstance(value, dict):
        return {name: _escaped(item) for name, item in value.items()}
    return value


def _with_header(rows: Iterable[OutRow]) -> tuple[list[str], Iterator[OutRow]]:
    every = iter(rows)
    first = list(islice(every, 1))
    return [name for row in first for name in row], chain(first, every)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
