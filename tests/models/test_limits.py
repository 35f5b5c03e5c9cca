import asyncio
from contextlib import AsyncExitStack
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clock import Clock
from uppertail.models.limits import Limiter, Pace


class Calls:
    """Calls through a limiter, each held open until it is let go."""

    def __init__(self, limiter: Limiter) -> None:
        self.limiter = limiter
        self.admitted: list[int] = []
        self.gates: dict[int, asyncio.Event] = {}
        self.tasks: dict[int, asyncio.Task[None]] = {}

    async def start(self, number: int, *, ahead: bool = False) -> None:
        """Ask for a slot and let whatever can happen happen."""
        self.gates[number] = asyncio.Event()
        self.tasks[number] = asyncio.create_task(self._hold(number, ahead))
        await settle()

    async def _hold(self, number: int, ahead: bool) -> None:
        async with self.limiter.slot(0, ahead=ahead):
            self.admitted.append(number)
            await self.gates[number].wait()

    async def let_go(self, *numbers: int) -> None:
        """End these calls."""
        for number in numbers:
            self.gates[number].set()
        await settle()

    async def cancel(self, number: int) -> None:
        """Cancel a call, wherever it is."""
        self.tasks[number].cancel()
        await settle()


async def settle(steps: int = 10) -> None:
    for _ in range(steps):
        await asyncio.sleep(0)


async def answers(limiter: Limiter, number: int, *, steps: int = 10) -> None:
    """Run this many calls side by side, each of them answered after some steps of the loop."""

    async def call() -> None:
        async with limiter.slot(0) as slot:
            await settle(steps)
            slot.answered(0)

    await asyncio.gather(*(call() for _ in range(number)))


async def test_no_more_calls_are_in_flight_than_allowed() -> None:
    calls = Calls(Limiter(2))
    for number in range(4):
        await calls.start(number)
    assert calls.admitted == [0, 1]
    assert (calls.limiter.in_flight, calls.limiter.waiting) == (2, 2)
    await calls.let_go(1)
    assert calls.admitted == [0, 1, 2]
    await calls.let_go(0, 2, 3)
    assert calls.limiter.in_flight == 0


async def test_calls_are_admitted_in_the_order_in_which_they_came() -> None:
    calls = Calls(Limiter(1))
    for number in range(6):
        await calls.start(number)
    for number in range(6):
        await calls.let_go(number)
    assert calls.admitted == list(range(6))


async def test_a_call_that_is_sent_again_goes_ahead_of_new_ones() -> None:
    calls = Calls(Limiter(1))
    for number in range(3):
        await calls.start(number)
    await calls.start(9, ahead=True)
    await calls.let_go(0)
    assert calls.admitted == [0, 9]
    await calls.let_go(9, 1, 2)
    assert calls.admitted == [0, 9, 1, 2]


@pytest.mark.parametrize("cancelled", [1, 2, 3])
async def test_a_cancelled_call_takes_no_slot_and_stops_nobody(cancelled: int) -> None:
    calls = Calls(Limiter(1))
    for number in range(4):
        await calls.start(number)
    await calls.cancel(cancelled)
    others = [number for number in range(4) if number != cancelled]
    await calls.let_go(*others)
    await settle()
    assert calls.admitted == others
    assert (calls.limiter.in_flight, calls.limiter.waiting) == (0, 0)


async def test_a_call_cancelled_as_its_turn_comes_passes_the_turn_on() -> None:
    calls = Calls(Limiter(1))
    for number in range(4):
        await calls.start(number)
    calls.gates[0].set()
    calls.gates[1].set()
    await asyncio.sleep(0)  # 0 ends, which admits 1, which has not run yet
    assert calls.limiter.in_flight == 1
    await calls.cancel(1)
    assert calls.admitted == [0, 2]
    await calls.let_go(2, 3)
    assert calls.admitted == [0, 2, 3]


async def test_a_call_cancelled_in_flight_gives_its_slot_back() -> None:
    calls = Calls(Limiter(1))
    await calls.start(0)
    await calls.start(1)
    await calls.cancel(0)
    assert calls.admitted == [0, 1]
    await calls.let_go(1)


async def test_calls_in_flight_grow_to_the_maximum_while_answers_come() -> None:
    limiter = Limiter(100)
    assert limiter.allowed == 32
    await answers(limiter, 200, steps=100)
    assert limiter.allowed == 100


