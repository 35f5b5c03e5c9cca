"""The names under which each column is known, and the typed reading of one field.

Where a row holds several names of one column, the first that is not null counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from uppertail.data.place import Place, shown

Names = tuple[str, ...]

PROMPT_ID: Names = ("prompt_id", "id")
PROMPT: Names = ("prompt", "messages", "conversations", "instruction", "question")
CHAT: Names = ("messages", "conversations")
"""Prompt columns of chat data sets: a last turn of the assistant's is a response."""
INPUT: Names = ("input",)
"""Goes below an `instruction`."""
SYSTEM: Names = ("system_prompt",)
"""Goes before a plain prompt."""

RESPONSES: Names = ("responses", "completions")
RESPONSE_ID: Names = ("response_id", "id")
FLAT: Names = ("response", "completion", "output")
"""The response of a row that holds one response."""
RESPONSE: Names = (*FLAT, "text", "content")
"""The text of an item in a list of responses."""
MODEL: Names = ("model", "generator")
SAMPLE: Names = ("sample",)
REASONING: Names = ("reasoning",)
ON_POLICY: Names = ("on_policy",)
DUPLICATE_OF: Names = ("duplicate_of",)
LABEL: Names = ("label",)

CRITERIA: Names = ("criteria", "rubrics", "rubric")
CRITERION: Names = ("criterion", "text", "description")
WEIGHT: Names = ("weight", "points")

TURNS: Names = ("content", "value")
ROLE: Names = ("role", "from")
ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
}
"""Names of the three roles."""

Fields = Mapping[str, object]


def pick(fields: Fields, names: Names) -> tuple[str, object]:
    """Return the name and value of a column: the first that is not null, else null."""
    for name in names:
        value = fields.get(name)
        if value is not None:
            return name, value
    return next((name for name in names if name in fields), names[0]), None


def has(fields: Fields, names: Names) -> bool:
    """Return whether the row holds the column under any of its names, null or not."""
    return any(name in fields for name in names)


def text_in(fields: Fields, names: Names, place: Place, *, path: str = "") -> str | None:
    """Return a text, or None where it is null or absent.

    Raises:
        InputError: it is something else.
    """
    name, value = pick(fields, names)
    if value is None or isinstance(value, str):
        return value
    raise place.error(f"expected a text, found {shown(value)}", field=path + name)


def id_in(fields: Fields, names: Names, place: Place, *, path: str = "") -> str | None:
    """Return an id: a text that is not empty, or a whole number as text; None where absent.

    Raises:
        InputError: it is something else.
    """
    name, value = pick(fields, names)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value:
        return value
    raise place.error(f"expected an id (a text), found {shown(value)}", field=path + name)


def number_in(fields: Fields, names: Names, place: Place, *, path: str = "") -> float | None:
    """Return a finite number, or None where it is null or absent; truth values are refused.

    Raises:
        InputError: it is something else.
    """
    name, value = pick(fields, names)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = _as_float(value)
        if math.isfinite(number):
            return number
    raise place.error(f"expected a finite number, found {shown(value)}", field=path + name)


def count_in(fields: Fields, names: Names, place: Place, *, path: str = "") -> int | None:
    """Return a whole number of at least 0, or None where it is null or absent.

    Raises:
        InputError: it is something else.
    """
    name, value = pick(fields, names)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise place.error(f"expected a whole number from 0, found {shown(value)}", field=path + name)


def truth_in(fields: Fields, names: Names, place: Place, *, path: str = "") -> bool | None:
    """Return true or false, or None where it is null or absent.

    Raises:
        InputError: it is something else.
    """
    name, value = pick(fields, names)
    if value is None or isinstance(value, bool):
        return value
    raise place.error(f"expected true or false, found {shown(value)}", field=path + name)


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
