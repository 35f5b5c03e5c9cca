"""Many prompts at once, without barriers: the slowest call of one prompt delays no other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from uppertail.concurrent import together
from uppertail.errors import Stopped
from uppertail.garbage import OF_THIS_PROCESS

T = TypeVar("T")
R = TypeVar("R")


async def run_all(
    items: Iterable[T],
    work: Callable[[T], Awaitable[R]],
    finished: Callable[[T, R], None],
    *,
    at_once: int,
) -> None:
    """Do `work` for every item and hand each result to `finished` as it ends.

    At most `at_once` items are in memory: the next one is taken from `items` only when a
    place is free. Items start in their order and end in any. After the first `Stopped` no
    item starts any more, and those under way go as far as they get.

    Raises:
        Stopped: the first that work raised.

    """
    queue = iter(items)
    stopped = False

    async def worker() -> None:
        nonlocal stopped
        for item in queue:
            try:
                result = await work(item)
            except Stopped:
                stopped = True
                raise
            finished(item, result)
            if stopped:
                return

    with OF_THIS_PROCESS.seldom():
        await together(worker() for _ in range(at_once))
