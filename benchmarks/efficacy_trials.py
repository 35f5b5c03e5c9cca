"""Trials of refinement in the simulated world: one prompt, many ways to refine its rubric.

Every way runs through the real proposer, verifier, templates, readers and Algorithm 1. What
two ways do alike is done once: a verifier's outcomes are kept by response and criteria,
which is exact, because equal messages have equal replies.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from uppertail.models.interface import Model, Reply, Request
from uppertail.propose.llm import LLMProposer
from uppertail.refine.algorithm import refine
from uppertail.refine.settings import Settings
from uppertail.sample.duplicates import mark_duplicates
from uppertail.score import score
from uppertail.types import Criterion, Outcome, Pool, Prompt, Response, Rubric
from uppertail.verify.interface import VerdictMemory
from uppertail.verify.llm import LLMVerifier
from uppertail.world import (
    DIVERSE,
    GOOD,
    GREAT,
    HIGH,
    LOW,
    Policy,
    ProposerKnobs,
    VerifierKnobs,
    World,
    WorldProposer,
    WorldVerifier,
)

PoolName = Literal["good", "great", "diverse"]

_WEIGHT = re.compile(r', "weight": \d')


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What the world is like."""

    name: str
    proposer: ProposerKnobs = ProposerKnobs()
    verifier: VerifierKnobs = VerifierKnobs()
    good: Policy = GOOD
    great: Policy = GREAT
    diverse: tuple[Policy, ...] = DIVERSE
    high: tuple[Policy, Policy] = (HIGH, HIGH)
    """Who writes the two responses that the finished rubric must tell apart."""
    low: tuple[Policy, Policy] = (LOW, LOW)

    def policies(self, name: PoolName) -> tuple[Policy, ...]:
        return {"good": (self.good,), "great": (self.great,), "diverse": self.diverse}[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to refine."""

    name: str
    settings: Settings
    pool: tuple[PoolName, ...] = ("great",)
    """Who fills the pool: each named policy, or the sixteen diverse ones."""
    per_policy: int = 16
    votes: int = 1
    """Of each verdict, in refinement and in grading."""
    labelled: bool = False
    weights_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one way on one prompt: 1 right, 0 tied, -1 inverted, None without a truth."""

    high: int | None
    low: int | None
    calls: int
    """Of the proposer and of the verifier, grading aside."""
    criteria: int


@dataclass
class Remembering:
    """A verifier that asks once for each response and list of criteria, and counts every time."""

    inner: LLMVerifier
    votes: int
    calls: int = 0
    known: dict[tuple[str, tuple[str, ...]], tuple[Outcome, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.inner.name

    async def verify(
        self,
        prompt: Prompt,
        response: Response,
        criteria: Sequence[Criterion],
        memory: VerdictMemory,
    ) -> tuple[Outcome, ...]:
        self.calls += self.votes
        key = (response.id, tuple(criterion.text for criterion in criteria))
        if key not in self.known:
            self.known[key] = await self.inner.verify(prompt, response, criteria, memory)
        return self.known[key]


@dataclass
class Counting:
    """A model that counts its calls, and may hide the weights of the rubric it is shown."""

    inner: Model
    weights_hidden: bool
    calls: int = 0

    @property
    def name(self) -> str:
        return self.inner.name

    async def complete(self, request: Request) -> Reply:
        self.calls += 1
        if self.weights_hidden:
            blind = (
                replace(m, content=_WEIGHT.sub("", m.content)) if m.role == "user" else m
                for m in request.messages
            )
            request = replace(request, messages=tuple(blind))
        return await self.inner.complete(request)


@dataclass
class Bench:
    """The models of one world, shared by all trials in it."""

    conditions: Conditions
    world: World
    verifiers: dict[int, LLMVerifier] = field(default_factory=dict)

    def verifier(self, votes: int) -> LLMVerifier:
        if votes not in self.verifiers:
            model = WorldVerifier(self.world, self.conditions.verifier)
            heat = 1.0 if votes > 1 else 0.0
            self.verifiers[votes] = LLMVerifier(model, votes=votes, temperature=heat)
        return self.verifiers[votes]

    async def prompt(self, number: int, ways: Sequence[Way]) -> dict[str, Trial]:
        """Return what each way gives for one prompt; the initial rubric is common to all."""
        author = LLMProposer(WorldProposer(self.world, self.conditions.proposer))
        start = await author.initial(self.world.prompt(number))
        graders = {v: Remembering(self.verifier(v), v) for v in {way.votes for way in ways}}
        return {way.name: await self._trial(number, way, start, graders[way.votes]) for way in ways}

    async def _trial(self, number: int, way: Way, start: Rubric, verifier: Remembering) -> Trial:
        model = Counting(WorldProposer(self.world, self.conditions.proposer), way.weights_hidden)
        proposer = LLMProposer(model, tell_preference=way.settings.tell_preference)
        verifier.calls = 0
        pool = self._pool(number, way)
        refined = await refine(
            pool, proposer=proposer, verifier=verifier, settings=way.settings, start=start
        )
        calls = 1 + model.calls + verifier.calls
        rubric = refined.rubrics[-1]
        sides = [
            await self._tell(number, pool.prompt, rubric, pair, verifier)
            for pair in (self.conditions.high, self.conditions.low)
        ]
        return Trial(sides[0], sides[1], calls, len(rubric.criteria))

    def _pool(self, number: int, way: Way) -> Pool:
        policies = [p for name in way.pool for p in self.conditions.policies(name)]
        pool = self.world.pool(number, policies, per_policy=way.per_policy, labelled=way.labelled)
        if way.settings.skip_duplicates:
            return Pool(prompt=pool.prompt, responses=mark_duplicates(pool.responses))
        return pool

    async def _tell(
        self,
        number: int,
        prompt: Prompt,
        rubric: Rubric,
        pair: tuple[Policy, Policy],
        verifier: Remembering,
    ) -> int | None:
        """Return whether the rubric orders a fresh pair as gold does; None where gold ties."""
        responses = [
            replace(self.world.respond(number, policy, sample), id=f"graded-{policy.name}#{sample}")
            for sample, policy in enumerate(pair)
        ]
        gold = [self.world.gold(number, response.text) for response in responses]
        if gold[0] == gold[1]:
            return None
        values = []
        for response in responses:
            outcomes = await verifier.verify(prompt, response, rubric.criteria, {})
            value = score(rubric.criteria, outcomes).value
            assert value is not None, "a verifier of the world answers every criterion"
            values.append(value)
        if values[0] == values[1]:
            return 0
        return 1 if (values[0] > values[1]) == (gold[0] > gold[1]) else -1


def run(
    conditions: Conditions, ways: Sequence[Way], seed: int, numbers: Sequence[int]
) -> dict[str, list[Trial]]:
    """Return the trials of each way on the prompts `numbers` of world `seed`, in their order."""

    async def everything() -> list[dict[str, Trial]]:
        bench = Bench(conditions, World(seed=seed))
        return [await bench.prompt(number, ways) for number in numbers]

    done = asyncio.run(everything())
    return {way.name: [trials[way.name] for trials in done] for way in ways}
