"""A whole refinement against a server on which one call of five goes wrong, in all ways at once."""

import pytest

from uppertail.models import Journal, ModelConfig, ModelSession
from uppertail.propose.llm import LLMProposer
from uppertail.refine import Settings, refine
from uppertail.refine.result import Status
from uppertail.refine.schedule import run_all
from uppertail.score import score
from uppertail.verify.llm import LLMVerifier
from uppertail.world import GREAT, LOW, World, WorldVerifier
from uppertail.world.server import WorldServer
from uppertail.world.server_answers import WorldAnswers
from uppertail.world.server_faults import Faults

PROMPTS = 5


@pytest.fixture
async def day():
    """The world, its prompts, what became of them, and what the server did."""
    world = World(seed=4)
    pools = [world.pool(number, [GREAT, LOW], per_policy=2) for number in range(PROMPTS)]
    ended = {}
    faults = Faults.evenly(0.2, seed=1, seconds=0.01)
    async with WorldServer(WorldAnswers(world), faults=faults) as server:
        with Journal(":memory:") as store:
            async with ModelSession(store) as session:
                proposer, verifier = (
                    session.open(ModelConfig(model=name, base_urls=(server.url,)))
                    for name in ("proposer", "verifier")
                )

                async def work(pool):
                    return await refine(
                        pool,
                        proposer=LLMProposer(proposer),
                        verifier=LLMVerifier(verifier),
                        settings=Settings(rounds=2),
                    )

                def finished(pool, result):
                    ended[pool.prompt.id] = result

                await run_all(pools, work, finished, at_once=PROMPTS)
        return world, pools, ended, server.counters


async def test_every_prompt_ends_with_a_status_and_where_it_can_with_a_rubric(day):
    _, pools, ended, counters = day
    assert sum(counters.faults.values()) > 10
    assert ended.keys() == {pool.prompt.id for pool in pools}
    for result in ended.values():
        assert (result.final is None) == (result.status is Status.FAILED)
        assert result.losses or result.status is Status.DONE
    assert sum(result.final is not None for result in ended.values()) >= PROMPTS - 1


async def test_no_failure_becomes_a_number(day):
    """Every score that exists is the one that a faultless verifier gives; the others say why."""
    world, pools, ended, _ = day
    truth = LLMVerifier(WorldVerifier(world))
    scored = unscored = 0
    for pool in pools:
        result = ended[pool.prompt.id]
        for response, item in zip(pool.responses, result.scored, strict=False):
            if item.score.value is None:
                unscored += 1
                assert item.score.why
                continue
            criteria = result.final.criteria
            outcomes = await truth.verify(pool.prompt, response, criteria, {})
            assert item.score.value == score(criteria, outcomes).value
            scored += 1
    assert scored > 10
    assert unscored <= scored


async def test_nothing_that_was_answered_is_asked_again(day):
    _, _, _, counters = day
    assert counters.repeated == 0
