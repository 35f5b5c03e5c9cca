"""Scores to preferences: pairs of responses that the rubric tells apart clearly enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations, groupby
from pathlib import Path
from typing import NamedTuple

from uppertail.data import columns
from uppertail.data.columns import id_in, number_in, text_in
from uppertail.data.jsonl import line_rows
from uppertail.data.place import Row, shown
from uppertail.data.prompts import messages_in
from uppertail.data.rows import OutRow, prompt_value
from uppertail.errors import InputError
from uppertail.types import Prompt

_CLOSE = 1e-9
"""Scores are sums of shares: differences below this are rounding."""


class _Scored(NamedTuple):
    id: str
    text: str
    score: float


def preference_rows(run: Path, *, margin: float, left_out: Counter[str]) -> Iterator[OutRow]:
    """Yield a row for each pair of responses whose scores differ by `margin` or more.

    Unscored responses take no part, and neither do ties, whatever the margin.

    Args:
        run: a finished run, whose rubrics, responses and scores are in input order.
        margin: least difference of the scores, in [0, 1].
        left_out: counts the unscored responses and the pairs that are too close.

    Raises:
        InputError: an output is missing or does not fit the others.
    """
    rubrics = _Groups(run / "rubrics.jsonl")
    responses = _Groups(run / "responses.jsonl")
    for prompt_id, group in groupby(line_rows(run / "scores.jsonl"), _prompt_id):
        scores = list(group)
        prompt = Prompt(id=prompt_id, messages=messages_in(rubrics.of(prompt_id)[-1]))
        scored = _scored(scores, responses.of(prompt_id))
        left_out["unscored responses"] += len(scores) - len(scored)
        by = text_in(scores[0].fields, ("rubric_id",), scores[0].place) or ""
        for first, second in combinations(scored, 2):
            gap = abs(first.score - second.score)
            if gap < max(margin, _CLOSE) - _CLOSE / 2:
                left_out["pairs that are too close"] += 1
                continue
            better, worse = sorted((first, second), key=lambda one: -one.score)
            yield _row(prompt, better, worse, by=f"rubric:{by}")


def _row(prompt: Prompt, chosen: _Scored, rejected: _Scored, *, by: str) -> OutRow:
    asked = prompt_value(prompt)
    plain = isinstance(asked, str)
    return {
        "prompt_id": prompt.id,
        "prompt": asked,
        "chosen": chosen.text if plain else _turn(chosen.text),
        "rejected": rejected.text if plain else _turn(rejected.text),
        "chosen_id": chosen.id,
        "rejected_id": rejected.id,
        "margin": chosen.score - rejected.score,
        "by": by,
    }


def _turn(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def _scored(scores: list[Row], responses: list[Row]) -> list[_Scored]:
    """Return the responses that have a score, in the order of the scores."""
    texts = {_response_id(row): text_in(row.fields, columns.FLAT, row.place) for row in responses}
    scored = []
    for row in scores:
        id, score = _response_id(row), number_in(row.fields, ("score",), row.place)
        text = texts.get(id)
        if text is None:
            problem = f"expected a response of responses.jsonl, found {shown(id)}"
            raise row.place.error(problem, field="response_id")
        if score is not None:
            scored.append(_Scored(id, text, score))
    return scored


def _prompt_id(row: Row) -> str:
    return _required(row, "prompt_id")


def _response_id(row: Row) -> str:
    return _required(row, "response_id")


def _required(row: Row, name: str) -> str:
    id = id_in(row.fields, (name,), row.place)
    if id is None:
        raise row.place.error("expected an id, found nothing", field=name)
    return id


class _Groups:
    """The rows of an output, prompt by prompt, read once and forwards."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._groups = groupby(line_rows(path), _prompt_id)

    def of(self, prompt_id: str) -> list[Row]:
        """Return the rows of the prompt; those of the prompts before it are passed over.

        Raises:
            InputError: there are none, here or further on.
        """
        for id, rows in self._groups:
            if id == prompt_id:
                return list(rows)
        problem = f"expected rows of the prompt {shown(prompt_id)}, in the order of scores.jsonl"
        raise InputError(problem, file=self._path)
