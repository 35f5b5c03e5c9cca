"""Rewards under rubrics, decided by a model or by exact checks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import lru_cache
from math import fsum, isfinite

import msgspec

from uppertail.errors import InputError, Lost
from uppertail.prompting import split_reasoning
from uppertail.reward.in_time import LATE, in_time
from uppertail.reward.memory import BatchMemory, RewardMemory
from uppertail.reward.notes import current
from uppertail.reward.retest import Retest
from uppertail.reward.rubrics import RubricSource
from uppertail.score import Aggregation, score
from uppertail.score.interface import Judged, Reward, Rollout
from uppertail.types import (
    Criterion,
    Decider,
    Message,
    Outcome,
    Response,
    Rubric,
    Verdict,
    content_id,
)
from uppertail.verify.checked import VERSION
from uppertail.verify.interface import Verifier

LONGEST = 400_000
"""Characters, about 100,000 tokens: more than judges of today read with a rubric beside it."""
_NOTHING = Decider(model="offline", protocol="empty/1")


class Decidable(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A rollout that somebody can decide."""

    rollout: Rollout
    response: Response
    """The completion without its reasoning."""
    rubric: Rubric
    key: str
    """Everything that can change its verdicts, hashed."""


class RubricScorer:
    """Scores rollouts by the rubrics that `rubrics` finds, criterion by criterion.

    A completion without any words meets no criterion: nobody is asked, also where a
    criterion would hold for want of words. Were it unscored, a policy could escape low
    rewards by falling silent.

    Unscored, with the reason: no rubric; a rubric without a positive weight; a completion of
    more than `longest` characters; too little of the rubric answered; the deadline.

    A rollout whose criteria were all decided is remembered and not asked about again.

    Args:
        verifier: decides criteria.
        rubrics: finds rubrics.
        aggregation: how verdicts become a score.
        min_answered: least share of a rubric's weight that must be answered, in (0, 1].
        memory: verdicts that are known; None remembers within this object only.
        longest: most characters of a completion, reasoning left out.
        at_once: rollouts in work at a time.
        retest: how a share of the rollouts is decided twice; None for never.
    """

    def __init__(
        self,
        verifier: Verifier,
        rubrics: RubricSource,
        *,
        aggregation: Aggregation = "weighted",
        min_answered: float = 1.0,
        memory: RewardMemory | None = None,
        longest: int = LONGEST,
        at_once: int = 2048,
        retest: Retest | None = None,
    ) -> None:
        if not 0 < min_answered <= 1:
            problem = f"expected more than 0 and at most 1, found {min_answered!r}"
            raise InputError(problem, field="min_answered")
        self._verifier = verifier
        self._rubrics = rubrics
        self._aggregation: Aggregation = aggregation
        self._min_answered = min_answered
        self._memory = RewardMemory() if memory is None else memory
        self._longest = longest
        self._at_once = at_once
        self._retest = retest
        self._identity = f"{verifier.name}; checks {VERSION}"

    @property
    def name(self) -> str:
        """The verifier, where rubrics come from, and how verdicts become a score."""
        return f"{self._verifier.name}; rubrics {self._rubrics.name}; {self._aggregation}"

    async def score(
        self, rollouts: Sequence[Rollout], *, deadline: float | None = None
    ) -> tuple[Reward, ...]:
        """Return one reward a rollout, in the same order.

        Raises:
            Stopped: nothing more can be decided; what was is remembered.
        """
        memory = self._memory.batch()
        decided: list[tuple[Decidable, tuple[Outcome, ...]]] = []

        async def one(rollout: Rollout) -> Reward:
            plan = await self._plan(rollout)
            if isinstance(plan, Reward):
                return plan
            outcomes: tuple[Outcome, ...] | None = memory.sheet(plan.key)
            if outcomes is None:
                outcomes = await self._decide(plan, memory)
                if self._retest is not None:
                    decided.append((plan, outcomes))
            else:
                current().remembered += 1
            return self._reward(plan.rubric, outcomes)

        try:
            rewards = await in_time(rollouts, one, deadline=deadline, at_once=self._at_once)
        finally:
            memory.flush()
        if self._retest is not None:
            await self._retest.run(decided, deadline=deadline, at_once=self._at_once)
        return tuple(Reward(value=None, why=LATE) if r is None else r for r in rewards)

    async def _plan(self, rollout: Rollout) -> Decidable | Reward:
        """Return what is to be decided, or a reward that needs nobody to decide."""
        try:
            rubric = await self._rubrics.find(rollout)
        except Lost as error:
            return Reward(value=None, why=f"no rubric: {error}")
        if rubric is None:
            return Reward(value=None, why="no rubric")
        problem, criteria_key = _examined(rubric.criteria)
        if problem:
            return Reward(value=None, why=problem)
        text, _ = split_reasoning(rollout.completion)
        if len(text) > self._longest:
            why = f"the completion has {len(text)} characters, more than {self._longest}"
            return Reward(value=None, why=why)
        if not text.strip():
            return self._reward(rubric, _nothing(rubric))
        return Decidable(
            rollout=rollout,
            response=Response(id="rollout", text=text),
            rubric=rubric,
            key=content_id(
                _asked_key(tuple(rollout.prompt.messages)), text, criteria_key, self._identity
            ),
        )

    async def _decide(self, plan: Decidable, memory: BatchMemory) -> tuple[Outcome, ...]:
        began = time.perf_counter()
        outcomes = await self._verifier.verify(
            plan.rollout.prompt, plan.response, plan.rubric.criteria, memory
        )
        current().seconds.append(time.perf_counter() - began)
        verdicts = tuple(outcome for outcome in outcomes if isinstance(outcome, Verdict))
        if len(verdicts) == len(outcomes):
            memory.keep(plan.key, verdicts)
        return outcomes

    def _reward(self, rubric: Rubric, outcomes: Sequence[Outcome]) -> Reward:
        earned = score(
            rubric.criteria,
            outcomes,
            aggregation=self._aggregation,
            min_answered=self._min_answered,
        )
        judged = zip(rubric.criteria, outcomes, strict=True)
        return Reward(
            value=earned.value,
            why=earned.why,
            judged=tuple(Judged(criterion=c, outcome=o) for c, o in judged),
            score=earned,
        )


@lru_cache(maxsize=8192)  # the completions of a group have the same ones
def _examined(criteria: tuple[Criterion, ...]) -> tuple[str, str]:
    """Return what is wrong with criteria, and a hash of what is asked, in order.

    Weights are not in it: they are not shown to anybody.
    """
    return _problem(criteria), content_id(*(criterion.id for criterion in criteria))


def _problem(criteria: tuple[Criterion, ...]) -> str:
    """Return why a rubric cannot score anything; empty where it can."""
    if not criteria:
        return "the rubric has no criteria"
    if not isfinite(fsum(abs(criterion.weight) for criterion in criteria)):
        return "the weights of the rubric are not finite"
    if not any(criterion.weight > 0 for criterion in criteria):
        return "the rubric has no positive weight: nothing can be earned"
    return ""


def _nothing(rubric: Rubric) -> tuple[Outcome, ...]:
    """Return what a completion without words earns: no merit, and no fault."""
    verdict = Verdict(met=False, by=_NOTHING, reason="the completion is empty")
    return (verdict,) * len(rubric.criteria)


@lru_cache(maxsize=256)  # the completions of a group come one after the other
def _asked_key(messages: tuple[Message, ...]) -> str:
    """Return a hash of what the policy was asked."""
    return content_id(*(part for message in messages for part in (message.role, message.content)))
