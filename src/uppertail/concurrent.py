"""Event loops, and awaitables side by side so that a caller sees one plain error."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import TypeVar

from uppertail.errors import Stopped

T = TypeVar("T")


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return uvloop's event loop, which takes a tenth less of a core a call, or else asyncio's.

    uvloop exists for CPython outside Windows.
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
