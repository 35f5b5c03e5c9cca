"""Two trainers' contracts: what OpenRLHF and slime send, read into rollouts.

Both give one payload a row, the label. It holds, as JSON text, a rubric or a whole line of a
run's rubrics.jsonl; or only the prompt's own line, and the server looks its rubric up. The
prompt that they send beside it has gone through a chat template, so that a label with the
`prompt` in it serves the judge better.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import cast

from uppertail.data import columns
from uppertail.data.columns import has, id_in
from uppertail.data.place import Row, shown
from uppertail.data.prompts import messages_in, prompt_hash
from uppertail.errors import InputError
from uppertail.reward.server.read import BodyPlace, Reader, invalid, read_messages
from uppertail.reward.server.wire import GetRewardRequest, RemoteRmRequest
from uppertail.score.interface import Rollout
from uppertail.types import Message, Prompt

_SPECIAL = r"(?:<\|[^|<>\s]{1,40}\|>|<｜[^｜<>]{1,40}｜>|</?s>|<(?:bos|eos|pad)>|<end_of_turn>)"
_LEADING = re.compile(rf"\s*{_SPECIAL}")
_TRAILING = re.compile(rf"{_SPECIAL}\Z")
_LONGEST_TOKEN = 48
_MOST_LEADING = 8
"""Special tokens that a tokenizer may put before a prompt."""
_LEAST_SUFFIX = 32
"""Characters of a prompt's end that are enough to find it where its beginning was cut."""


def openrlhf_rollouts(request: GetRewardRequest, reader: Reader) -> tuple[Rollout, ...]:
    """Return the rollouts of a `/get_reward`.

    Raises:
        Refused: 400; the lists do not pair off, a query does not hold its prompt, or a label
            is not what it must be.
    """
    count = len(request.query)
    labels = request.labels or [None] * count
    if not len(request.prompts) == len(labels) == count:
        found = f"{count} queries, {len(request.prompts)} prompts and {len(labels)} labels"
        raise invalid(f"expected as many prompts and labels as queries, found {found} - at `$`")
    return tuple(
        _rollout(
            (prompt, f"$.prompts[{n}]"),
            _completion(query, prompt, n),
            (_unpacked(label, f"$.labels[{n}]"), f"$.labels[{n}]"),
            reader,
        )
        for n, (query, prompt, label) in enumerate(
            zip(request.query, request.prompts, labels, strict=True)
        )
    )


def slime_rollout(request: RemoteRmRequest, reader: Reader) -> Rollout:
    """Return the rollout of a `/remote_rm`.

    Raises:
        Refused: 400; the prompt or the label is not what it must be.
    """
    label = cast("object", json.loads(bytes(request.label) or b"null"))
    if isinstance(label, str):
        label = _unpacked(label, "$.label")
    response = without_trailing(request.response)
    return _rollout((request.prompt, "$.prompt"), response, (label, "$.label"), reader)


def completion_of(query: str, prompt: str) -> str | None:
    """Return what follows `prompt` in `query`, trailing special tokens cut; None if it is not there.

    A tokenizer that goes there and back may add a leading token, change white space, or have
    had the beginning of a long prompt cut off.
    """
    end = _end_of_prompt(query, prompt)
    return None if end is None else without_trailing(query[end:])


def without_trailing(text: str) -> str:
    """Return `text` without the special tokens that end it."""
    end = len(text)
    while True:
        stop = end
        while stop and text[stop - 1].isspace():
            stop -= 1
        # A window, and a cut at a time: a text of a million tokens must not take quadratic time.
        found = _TRAILING.search(text, max(0, stop - _LONGEST_TOKEN), stop)
        if found is None:
            return text[:end]
        end = found.start()


def _end_of_prompt(query: str, prompt: str) -> int | None:
    starts = [0]
    while len(starts) <= _MOST_LEADING and (found := _LEADING.match(query, starts[-1])):
        starts.append(found.end())
    for start in starts:
        if query.startswith(prompt, start):
            return start + len(prompt)
    for start in starts:
        if (end := _spelled(query, start, prompt)) is not None:
            return end
    return _after_suffix(query, prompt)


def _spelled(query: str, start: int, prompt: str) -> int | None:
    """Return where `prompt` ends in `query` if white space does not count."""
    at = start
    for letter in prompt:
        if letter.isspace():
            continue
        while at < len(query) and query[at].isspace():
            at += 1
        if at == len(query) or query[at] != letter:
            return None
        at += 1
    while at < len(query) and query[at].isspace() and prompt[-1:].isspace():
        at += 1
    return at


def _after_suffix(query: str, prompt: str) -> int | None:
    """Return where `prompt` ends in a `query` that begins somewhere in its middle."""
    end = query.find(prompt[-_LEAST_SUFFIX:])
    if len(prompt) < _LEAST_SUFFIX or end < 0:
        return None
    end += _LEAST_SUFFIX
    return end if prompt.endswith(query[:end]) else None


def _completion(query: str, prompt: str, number: int) -> str:
    found = completion_of(query, prompt)
    if found is None:
        where = f"`$.query[{number}]`"
        raise invalid(f"expected the prompt and what follows it, found no such prompt - at {where}")
    return found


def _unpacked(label: str | None, path: str) -> object:
    if label is None or not label.strip():
        return None
    try:
        return cast("object", json.loads(label))
    except (ValueError, RecursionError):
        problem = f"expected a rubric or a prompt as JSON text, found {shown(label)}"
        raise invalid(f"{problem} - at `{path}`") from None


def _rollout(
    asked: tuple[str | list[Message], str],
    completion: str,
    labelled: tuple[object, str],
    reader: Reader,
) -> Rollout:
    """Return a rollout; prompt and label come with the paths at which they stand.

    A prompt in the label is taken in place of the other, which went through a template.
    """
    label, path = labelled
    if label is not None and not isinstance(label, dict | list):
        raise invalid(f"expected a rubric or a prompt, found {shown(label)} - at `{path}`")
    row: Mapping[str, object] = label if isinstance(label, dict) else {}
    messages, given = _asked(row, path) if row else ((), None)
    messages = messages or read_messages(*asked)
    id = given or prompt_hash(messages)
    carried = isinstance(label, list) or has(row, columns.CRITERIA)
    rubric = reader.rubric(json.dumps(label).encode(), id, path) if carried else None
    return Rollout(
        prompt=Prompt(id=id, messages=messages), completion=completion, rubric=rubric, group=id
    )


def _asked(row: Mapping[str, object], path: str) -> tuple[tuple[Message, ...], str | None]:
    """Return the prompt in a label, none if it holds none, and its id."""
    place = BodyPlace(file="", line=0, path=path)
    try:
        messages = messages_in(Row(fields=row, place=place)) if row.get("prompt") else ()
        return messages, id_in(row, columns.PROMPT_ID, place)
    except InputError as error:
        raise invalid(str(error)) from None
