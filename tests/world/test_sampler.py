from __future__ import annotations

import pytest

from uppertail.errors import CallFailed
from uppertail.models.interface import Request
from uppertail.sample.pool import Sampling, sample
from uppertail.types import Message
from uppertail.world import GOOD, GREAT, World, WorldSampler

WORLD = World(seed=5)


async def test_sampling_gives_the_worlds_own_pool():
    models = [(p.name, WorldSampler(WORLD, p)) for p in (GOOD, GREAT)]
    sampled = await sample(WORLD.prompt(9), models, Sampling(per_model=3))
    assert sampled.responses == WORLD.pool(9, (GOOD, GREAT), per_policy=3).responses
    assert not sampled.missing
    assert WorldSampler(WORLD, GOOD).name == "good"


async def test_a_prompt_of_elsewhere_is_a_failed_call():
    request = Request(messages=(Message(role="user", content="Write a poem."),), role="sampler")
    with pytest.raises(CallFailed, match="plot no"):
        await WorldSampler(WORLD, GOOD).complete(request)
