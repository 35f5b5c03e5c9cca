"""Files written whole or not at all, in bytes that follow from the rows alone."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from uppertail.errors import StorageError

Write = Callable[[bytes], None]


def json_line(row: Mapping[str, object]) -> bytes:
    r"""Return `row` as one line of UTF-8 JSON, keys in their order.

    Lone surrogates, which UTF-8 cannot hold, are written as `\udXXX` escapes.

    Raises:
        ValueError: a number is not finite.
    """
    text = json.dumps(row, ensure_ascii=False, allow_nan=False)
    # A surrogate can only stand inside a JSON text, where the backslash form is an escape.
    return text.encode("utf-8", "backslashreplace") + b"\n"


def write_jsonl(path: Path, rows: Iterable[Mapping[str, object]]) -> int:
    """Write `rows` to `path` as JSON Lines, row by row; return how many there were.

    Raises:
        StorageError: see `replacing`.
    """
    written = 0
    with replacing(path) as write:
        for row in rows:
            write(json_line(row))
            written += 1
    return written


def write_json_array(path: Path, rows: Iterable[Mapping[str, object]]) -> int:
    """Write `rows` to `path` as one JSON array, row by row; return how many there were.

    Raises:
        StorageError: see `replacing`.
    """
    written = 0
    with replacing(path) as write:
        write(b"[")
        for row in rows:
            write((b",\n" if written else b"\n") + json_line(row).rstrip(b"\n"))
            written += 1
        write(b"\n]\n")
    return written


@contextmanager
def replacing(path: Path) -> Iterator[Write]:
    """Give a function that writes bytes which become the file `path` when the block ends.

    Raises:
        StorageError: see `replaced`.
    """
    with replaced(path) as part:
        with storing(path):
            stream = part.open("wb")
        try:

            def write(data: bytes) -> None:
                with storing(path):
                    stream.write(data)

            yield write
            with storing(path):
                stream.flush()
        finally:
            # After a flush there is nothing left that could fail; after a failure, closing
            # would try the same write again.
            with suppress(OSError):
                stream.close()


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Give the name of a file to be written, which becomes `path` when the block ends.

    The file appears, or replaces an older one, only when it is whole and on disk. If the
    block raises, nothing has changed. Missing parent folders are made.

    Raises:
        StorageError: the folder cannot be written, or the disk is full.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with storing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        with storing(path):
            _sync(part)
            part.replace(path)
            _sync(path.parent)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn the operating system's errors in the block into a `StorageError` about `path`."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror or error}") from error


def _sync(path: Path) -> None:
    """Put a file, or the names in a folder, on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
