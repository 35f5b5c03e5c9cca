"""Fakes that tests pass as arguments: small, ordinary implementations of the interfaces."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from uppertail.errors import UppertailError
from uppertail.models.interface import Reply, Request
from uppertail.types import Criterion, Pool, Prompt, Response, Rubric

Answer = Reply | str | UppertailError


@dataclass
class FakeModel:
    """A model that answers with a function of the request, and keeps every request."""

    answer: Callable[[Request], Answer]
    name: str = "fake/model"
    pause: Callable[[Request], int] = lambda request: 0
    """How many turns of the event loop a call takes; decides the order of completion."""
    requests: list[Request] = field(default_factory=list)

    async def complete(self, request: Request) -> Reply:
        self.requests.append(request)
        for _ in range(self.pause(request)):
            await asyncio.sleep(0)
        return as_reply(self.answer(request))


def scripted(*answers: Answer, name: str = "fake/model") -> FakeModel:
    """Return a model that gives `answers` one after another; running out is a bug of the test."""
    left = iter(answers)
    return FakeModel(answer=lambda request: next(left), name=name)


def as_reply(answer: Answer) -> Reply:
    """Return `answer` as a reply; raise it where it is an error."""
    if isinstance(answer, UppertailError):
        raise answer
    return Reply(text=answer) if isinstance(answer, str) else answer


def verdict_json(ids: Iterable[str], *, no: Iterable[str] = ()) -> str:
    """Return a verifier's reply that says yes to all of `ids` but those in `no`."""
    refused = set(no)
    return json.dumps({id: "no" if id in refused else "yes" for id in ids})


def rubric_reply(*texts: str, weight: int = 1) -> str:
    """Return a proposer's reply with one criterion for each of `texts`."""
    return json.dumps([{"criterion": text, "weight": weight} for text in texts])


def criteria(*texts: str, weight: float = 1.0) -> tuple[Criterion, ...]:
    """Return a criterion without a check for each of `texts`."""
    return tuple(Criterion(text=text, weight=weight) for text in texts)


def rubric(*texts: str, prompt_id: str = "p") -> Rubric:
    """Return a rubric with one criterion for each of `texts`."""
    return Rubric(prompt_id=prompt_id, criteria=criteria(*texts))


def pool(*texts: str, prompt: str = "Why is the sky blue?") -> Pool:
    """Return a pool of one response for each of `texts`, with ids r1, r2, …"""
    responses = tuple(Response(id=f"r{i}", text=text) for i, text in enumerate(texts, start=1))
    return Pool(prompt=Prompt.plain(prompt, id="p"), responses=responses)
