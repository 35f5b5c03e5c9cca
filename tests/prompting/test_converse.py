import pytest

from tests.fakes import FakeModel, scripted
from uppertail.errors import CallFailed, ModelUnusable
from uppertail.models.interface import Reply, Request
from uppertail.prompting import Conversation, converse, follow_up
from uppertail.types import Message

ASK = Request(messages=(Message(role="user", content="?"),), role="judge", prefix="p")


def two_turns() -> Conversation[str]:
    first = yield ASK
    second = yield follow_up(ASK, first, "again")
    return first.text + second.text


def forgiving() -> Conversation[str]:
    try:
        yield ASK
    except CallFailed as error:
        return f"lost: {error}"
    return "answered"


async def test_a_conversation_returns_what_it_found_out():
    model = scripted("a", "b")

    assert await converse(model, two_turns()) == "ab"
    assert [message.content for message in model.requests[1].messages] == ["?", "a", "again"]


async def test_a_lost_call_is_thrown_into_the_conversation():
    assert await converse(scripted(CallFailed("429")), forgiving()) == "lost: 429"


async def test_a_lost_call_that_the_conversation_lets_through_is_raised():
    with pytest.raises(CallFailed):
        await converse(scripted("a", CallFailed("429")), two_turns())


async def test_a_stop_is_not_the_conversations_business():
    with pytest.raises(ModelUnusable):
        await converse(scripted(ModelUnusable("wrong key")), forgiving())


def test_a_follow_up_shows_the_reply_without_its_thinking_and_has_no_siblings():
    request = follow_up(ASK, Reply(text="<think>secret</think>\ud800 no"), "wrong \ud800")

    assert [m.content for m in request.messages] == ["?", "\\ud800 no", "wrong \\ud800"]
    assert [m.role for m in request.messages] == ["user", "assistant", "user"]
    assert request.prefix == ""


def test_an_empty_reply_is_shown_as_a_phrase():
    assert follow_up(ASK, Reply(text="<think>…"), "x").messages[1].content == "(no answer)"


async def test_the_fake_model_keeps_what_it_was_asked():
    model = FakeModel(answer=lambda request: request.messages[0].content.upper())

    assert (await model.complete(ASK)).text == "?"
    assert model.requests == [ASK]