async def test_calls_in_flight_grow_before_the_first_answer() -> None:
    limiter = Limiter(40)
    async with asyncio.timeout(10), AsyncExitStack() as stack:
        for _ in range(40):
            await stack.enter_async_context(limiter.slot(0))
        assert limiter.in_flight == 40


async def test_once_a_call_was_turned_away_only_answers_let_more_in() -> None:
    limiter = Limiter(40)
    async with limiter.slot(0) as slot:
        slot.congested()
    async with limiter.slot(0):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(limiter.slot(0).__aenter__(), 0.3)


async def test_answers_to_few_calls_do_not_show_that_the_server_takes_more() -> None:
    limiter = Limiter(100)
    for _ in range(50):
        await answers(limiter, 3)
    assert limiter.allowed == 32


@pytest.mark.parametrize(
    ("refused", "left"),
    [(1, 24), (8, 24), (9, 23), (12, 20), (16, 16), (32, 16)],
)
async def test_a_congestion_leaves_as_many_calls_as_had_room(refused: int, left: int) -> None:
    limiter = Limiter(32)
    may_end = asyncio.Event()

    async def call(number: int) -> None:
        async with limiter.slot(0) as slot:
            await settle()
            if number < refused:
                slot.congested()
            else:
                await may_end.wait()

    calls = [asyncio.create_task(call(number)) for number in range(32)]
    await settle(50)
    assert limiter.allowed == left, "three quarters, or fewer if fewer had room, at least half"
    may_end.set()
    await asyncio.gather(*calls)


async def test_answers_do_not_lower_what_had_room() -> None:
    limiter = Limiter(32)
    calls = [limiter.slot(0) for _ in range(32)]
    for slot in calls:
        await slot.__aenter__()
    for number, slot in enumerate(calls):
        if number in {0, 30}:
            slot.congested(pause_seconds=60.0)  # so that nobody else is let in
        else:
            slot.answered(0)
        await slot.__aexit__(None, None, None)
    assert limiter.allowed >= 24, "30 of 32 had room"


async def test_every_round_of_calls_that_is_turned_away_lowers_the_limit_again() -> None:
    limiter = Limiter(32)

    async def refused() -> None:
        async with limiter.slot(0) as slot:
            await settle()
            slot.congested()

    for calls, left in ((32, 16), (16, 8), (8, 4)):
        await asyncio.gather(*(refused() for _ in range(calls)))
        assert limiter.allowed == left


async def test_after_a_congestion_each_full_round_of_answers_allows_one_more() -> None:
    limiter = Limiter(12)
    async with limiter.slot(0) as slot:
        slot.congested()
    assert limiter.allowed == 1
    for _ in range(8):
        before = limiter.allowed
        await answers(limiter, before + 1)  # one more than a round, to make up for rounding
        assert limiter.allowed in {before, before + 1}
    assert limiter.allowed >= 6
    for _ in range(12):
        await answers(limiter, limiter.allowed + 1)
    assert limiter.allowed == 12


async def test_a_pause_holds_every_call_of_the_model() -> None:
    clock = Clock()
    limiter = Limiter(8, clock=clock, sleep=clock.sleep)
    async with limiter.slot(0) as slot:
        slot.congested(pause_seconds=7.0)
    times = []
    for _ in range(3):
        async with limiter.slot(0):
            times.append(clock.now)
    assert times == [7.0, 7.0, 7.0]


async def test_a_shorter_pause_does_not_cut_a_longer_one() -> None:
    clock = Clock()
    limiter = Limiter(8, clock=clock, sleep=clock.sleep)
    async with limiter.slot(0) as slot:
        slot.congested(pause_seconds=7.0)
        slot.congested(pause_seconds=1.0)
    async with limiter.slot(0):
        assert clock.now == 7.0


async def test_requests_a_minute_are_spread_from_the_first_one_on() -> None:
    clock = Clock()
    limiter = Limiter(64, rpm=60, clock=clock, sleep=clock.sleep)
    times = []

    async def call() -> None:
        async with limiter.slot(0):
            times.append(clock.now)

    await asyncio.gather(*(call() for _ in range(10)))
    gaps = [later - sooner for sooner, later in pairwise(times)]
    assert all(0.5 <= gap < 1.1 for gap in gaps)
    assert sum(gaps) / len(gaps) == pytest.approx(1.0, abs=0.06)


