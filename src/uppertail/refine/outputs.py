"""The files that a finished run leaves, in input order, as rows that `datasets` loads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from uppertail.data.rows import OutRow, response_row, rubric_row, score_row, verdict_row
from uppertail.data.write import json_line, replacing
from uppertail.refine.result import Refinement, Round, Task
from uppertail.types import Score

FILES = ("rubrics", "history", "responses", "scores", "verdicts", "losses")
"""Written together; each replaces its predecessor only when it is whole."""


NO_RUBRIC = Score(value=None, low=0.0, high=1.0, answered=0.0, why="no_rubric")
"""What the responses of a prompt are that ended without a rubric."""


def write_outputs(
    folder: Path, results: Iterable[tuple[Task, Refinement]], *, as_messages: bool = False
) -> None:
    """Write every file of `FILES` as JSON Lines into a run folder, reading `results` once.

    Args:
        folder: the run's.
        results: in input order.
        as_messages: write plain prompts as messages too: with plain prompts and
            conversations in one file, a column would have two types.

    Raises:
        StorageError: the folder cannot be written.

    """
    with ExitStack() as open_files:
        writers = {
            name: open_files.enter_context(replacing(folder / f"{name}.jsonl")) for name in FILES
        }
        for task, refinement in results:
            for name, row in rows(task, refinement, as_messages=as_messages):
                writers[name](json_line(row))


def rows(
    task: Task, refinement: Refinement, *, as_messages: bool = False
) -> Iterator[tuple[str, OutRow]]:
    """Yield file name and row of everything that one prompt leaves."""
    prompt = task.pool.prompt
    final = refinement.final
    if final is not None:
        yield (
            "rubrics",
            {
                **rubric_row(final, prompt, as_messages=as_messages),
                "status": refinement.status.value,
            },
        )
    yield "history", _history_row(refinement)
    for response in task.pool.responses:
        yield "responses", response_row(prompt.id, response)
    for loss in refinement.losses:
        yield (
            "losses",
            {
                "prompt_id": prompt.id,
                "stage": loss.stage,
                "round": loss.round,
                "response_id": loss.response_id,
                "why": loss.why,
            },
        )
    if final is None:
        for response in task.pool.responses:
            yield "scores", score_row(prompt.id, response.id, "", NO_RUBRIC)
        return
    for scored in refinement.scored:
        yield "scores", score_row(prompt.id, scored.response_id, final.id, scored.score)
        for criterion, outcome in zip(final.criteria, scored.outcomes, strict=True):
            yield "verdicts", verdict_row(prompt.id, scored.response_id, criterion, outcome)


def _history_row(refinement: Refinement) -> Mapping[str, object]:
    return {
        "prompt_id": refinement.prompt_id,
        "status": refinement.status.value,
        "rubrics": [rubric_row(rubric) for rubric in refinement.rubrics],
        "rounds": [_round_row(round_) for round_ in refinement.rounds],
    }


def _round_row(round_: Round) -> Mapping[str, object]:
    return {
        "round": round_.number,
        "rubric_id": round_.rubric_id,
        "response_ids": list(round_.scores),
        "scores": [score.value for score in round_.scores.values()],
        "pair": None if round_.pair is None else list(round_.pair),
        "outcome": round_.outcome,
        "note": round_.note,
    }
