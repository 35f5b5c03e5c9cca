"""Rows to rubrics: our own, the authors' (run files and data set), and rubrics with points."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import cast

import msgspec

from uppertail.checks import Check
from uppertail.data import columns
from uppertail.data.columns import Fields, count_in, id_in, number_in, pick, text_in
from uppertail.data.formats import Source, read_rows
from uppertail.data.place import Place, Row, shown
from uppertail.data.prompts import messages_in, prompt_hash
from uppertail.types import Criterion, Kind, Lineage, Rubric

_KINDS = ("principle", "hard_rule")


def read_rubrics(source: Source, *, one_per_prompt: bool = True) -> Iterator[Rubric]:
    """Yield the rubrics of an input, in its order.

    Args:
        source: rows with `criteria`, or `rubrics` as in the authors' data set.
        one_per_prompt: refuse a second rubric for a prompt. Memory then grows by about
            150 bytes a prompt.

    Raises:
        InputError: a rubric names no prompt or is not sound (see `rubric_in`), or comes twice.
        MissingExtra: the input needs the `data` extra.
    """
    first: dict[str, int] = {}
    for row in read_rows(source):
        rubric = rubric_in(row)
        line = first.setdefault(rubric.prompt_id, row.place.line)
        if one_per_prompt and line != row.place.line:
            raise row.place.error(
                f"expected one rubric a prompt; {shown(rubric.prompt_id)} has another one "
                f"on {row.place.unit} {line}",
                field="prompt_id",
            )
        yield rubric


def rubric_in(row: Row) -> Rubric:
    """Return the rubric of a row.

    A row without an id belongs to the prompt whose text it holds: its id is the hash that
    `Prompt.plain` gives, so that it joins prompts that came without ids.

    Raises:
        InputError: the prompt is not named; there is no criterion; a criterion is empty or
            comes twice; a weight is zero, not finite or no number; a check is unknown; or
            no weight is positive, so that nothing could be earned.
    """
    id = id_in(row.fields, columns.PROMPT_ID, row.place)
    criteria = criteria_in(row)
    return Rubric(
        prompt_id=prompt_hash(messages_in(row)) if id is None else id,
        criteria=criteria,
        lineage=_lineage(row.fields, row.place),
    )


def criteria_in(row: Row) -> tuple[Criterion, ...]:
    """Return the criteria of a row, sound as a whole. See `rubric_in` for what is refused."""
    name, value = pick(row.fields, columns.CRITERIA)
    items = _unpacked(value)
    if not isinstance(items, list) or not items:
        names = ", ".join(columns.CRITERIA)
        problem = f"expected a list of criteria under one of {names}, found {shown(items)}"
        raise row.place.error(problem, field=name)
    criteria = tuple(_criterion(item, row.place, f"{name}[{n}]") for n, item in enumerate(items))
    _refuse_repeats(criteria, row.place, name)
    if not any(c.weight > 0 for c in criteria):
        raise row.place.error("expected at least one positive weight, found none", field=name)
    if not math.isfinite(sum(abs(c.weight) for c in criteria)):
        raise row.place.error("expected weights whose sum is finite", field=name)
    return criteria


def _unpacked(value: object) -> object:
    """Return `value`, or what it holds if it is JSON text, as in tables and trainers' files."""
    if not isinstance(value, str):
        return value
    try:
        return cast("object", json.loads(value))
    except (ValueError, RecursionError):
        return value


def _refuse_repeats(criteria: tuple[Criterion, ...], place: Place, field: str) -> None:
    first: dict[str, int] = {}
    for number, criterion in enumerate(criteria):
        before = first.setdefault(criterion.id, number)
        if before != number:
            raise place.error(
                f"expected each criterion once; {shown(criterion.text)} repeats item {before}",
                field=f"{field}[{number}]",
            )


def _criterion(item: object, place: Place, field: str) -> Criterion:
    if isinstance(item, str):
        item = {"criterion": item}
    if not isinstance(item, dict):
        raise place.error(f"expected a criterion, found {shown(item)}", field=field)
    path = f"{field}."
    text = text_in(item, columns.CRITERION, place, path=path)
    if text is None or not text.strip():
        problem = f"expected the text of the criterion, found {shown(text)}"
        raise place.error(problem, field=path + pick(item, columns.CRITERION)[0])
    return Criterion(
        text=text,
        weight=_weight(item, place, path),
        kind=_kind(item, place, path),
        check=_check(item, place, path),
    )


def _weight(item: Fields, place: Place, path: str) -> float:
    weight = number_in(item, columns.WEIGHT, place, path=path)
    if weight == 0:
        name = pick(item, columns.WEIGHT)[0]
        raise place.error("expected a weight that is not zero", field=path + name)
    return 1.0 if weight is None else weight


def _kind(item: Fields, place: Place, path: str) -> Kind:
    kind = text_in(item, ("kind",), place, path=path)
    if kind is not None and kind not in _KINDS:
        problem = f"expected one of {', '.join(_KINDS)}, found {shown(kind)}"
        raise place.error(problem, field=path + "kind")
    return cast("Kind", kind or "principle")


def _check(item: Fields, place: Place, path: str) -> Check | None:
    """Return the criterion's check: an object, or the same object as JSON text."""
    value = item.get("check")
    if value is None or value == "":
        return None
    try:
        check: Check = msgspec.convert(_unpacked(value), type=Check)
    except msgspec.ValidationError as error:
        raise place.error(f"not a known check: {error}", field=path + "check") from None
    return check


def _lineage(fields: Fields, place: Place) -> Lineage:
    return Lineage(
        round=count_in(fields, ("round",), place) or 0,
        parent=text_in(fields, ("parent",), place) or None,
        pair=_pair(fields, place),
        model=text_in(fields, ("model",), place) or "import",
        template=text_in(fields, ("template",), place) or "",
    )


def _pair(fields: Fields, place: Place) -> tuple[str, str] | None:
    pair = fields.get("pair")
    if pair is None or pair == []:
        return None
    if isinstance(pair, list) and len(pair) == 2 and all(isinstance(id, str) for id in pair):
        return pair[0], pair[1]
    problem = f"expected the ids of two responses, found {shown(pair)}"
    raise place.error(problem, field="pair")
