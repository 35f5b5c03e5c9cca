"""Many prompts at once."""

import asyncio

import pytest

from uppertail.errors import BudgetExhausted
from uppertail.refine.schedule import run_all


async def test_every_item_is_done_once_and_handed_over():
    done: dict[int, int] = {}

    async def square(item):
        await asyncio.sleep(0)
        return item * item

    await run_all(range(20), square, done.__setitem__, at_once=3)
    assert done == {i: i * i for i in range(20)}


async def test_items_are_taken_only_when_a_place_is_free():
    taken: list[int] = []
    finished: list[int] = []

    def items():
        for i in range(10):
            taken.append(i)
            yield i

    async def work(item):
        assert len(taken) - len(finished) <= 2
        await asyncio.sleep(0)

    await run_all(items(), work, lambda item, _: finished.append(item), at_once=2)
    assert finished == list(range(10))


async def test_a_slow_item_delays_no_other():
    gate, finished = asyncio.Event(), list[int]()

    async def work(item):
        if item == 0:
            await gate.wait()
        elif item == 9:
            gate.set()

    await run_all(range(10), work, lambda item, _: finished.append(item), at_once=2)
    assert finished == [*range(1, 10), 0]


async def test_after_a_stop_nothing_starts_and_what_is_under_way_ends():
    gate, started, finished = asyncio.Event(), [], []

    async def work(item):
        started.append(item)
        if item == 1:
            gate.set()
            raise BudgetExhausted("enough")
        await gate.wait()
        await asyncio.sleep(0)

    with pytest.raises(BudgetExhausted):
        await run_all(range(5), work, lambda item, _: finished.append(item), at_once=2)
    assert (started, finished) == ([0, 1], [0])


async def test_a_bug_cancels_what_is_under_way_and_comes_out_plain():
    cancelled = []

    async def work(item):
        if item == 1:
            raise ZeroDivisionError
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(item)
            raise

    with pytest.raises(ZeroDivisionError):
        await run_all(range(5), work, lambda *_: None, at_once=2)
    assert cancelled == [0]
