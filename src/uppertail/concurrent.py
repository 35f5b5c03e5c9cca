"""Event loops, and awaitables side by side so that a caller sees one plain error."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from typing import TypeVar

from uppertail.errors import Stopped

T = TypeVar("T")


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return uvloop's event loop where it is installed, which saves a tenth of a call, or asyncio's.

    It takes 14 MB, so that it comes with the extra `server` and not with the core.
    """
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def run(main: Coroutine[object, object, T]) -> T:
    """Return what `main` gives, run as `asyncio.run` does on `new_event_loop`."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)


_DUE: ContextVar[float] = ContextVar("due", default=inf)


@contextmanager
def due(deadline: float | None) -> Iterator[None]:
    """Tell what is done in the block, tasks begun in it included, when it is cancelled.

    Args:
        deadline: the running loop's time, in seconds; None for no deadline but an outer one.
    """
    earliest = _DUE.get() if deadline is None else min(deadline, _DUE.get())
    token = _DUE.set(earliest)
    try:
        yield
    finally:
        _DUE.reset(token)


def time_left() -> float:
    """Return the seconds until the work in hand is cancelled, at least 0; infinity for never."""
    deadline = _DUE.get()
    return inf if deadline == inf else max(0.0, deadline - asyncio.get_running_loop().time())


_FEW = 16
"""Renderings of a prompt that take about a millisecond together."""


class Turns:
    """Lets computing that comes in bursts give way to the network again and again.

    Thousands of tasks that begin at once would all compute before the first byte is sent. What
    takes a turn first waits, once others have computed for `breath_seconds` since the loop last
    came round, until the network has been looked after.
    """

    def __init__(
        self, *, breath_seconds: float = 0.02, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._breath = breath_seconds
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._began = 0.0
        self._taken = 0
        """Turns since the loop last came round; 0 where that is not being watched."""
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Return when it is this caller's turn."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            if self._waiting and self._loop is not None and not self._loop.is_closed():
                return  # its callers keep their turns, and nobody is held up for them
            self._loop, self._taken = loop, 0
            self._waiting.clear()
        if not self._taken:
            self._began, self._taken = self._clock(), 1
            loop.call_soon(self._come_round, loop)
        elif not self._waiting and self._clock() - self._began < self._breath:
            self._taken += 1
        else:
            turn = loop.create_future()
            self._waiting.append(turn)
            await turn

    def _come_round(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let in as many as the last round could have had in its time, at most twice its number.

        A few in any case: others may have taken most of that time.
        """
        if loop is not self._loop:
            return
        now = self._clock()
        share = self._breath / max(now - self._began, self._breath / 2)
        let_in = min(max(_FEW, round(self._taken * share)), len(self._waiting))
        self._began, self._taken = now, let_in
        for _ in range(let_in):
            turn = self._waiting.popleft()
            if not turn.done():  # it is done where its caller was cancelled
                turn.set_result(None)
        if let_in:
            loop.call_soon(self._come_round, loop)


async def together(coroutines: Iterable[Coroutine[object, object, T]]) -> list[T]:
    """Return the results in the order given, or raise the first error.

    When one raises `Stopped` the others are let finish: their calls are under way and will be
    billed, so their answers had better reach the journal. Any other error, and cancellation,
    cancels the rest at once. A `TaskGroup` would wrap errors in a group, which
    `except Stopped` does not see.
    """
    waiting = tuple(coroutines)
    if len(waiting) == 1:  # the usual case of a call with one vote: no tasks are needed
        return [await waiting[0]]
    tasks = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_caught(coroutine)) for coroutine in waiting]
    except BaseExceptionGroup as errors:
        raise _first(errors) from None
    results: list[T] = []
    for task in tasks:
        result = task.result()
        if isinstance(result, Stopped):
            raise result
        results.append(result)
    return results


async def _caught(coroutine: Coroutine[object, object, T]) -> T | Stopped:
    try:
        return await coroutine
    except Stopped as stopped:
        return stopped


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first plain exception of a group, however deep."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
