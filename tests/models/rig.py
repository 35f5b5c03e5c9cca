"""An endpoint on a scripted transport and a clock of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from random import Random

from tests.clock import Clock
from uppertail.models.config import ModelConfig
from uppertail.models.endpoint import Endpoint
from uppertail.models.failures import Failure, HttpAnswer, Kind
from uppertail.models.interface import Reply, Request
from uppertail.models.limits import Limiter
from uppertail.types import Message

Script = Callable[[str, dict[str, object]], HttpAnswer | Failure]
KEY = "sk-very-secret-key"
URL = "http://a/v1"


class Wires:
    """A transport that answers from a script and keeps what was sent."""

    def __init__(self, script: Script, clock: Clock, *, seconds: float = 0.0) -> None:
        self.script = script
        self.clock = clock
        self.seconds = seconds
        self.urls: list[str] = []
        self.bodies: list[dict[str, object]] = []
        self.headers: list[Mapping[str, str]] = []

    async def post(
        self, url: str, body: bytes, *, headers: Mapping[str, str], timeout_seconds: float
    ) -> HttpAnswer | Failure:
        """Answer from the script."""
        sent = json.loads(body)
        self.urls.append(url)
        self.bodies.append(sent)
        self.headers.append(headers)
        await asyncio.sleep(0)
        self.clock.now += self.seconds
        return self.script(url, sent)


def said(text: str = "yes", **usage: int) -> HttpAnswer:
    choice = {"message": {"content": text}, "finish_reason": "stop"}
    return HttpAnswer(200, {}, json.dumps({"choices": [choice], "usage": usage}).encode())


def error(status: int, message: str = "oops", **headers: str) -> HttpAnswer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpAnswer(status, named, json.dumps({"error": {"message": message}}).encode())


REFUSED = Failure(kind=Kind.UNREACHABLE, what="Connection refused")
BROKEN = Failure(kind=Kind.PASSING, what="the connection broke: Server disconnected")


def in_turn(*answers: HttpAnswer | Failure) -> Script:
    """Answer with these one after the other, the last one for good."""
    left = list(answers)
    return lambda url, body: left.pop(0) if len(left) > 1 else left[0]


class Rig:
    """An endpoint on a script and a clock of its own."""

    def __init__(
        self,
        script: Script,
        *,
        seconds: float = 0.0,
        environ: Mapping[str, str] | None = None,
        **config: object,
    ) -> None:
        self.clock = Clock()
        self.wires = Wires(script, self.clock, seconds=seconds)
        given = {"model": "m", "base_urls": (URL,), "key_env": "A_KEY"} | config
        self.config = ModelConfig(**given)  # type: ignore[arg-type]
        self.limiter = Limiter(
            self.config.concurrency, clock=self.clock, sleep=self.clock.sleep, tpm=self.config.tpm
        )
        self.endpoint = Endpoint(
            self.config,
            self.limiter,
            self.wires,
            environ=environ or {"A_KEY": KEY},
            random=Random(0),
            clock=self.clock,
            sleep=self.clock.sleep,
        )

    async def ask(self, text: str = "hello", **fields: object) -> Reply:
        """Ask the endpoint."""
        return await self.endpoint.complete(request(text, **fields))

    @property
    def tries(self) -> int:
        """How often something was sent."""
        return len(self.wires.urls)


def request(text: str = "hello", **fields: object) -> Request:
    messages = (Message(role="user", content=text),)
    return Request(messages=messages, role="verifier", **fields)  # type: ignore[arg-type]
