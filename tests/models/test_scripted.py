from collections.abc import Iterator

import pytest

from uppertail.errors import CallFailed
from uppertail.models.interface import Model, Reply, Request
from uppertail.models.journal import Answer, Journal, call_key
from uppertail.models.scripted import Replay, Scripted
from uppertail.types import Message


def request(text: str = "hello") -> Request:
    return Request(messages=(Message(role="user", content=text),), role="verifier")


async def test_a_script_answers_with_text_made_from_the_request():
    model: Model = Scripted(lambda asked: asked.messages[0].content.upper())
    assert await model.complete(request()) == Reply(text="HELLO")


async def test_a_script_may_give_a_whole_reply():
    cut = Reply(text="ye", finish="length")
    assert await Scripted(lambda asked: cut).complete(request()) is cut


async def test_a_script_raises_the_error_that_it_gives():
    with pytest.raises(CallFailed, match="busy"):
        await Scripted(lambda asked: CallFailed("busy")).complete(request())


async def test_a_script_may_be_asynchronous():
    async def answer(asked: Request) -> str:
        return "later"

    assert (await Scripted(answer).complete(request())).text == "later"


async def test_a_script_counts_its_calls_failed_ones_included_and_has_a_name():
    answers: Iterator[str | Exception] = iter(["yes", CallFailed("busy")])
    model = Scripted(lambda asked: next(answers), name="judge")
    await model.complete(request())
    with pytest.raises(CallFailed):
        await model.complete(request())
    assert (model.calls, model.name) == (2, "judge")


async def test_a_replay_answers_what_the_journal_holds_and_nothing_else():
    with Journal(":memory:") as journal:
        model: Model = Replay(journal, "m")
        reply = Reply(text="yes")
        await journal.put(
            call_key("m", request()), Answer(reply=reply, usd=None), model="m", request=request()
        )
        assert model.name == "m"
        assert await model.complete(request()) == reply
        with pytest.raises(CallFailed, match=r"no answer of 'm' to this verifier call"):
            await model.complete(request("something else"))
        with pytest.raises(CallFailed, match="'n'"):
            await Replay(journal, "n").complete(request())