async def test_tokens_a_minute_hold_the_call_after_a_large_one() -> None:
    clock = Clock()
    limiter = Limiter(64, tpm=6000, clock=clock, sleep=clock.sleep)
    async with limiter.slot(1000) as slot:
        slot.answered(1000)
    async with limiter.slot(10):
        assert 9.0 < clock.now < 11.0


async def test_tokens_are_corrected_by_what_the_server_counted() -> None:
    clock = Clock()
    limiter = Limiter(64, tpm=6000, clock=clock, sleep=clock.sleep)
    async with limiter.slot(1000) as slot:
        slot.answered(3000)
    async with limiter.slot(10):
        assert 29.0 < clock.now < 31.0


async def test_tokens_of_a_rejected_call_are_given_back() -> None:
    clock = Clock()
    limiter = Limiter(64, tpm=6000, clock=clock, sleep=clock.sleep)
    async with limiter.slot(5000) as slot:
        slot.congested()
    async with limiter.slot(10):
        assert clock.now == 0.0


async def test_a_server_that_does_not_count_tokens_leaves_the_estimate() -> None:
    clock = Clock()
    limiter = Limiter(64, tpm=6000, clock=clock, sleep=clock.sleep)
    async with limiter.slot(1000) as slot:
        slot.answered(0)
    async with limiter.slot(10):
        assert clock.now > 9.0


@given(
    st.floats(min_value=1, max_value=600),
    st.lists(st.floats(min_value=0, max_value=20), min_size=2, max_size=60),
)
def test_no_minute_holds_more_than_the_pace_and_one(per_minute: float, idle: list[float]) -> None:
    pace, now, times = Pace(per_minute, now=0.0), 0.0, []
    for seconds in idle * 5:
        now += seconds + pace.wait(now + seconds)
        pace.take(1, now)
        times.append(now)
    for start in times:
        within = sum(start <= time < start + 60.0 for time in times)
        assert within <= per_minute + 1 + 1e-6


async def test_a_server_of_fixed_slots_rejects_few_calls() -> None:
    slots, rejected, busy = 32, 0, 0
    limiter = Limiter(64)

    async def call() -> None:
        nonlocal rejected, busy
        ahead = False
        while True:
            async with limiter.slot(0, ahead=ahead) as slot:
                if busy >= slots:
                    rejected += 1
                    slot.congested()
                    ahead = True
                    continue
                busy += 1
                await settle()
                busy -= 1
                slot.answered(0)
                return

    await asyncio.gather(*(call() for _ in range(5000)))
    assert rejected < 0.02 * 5000


async def test_a_limiter_serves_one_loop_after_another() -> None:
    limiter = Limiter(2)
    for _ in range(2):
        await asyncio.to_thread(asyncio.run, answers(limiter, 20))
    assert limiter.in_flight == 0


def test_a_limiter_outlives_a_loop_that_ended_while_calls_were_held_back() -> None:
    clock, patient = Clock(), True

    async def sleep(seconds: float) -> None:
        if patient:
            await asyncio.Event().wait()
        await clock.sleep(seconds)

    limiter = Limiter(8, rpm=60, clock=clock, sleep=sleep)

    async def two() -> None:
        for _ in range(2):
            async with limiter.slot(0):
                pass

    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(two(), 0.05))
    patient = False
    asyncio.run(asyncio.wait_for(two(), 10))
    assert (limiter.in_flight, limiter.waiting) == (0, 0)


async def test_a_wait_that_has_become_shorter_is_not_waited_for() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.Event().wait()

    limiter = Limiter(8, tpm=1000, clock=Clock(), sleep=sleep)
    async with limiter.slot(100) as slot:
        waiting = asyncio.create_task(limiter.slot(1).__aenter__())
        await settle()
        slot.answered(20)
    await settle()
    waiting.cancel()
    assert len(waits) == 2
    assert waits[1] < waits[0] / 4


async def test_those_who_go_ahead_keep_their_own_order() -> None:
    calls = Calls(Limiter(1))
    for number in range(3):
        await calls.start(number)
    await calls.start(8, ahead=True)
    await calls.start(9, ahead=True)
    await calls.let_go(0, 8, 9, 1, 2)
    assert calls.admitted == [0, 8, 9, 1, 2]
