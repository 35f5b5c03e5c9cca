"""A proposer's text into criteria, or into the list of what is wrong with it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import msgspec

from uppertail.checks import Check
from uppertail.errors import ReplyUnreadable
from uppertail.models.interface import Finish
from uppertail.prompting import Found, Json, Object, encodable, find_json, quote
from uppertail.types import Criterion, Kind

_WRAPPERS = ("rubrics", "rubric", "criteria")
_LATEX = re.compile(
    r"[\b\f]|\t(?=imes|heta|au\b|ext\{|frac|ilde)|\r(?=ho\b|ight|angle)|\n(?=eq\b|abla\b|otin\b)"
)
_ESCAPES = {"\b": "\\b", "\f": "\\f", "\t": "\\t", "\r": "\\r", "\n": "\\n"}


def read_rubric(
    text: str,
    *,
    allowed_weights: Sequence[float] = (1, 2, 3),
    parent: Sequence[Criterion] = (),
    finish: Finish = "stop",
) -> tuple[Criterion, ...]:
    """Return the criteria in the reply `text`.

    Read: an array of {"criterion": …, "weight": …, "check"?: …}, alone or under the key
    "rubrics", "rubric" or "criteria", or the objects one after another. A weight may be
    written as a string ("3"). An item that is a plain string has weight 1. Further keys
    are ignored. White space in a criterion becomes single spaces.

    Args:
        text: the reply, thinking and all.
        allowed_weights: the weights that a criterion may have.
        parent: the rubric that is refined; a criterion that is kept may keep its weight, which
            an imported rubric may have from another set.
        finish: why the model stopped.

    Raises:
        ReplyUnreadable: the reply holds no rubric, more than one, or one with faults: no
            text, a weight outside the allowed set, a check that is not in the vocabulary,
            a criterion that repeats another. The message lists all faults, for the model.
    """
    items = _items(find_json(text), text, finish)
    kept = {normal(criterion.text): criterion.weight for criterion in parent}
    problems: list[str] = []
    criteria: list[Criterion] = []
    for number, item in enumerate(items, start=1):
        criterion, faults = _criterion(item, allowed_weights, kept)
        problems += [f"item {number} {fault}" for fault in faults]
        if criterion is not None:
            criteria.append(criterion)
    problems += _repetitions(items)
    if problems:
        raise ReplyUnreadable("; ".join(problems))
    return tuple(criteria)


def normal(text: str) -> str:
    """Return the form in which two criteria count as the same: white space and case aside."""
    return " ".join(text.split()).casefold()


def _items(found: Found, text: str, finish: Finish) -> list[Json]:
    """Return the items of the one rubric in the reply."""
    if found.cut or (finish == "length" and (found.trailing or not found.values)):
        raise ReplyUnreadable("the reply is cut off before the array is complete")
    if found.broken:
        raise ReplyUnreadable(
            "the quotes or brackets of the JSON do not pair up; escape double quotes in strings"
        )
    rubrics = [items for value in found.values if (items := _rubric(value)) is not None]
    loose = [value for value in found.values if _is_item(value)]
    if not rubrics and loose:
        rubrics = [list(loose)]
    if not rubrics:
        seen = f"it begins {quote(text)}" if text.strip() else "it is empty"
        raise ReplyUnreadable(f"the reply holds no JSON array of criteria; {seen}")
    # Arrays of strings may be prose or an example beside the rubric itself.
    rubrics = [items for items in rubrics if any(map(_is_item, items))] or rubrics
    if any(items != rubrics[0] for items in rubrics):
        raise ReplyUnreadable(f"the reply holds {len(rubrics)} different rubrics; send one")
    if not rubrics[0]:
        raise ReplyUnreadable("the rubric is empty")
    return rubrics[0]


def _rubric(value: Json) -> list[Json] | None:
    """Return the items if `value` is an array of criteria, or holds one under a known key."""
    if isinstance(value, Object) and not _is_item(value):
        inner = [item for key, item in value.pairs if key.lower() in _WRAPPERS]
        return _rubric(inner[0]) if len(inner) == 1 and isinstance(inner[0], list) else None
    if isinstance(value, list) and (not value or any(isinstance(i, (str, Object)) for i in value)):
        return value
    return None


def _is_item(value: Json) -> bool:
    return isinstance(value, Object) and "criterion" in value.fields


def _criterion(
    item: Json, allowed_weights: Sequence[float], kept: Mapping[str, float]
) -> tuple[Criterion | None, tuple[str, ...]]:
    """Return the criterion and no faults, or None and the faults."""
    if isinstance(item, str):
        item = Object((("criterion", item), ("weight", 1)))
    if not isinstance(item, Object):
        return None, ("is neither an object nor a string",)
    fields = item.fields
    text, no_text = _text(fields.get("criterion"))
    own = kept.get(normal(text))
    weights = allowed_weights if own is None else (*allowed_weights, own)
    weight, no_weight = _weight(fields, weights)
    check, no_check = _check(fields.get("check"))
    repeated = f"repeats the key {quote(item.repeated[0])}" if item.repeated else ""
    faults = tuple(filter(None, (no_text, no_weight, no_check, repeated)))
    if faults:
        return None, faults
    kind: Kind = "principle" if check is None else "hard_rule"
    return Criterion(text=text, weight=weight, kind=kind, check=check), ()


def _text(value: Json) -> tuple[str, str]:
    if not isinstance(value, str):
        return "", 'has no text under the key "criterion"'
    # Read as JSON, "\frac" is a form feed and "rac"; no criterion means to hold one.
    undone = _LATEX.sub(lambda sign: _ESCAPES[sign[0]], value)
    text = " ".join(encodable(undone).split())
    return text, "" if text else "has an empty criterion"


def _weight(fields: dict[str, Json], allowed: Sequence[float]) -> tuple[float, str]:
    choices = ", ".join(f"{weight:g}" for weight in allowed)
    if fields.get("weight") is None:
        return math.nan, f"has no weight; expected one of {choices}"
    value = fields["weight"]
    number = _number(value)
    if number is None or number not in allowed:
        shown = quote(str(value)) if isinstance(value, (str, int, float)) else "that is no number"
        return math.nan, f"has a weight {shown}; expected one of {choices}"
    return number, ""


def _number(value: Json) -> float | None:
    """Return the number that `value` is or spells; None for anything else, booleans included."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _check(value: Json) -> tuple[Check | None, str]:
    if value is None:
        return None, ""
    try:
        # `Check` is a union, which mypy does not take for a type to convert to.
        check: Check = msgspec.convert(_plain(value), type=Check)
    except msgspec.ValidationError as error:
        return None, f"has a check that is not in the vocabulary: {error}"
    return check, ""


def _plain(value: Json) -> object:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Object):
        return {key: _plain(item) for key, item in value.pairs}
    return encodable(value) if isinstance(value, str) else value


def _repetitions(items: Sequence[Json]) -> list[str]:
    """Return a problem for each criterion that says the same as an earlier one."""
    first: dict[str, int] = {}
    problems = []
    for number, item in enumerate(items, start=1):
        text = item.fields.get("criterion") if isinstance(item, Object) else item
        if not isinstance(text, str) or not (key := normal(text)):
            continue
        if key in first:
            problems.append(f"items {first[key]} and {number} say the same: {quote(text)}")
        first.setdefault(key, number)
    return problems
