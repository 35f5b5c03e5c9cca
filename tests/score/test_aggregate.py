"""Scores: the paper's worked example, bounds, and the promise that failure never pays."""

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uppertail.score import score
from uppertail.types import Criterion, Decider, Outcome, Unscored, Verdict, Why

BY = Decider(model="test")
YES, NO = Verdict(met=True, by=BY), Verdict(met=False, by=BY)
LOST = Unscored(why=Why.CALL_FAILED)


def criteria(*weights: float) -> list[Criterion]:
    return [Criterion(text=f"c{i}", weight=w) for i, w in enumerate(weights)]


def verdicts(bits: str) -> list[Outcome]:
    meaning: dict[str, Outcome] = {"1": YES, "0": NO, "?": LOST}
    return [meaning[bit] for bit in bits]


INITIAL = criteria(3, 3, 3, 3, 2, 2, 2, 1, 1)
REFINED = criteria(3, 3, 3, 3, 2, 2, 2, 2, 2, 1, 1, 3)


@pytest.mark.parametrize(
    ("rubric", "bits", "expected"),
    [
        pytest.param(INITIAL, "111111011", 18 / 20, id="the initial rubric ties both responses"),
        pytest.param(
            REFINED, "111111110111", 25 / 27, id="the refined rubric keeps the first high"
        ),
        pytest.param(REFINED, "111111010101", 22 / 27, id="the refined rubric lowers the second"),
    ],
)
def test_the_worked_example_of_the_paper(rubric, bits, expected):
    assert score(rubric, verdicts(bits)).value == expected


def test_negative_points_subtract_and_the_score_is_clipped():
    rubric = criteria(5, -8)
    assert score(rubric, verdicts("10")).value == 1.0
    assert score(rubric, verdicts("11")).value == 0.0
    assert score(rubric, verdicts("00")).value == 0.0


def test_unweighted_counts_signs_only():
    assert score(criteria(3, 1, 1), verdicts("100"), aggregation="unweighted").value == 1 / 3


@pytest.mark.parametrize(("bits", "expected"), [("110", 1.0), ("111", 0.0), ("100", 0.0)])
def test_all_or_nothing_wants_every_merit_and_no_fault(bits, expected):
    rubric = criteria(3, 1, -2)
    assert score(rubric, verdicts(bits), aggregation="all_or_nothing").value == expected


def test_one_lost_verdict_unscores_the_response_and_says_why():
    result = score(criteria(3, 1), verdicts("1?"))
    assert result.value is None
    assert (result.low, result.high, result.answered) == (0.75, 1.0, 0.75)
    assert result.why == "call_failed 1"


def test_a_partly_answered_score_takes_its_lower_bound():
    result = score(criteria(3, 1), verdicts("1?"), min_answered=0.7)
    assert (result.value, result.low, result.high) == (0.75, 0.75, 1.0)


@pytest.mark.parametrize(
    ("rubric", "outcomes", "options", "message"),
    [
        (criteria(1), [], {}, "0 outcomes for 1 criteria"),
        (criteria(-1), [YES], {}, "positive weight"),
        ([], [], {}, "positive weight"),
        (criteria(1), [YES], {"min_answered": 0.0}, "min_answered"),
        (criteria(1), [YES], {"min_answered": 1.1}, "min_answered"),
    ],
)
def test_what_cannot_be_scored_is_refused(rubric, outcomes, options, message):
    with pytest.raises(ValueError, match=message):
        score(rubric, outcomes, **options)


weights = st.sampled_from([3.0, 2.0, 1.0, 0.1, -0.3, -2.0])
cells = st.lists(st.tuples(weights, st.sampled_from("10?")), min_size=1, max_size=12).filter(
    lambda cells: any(weight > 0 for weight, _ in cells)
)
aggregations = st.sampled_from(["weighted", "unweighted", "all_or_nothing"])
shares = st.sampled_from([0.01, 0.5, 1.0])


@given(cells, aggregations, shares, st.data())
def test_no_failure_ever_raises_a_score(cells, aggregation, share, data):
    """Whatever the lost verdicts would have been, losing them never paid."""
    rubric = criteria(*(weight for weight, _ in cells))
    with_failures = [bit for _, bit in cells]
    complete = [data.draw(st.sampled_from("10")) if bit == "?" else bit for bit in with_failures]
    partial = score(
        rubric, verdicts("".join(with_failures)), aggregation=aggregation, min_answered=share
    )
    truth = score(rubric, verdicts("".join(complete)), aggregation=aggregation).value
    assert truth is not None
    assert partial.low <= truth <= partial.high
    assert partial.value is None or partial.value <= truth


@given(cells, aggregations)
def test_scores_stay_in_the_unit_interval_and_exist_when_all_is_answered(cells, aggregation):
    rubric = criteria(*(weight for weight, _ in cells))
    result = score(rubric, verdicts("".join(bit for _, bit in cells)), aggregation=aggregation)
    assert 0 <= result.low <= result.high <= 1
    assert (result.value is None) == any(bit == "?" for _, bit in cells)
    assert result.value is None or result.value == result.low == result.high


@given(cells, st.randoms(use_true_random=False))
def test_order_of_criteria_never_changes_a_score(cells, random):
    shuffled = random.sample(cells, len(cells))
    first = score(criteria(*(w for w, _ in cells)), verdicts("".join(b for _, b in cells)))
    second = score(criteria(*(w for w, _ in shuffled)), verdicts("".join(b for _, b in shuffled)))
    assert (first.value, first.low, first.high) == (second.value, second.low, second.high)
    assert isclose(first.answered, second.answered)


@given(st.lists(weights, min_size=1, max_size=8).filter(lambda w: any(x > 0 for x in w)), st.data())
def test_meeting_one_more_merit_never_lowers_a_score(weights, data):
    rubric = criteria(*weights)
    bits = data.draw(st.lists(st.sampled_from("10"), min_size=len(weights), max_size=len(weights)))
    index = data.draw(st.sampled_from([i for i, w in enumerate(weights) if w > 0]))
    more = [*bits[:index], "1", *bits[index + 1 :]]
    before = score(rubric, verdicts("".join(bits))).value
    after = score(rubric, verdicts("".join(more))).value
    assert before is not None
    assert after is not None
    assert after >= before
