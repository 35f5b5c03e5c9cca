import asyncio
import gc
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uppertail.models.flight import Flights


class Call:
    """A call that ends when it is told to, and counts how often it was made."""

    def __init__(self) -> None:
        self.made = 0
        self.cancelled = 0
        self.end: asyncio.Event = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> str:
        self.made += 1
        made = self.made
        try:
            await self.end.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error:
            raise self.error
        return f"answer {made}"


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_callers_that_overlap_share_one_call_and_one_of_them_started_it():
    flights, call = Flights[str](), Call()
    callers = [asyncio.create_task(flights.join("k", call)) for _ in range(3)]
    await settle()
    call.end.set()
    assert await asyncio.gather(*callers) == [
        ("answer 1", True),
        ("answer 1", False),
        ("answer 1", False),
    ]


async def test_different_keys_are_different_calls():
    flights, call = Flights[str](), Call()
    call.end.set()
    await asyncio.gather(flights.join("a", call), flights.join("b", call))
    assert call.made == 2


async def test_a_call_that_has_ended_is_not_remembered():
    flights, call = Flights[str](), Call()
    call.end.set()
    assert (await flights.join("k", call), await flights.join("k", call)) == (
        ("answer 1", True),
        ("answer 2", True),
    )


async def test_all_callers_get_the_same_error_and_the_next_one_tries_again():
    flights, call = Flights[str](), Call()
    call.error = ValueError("no")
    callers = [asyncio.create_task(flights.join("k", call)) for _ in range(2)]
    await settle()
    call.end.set()
    errors = await asyncio.gather(*callers, return_exceptions=True)
    assert errors == [call.error, call.error]
    call.error = None
    assert await flights.join("k", call) == ("answer 2", True)


async def test_when_the_one_who_asked_first_is_cancelled_the_next_one_makes_the_call():
    flights, call = Flights[str](), Call()
    first, second, third = (asyncio.create_task(flights.join("k", call)) for _ in range(3))
    await settle()
    first.cancel()
    await settle()
    assert first.cancelled()
    assert (call.made, call.cancelled) == (2, 1)
    call.end.set()
    assert await second == ("answer 2", True)
    assert await third == ("answer 2", False)


async def test_one_who_is_cancelled_as_the_call_comes_to_it_passes_it_on():
    flights, call = Flights[str](), Call()
    first, second, third = (asyncio.create_task(flights.join("k", call)) for _ in range(3))
    await settle()
    first.cancel()
    await asyncio.sleep(0)
    second.cancel()
    await settle()
    call.end.set()
    assert await third == ("answer 2", True)
    assert (second.cancelled(), call.made) == (True, 2)


async def test_cancelling_one_who_waits_leaves_the_call_alone():
    flights, call = Flights[str](), Call()
    first, second = (asyncio.create_task(flights.join("k", call)) for _ in range(2))
    await settle()
    second.cancel()
    await settle()
    call.end.set()
    assert await first == ("answer 1", True)
    assert (second.cancelled(), call.made, call.cancelled) == (True, 1, 0)


async def test_the_call_is_cancelled_with_its_last_caller_and_a_new_caller_starts_afresh():
    flights, call = Flights[str](), Call()
    callers = [asyncio.create_task(flights.join("k", call)) for _ in range(2)]
    await settle()
    for caller in callers:
        caller.cancel()
    new = asyncio.create_task(flights.join("k", call))
    await settle()
    assert (call.made, call.cancelled) == (2, 1)
    call.end.set()
    assert await new == ("answer 2", True)


async def test_a_call_that_fails_while_it_is_being_cancelled_is_not_reported_as_forgotten():
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))

    async def stubborn() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise ValueError("while closing") from None
        return ""

    caller = asyncio.create_task(Flights[str]().join("k", stubborn))
    await settle()
    caller.cancel()
    with pytest.raises(ValueError, match="while closing"):
        await caller
    gc.collect()
    assert reported == []


steps = st.lists(
    st.tuples(st.sampled_from(["ask", "cancel", "wait", "end"]), st.integers(0, 9)), max_size=25
)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_at_any_moment_at_most_one_call_is_under_way_and_no_caller_is_left_without_an_answer(plan):
    async def run() -> None:
        flights: Flights[int] = Flights()
        running, most, made = 0, 0, 0
        end = asyncio.Event()

        async def call() -> int:
            nonlocal running, most, made
            running, made = running + 1, made + 1
            most, mine = max(most, running), made
            try:
                await end.wait()
            finally:
                running -= 1
            return mine

        callers: list[asyncio.Task[tuple[int, bool]]] = []
        cancelled: set[int] = set()
        for step, number in plan:
            if step == "ask":
                callers.append(asyncio.create_task(flights.join("k", partial(call))))
            elif step == "cancel" and callers:
                callers[number % len(callers)].cancel()
                cancelled.add(number % len(callers))
            elif step == "wait":
                await asyncio.sleep(0)
            elif step == "end":
                end.set()
        await settle()
        end.set()
        results = await asyncio.gather(*callers, return_exceptions=True)
        assert most <= 1
        assert running == 0
        for index, result in enumerate(results):
            assert isinstance(result, tuple) or index in cancelled
        if callers and not cancelled and not any(step == "end" for step, _ in plan):
            assert made == 1

    asyncio.run(run())
