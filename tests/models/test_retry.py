from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uppertail.models.failures import Kind
from uppertail.models.retry import Backoff, Tries


@given(st.integers(min_value=0, max_value=10_000), st.integers())
def test_a_wait_is_between_zero_and_its_bound(number: int, seed: int) -> None:
    wait = Backoff(first_seconds=0.5, ceiling_seconds=30.0).wait(number, Random(seed))
    assert 0.0 <= wait <= min(0.5 * 2.0 ** min(number, 10), 30.0)


def test_waits_are_spread_over_the_whole_range() -> None:
    random = Random(0)
    waits = sorted(Backoff(first_seconds=1.0).wait(3, random) for _ in range(500))
    assert waits[0] < 0.5
    assert waits[-1] > 7.5
    assert 3.5 < sum(waits) / 500 < 4.5


@pytest.mark.parametrize("attempts", [1, 3])
def test_as_many_tries_fail_as_there_are_attempts(attempts: int) -> None:
    tries = Tries(attempts, patience_seconds=60.0)
    assert [tries.failed(Kind.PASSING, 0.0) for _ in range(attempts)] == (
        [True] * (attempts - 1) + [False]
    )
    assert tries.made == attempts


def test_a_busy_server_costs_attempts_only_when_patience_is_over() -> None:
    tries = Tries(2, patience_seconds=60.0)
    assert all(tries.failed(Kind.BUSY, now) for now in (100.0, 120.0, 159.0))
    assert tries.failed(Kind.BUSY, 160.0)
    assert not tries.failed(Kind.BUSY, 161.0)


def test_a_call_knows_whether_it_was_sent_before() -> None:
    tries = Tries(2, patience_seconds=60.0)
    assert not tries.again
    tries.unreached += 1
    assert tries.again
