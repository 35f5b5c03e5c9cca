"""What a model is to every other stage: one method, a request in, a reply out.

Everything that answers is an implementation of `Model`: an HTTP endpoint, the call
journal around it, a script in a test, a replay of an earlier run, the simulated world.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from uppertail.types import Message

CallRole = Literal["proposer", "verifier", "sampler", "judge", "policy"]
Finish = Literal["stop", "length", "content_filter", "other"]


class Request(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One call: what is asked, and how the answer is drawn.

    Messages, sampling parameters, template and sample index are the call's identity
    (with the model's name); role and prefix only serve accounts and scheduling.
    """

    messages: tuple[Message, ...]
    role: CallRole
    """Whose money this is."""
    template: str = ""
    """Hash of the template that rendered the messages."""
    temperature: float | None = None
    """None leaves it to the server."""
    top_p: float | None = None
    max_tokens: int | None = None
    """Most tokens of the reply, reasoning included; None leaves it to the server."""
    sample: int = 0
    """Which of several draws of the same request this is, from 0."""
    prefix: str = ""
    """Id of the beginning that this request shares with its siblings; empty for none."""


class Usage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tokens of one call, as the server counted them (0 where it did not say)."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Part of `prompt_tokens` that the server found in its prefix cache."""
    completion_tokens: int = 0
    """Reasoning included."""
    reasoning_tokens: int = 0


class Reply(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a model answered."""

    text: str
    """The answer as the server gave it, `<think>` blocks and all; may be empty."""
    reasoning: str = ""
    """Reasoning that the server gave in a field of its own."""
    finish: Finish = "stop"
    usage: Usage = Usage()
    seconds: float = 0.0
    """From sending to the last byte, retries and waiting for a slot excluded."""


class Model(Protocol):
    """Anything that answers requests."""

    @property
    def name(self) -> str:
        """Identity that travels with verdicts and rubrics: model, and endpoint where it is remote."""
        ...

    async def complete(self, request: Request) -> Reply:
        """Return the reply to `request`.

        Raises:
            CallFailed: this call got no answer, retries included.
            ModelUnusable: no call to this model can succeed.
            BudgetExhausted: the call could pass the money limit; it was not sent.
        """
        ...
