"""JSON Lines and JSON documents, plain or gzipped: read row by row, written whole or not at all.

Memory is bounded by the longest row. The exception is a document that wraps its rows
in an object (`{"metadata": …, "rubrics": […]}`), which is held whole.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from uppertail.data.place import Place, Row, shown
from uppertail.errors import InputError

_DECODER = json.JSONDecoder(strict=False)
"""Not strict: raw control characters inside a text pass through."""
_SPACE = re.compile(r"[ \t\r\n]*")
_CHUNK = 1 << 18
_LONGEST_TOKEN = 16
"""A token other than a text or number that a chunk's end cuts is shorter than this."""
_BOM = b"\xef\xbb\xbf"
WRAPPERS = ("rubrics", "prompts", "responses", "data")
"""Names under which a document that is one object may hold its rows."""
_ROW_NAMES = frozenset({"prompt", "prompt_id", "id", "messages"})
"""An object that holds one of these is a row and wraps nothing."""


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open `path` for reading bytes; gzip is recognised by its first two bytes.

    Raises:
        InputError: it is not there, not a file, not readable; or, while it is read,
            its gzip data is damaged or cut.
    """
    try:
        with path.open("rb") as raw:
            zipped = raw.peek(2)[:2] == b"\x1f\x8b"
            with gzip.GzipFile(fileobj=raw) if zipped else raw as stream:
                yield cast("BinaryIO", stream)
    except FileNotFoundError:
        raise InputError("there is no such file", file=path) from None
    except IsADirectoryError:
        raise InputError("expected a file, found a folder", file=path) from None
    except EOFError:
        raise InputError("the gzip data is cut off: the file is truncated", file=path) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"the gzip data is damaged ({error})", file=path) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", file=path) from None


def line_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a JSON Lines file. Blank lines are skipped.

    Raises:
        InputError: a line is not UTF-8, not JSON, not an object, or cut off.
    """
    with opened(path) as stream:
        for number, line in enumerate(stream, 1):
            data = line.removeprefix(_BOM) if number == 1 else line
            if data.strip():
                place = Place(file=str(path), line=number)
                yield Row(fields=_object(_decoded(data, place), place), place=place)


def _decoded(data: bytes, place: Place) -> object:
    try:
        return cast("object", _DECODER.decode(_utf8(data, place)))
    except RecursionError:
        raise place.error("the JSON is nested too deeply") from None
    except ValueError as error:
        if not data.endswith(b"\n"):
            raise place.error("the line is cut off: the file seems truncated") from None
        raise place.error(f"expected a JSON object on the line, found: {error}") from None


def _utf8(data: bytes, place: Place) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise place.error(_not_utf8(error)) from None


def _not_utf8(error: UnicodeDecodeError) -> str:
    if error.reason == "unexpected end of data":
        return "the text ends inside a character: the file seems truncated"
    return f"expected UTF-8 text, found the byte 0x{error.object[error.start]:02x}"


def _object(value: object, place: Place) -> dict[str, object]:
    if isinstance(value, dict):
        return value
    raise place.error(f"expected a JSON object, found {shown(value)}")


def document_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a JSON document: an array, objects one after another, or a wrapped array.

    Raises:
        InputError: it is not UTF-8, not JSON, holds something else than objects, or is cut off.
    """
    with opened(path) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        window = _Window(text, str(path))
        if window.upcoming() == "[":
            yield from _array_rows(window)
        else:
            yield from _object_rows(window)


def _array_rows(window: _Window) -> Iterator[Row]:
    index = 0
    closed = window.after("[") and window.upcoming() == "]"
    while not closed:
        window.upcoming()
        place = window.place()
        yield Row(fields=_object(window.value(), place), place=place, index=index)
        index += 1
        mark = window.upcoming()
        if mark not in {",", "]"}:
            raise window.problem("expected ',' or ']' after the item")
        closed = mark == "]"
        if not closed:
            window.after(",")
    window.after("]")
    if window.upcoming():
        raise window.place().error("expected nothing after the closing ']'")


def _object_rows(window: _Window) -> Iterator[Row]:
    while window.upcoming():
        place = window.place()
        fields = _object(window.value(), place)
        wrapped = _wrapped(fields)
        if wrapped is None:
            yield Row(fields=fields, place=place)
            continue
        for index, item in enumerate(wrapped):
            inner = Place(file=place.file, line=index + 1, unit="row")
            yield Row(fields=_object(item, inner), place=inner, index=index)


def _wrapped(fields: dict[str, object]) -> list[object] | None:
    """Return the rows that an object wraps, or None where it is a row itself."""
    if _ROW_NAMES & fields.keys():
        return None
    for name in WRAPPERS:
        value = fields.get(name)
        if isinstance(value, list):
            return value
    return None


class _Window:
    """The stretch of a JSON document that is being read, and the line on which it begins."""

    def __init__(self, text: TextIO, file: str) -> None:
        self._text = text
        self._file = file
        self._held = ""
        self._at = 0
        self._line = 1
        self._ended = False

    def place(self) -> Place:
        return Place(file=self._file, line=self._line)

    def problem(self, expected: str) -> InputError:
        """Return the complaint about what comes next, or about its absence."""
        if self._ended and self._at == len(self._held):
            return self.place().error("the JSON is cut off: the file seems truncated")
        return self.place().error(expected)

    def upcoming(self) -> str:
        """Skip white space; return the next character, or an empty text at the end."""
        while True:
            space = _SPACE.match(self._held, self._at)
            assert space is not None
            self._advance(space.end())
            if self._at < len(self._held):
                return self._held[self._at]
            if not self._more():
                return ""

    def after(self, mark: str) -> bool:
        """Step over `mark`, which is known to come next."""
        self._advance(self._at + len(mark))
        return True

    def value(self) -> object:
        """Return the JSON value that begins here, and step over it."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._held, self._at)
            except RecursionError:
                raise self.place().error("the JSON is nested too deeply") from None
            except json.JSONDecodeError as error:
                if self._may_go_on(error) and self._more():
                    continue
                raise self._unreadable(error) from None
            except ValueError as error:
                raise self.place().error(f"expected JSON, found: {error}") from None
            self._advance(end)
            return cast("object", value)

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        """Return whether the error is one that the end of what is held would cause."""
        cut_text = error.msg.startswith("Unterminated string")
        return cut_text or error.pos >= len(self._held) - _LONGEST_TOKEN

    def _unreadable(self, error: json.JSONDecodeError) -> InputError:
        unfinished = error.pos >= len(self._held.rstrip())
        if unfinished or error.msg.startswith("Unterminated string"):
            return self.place().error("the JSON is cut off here: the file seems truncated")
        line = self._line + self._held.count("\n", self._at, error.pos)
        return Place(file=self._file, line=line).error(f"expected JSON, found: {error.msg}")

    def _advance(self, to: int) -> None:
        self._line += self._held.count("\n", self._at, to)
        self._at = to

    def _more(self) -> bool:
        """Read on; as much as is held, so that a long value is decoded a few times only."""
        if self._ended:
            return False
        try:
            chunk = self._text.read(max(_CHUNK, len(self._held) - self._at))
        except UnicodeDecodeError as error:
            near = f"{_not_utf8(error)}, at or after this line"
            raise self.place().error(near) from None
        if not chunk:
            self._ended = True
            return False
        self._held = self._held[self._at :] + chunk
        self._at = 0
        return True
