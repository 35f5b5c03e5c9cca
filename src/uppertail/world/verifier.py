"""A verifier that reads the response, and errs as often and in the way that it is told to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random

from uppertail.models.interface import Reply, Request
from uppertail.types import content_id
from uppertail.world.chance import check_chances
from uppertail.world.lexicon import question
from uppertail.world.nature import World
from uppertail.world.page import blocks, conversation, criteria_by_id, need, reply

LONG = 800
"""Words from which on a response counts as long; unpadded ones of 40 qualities have about 500."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKnobs:
    """How a verifier errs. Every chance is in [0, 1] and off by default."""

    error: float = 0.0
    """Chance that a verdict is turned round."""
    stubborn: float = 0.0
    """Share of `error` that hangs on the response and the criterion alone: asking again, with
    other criteria or in other words, does not help."""
    leniency: float = 0.0
    """Chance that a criterion that does not hold is granted."""
    position: float = 0.0
    """Chance that the last criterion of a call is granted unread; it grows evenly from 0 for
    the first."""
    length: float = 0.0
    """Chance that a criterion is granted to a response of 800 words or more because it is
    long; it grows evenly with the words."""

    def __post_init__(self) -> None:
        """Refuse what is no probability.

        Raises:
            InputError: the message names the knob.
        """
        check_chances(self, "error", "stubborn", "leniency", "position", "length")


class WorldVerifier:
    """Answers the messages of `LLMVerifier` with JSON text, in all of its modes.

    With every knob off its verdicts are the truth. Draws are keyed by the world's seed, the
    whole message and the sample index, so that equal requests have equal replies.
    """

    def __init__(
        self,
        world: World,
        knobs: VerifierKnobs | None = None,
        *,
        name: str = "world/verifier",
    ) -> None:
        self._world = world
        self._knobs = knobs or VerifierKnobs()
        self._name = name

    @property
    def name(self) -> str:
        """The name that it was given."""
        return self._name

    async def complete(self, request: Request) -> Reply:
        """Return a yes or no for each criterion of the message.

        Raises:
            CallFailed: the message holds no block `response` or `criteria`.
        """
        said = conversation(request)
        response, listed = need(blocks(request.messages[0].content), "response", "criteria")
        criteria = criteria_by_id(listed)
        key = content_id(str(self._world.seed), self._name, said, str(request.sample))
        random = Random(key)
        length = self._knobs.length and min(1.0, len(response.split()) / LONG)
        last = max(1, len(criteria) - 1)
        answers = {
            id: self._answer(text, response, place / last, length, random)
            for place, (id, text) in enumerate(criteria.items())
        }
        return reply(said, json.dumps({id: "yes" if met else "no" for id, met in answers.items()}))

    def _answer(
        self, criterion: str, response: str, place: float, length: float, random: Random
    ) -> bool:
        """Return the verdict on one criterion: the truth, then favours, then errors."""
        knobs = self._knobs
        met = question(criterion).holds(response)
        for chance in (knobs.leniency, knobs.position * place, knobs.length * length):
            met = (random.random() < chance) or met
        if random.random() < knobs.error * (1 - knobs.stubborn):
            met = not met
        if knobs.stubborn and self._always_wrong(criterion, response):
            met = not met
        return met

    def _always_wrong(self, criterion: str, response: str) -> bool:
        key = content_id(str(self._world.seed), self._name, criterion, response)
        return int(key, 16) < self._knobs.error * self._knobs.stubborn * 2**64
