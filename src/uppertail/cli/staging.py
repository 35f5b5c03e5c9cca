"""Inputs to tasks: read once, checked whole, copied into the run before anything is spent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from uppertail.cli.invocation import Invocation, located
from uppertail.data.index import rubric_index
from uppertail.data.pools import PoolRow, read_pools
from uppertail.data.responses import Quarantined
from uppertail.data.rubrics import read_rubrics
from uppertail.data.run_folder import RunFolder
from uppertail.data.write import json_line, replacing
from uppertail.errors import InputError
from uppertail.refine.result import Refinement, Task
from uppertail.refine.select import candidates
from uppertail.refine.settings import Settings
from uppertail.sample.duplicates import mark_duplicates


@dataclass
class Intake:
    """What an input held, counted while it was read."""

    prompts: int = 0
    conversations: int = 0
    """Prompts that are more than one user message."""
    responses: int = 0
    small: int = 0
    """Prompts with fewer than two usable responses: nothing can be contrasted."""
    without_rubric: int = 0
    rubrics_left: int = 0
    """Rubrics whose prompt is not in the input."""
    quarantined: Counter[str] = field(default_factory=Counter)
    """Responses that were kept out, by reason."""

    def count(self, row: PoolRow, task: Task, settings: Settings) -> None:
        """Count one prompt."""
        self.prompts += 1
        self.conversations += [m.role for m in row.pool.prompt.messages] != ["user"]
        self.responses += len(row.pool.responses)
        self.small += len(candidates(task.pool, settings)) < 2
        self.without_rubric += task.start is None
        self.quarantined.update(q.why.value for q in row.quarantined)

    def refuse(self, invocation: Invocation) -> None:
        """Refuse an input that the command could do nothing with.

        Raises:
            InputError: no prompt can be refined, or none can be scored.

        """
        source = invocation.source
        if not self.prompts:
            raise InputError("holds no prompts", file=source)
        if not self.responses and (invocation.settings.rounds or invocation.command == "score"):
            raise InputError("holds no usable responses; see `uppertail sample`", file=source)
        if invocation.settings.rounds and self.small == self.prompts:
            raise InputError(
                "no prompt has two usable responses (of the --sources named, if any), so nothing "
                "can be contrasted; add "
                "responses (see `uppertail sample`), or ask for `--preset initial`",
                file=source,
            )
        if invocation.command == "score" and self.without_rubric == self.prompts:
            raise InputError("has a rubric for none of the prompts", file=invocation.method.rubrics)

    def notes(self, invocation: Invocation) -> list[str]:
        """Return what a user should know before the run, one sentence each."""
        notes = []
        if self.quarantined:
            kinds = ", ".join(f"{count} {why}" for why, count in self.quarantined.most_common())
            total = self.quarantined.total()
            notes.append(f"{total} responses were set aside ({kinds}); see quarantine.jsonl")
        if self.small and invocation.settings.rounds:
            notes.append(
                f"{self.small} prompts have fewer than two usable responses and keep their "
                "initial rubric"
            )
        if self.rubrics_left:
            notes.append(f"{self.rubrics_left} rubrics belong to no prompt of the input")
        if self.without_rubric and invocation.command == "score":
            notes.append(f"{self.without_rubric} prompts have no rubric and stay unscored")
        return notes


def tasks(invocation: Invocation, intake: Intake, scratch: Path) -> Iterator[tuple[Task, PoolRow]]:
    """Yield the run's tasks in input order, and the row that each was read from.

    Raises:
        InputError: an input is not what it must be; the message names the place.

    """
    rubrics = invocation.method.rubrics
    start = read_rubrics(located(rubrics, "rubrics.jsonl")) if rubrics else iter(())
    source, settings = located(invocation.source, "pools.jsonl"), invocation.settings
    with rubric_index(start, scratch=scratch) as index:
        for row in read_pools(source, invocation.responses, scratch=scratch):
            pool = row.pool
            if settings.skip_duplicates:
                pool = replace(pool, responses=mark_duplicates(pool.responses))
            task = Task(pool=pool, start=index.take(pool.prompt.id))
            intake.count(row, task, settings)
            yield task, row
        intake.rubrics_left = index.left()


def stage(invocation: Invocation, folder: RunFolder[Task, Refinement]) -> Intake:
    """Copy the inputs into the run, and what was kept out of them into quarantine.jsonl.

    Raises:
        InputError: an input is wrong, or nothing could be done with it; nothing is staged.

    """
    intake = Intake()
    with replacing(folder.path / "quarantine.jsonl") as write:

        def items() -> Iterator[tuple[str, Task]]:
            for task, row in tasks(invocation, intake, folder.path):
                for quarantined in row.quarantined:
                    write(json_line(_quarantine_row(quarantined)))
                yield task.pool.prompt.id, task
            intake.refuse(invocation)

        folder.stage(items())
    return intake


def _quarantine_row(quarantined: Quarantined) -> dict[str, object]:
    return {
        "prompt_id": quarantined.prompt_id,
        "model": quarantined.model,
        "position": quarantined.position,
        "why": quarantined.why.value,
        "text": quarantined.text,
    }
