import pytest
from hypothesis import given
from hypothesis import strategies as st

from uppertail.models.interface import Usage
from uppertail.models.spend import Bill, Latencies, total


def test_bills_add_up_field_by_field():
    bill = Bill(
        calls=2,
        usage=Usage(prompt_tokens=10, cached_tokens=4, completion_tokens=3, reasoning_tokens=1),
        usd=0.5,
    )
    assert total([bill, bill]) == Bill(
        calls=4,
        usage=Usage(prompt_tokens=20, cached_tokens=8, completion_tokens=6, reasoning_tokens=2),
        usd=1.0,
    )


def test_no_bills_are_no_calls_for_nothing():
    assert total([]) == Bill(calls=0, usage=Usage(), usd=0.0)


def test_one_unknown_price_makes_the_sum_unknown():
    assert total([Bill(calls=1, usd=1.0), Bill(calls=1, usd=None)]).usd is None


def test_there_is_no_latency_before_the_first_call():
    assert Latencies().snapshot() is None


@given(st.lists(st.floats(0.001, 3600), min_size=1, max_size=200))
def test_percentiles_are_those_of_the_sorted_list_to_within_the_width_of_a_bucket(seconds):
    latencies = Latencies()
    for value in seconds:
        latencies.add(value)
    snapshot = latencies.snapshot()
    assert snapshot is not None
    ranked = sorted(seconds)
    for share, found in ((50, snapshot.p50_seconds), (90, snapshot.p90_seconds)):
        exact = ranked[-(-share * len(ranked) // 100) - 1]
        assert found == pytest.approx(exact, rel=0.026)


def test_a_million_different_latencies_take_a_few_hundred_counts():
    latencies = Latencies()
    for exponent in range(-60, 60):
        latencies.add(1.3**exponent)
    latencies.add(0.0)
    assert len(latencies._counts) <= 376
    snapshot = latencies.snapshot()
    assert snapshot is not None
    assert snapshot.p99_seconds == pytest.approx(86_400, rel=0.026)
