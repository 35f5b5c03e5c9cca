"""What refining one prompt takes and gives: every rubric on the way, and why each came to be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from uppertail.types import Outcome, Pool, Rubric, Score

RoundOutcome = Literal["accepted", "unchanged", "refused", "lost", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One prompt of a run."""

    pool: Pool
    start: Rubric | None = None
    """A rubric to start from; None asks the proposer for one."""


class Status(StrEnum):
    """How a prompt ended."""

    DONE = "done"
    """Everything that was asked for happened."""
    PARTIAL = "partial"
    """There is a rubric, the last good one, and something on the way was lost."""
    FAILED = "failed"
    """There is no rubric."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """One thing that could not be had."""

    stage: Literal["propose", "verify"]
    round: int
    """The round in which it was lost; 0 for the initial rubric, rounds + 1 for the final scores."""
    why: str
    response_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round: the candidates' scores under the rubric that entered it, and what came of it."""

    number: int
    """From 1."""
    rubric_id: str
    """The rubric that entered the round."""
    scores: dict[str, Score]
    """By response id; empty where the pair was given and nothing had to be scored."""
    pair: tuple[str, str] | None
    """The contrasted responses in the order shown; None where fewer than two were scored."""
    outcome: RoundOutcome
    """Whether there is a new rubric; the proposer may also return the one it was given, be
    refused, be lost, or have no pair to contrast."""
    note: str = ""
    """Why it was refused, lost or skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A response under the final rubric."""

    response_id: str
    score: Score
    outcomes: tuple[Outcome, ...]
    """One a criterion, in the rubric's order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refinement:
    """What refining one prompt gives."""

    prompt_id: str
    status: Status
    rubrics: tuple[Rubric, ...]
    """The initial rubric first, the final one last; empty only where the status is failed."""
    rounds: tuple[Round, ...]
    scored: tuple[Scored, ...]
    """Every response under the final rubric, in the pool's order."""
    losses: tuple[Loss, ...]

    @property
    def final(self) -> Rubric | None:
        """The last good rubric, or None where there never was one."""
        return self.rubrics[-1] if self.rubrics else None
