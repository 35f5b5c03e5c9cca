"""Trials of refinement in the simulated world: one prompt, many ways to refine its rubric.

Every way runs through the real proposer, verifier, templates, readers and Algorithm 1. What
two ways do alike is done once, which is exact: equal messages have equal replies, and a
verifier without flaws decides each criterion by itself.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Literal

import msgspec

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

NO_FLAW = ProposerKnobs()
NO_ERROR = VerifierKnobs()

_WEIGHT = re.compile(r', "weight": \d')


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What the world is like."""

    name: str
    proposer: ProposerKnobs = NO_FLAW
    verifier: VerifierKnobs = NO_ERROR
    good: Policy = GOOD
    great: Policy = GREAT
    diverse: tuple[Policy, ...] = DIVERSE
    high: tuple[Policy, Policy] = (HIGH, HIGH)
    """Who writes the two responses that the finished rubric must tell apart."""
    low: tuple[Policy, Policy] = (LOW, LOW)

    def policies(self, name: PoolName) -> tuple[Policy, ...]:
        """Return who fills a pool of this name."""
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
class Told:
    """Shares of the fresh pairs of one prompt; pairs that gold ties are left out."""

    right: float
    """Ordered as gold orders them."""
    tied: float
    inverted: float


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one way on one prompt; None where gold tells no pair apart."""

    high: Told | None
    low: Told | None
    calls: int
    """Of the proposer and of the verifier, grading aside."""
    criteria: int


@dataclass
class Remembering:
    """A verifier that asks nothing twice, and counts as if it did."""

    inner: LLMVerifier
    votes: int
    separable: bool
    """Whether a verdict is the same whatever else is asked in the call: the verifier has no flaw."""
    calls: int = 0
    known: dict[tuple[str, ...], Outcome] = field(default_factory=dict)
    """Outcomes by response, criterion and, unless separable, all criteria of the call."""

    @property
    def name(self) -> str:
        """The inner one's name."""
        return self.inner.name

    async def verify(
        self,
        prompt: Prompt,
        response: Response,
        criteria: Sequence[Criterion],
        memory: VerdictMemory,
    ) -> tuple[Outcome, ...]:
        """Return the inner verifier's outcomes."""
        self.calls += self.votes
        sheet = () if self.separable else tuple(c.text for c in criteria)
        keys = {c.text: (response.id, c.text, *sheet) for c in criteria}
        new = [c for c in criteria if keys[c.text] not in self.known]
        outcomes = await self.inner.verify(prompt, response, new, memory) if new else ()
        self.known.update((keys[c.text], outcome) for c, outcome in zip(new, outcomes, strict=True))
        return tuple(self.known[keys[c.text]] for c in criteria)


@dataclass
class Counting:
    """A model that counts its calls, and may hide the weights of the rubric it is shown."""

    inner: Model
    weights_hidden: bool
    calls: int = 0

    @property
    def name(self) -> str:
        """The inner one's name."""
        return self.inner.name

    async def complete(self, request: Request) -> Reply:
        """Return the inner model's reply."""
        self.calls += 1
        if self.weights_hidden:
            blind = (
                msgspec.structs.replace(m, content=_WEIGHT.sub("", m.content))
                if m.role == "user"
                else m
                for m in request.messages
            )
            request = msgspec.structs.replace(request, messages=tuple(blind))
        return await self.inner.complete(request)


