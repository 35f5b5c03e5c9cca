"""Rows to candidate responses; what cannot be a candidate is quarantined and reported.

A response that is empty, only white space, not a text, or an error message that a
sampling script stored in its place (`[ERROR: …]`) never enters a pool: it would be
scored, contrasted and learnt from as if a model had meant it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain, count
from typing import NamedTuple

from uppertail.data import columns
from uppertail.data.columns import (
    Fields,
    Names,
    count_in,
    has,
    id_in,
    number_in,
    pick,
    text_in,
    truth_in,
)
from uppertail.data.place import Place, Row, shown
from uppertail.types import Response


class Flaw(StrEnum):
    """Why a response cannot be a candidate."""

    EMPTY = "empty"
    """It is empty, or only white space."""
    NOT_TEXT = "not_text"
    """It is null, or something else than a text."""
    ERROR_TEXT = "error_text"
    """It is an `[ERROR: …]` message in the place of an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A response that was kept out of its pool."""

    prompt_id: str
    model: str
    """Empty where unknown."""
    position: int
    """Place among all the responses of its prompt, from 0, the quarantined ones counted."""
    why: Flaw
    text: str
    """What stood there, shortened to 200 characters; the representation if it was no text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A response as it was read: its fields are sound, its text may not be."""

    text: str | None
    """None where it is no text."""
    found: str = ""
    """What stood there instead of a text, shortened."""
    id: str | None = None
    model: str = ""
    sample: int | None = None
    reasoning: str = ""
    on_policy: bool | None = None
    duplicate_of: str | None = None
    label: float | None = None


def drafts_in(row: Row) -> tuple[Draft, ...]:
    """Return the responses that a row holds: its list, its pair, its own or its last turn.

    Raises:
        InputError: a field of a response is not what it must be.
    """
    name, value = pick(row.fields, columns.RESPONSES)
    if value is not None:
        return _listed(row.place, name, value)
    if has(row.fields, ("chosen",)) and has(row.fields, ("rejected",)):
        return tuple(
            _side(row, side, label) for side, label in (("chosen", 1.0), ("rejected", 0.0))
        )
    if is_flat(row):
        known = has(row.fields, ("prompt_id",))
        ids = columns.RESPONSE_ID if known else ("response_id",)
        return (_draft(row.fields, row.place, names=columns.FLAT, ids=ids),)
    return _last_turn(row)


def is_flat(row: Row) -> bool:
    """Return whether the row holds one response, and others of its prompt may stand elsewhere."""
    listed = pick(row.fields, columns.RESPONSES)[1] is not None
    return not listed and has(row.fields, columns.FLAT)


def _listed(place: Place, field: str, items: object) -> tuple[Draft, ...]:
    if not isinstance(items, list):
        raise place.error(f"expected a list of responses, found {shown(items)}", field=field)
    return tuple(_item(item, place, f"{field}[{n}]") for n, item in enumerate(items))


def _item(item: object, place: Place, field: str) -> Draft:
    if not isinstance(item, dict):
        return _bare(item)
    return _draft(item, place, names=columns.RESPONSE, ids=columns.RESPONSE_ID, path=f"{field}.")


def _side(row: Row, side: str, label: float) -> Draft:
    return replace(_bare(row.fields[side]), id=side, label=label)


def _last_turn(row: Row) -> tuple[Draft, ...]:
    """Return the answer with which a chat ends, if it ends with one."""
    name, turns = pick(row.fields, columns.PROMPT)
    last = turns[-1] if name in columns.CHAT and isinstance(turns, list) and turns else None
    if not isinstance(last, dict) or columns.ROLES.get(_role_name(last)) != "assistant":
        return ()
    return (_bare([last]),)


def _role_name(turn: Fields) -> str:
    return str(pick(turn, columns.ROLE)[1])


def _draft(fields: Fields, place: Place, *, names: Names, ids: Names, path: str = "") -> Draft:
    if not has(fields, names):
        known = ", ".join(names)
        raise place.error(f"expected a response under one of {known}", field=path + names[0])
    text, found = _seen(pick(fields, names)[1])
    return Draft(
        text=text,
        found=found,
        id=id_in(fields, ids, place, path=path),
        model=text_in(fields, columns.MODEL, place, path=path) or "",
        sample=count_in(fields, columns.SAMPLE, place, path=path),
        reasoning=text_in(fields, columns.REASONING, place, path=path) or "",
        on_policy=truth_in(fields, columns.ON_POLICY, place, path=path),
        duplicate_of=text_in(fields, columns.DUPLICATE_OF, place, path=path),
        label=_label(fields, place, path),
    )


def _bare(value: object) -> Draft:
    """Return a response of which nothing but the text is known."""
    text, found = _seen(value)
    return Draft(text=text, found=found)


def _label(fields: Fields, place: Place, path: str) -> float | None:
    value = pick(fields, columns.LABEL)[1]
    if isinstance(value, bool):
        return float(value)
    return number_in(fields, columns.LABEL, place, path=path)


def _seen(value: object) -> tuple[str | None, str]:
    """Return the text that stands there, or None and what stands there instead.

    A list of messages, as trainers store completions, stands for its last one.
    """
    if isinstance(value, str):
        return value, ""
    last = value[-1] if isinstance(value, list) and value else None
    text = pick(last, columns.TURNS)[1] if isinstance(last, dict) else None
    return (text, "") if isinstance(text, str) else (None, shown(value))


def flaw(text: str | None) -> Flaw | None:
    """Return why `text` cannot be a candidate, or None where it can."""
    if text is None:
        return Flaw.NOT_TEXT
    bare = text.strip()
    if not bare:
        return Flaw.EMPTY
    return Flaw.ERROR_TEXT if bare.startswith("[ERROR:") and bare.endswith("]") else None


class Sorted(NamedTuple):
    """The responses of one prompt: those that are candidates, and those that are not."""

    kept: tuple[Response, ...]
    quarantined: tuple[Quarantined, ...]


def sort_out(prompt_id: str, drafts: Sequence[Draft]) -> Sorted:
    """Return the candidates among the responses of one prompt, and those that are kept out.

    A response keeps the id it was given if no other response of the prompt has it; else it
    is `<model>#<sample>`, or `r<position>` where the model is unknown. A sample that was
    not numbered is numbered by its place among those of its model.
    """
    samples = _samples(drafts)
    ids = _ids(drafts, samples)
    flaws = [flaw(draft.text) for draft in drafts]
    kept_ids = {id for id, why in zip(ids, flaws, strict=True) if why is None}
    return Sorted(
        kept=tuple(
            _response(draft, draft.text, id, sample, kept_ids)
            for draft, id, sample, why in zip(drafts, ids, samples, flaws, strict=True)
            if why is None and draft.text is not None
        ),
        quarantined=tuple(
            _quarantined(prompt_id, position, draft, why)
            for position, (draft, why) in enumerate(zip(drafts, flaws, strict=True))
            if why is not None
        ),
    )


def _response(draft: Draft, text: str, id: str, sample: int, kept: Set[str]) -> Response:
    return Response(
        id=id,
        text=text,
        model=draft.model,
        sample=sample,
        on_policy=draft.on_policy,
        reasoning=draft.reasoning,
        duplicate_of=draft.duplicate_of if draft.duplicate_of in kept else None,
        label=draft.label,
    )


def _quarantined(prompt_id: str, position: int, draft: Draft, why: Flaw) -> Quarantined:
    return Quarantined(
        prompt_id=prompt_id,
        model=draft.model,
        position=position,
        why=why,
        text=draft.found if draft.text is None else draft.text[:200],
    )


def _samples(drafts: Sequence[Draft]) -> list[int]:
    """Return the number of each response among those of its model, as given or counted."""
    drawn: Counter[str] = Counter()
    samples = []
    for draft in drafts:
        samples.append(drawn[draft.model] if draft.sample is None else draft.sample)
        drawn[draft.model] += 1
    return samples


def _ids(drafts: Sequence[Draft], samples: Sequence[int]) -> list[str]:
    """Return an id a response, each unique within the prompt."""
    given = Counter(draft.id for draft in drafts)
    taken = {id for id, times in given.items() if id is not None and times == 1}
    ids = []
    for position, (draft, sample) in enumerate(zip(drafts, samples, strict=True)):
        if draft.id is not None and given[draft.id] == 1:
            ids.append(draft.id)
            continue
        names = [f"{draft.model}#{sample}"] if draft.model else []
        id = next(id for id in chain(names, _by_position(position)) if id not in taken)
        taken.add(id)
        ids.append(id)
    return ids


def _by_position(position: int) -> Iterator[str]:
    """Yield `r<position>`, and longer and longer variants for pools that hold that id already."""
    return (f"r{position}" + "'" * marks for marks in count())
