"""Side by side: results in order, one plain error, nothing paid for is thrown away."""

import asyncio

import pytest

from uppertail.concurrent import new_event_loop, run, together
from uppertail.errors import BudgetExhausted


async def value(x, turns=0):
    for _ in range(turns):
        await asyncio.sleep(0)
    return x


async def failure(error):
    raise error


async def test_results_keep_the_order_given():
    assert await together([value(1, turns=3), value(2)]) == [1, 2]
    assert await together([]) == []


async def test_a_stop_lets_the_others_finish_first():
    done = []

    async def slow():
        await asyncio.sleep(0)
        done.append(True)

    with pytest.raises(BudgetExhausted, match="enough"):
        await together([failure(BudgetExhausted("enough")), slow()])
    assert done == [True]


async def test_a_bug_cancels_the_others_and_nested_groups_come_out_plain():
    done = []

    async def slow():
        await asyncio.sleep(1)
        done.append(True)

    async def nested():
        async with asyncio.TaskGroup() as group:
            group.create_task(failure(KeyError("bug")))

    with pytest.raises(KeyError):
        await together([nested(), slow()])
    assert done == []


async def test_cancelling_the_caller_cancels_all():
    task = asyncio.create_task(together([asyncio.sleep(60), asyncio.sleep(60)]))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_run_gives_what_the_coroutine_gives_on_the_loop_of_its_own_choice():
    async def loop() -> type[asyncio.AbstractEventLoop]:
        return type(asyncio.get_running_loop())

    chosen = new_event_loop()
    chosen.close()
    assert run(loop()) is type(chosen)


def test_run_raises_what_the_coroutine_raises():
    with pytest.raises(BudgetExhausted):
        run(failure(BudgetExhausted("no more")))
