"""Many pieces of work side by side until a deadline; what is late is cancelled and told apart."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from uppertail.concurrent import due
from uppertail.errors import Stopped

T = TypeVar("T")
R = TypeVar("R")

LATE = "late"
"""Why a rollout is unscored that the deadline has overtaken."""
_BREATH_SECONDS = 0.005


async def in_time(
    items: Sequence[T],
    work: Callable[[T], Awaitable[R]],
    *,
    deadline: float | None = None,
    at_once: int,
) -> list[R | None]:
    """Return what `work` gives for each item, in order; None where the deadline came first.

    Work that never waits for anything gives way every few milliseconds, so that the loop
    stays alive and the deadline holds. After the first `Stopped` no item starts any more, and those under way go as far as they
    get: their calls will be billed, so their answers had better reach the journal. Any other
    error, and cancellation, cancels the rest at once.

    Args:
        items: what is to be done.
        work: does one of them.
        deadline: the running loop's time, in seconds.
        at_once: items in work at a time.

    Raises:
        Stopped: the first that work raised.
    """
    results: list[R | None] = [None] * len(items)
    queue = iter(enumerate(items))
    stopped: list[Stopped] = []
    now = asyncio.get_running_loop().time
    pause = now() + _BREATH_SECONDS

    async def worker() -> None:
        nonlocal pause
        for place, item in queue:
            try:
                results[place] = await work(item)
            except Stopped as error:
                stopped.append(error)
            if stopped:
                return
            if now() >= pause:
                await asyncio.sleep(0)
                pause = now() + _BREATH_SECONDS

    with due(deadline):
        workers = [asyncio.create_task(worker()) for _ in range(min(at_once, len(items)))]
    await _ended(workers, deadline)
    if stopped:
        raise stopped[0]
    return results


async def _ended(workers: Sequence[asyncio.Task[None]], deadline: float | None) -> None:
    """Wait for all workers, the first error or the deadline; leave none of them running."""
    if not workers:
        return
    seconds = None if deadline is None else max(0.0, deadline - asyncio.get_running_loop().time())
    try:
        done, _ = await asyncio.wait(workers, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        left = [worker for worker in workers if not worker.done()]
        for worker in left:
            worker.cancel()
        if left:
            await asyncio.gather(*left, return_exceptions=True)
    errors = [error for worker in done if (error := worker.exception()) is not None]
    if errors:
        raise errors[0]
