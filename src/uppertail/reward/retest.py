"""How often a judge contradicts itself: some rollouts decided twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from msgspec.structs import replace

from uppertail.errors import InputError, Stopped
from uppertail.models.interface import Model, Reply, Request
from uppertail.reward.in_time import in_time
from uppertail.reward.notes import current
from uppertail.types import Outcome, Verdict
from uppertail.verify.interface import Verifier

if TYPE_CHECKING:
    from uppertail.reward.rubric_scorer import Decidable


class Resampled:
    """A model that draws other samples of the same requests, so that none is in the journal."""

    def __init__(self, model: Model, *, by: int) -> None:
        self._model = model
        self._by = by

    @property
    def name(self) -> str:
        """The name of the model inside."""
        return self._model.name

    async def complete(self, request: Request) -> Reply:
        """Return the model's reply to the request with its sample index raised by `by`."""
        return await self._model.complete(replace(request, sample=request.sample + self._by))


@dataclass(frozen=True, slots=True, kw_only=True)
class Retest:
    """A second opinion of the same judge on a seeded share of what it has just decided.

    It changes no reward. Criteria that carry a check are left out: a program never wavers.

    Raises:
        InputError: the share is out of range.
    """

    verifier: Verifier
    """The same verifier around a `Resampled` model; `by` is its number of votes."""
    share: float = 0.05
    """Of the rollouts that had to be decided, in (0, 1]."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            problem = f"expected more than 0 and at most 1, found {self.share!r}"
            raise InputError(problem, field="share")

    async def run(
        self,
        decided: Sequence[tuple[Decidable, tuple[Outcome, ...]]],
        *,
        deadline: float | None,
        at_once: int,
    ) -> None:
        """Decide some rollouts again and note how often the judge agrees with itself."""
        drawn = [
            one for one in decided if Random(f"{self.seed}:{one[0].key}").random() < self.share
        ]
        try:
            await in_time(drawn, self._again, deadline=deadline, at_once=at_once)
        except Stopped:
            return  # the rewards are there; the next batch will say why nothing more is decided

    async def _again(self, decided: tuple[Decidable, tuple[Outcome, ...]]) -> None:
        plan, before = decided
        after = await self.verifier.verify(
            plan.rollout.prompt, plan.response, plan.rubric.criteria, {}
        )
        notes = current()
        for criterion, first, second in zip(plan.rubric.criteria, before, after, strict=True):
            if criterion.check is not None:
                continue
            if isinstance(first, Verdict) and isinstance(second, Verdict):
                notes.retested += 1
                notes.disagreed += first.met != second.met
