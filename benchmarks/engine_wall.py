"""The four-round preset over HTTP, in real seconds."""

from __future__ import annotations

import time

from engine_schedule import Call, Chains, chains_of
from engine_work import Work, asked_for, latency, number_of, pools, run

from uppertail.models import ModelConfig, ModelSession
from uppertail.models.interface import Model, Reply, Request
from uppertail.refine import Settings


class Noted:
    """A model whose calls are written down as they begin, with the server's latency."""

    def __init__(self, model: Model, calls: list[Call]) -> None:
        self._model = model
        self._calls = calls

    @property
    def name(self) -> str:
        """The name of the model inside."""
        return self._model.name

    async def complete(self, request: Request) -> Reply:
        """Return the model's reply."""
        text = "".join(f"{m.role}\n{m.content}\n" for m in request.messages)
        proposes = asked_for(text) == "proposer"
        self._calls.append(Call(number_of(text), proposes, latency(text)))
        return await self._model.complete(request)


async def real_chains(work: Work, url: str, slots: int) -> tuple[float, Chains]:
    """Return the seconds of one run, and the calls that it made."""
    calls: list[Call] = []

    def opener(session: ModelSession) -> Model:
        config = ModelConfig(model="m", base_urls=(url,), concurrency=slots, timeout_seconds=600)
        return Noted(session.open(config), calls)

    all_pools = pools(work)
    began = time.perf_counter()
    ended = await run(all_pools, opener, settings=Settings())
    seconds = time.perf_counter() - began
    assert all(item.final is not None and not item.losses for item in ended)
    return seconds, chains_of(calls)
