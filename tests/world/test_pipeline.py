"""The world through the real templates, readers and Algorithm 1."""

from __future__ import annotations

import pytest

from uppertail.propose.llm import LLMProposer
from uppertail.refine.algorithm import refine
from uppertail.refine.result import Refinement, Status
from uppertail.refine.settings import Settings
from uppertail.score import score
from uppertail.verify.llm import LLMVerifier
from uppertail.world import (
    GREAT,
    HIGH,
    ProposerKnobs,
    VerifierKnobs,
    World,
    WorldProposer,
    WorldVerifier,
)

WORLD = World(seed=0)
EVERY_FLAW = ProposerKnobs(
    wrong=0.2, stylistic=0.2, overlapping=0.2, inverted=0.2, favours_first=0.2, misweighed=0.5
)
EVERY_ERROR = VerifierKnobs(error=0.1, stubborn=0.5, leniency=0.1, position=0.1, length=0.1)


async def refined(
    number: int,
    rounds: int,
    proposer_knobs: ProposerKnobs | None = None,
    verifier_knobs: VerifierKnobs | None = None,
) -> tuple[Refinement, LLMVerifier]:
    verifier = LLMVerifier(WorldVerifier(WORLD, verifier_knobs))
    result = await refine(
        WORLD.pool(number, [GREAT], per_policy=8),
        proposer=LLMProposer(WorldProposer(WORLD, proposer_knobs)),
        verifier=verifier,
        settings=Settings(rounds=rounds, exclude_used=True, final_scores=False),
    )
    return result, verifier


def in_order(values: list[float | None], gold: list[float]) -> bool:
    first, second = values
    assert first is not None
    assert second is not None
    return (first - second) * (gold[0] - gold[1]) > 0


async def test_refinement_tells_more_good_responses_apart_rightly():
    right = {0: 0, 3: 0}
    for number in range(30):
        pair = [WORLD.respond(number, HIGH, k) for k in (0, 1)]
        gold = [WORLD.gold(number, r.text) for r in pair]
        for rounds in right:
            result, verifier = await refined(number, rounds)
            criteria = result.rubrics[-1].criteria
            values = [
                score(criteria, await verifier.verify(WORLD.prompt(number), r, criteria, {})).value
                for r in pair
            ]
            right[rounds] += in_order(values, gold)
    assert right[3] > right[0] + 5


@pytest.mark.parametrize("number", range(4))
async def test_with_every_knob_on_replies_are_still_read_without_a_loss(number):
    result, _ = await refined(number, 3, EVERY_FLAW, EVERY_ERROR)
    assert result.status is Status.DONE
    assert [r.outcome for r in result.rounds] == ["accepted"] * 3
    again, _ = await refined(number, 3, EVERY_FLAW, EVERY_ERROR)
    assert again == result
