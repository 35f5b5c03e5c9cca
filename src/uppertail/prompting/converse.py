"""Conversations with a model, written once without any input or output.

A conversation is a generator: it yields a request, is sent the reply, may yield again,
and returns what it found out. A call that is lost is thrown into it. `converse` is the
only place that awaits; a test drives the generator by hand.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from msgspec.structs import replace

from uppertail.errors import Lost
from uppertail.models.interface import Model, Reply, Request
from uppertail.prompting.delimit import encodable
from uppertail.prompting.reply import strip_reasoning
from uppertail.types import Message

T = TypeVar("T")
Conversation = Generator[Request, Reply, T]


async def converse(model: Model, conversation: Conversation[T]) -> T:
    """Return what `conversation` returns when `model` answers its requests.

    Raises:
        Lost: the conversation let it through.
        Stopped: the model raised it.
    """
    try:
        request = next(conversation)
        while True:
            try:
                reply = await model.complete(request)
            except Lost as error:
                request = conversation.throw(error)
            else:
                request = conversation.send(reply)
    except StopIteration as end:
        result: T = end.value
        return result


def follow_up(request: Request, reply: Reply, correction: str) -> Request:
    """Return a request that shows the model its reply to `request` and what was wrong with it.

    Its reasoning is left out; servers that refuse an empty turn get a phrase instead.
    """
    said = encodable(strip_reasoning(reply.text)).strip() or "(no answer)"
    turns = (
        *request.messages,
        Message(role="assistant", content=said),
        Message(role="user", content=encodable(correction)),
    )
    return replace(request, messages=turns, prefix="")
