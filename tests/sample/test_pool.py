"""Pools: what is asked, what is kept, and what never passes for an answer."""

import pytest

from uppertail.errors import BudgetExhausted, CallFailed
from uppertail.models import Reply, Scripted
from uppertail.sample.pool import NoAnswer, Sampling, sample
from uppertail.sample.presets import DIVERSE, POOLS
from uppertail.types import Message, Prompt

PROMPT = Prompt(
    id="p",
    messages=(Message(role="system", content="Be brief."), Message(role="user", content="Hi")),
)


async def test_one_model_many_times_and_many_models_once():
    def answer(request):
        return f"{request.sample} of twelve apples and pears {request.sample}"

    models = [("a", Scripted(answer, name="a")), ("b", Scripted(lambda _: "entirely different"))]
    got = await sample(PROMPT, models, Sampling(per_model=2))
    assert [r.id for r in got.responses] == ["a#0", "a#1", "b#0", "b#1"]
    assert [r.duplicate_of for r in got.responses] == [None, None, None, "b#0"]
    assert got.complete


async def test_the_request_carries_the_messages_and_every_sampling_parameter():
    seen = []

    def answer(request):
        seen.append(request)
        return "hello"

    sampling = Sampling(temperature=0.7, top_p=0.9, max_tokens=50, on_policy=True)
    got = await sample(PROMPT, [("a", Scripted(answer))], sampling)
    request = seen[0]
    assert request.messages == PROMPT.messages
    assert (request.temperature, request.top_p, request.max_tokens) == (0.7, 0.9, 50)
    assert request.role == "sampler"
    assert got.responses[0].on_policy is True


async def test_the_default_sends_the_top_p_of_the_paper():
    seen = []

    def answer(request):
        seen.append(request)
        return "x"

    await sample(PROMPT, [("a", Scripted(answer))], Sampling())
    assert (seen[0].temperature, seen[0].top_p) == (1.0, 0.95)


@pytest.mark.parametrize(
    ("reply", "text", "reasoning"),
    [
        (Reply(text="<think>hm</think>\nYes."), "Yes.", "hm"),
        (Reply(text="Yes.", reasoning="hm"), "Yes.", "hm"),
        (Reply(text="  Yes.\n"), "Yes.", ""),
    ],
)
async def test_reasoning_is_kept_apart(reply, text, reasoning):
    got = await sample(PROMPT, [("a", Scripted(lambda _: reply))], Sampling())
    assert (got.responses[0].text, got.responses[0].reasoning) == (text, reasoning)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(text=""), NoAnswer.EMPTY),
        (Reply(text=" \n"), NoAnswer.EMPTY),
        (Reply(text="<think>only thoughts</think>"), NoAnswer.EMPTY),
        (Reply(text="half a sen", finish="length"), NoAnswer.TRUNCATED),
        (Reply(text="", finish="content_filter"), NoAnswer.REFUSED_BY_FILTER),
    ],
)
async def test_what_is_no_answer_is_set_aside_with_its_reason(reply, why):
    got = await sample(PROMPT, [("a", Scripted(lambda _: reply))], Sampling())
    assert got.responses == ()
    assert [m.why for m in got.missing] == [why]
    assert got.complete, "the call itself was answered"


async def test_a_lost_call_leaves_the_others_and_makes_the_prompt_incomplete():
    models = [
        ("a", Scripted(lambda _: CallFailed("down"))),
        ("b", Scripted(lambda _: "fine", name="b")),
    ]
    got = await sample(PROMPT, models, Sampling())
    assert [r.model for r in got.responses] == ["b"]
    assert (got.missing[0].model, got.missing[0].detail) == ("a", "down")
    assert not got.complete


async def test_a_stop_goes_through():
    with pytest.raises(BudgetExhausted):
        await sample(PROMPT, [("a", Scripted(lambda _: BudgetExhausted("no")))], Sampling())


def test_the_presets_are_the_papers_pools():
    assert len(set(DIVERSE)) == 16
    sizes = {name: len(models) * n for name, (models, n) in POOLS.items()}
    assert sizes == {
        "one-good-pair": 2,
        "one-great-pair": 2,
        "four-great": 16,
        "four-great-diverse": 16,
    }
