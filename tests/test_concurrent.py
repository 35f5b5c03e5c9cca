"""Side by side: results in order, one plain error, nothing paid for is thrown away."""

import asyncio
from itertools import groupby
from math import inf

import pytest

from uppertail.concurrent import Turns, due, new_event_loop, run, time_left, together
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


class Burst:
    """Callers that compute for a while each, and what the loop does between them."""

    def __init__(self, seconds: float) -> None:
        self.now = 0.0
        self.turns = Turns(breath_seconds=5.0, clock=lambda: self.now)
        self.seconds = seconds
        self.seen: list[int | str] = []

    async def compute(self, number: int) -> None:
        await self.turns.take()
        self.now += self.seconds
        self.seen.append(number)

    async def network(self, rounds: int) -> None:
        for _ in range(rounds):
            await asyncio.sleep(0)
            self.seen.append("network")

    async def run(self, callers: int) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(callers):
                group.create_task(self.compute(number))
            group.create_task(self.network(3 * callers))

    def runs(self) -> list[int]:
        """How many computed between two looks at the network."""
        kinds = groupby(self.seen, lambda one: one == "network")
        return [len(list(run)) for network, run in kinds if not network]


async def test_a_burst_gives_way_to_the_network_and_keeps_its_order():
    burst = Burst(seconds=1.0)
    await burst.run(60)
    assert [one for one in burst.seen if one != "network"] == list(range(60))
    assert burst.runs() == [5, 16, 16, 16, 7]


async def test_what_is_slow_to_compute_goes_a_few_at_a_time():
    burst = Burst(seconds=100.0)
    await burst.run(40)
    assert burst.runs() == [1, 16, 16, 7]


async def test_what_is_quick_is_not_held_up():
    burst = Burst(seconds=0.0)
    await burst.run(500)
    assert burst.runs() == [500]


async def test_one_who_is_cancelled_while_waiting_holds_up_nobody():
    burst = Burst(seconds=6.0)
    tasks = [asyncio.create_task(burst.compute(number)) for number in range(5)]
    await asyncio.sleep(0)
    tasks[2].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert burst.seen == [0, 1, 3, 4]


async def test_others_who_take_the_time_of_a_round_do_not_starve_a_burst():
    burst = Burst(seconds=0.1)

    async def other() -> None:
        for _ in range(400):
            burst.now += 50.0
            await asyncio.sleep(0)

    busy = asyncio.create_task(other())
    await burst.run(160)
    assert len(burst.runs()) <= 12
    await busy


def test_turns_that_two_loops_take_at_once_lose_nobody():
    burst = Burst(seconds=6.0)
    one, two = asyncio.new_event_loop(), asyncio.new_event_loop()
    tasks = [one.create_task(burst.compute(number)) for number in range(4)]
    one.run_until_complete(asyncio.sleep(0))
    two.run_until_complete(burst.compute(9))
    one.run_until_complete(asyncio.wait_for(asyncio.gather(*tasks), 5))
    one.close()
    two.close()
    assert sorted(burst.seen) == [0, 1, 2, 3, 9]


def test_turns_serve_one_loop_after_another():
    burst = Burst(seconds=6.0)
    for _ in range(2):
        asyncio.run(burst.run(4))
    assert [one for one in burst.seen if one != "network"] == [0, 1, 2, 3] * 2


async def test_work_knows_the_earliest_deadline_around_it() -> None:
    now = asyncio.get_running_loop().time()
    assert time_left() == inf
    with due(now + 100):
        with due(now + 50):
            assert 40 < time_left() <= 50
            with due(now + 80):
                assert 40 < time_left() <= 50, "an outer deadline stands"
            with due(None):
                assert 40 < time_left() <= 50
            begun = asyncio.create_task(_left())
        assert 90 < time_left() <= 100
        assert 40 < await begun <= 50, "what was begun in the block is due with it"
        with due(now - 1):
            assert time_left() == 0
    assert time_left() == inf


async def _left() -> float:
    return time_left()
