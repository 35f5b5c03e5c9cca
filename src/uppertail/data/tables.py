"""Tables as rows: CSV, Parquet and data sets of the Hugging Face hub.

Parquet and the hub need the `data` extra. All three are read a batch at a time.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol, cast

from uppertail.data import columns
from uppertail.data.jsonl import opened
from uppertail.data.place import Place, Row, shown
from uppertail.errors import InputError, MissingExtra

HUB = "hf:"
"""What a hub source begins with: `hf:owner/name[:config[:split]]`."""
_BATCH = 256
_JSON_CELLS = frozenset(
    columns.CHAT
    + columns.RESPONSES
    + columns.CRITERIA
    + columns.SAMPLE
    + columns.ON_POLICY
    + columns.LABEL
    + ("round", "pair")
)
"""CSV columns that are not texts: their cells are read as JSON, and an empty cell is null."""


def csv_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a CSV file with a header line, plain or gzipped.

    Raises:
        InputError: it is not UTF-8, has no header, or a row has more cells than columns.
    """
    # The limit belongs to the whole process; the standard one (131,072) is shorter than
    # prompts that must pass.
    csv.field_size_limit(sys.maxsize)
    with opened(path) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        reader = csv.reader(text, strict=True)
        try:
            header = next(reader, [])
            start = reader.line_num + 1
            for cells in reader:
                place = Place(file=str(path), line=start)
                if cells:
                    yield Row(fields=_cells(header, cells, place), place=place)
                start = reader.line_num + 1
        except UnicodeDecodeError:
            raise InputError("expected UTF-8 text", file=path) from None
        except csv.Error as error:
            raise InputError(f"not CSV: {error}", file=path, line=reader.line_num) from None


def _cells(header: list[str], cells: list[str], place: Place) -> dict[str, object]:
    if len(cells) > len(header):
        raise place.error(f"expected {len(header)} cells as in the header, found {len(cells)}")
    return {
        name: _cell(cell) if name in _JSON_CELLS else cell
        for name, cell in zip(header, cells, strict=False)
    }


def _cell(cell: str) -> object:
    """Return what the cell holds as JSON; a cell that is not JSON is a text."""
    if not cell:
        return None
    try:
        return cast("object", json.loads(cell))
    except (ValueError, RecursionError):
        return cell


def parquet_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a Parquet file.

    Raises:
        InputError: it is not there, or not Parquet.
        MissingExtra: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtra(f"reading {path}", "data") from None
    with opened(path) as stream:
        try:
            number = 0
            for batch in pq.ParquetFile(stream).iter_batches(batch_size=_BATCH):
                for fields in batch.to_pylist():
                    number += 1
                    yield Row(fields=fields, place=Place(file=str(path), line=number, unit="row"))
        except pa.ArrowInvalid as error:
            raise InputError(f"not a Parquet file: {_first_line(error)}", file=path) from None


class Load(Protocol):
    """What loads a split of a data set as an iterable of rows."""

    def __call__(
        self, name: str, config: str | None, *, split: str
    ) -> Iterable[Mapping[str, object]]:
        """Return the rows of the split."""
        ...


def hub_rows(source: str, *, load: Load | None = None) -> Iterator[Row]:
    """Yield the rows of `hf:owner/name[:config[:split]]`; the split is `train` unless given.

    Args:
        source: the name, with its `hf:`.
        load: what loads it; `datasets.load_dataset`, streaming, unless given.

    Raises:
        InputError: the name is malformed, or the data set cannot be loaded.
        MissingExtra: `datasets` is not installed.
    """
    name, config, split = _hub_name(source)
    load = load or _streaming(source)
    number = 0
    try:
        for fields in load(name, config, split=split):
            number += 1
            yield Row(fields=fields, place=Place(file=source, line=number, unit="row"))
    except Exception as error:  # network, hub and format errors of many libraries
        raise InputError(
            f"the data set cannot be loaded: {type(error).__name__}: {_first_line(error)}",
            file=source,
        ) from error


def _hub_name(source: str) -> tuple[str, str | None, str]:
    name, *rest = source.removeprefix(HUB).split(":")
    if not name or len(rest) > 2:
        raise InputError(f"expected hf:owner/name[:config[:split]], found {shown(source)}")
    config = rest[0] if rest and rest[0] else None
    return name, config, (rest[1] if len(rest) == 2 and rest[1] else "train")


def _streaming(source: str) -> Load:
    try:
        from datasets import load_dataset
    except ImportError:
        raise MissingExtra(f"reading {source}", "data") from None

    def load(name: str, config: str | None, *, split: str) -> Iterable[Mapping[str, object]]:
        rows = load_dataset(name, config, split=split, streaming=True)
        return cast("Iterable[Mapping[str, object]]", rows)

    return load


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200]
