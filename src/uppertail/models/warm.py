"""The first call of a shared prefix goes ahead, so that its siblings find it cached."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from uppertail.models.interface import Model, Reply, Request

REMEMBERED = 256
"""Prefixes that count as cached. At 1,000 tokens each a server of 0.25 million tokens holds
them; one that counts as cached and is not costs more than one that is sent ahead for nothing."""


class WarmFirst:
    """Lets one request of each `prefix` through alone; its siblings wait until it has ended.

    When the first one fails, the siblings go as well: the failure may be its own. When it is
    cancelled, one of them takes its place. Waiting takes no slot of the limiter inside
    `model`, so the first one is never kept waiting by those who wait for it. Requests
    without a prefix pass at once.
    """

    def __init__(self, model: Model, *, remembered: int = REMEMBERED) -> None:
        self._model = model
        self._remembered = remembered
        self._warm: OrderedDict[str, None] = OrderedDict()
        self._waiting: dict[str, list[asyncio.Future[bool]]] = {}
        """By prefix that is being sent for the first time: those who wait for that."""

    @property
    def name(self) -> str:
        """The name of the model inside."""
        return self._model.name

    async def complete(self, request: Request) -> Reply:
        """Return the model's reply to `request`, after its prefix has been sent once."""
        if request.prefix and await self._is_first(request.prefix):
            return await self._lead(request)
        return await self._model.complete(request)

    async def _is_first(self, prefix: str) -> bool:
        """Return whether this request must lead; otherwise wait until it may go."""
        while prefix not in self._warm:
            waiting = self._waiting.get(prefix)
            if waiting is None:
                return True
            # One future each: cancelling one who waits leaves the others alone.
            answered = asyncio.get_running_loop().create_future()
            waiting.append(answered)
            if await answered:
                return False
        self._warm.move_to_end(prefix)
        return False

    async def _lead(self, request: Request) -> Reply:
        self._waiting[request.prefix] = []
        answered = True
        try:
            reply = await self._model.complete(request)
            self._remember(request.prefix)
        except asyncio.CancelledError:
            answered = False
            raise
        finally:
            for future in self._waiting.pop(request.prefix):
                if not future.done():  # it is done where its caller was cancelled
                    future.set_result(answered)
        return reply

    def _remember(self, prefix: str) -> None:
        self._warm[prefix] = None
        if len(self._warm) > self._remembered:
            self._warm.popitem(last=False)
