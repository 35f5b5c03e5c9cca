"""Files of rows as Arrow batches of the wanted columns: Parquet, CSV and JSON Lines, zipped or not.

A batch is in memory at a time. JSON Lines are decoded to the wanted fields only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from uppertail.data.jsonl import opened
from uppertail.errors import InputError, MissingExtra

ROWS: Final = 1 << 16
Batch = dict[str, Any]
"""Column name to Arrow array."""


def column_names(path: Path) -> tuple[str, ...]:
    """Return the names of the columns of a file, or of the first row of JSON Lines.

    Raises:
        InputError: it is not there, empty, or of no known kind.
        MissingExtra: pyarrow is not installed.
    """
    return _kind(path)[0](path)


def batches(path: Path, wanted: Sequence[str]) -> Iterator[Batch]:
    """Yield the wanted columns, a batch of rows at a time.

    Raises:
        InputError: the file is damaged, or a line or cell is not what it must be.
        MissingExtra: pyarrow is not installed.
    """
    return _kind(path)[1](path, wanted)


def arrow() -> Any:  # noqa: ANN401  pyarrow has no types
    """Return the module `pyarrow`.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import pyarrow as pa
    except ImportError:
        raise MissingExtra("uppertail tail", "tail") from None
    return pa


def _kind(
    path: Path,
) -> tuple[Callable[[Path], tuple[str, ...]], Callable[[Path, Sequence[str]], Iterator[Batch]]]:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    for suffix in reversed(suffixes):
        if suffix in {".parquet", ".pq"}:
            return _parquet_names, _parquet
        if suffix == ".csv":
            return _csv_names, _csv
        if suffix in {".jsonl", ".ndjson", ".json"}:
            return _json_names, _json
    raise InputError(
        "expected a .parquet, .csv or .jsonl file (.gz too for the last two)", file=path
    )


def _parquet_names(path: Path) -> tuple[str, ...]:
    with _parquet_file(path) as file:
        return tuple(file.schema_arrow.names)


def _parquet(path: Path, wanted: Sequence[str]) -> Iterator[Batch]:
    with _parquet_file(path) as file:
        for batch in file.iter_batches(batch_size=ROWS, columns=list(wanted)):
            yield {name: batch.column(name) for name in wanted}


def _parquet_file(path: Path) -> Any:  # noqa: ANN401  pyarrow has no types
    arrow()
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except FileNotFoundError:
        raise InputError("there is no such file", file=path) from None
    except (OSError, ValueError) as error:  # Arrow's own errors are ValueErrors
        raise InputError(f"not a Parquet file: {_first_line(error)}", file=path) from None


def _csv_names(path: Path) -> tuple[str, ...]:
    with opened(path) as stream:
        header = stream.readline().decode("utf-8-sig", "replace")
    import csv

    return tuple(next(csv.reader([header]), []))


def _csv(path: Path, wanted: Sequence[str]) -> Iterator[Batch]:
    pa = arrow()
    import pyarrow.csv as pc

    convert = pc.ConvertOptions(include_columns=list(wanted), strings_can_be_null=True)
    parse = pc.ParseOptions(newlines_in_values=True)
    with opened(path) as stream:
        try:
            reader = pc.open_csv(stream, convert_options=convert, parse_options=parse)
            for batch in reader:
                yield {name: batch.column(name) for name in wanted}
        except pa.ArrowInvalid as error:
            raise InputError(
                f"not the CSV that is expected: {_first_line(error)}", file=path
            ) from None


def _json_names(path: Path) -> tuple[str, ...]:
    with opened(path) as stream:
        for number, line in enumerate(stream, 1):
            if line.strip():
                return tuple(_by_json(line, path, number))
    raise InputError("the file is empty", file=path)


def _json(path: Path, wanted: Sequence[str]) -> Iterator[Batch]:
    pa = arrow()
    fields = [(f"f{at}", Any, None) for at in range(len(wanted))]
    names = {f"f{at}": name for at, name in enumerate(wanted)}
    row = msgspec.defstruct("Row", fields, rename=names, gc=False)
    decoder = msgspec.json.Decoder(row)
    getters = [f"f{at}" for at in range(len(wanted))]
    with opened(path) as stream:
        numbered = ((number, line) for number, line in enumerate(stream, 1) if line.strip())
        while lines := list(islice(numbered, ROWS)):
            rows = [_decoded(decoder, row, line, path, number, wanted) for number, line in lines]
            yield {
                name: _column(pa, [getattr(one, getter) for one in rows], name, path, lines)
                for name, getter in zip(wanted, getters, strict=True)
            }


def _decoded(
    decoder: msgspec.json.Decoder[Any],
    row: Callable[..., Any],
    line: bytes,
    path: Path,
    number: int,
    wanted: Sequence[str],
) -> Any:  # noqa: ANN401  a struct that is defined while reading
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Python writes NaN and Infinity, which are no JSON; its own reader takes them.
        fields = _by_json(line, path, number)
        return row(*(fields.get(name) for name in wanted))


def _by_json(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"expected a JSON object: {error}", file=path, line=number) from None
    if not isinstance(fields, dict):
        raise InputError("expected a JSON object", file=path, line=number)
    return fields


def _column(
    pa: Any,  # noqa: ANN401  pyarrow has no types
    values: list[Any],
    name: str,
    path: Path,
    lines: list[tuple[int, bytes]],
) -> Any:  # noqa: ANN401
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        kinds = [type(value) for value in values]
        first = next(kind for kind in kinds if kind is not type(None))
        for (number, _), kind in zip(lines, kinds, strict=True):
            if kind is not type(None) and not _mixes(first, kind):
                raise InputError(
                    f"expected {first.__name__} as in the rows above, found {kind.__name__}",
                    file=path,
                    line=number,
                    field=name,
                ) from None
        raise InputError("expected one kind of value", file=path, field=name) from None


def _mixes(first: type, kind: type) -> bool:
    return first is kind or {first, kind} <= {int, float}


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200]
