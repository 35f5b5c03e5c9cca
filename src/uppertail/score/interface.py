"""What a trainer asks for and receives, and what anything that can score is to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from uppertail.types import Criterion, Outcome, Prompt, Rubric, Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One completion that a policy wrote and that wants a reward."""

    prompt: Prompt
    completion: str
    """The answer as the policy wrote it; a reasoning block in it is not shown to a verifier."""
    rubric: Rubric | None = None
    """The rubric that came with the row; None leaves it to the scorer to find one."""
    group: str = ""
    """Rollouts of one group are compared with each other; empty means the prompt's id."""


class Judged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One criterion of a rollout and what was decided about it."""

    criterion: Criterion
    outcome: Outcome


class Reward(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a trainer receives for one rollout, and where it comes from."""

    value: float | None
    """The reward; None where the rollout is unscored. Finite."""
    why: str = ""
    """Why it is unscored; empty where `value` exists."""
    judged: tuple[Judged, ...] = ()
    """The criteria and their outcomes, where a rubric decided."""
    score: Score | None = None
    """The score that the reward was made of, where a rubric decided."""
    parts: tuple[tuple[str, float | None], ...] = ()
    """What each scorer of a mixture gave, by name, before weights."""


class Scorer(Protocol):
    """Gives rewards: an LLM under rubrics, exact checks, a reward model, a mixture, a server."""

    @property
    def name(self) -> str:
        """Identity that travels with rewards; it changes when answers could change."""
        ...

    async def score(
        self, rollouts: Sequence[Rollout], *, deadline: float | None = None
    ) -> tuple[Reward, ...]:
        """Return one reward a rollout, in the same order.

        What cannot be scored, or not by `deadline`, is unscored with a reason; nothing is
        raised for it. `Stopped` errors go through.

        Args:
            rollouts: what to score.
            deadline: the running loop's time, in seconds, after which nobody waits.
        """
        ...
