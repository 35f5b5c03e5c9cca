"""Single flight: identical calls that overlap in time are made once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Generic, TypeVar

T = TypeVar("T")


class _Yours:
    """What one who waits is told when it is to make the call."""


_YOURS = _Yours()


class Flights(Generic[T]):
    """Calls under way, by key. Whoever asks for a key that is under way waits for that call.

    Who asks first makes the call. A failure reaches all who wait as the same error and is not
    remembered. When the first one is cancelled its call is too, and the next one makes it anew:
    a task of its own, which would outlive its caller, would cost every call what only this needs.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, deque[asyncio.Future[T | _Yours]]] = {}

    async def join(
        self,
        key: str,
        call: Callable[[], Coroutine[None, None, T]],
        *,
        again: Callable[[], Coroutine[None, None, T]] | None = None,
    ) -> tuple[T, bool]:
        """Return what the call gives, and whether this caller is the one who made it.

        Args:
            key: equal for identical calls.
            call: makes the call.
            again: makes it in place of one who was cancelled, if that is another matter.
        """
        waiting = self._waiting.get(key)
        if waiting is None:
            self._waiting[key] = deque()
            return await self._fly(key, call), True
        told: asyncio.Future[T | _Yours] = asyncio.get_running_loop().create_future()
        waiting.append(told)
        try:
            answer = await told
        except asyncio.CancelledError:
            if not told.cancelled() and told.exception() is None and told.result() is _YOURS:
                self._pass_on(key)  # it came in the same moment
            raise
        if isinstance(answer, _Yours):
            return await self._fly(key, again or call), True
        return answer, False

    async def _fly(self, key: str, call: Callable[[], Coroutine[None, None, T]]) -> T:
        try:
            answer = await call()
        except asyncio.CancelledError:
            self._pass_on(key)
            raise
        except BaseException as error:  # whatever it is, those who wait must hear of it
            for told in self._left(key):
                told.set_exception(error)
            raise
        for told in self._left(key):
            told.set_result(answer)
        return answer

    def _pass_on(self, key: str) -> None:
        """Let the next one who still waits make the call."""
        waiting = self._waiting[key]
        while waiting:
            told = waiting.popleft()
            if not told.done():  # it is done where its caller was cancelled
                told.set_result(_YOURS)
                return
        del self._waiting[key]

    def _left(self, key: str) -> list[asyncio.Future[T | _Yours]]:
        """Return those who still wait; the call has ended."""
        return [told for told in self._waiting.pop(key) if not told.done()]
