"""Many prompts at once, without barriers: the slowest call of one prompt delays no other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from uppertail.concurrent import together

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
    place is free. Items start in their order and end in any.

    Raises:
        Stopped: work or finished raised it; the items under way are cancelled first.

    """
    queue = iter(items)

    async def worker() -> None:
        for item in queue:
            finished(item, await work(item))

    await together(worker() for _ in range(at_once))