@dataclass
class Bench:
    """The models of one world, shared by all trials in it."""

    conditions: Conditions
    world: World
    fresh: int
    """Responses of each of the two policies by which a rubric is judged; all pairs count."""
    verifiers: dict[int, LLMVerifier] = field(default_factory=dict)
    proposers: dict[tuple[bool, bool], tuple[LLMProposer, Counting]] = field(default_factory=dict)
    pools: dict[tuple[object, ...], Pool] = field(default_factory=dict)
    """Of the prompt that is worked on."""

    def verifier(self, votes: int) -> LLMVerifier:
        """Return the verifier with so many votes."""
        if votes not in self.verifiers:
            model = WorldVerifier(self.world, self.conditions.verifier)
            heat = 1.0 if votes > 1 else 0.0
            self.verifiers[votes] = LLMVerifier(model, votes=votes, temperature=heat)
        return self.verifiers[votes]

    def grader(self, votes: int = 1) -> Remembering:
        """Return a verifier that remembers; make a new one for each prompt."""
        sure = self.conditions.verifier == NO_ERROR
        return Remembering(self.verifier(votes), votes, sure)

    def proposer(self, *, hidden: bool, told: bool) -> tuple[LLMProposer, Counting]:
        """Return a proposer, and the model that counts its calls; making one is not cheap."""
        if (hidden, told) not in self.proposers:
            model = Counting(WorldProposer(self.world, self.conditions.proposer), hidden)
            self.proposers[hidden, told] = LLMProposer(model, tell_preference=told), model
        return self.proposers[hidden, told]

    async def prompt(self, number: int, ways: Sequence[Way]) -> dict[str, Trial]:
        """Return what each way gives for one prompt; the initial rubric is common to all."""
        self.pools.clear()
        author, _ = self.proposer(hidden=False, told=False)
        start = await author.initial(self.world.prompt(number))
        graders = {votes: self.grader(votes) for votes in {way.votes for way in ways}}
        return {way.name: await self._trial(number, way, start, graders[way.votes]) for way in ways}

    async def _trial(self, number: int, way: Way, start: Rubric, verifier: Remembering) -> Trial:
        proposer, model = self.proposer(
            hidden=way.weights_hidden, told=way.settings.tell_preference
        )
        model.calls = 0
        verifier.calls = 0
        pool = self.pool(number, way)
        refined = await refine(
            pool, proposer=proposer, verifier=verifier, settings=way.settings, start=start
        )
        calls = 1 + model.calls + verifier.calls
        return await self.judged(number, refined.rubrics[-1], verifier, calls)

    async def judged(self, number: int, rubric: Rubric, verifier: Remembering, calls: int) -> Trial:
        """Return what a finished rubric is worth on fresh responses."""
        sides = [
            await self._tell(number, rubric, pair, verifier)
            for pair in (self.conditions.high, self.conditions.low)
        ]
        return Trial(sides[0], sides[1], calls, len(rubric.criteria))

    def pool(self, number: int, way: Way) -> Pool:
        """Return the pool that a way refines with."""
        key = (way.pool, way.per_policy, way.labelled, way.settings.skip_duplicates)
        if key not in self.pools:
            policies = [p for name in way.pool for p in self.conditions.policies(name)]
            pool = self.world.pool(
                number, policies, per_policy=way.per_policy, labelled=way.labelled
            )
            if way.settings.skip_duplicates:
                pool = replace(pool, responses=mark_duplicates(pool.responses))
            self.pools[key] = pool
        return self.pools[key]

    async def _tell(
        self,
        number: int,
        rubric: Rubric,
        policies: tuple[Policy, Policy],
        verifier: Remembering,
    ) -> Told | None:
        """Return how the rubric orders fresh responses of the one policy and of the other."""
        sides = [
            [
                await self._grade(number, policy, sample, rubric, verifier)
                for sample in range(self.fresh * place, self.fresh * (place + 1))
            ]
            for place, policy in enumerate(policies)
        ]
        marks = [
            ((a[0] - b[0]) * (a[1] - b[1]) > 0) - ((a[0] - b[0]) * (a[1] - b[1]) < 0)
            for a, b in product(*sides)
            if a[0] != b[0]
        ]
        if not marks:
            return None
        return Told(*(marks.count(mark) / len(marks) for mark in (1, 0, -1)))

    async def _grade(
        self, number: int, policy: Policy, sample: int, rubric: Rubric, verifier: Remembering
    ) -> tuple[float, float]:
        """Return gold and score of a fresh response, which is in no pool."""
        fresh = replace(policy, name=f"fresh-{policy.name}")
        response = self.world.respond(number, fresh, sample)
        prompt = self.world.prompt(number)
        outcomes = await verifier.verify(prompt, response, rubric.criteria, {})
        value = score(rubric.criteria, outcomes).value
        assert value is not None, "a verifier of the world answers every criterion"
        return self.world.gold(number, response.text), value


def run(
    conditions: Conditions, ways: Sequence[Way], seed: int, numbers: Sequence[int], fresh: int
) -> dict[str, list[Trial]]:
    """Return the trials of each way on the prompts `numbers` of world `seed`, in their order."""

    async def everything() -> list[dict[str, Trial]]:
        bench = Bench(conditions, World(seed=seed), fresh)
        return [await bench.prompt(number, ways) for number in numbers]

    done = asyncio.run(everything())
    return {way.name: [trials[way.name] for trials in done] for way in ways}
