"""A row of an input, and where it stands, so that every complaint can name its place."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from uppertail.errors import InputError


def shown(value: object) -> str:
    """Return `value` as a complaint quotes it: shortened, with control characters escaped."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = 60
    short.maxlist = short.maxdict = 3
    short.maxlevel = 2
    return short.repr(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands in an input."""

    file: str
    """Path or name of the input, as the user gave it."""
    line: int
    """Line, or row where the format has no lines, from 1."""
    unit: Literal["line", "row"] = "line"

    def error(self, problem: str, *, field: str | None = None) -> InputError:
        """Return the complaint `problem` about this place."""
        if self.unit == "row":
            return InputError(problem, file=f"{self.file}, row {self.line}", field=field)
        return InputError(problem, file=self.file, line=self.line, field=field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One object of an input, unread: whatever the file holds under its names."""

    fields: Mapping[str, object]
    place: Place
    index: int | None = None
    """Position from 0 in a JSON array; None in formats whose rows stand alone."""
