"""Any input as rows: the format follows from the name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from uppertail.data.jsonl import document_rows, line_rows
from uppertail.data.place import Row
from uppertail.data.tables import HUB, csv_rows, hub_rows, parquet_rows
from uppertail.errors import InputError

Source = str | Path
"""A path, or a hub name that begins with `hf:`."""


def read_rows(source: Source) -> Iterator[Row]:
    """Yield the rows of an input, in its order.

    `hf:…` is a data set of the hub; `.parquet` and `.csv` are tables; `.jsonl` and
    `.ndjson` hold a row a line; anything else is a JSON document. All but Parquet may be
    gzipped.

    Raises:
        InputError: it cannot be read, or holds no row.
        MissingExtra: it needs the `data` extra.
    """
    empty = True
    for row in _rows(source):
        empty = False
        yield row
    if empty:
        raise InputError("expected at least one row, found none", file=source)


def _rows(source: Source) -> Iterator[Row]:
    if isinstance(source, str) and source.startswith(HUB):
        return hub_rows(source)
    path = Path(source)
    name = path.name.lower().removesuffix(".gz")
    if name.endswith((".jsonl", ".ndjson")):
        return line_rows(path)
    if name.endswith(".csv"):
        return csv_rows(path)
    if name.endswith(".parquet"):
        return parquet_rows(path)
    return document_rows(path)
