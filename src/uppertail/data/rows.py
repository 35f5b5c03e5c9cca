"""The nouns as rows: columns in a fixed order, ready for `datasets.load_dataset`.

A column has one type in every row of a file. `load_dataset` takes the types from the
first few megabytes, where a column of nulls alone has none, so an absent text is empty and
an absent list has no items; only numbers, truth values and verdicts can be null. A check
is JSON text: checks differ in their fields, and the rows of a column cannot.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec

from uppertail.types import Criterion, Outcome, Pool, Prompt, Response, Rubric, Score, Verdict

OutRow = Mapping[str, object]


def prompt_value(prompt: Prompt, *, as_messages: bool = False) -> str | list[dict[str, str]]:
    """Return a prompt as files hold it: the text of a lone user message, else the messages.

    Args:
        prompt: the prompt.
        as_messages: write plain prompts as messages too. A file that holds both plain
            prompts and conversations needs it, so that its column has one type.
    """
    if len(prompt.messages) == 1 and prompt.messages[0].role == "user" and not as_messages:
        return prompt.messages[0].content
    return [{"role": m.role, "content": m.content} for m in prompt.messages]


def prompt_row(prompt: Prompt, *, as_messages: bool = False) -> OutRow:
    """Return a row of `prompts`."""
    return {"prompt_id": prompt.id, "prompt": prompt_value(prompt, as_messages=as_messages)}


def response_row(prompt_id: str, response: Response) -> OutRow:
    """Return a row of `responses`."""
    return {
        "prompt_id": prompt_id,
        "response_id": response.id,
        "model": response.model,
        "sample": response.sample,
        "response": response.text,
        "reasoning": response.reasoning,
        "on_policy": response.on_policy,
        "duplicate_of": response.duplicate_of or "",
        "label": response.label,
    }


def pool_row(pool: Pool, *, as_messages: bool = False) -> OutRow:
    """Return a row of `pools`: a prompt with its responses, as `read_pools` takes it."""
    responses = [response_row(pool.prompt.id, response) for response in pool.responses]
    return {**prompt_row(pool.prompt, as_messages=as_messages), "responses": responses}


def rubric_row(
    rubric: Rubric, prompt: Prompt | None = None, *, as_messages: bool = False
) -> OutRow:
    """Return a row of `rubrics`; `prompt` is null unless it is given."""
    lineage = rubric.lineage
    return {
        "prompt_id": rubric.prompt_id,
        "prompt": None if prompt is None else prompt_value(prompt, as_messages=as_messages),
        "rubric_id": rubric.id,
        "criteria": [criterion_row(criterion) for criterion in rubric.criteria],
        "round": lineage.round,
        "parent": lineage.parent or "",
        "pair": list(lineage.pair or ()),
        "model": lineage.model,
        "template": lineage.template,
    }


def criterion_row(criterion: Criterion) -> OutRow:
    """Return an item of a rubric's `criteria`."""
    return {
        "criterion_id": criterion.id,
        "criterion": criterion.text,
        "weight": criterion.weight,
        "kind": criterion.kind,
        "check": check_text(criterion),
    }


def check_text(criterion: Criterion) -> str:
    """Return the check of a criterion as JSON text; empty where it has none."""
    if criterion.check is None:
        return ""
    return json.dumps(msgspec.to_builtins(criterion.check), ensure_ascii=False)


def verdict_row(prompt_id: str, response_id: str, criterion: Criterion, outcome: Outcome) -> OutRow:
    """Return a row of `verdicts`; an unscored outcome has a null verdict and says why."""
    decided = outcome if isinstance(outcome, Verdict) else None
    unscored = None if isinstance(outcome, Verdict) else outcome
    return {
        "prompt_id": prompt_id,
        "response_id": response_id,
        "criterion_id": criterion.id,
        "criterion": criterion.text,
        "verdict": None if decided is None else ("yes" if decided.met else "no"),
        "why": "" if unscored is None else unscored.why.value,
        "detail": "" if unscored is None else unscored.detail,
        "share": None if decided is None else decided.share,
        "reason": "" if decided is None else decided.reason,
        "model": "" if decided is None else decided.by.model,
        "template": "" if decided is None else decided.by.template,
        "protocol": "" if decided is None else decided.by.protocol,
    }


def score_row(prompt_id: str, response_id: str, rubric_id: str, score: Score) -> OutRow:
    """Return a row of `scores`; the score of an unscored response is null."""
    return {
        "prompt_id": prompt_id,
        "response_id": response_id,
        "rubric_id": rubric_id,
        "score": score.value,
        "low": score.low,
        "high": score.high,
        "answered": score.answered,
        "why": score.why,
    }
