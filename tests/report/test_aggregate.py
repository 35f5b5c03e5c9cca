from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report.synthetic import refinement, rounds, rubric, run, scored, valued
from uppertail.refine.result import Status
from uppertail.report.aggregate import (
    Asked,
    CriterionStats,
    Standing,
    StepStats,
    asked,
    better_half,
    criterion_stats,
    paired_share_change,
    ranked,
    rate_bin,
    share,
    standing,
    step_stats,
    steps,
    top_gap,
)
from uppertail.types import (
    Criterion,
    Pool,
    Prompt,
    Response,
)

values = st.lists(st.one_of(st.none(), st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0])))


@pytest.mark.parametrize(
    ("given_values", "expected", "gap"),
    [
        pytest.param((), Standing.UNDECIDED, None, id="no score is undecided"),
        pytest.param((1.0, None), Standing.UNDECIDED, None, id="an unscored rival is not beaten"),
        pytest.param((0.5, 0.9, 0.9), Standing.TIED, 0.0, id="two equal best are tied"),
        pytest.param((0.25, 0.25, 0.75), Standing.SEPARATED, 0.5, id="a tie lower down is no tie"),
    ],
)
def test_standing_looks_at_the_two_best_scores(given_values, expected, gap):
    found = ranked(valued(*given_values).values())

    assert standing(found) is expected
    assert top_gap(found) == gap


def test_a_pool_gives_its_figures_without_its_unscored_responses():
    stats = step_stats(valued(1.0, 0.5, 0.5, None).values())

    assert (stats.prompts, stats.separated, stats.tied, stats.undecided) == (1, 1, 0, 0)
    assert (stats.responses, stats.unscored, stats.unscored_share) == (4, 1, 0.25)
    assert (stats.mean_spread, stats.mean_levels) == (0.5, 2.0)
    assert stats.bins[-1] == 1
    assert stats.bins[10] == 2
    assert sum(stats.bins) == 3


def test_nothing_decided_gives_no_shares_rather_than_zero():
    stats = step_stats(valued(None, 0.4).values())

    assert stats.undecided == 1
    assert [stats.tied_share, stats.separated_share, stats.mean_spread, stats.mean_levels] == (
        [None] * 4
    )
    assert StepStats().unscored_share is None
    assert share(0, 0) is None


@given(st.lists(values, max_size=6))
def test_shares_lie_in_the_unit_interval_and_ties_and_separations_make_one(pools):
    total = sum((step_stats(valued(*pool).values()) for pool in pools), StepStats())

    assert total.prompts == len(pools)
    assert total.decided + total.undecided == total.prompts
    assert sum(total.bins) == total.responses - total.unscored
    shares = (total.tied_share, total.separated_share, total.mean_spread, total.unscored_share)
    assert all(0 <= share <= 1 for share in shares if share is not None)
    if total.decided:
        assert (total.tied_share or 0) + (total.separated_share or 0) == pytest.approx(1)
        assert (total.mean_levels or 0) >= 1


@given(st.lists(values, min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_counts_do_not_depend_on_the_order_of_prompts(pools, random):
    one = [step_stats(valued(*pool).values()) for pool in pools]
    other = list(one)
    random.shuffle(other)
    first, second = sum(one, StepStats()), sum(other, StepStats())

    assert first.spread_sum == pytest.approx(second.spread_sum)
    assert (first.separated, first.tied, first.levels_sum, first.unscored, first.bins) == (
        (second.separated, second.tied, second.levels_sum, second.unscored, second.bins)
    )


def test_the_last_step_holds_the_responses_that_the_first_round_scored():
    before = valued(0.5, 0.5)
    final = scored({"r0": (0.7, "y"), "r1": (0.2, "n"), "r2": (0.9, "y")})
    found = steps(refinement(rubric("a"), rounds=rounds(before), scored=final))

    assert [set(step) for step in found] == [{"r0", "r1"}, {"r0", "r1"}]


def test_the_last_step_holds_everything_where_the_first_round_scored_nothing():
    final = scored({"r0": (0.7, "y"), "r2": (0.9, "y")})

    assert set(steps(refinement(rubric("a"), rounds=rounds({}), scored=final))[-1]) == {
        "r0",
        "r2",
    }
    assert set(steps(refinement(rubric("a"), scored=final))[-1]) == {"r0", "r2"}


def test_the_better_half_includes_ties_at_its_border():
    rows = {"a": (0.9, ""), "b": (0.5, ""), "c": (0.5, ""), "d": (0.1, ""), "e": (None, "")}

    assert better_half(scored(rows)) == {"a", "b", "c"}
    assert better_half(scored({"e": (None, "")})) == frozenset()


def test_the_better_half_does_not_depend_on_the_order_of_responses():
    rows = scored({"a": (0.9, ""), "b": (0.5, ""), "c": (0.5, ""), "d": (0.1, "")})

    assert len({better_half(order) for order in permutations(rows)}) == 1


def test_criteria_count_only_verdicts_that_exist():
    start = rubric("old")
    final = rubric("old", "new", "open")
    rows = scored({"a": (0.9, "yy?"), "b": (0.5, "yn?"), "c": (0.1, "nn?"), "d": (None, "?y?")})
    old, new, undecided = criterion_stats(refinement(start, final, scored=rows))

    assert (old.initial, new.initial) == (True, False)
    assert old.weight_share == pytest.approx(1 / 3)
    assert (old.met, old.decided, old.top_met, old.top_decided) == (2, 3, 2, 2)
    assert (new.met, new.decided, new.pass_rate) == (2, 4, 0.5)
    assert (old.top_balance, new.top_balance) == (0.0, 1.0)
    assert (undecided.pass_rate, undecided.top_rate, undecided.top_balance) == (None, None, 0.0)


def test_criteria_of_a_prompt_without_rubric_or_scores_are_none():
    assert criterion_stats(refinement()) == ()
    assert criterion_stats(refinement(rubric("a"))) == ()


@pytest.mark.parametrize(
    ("met", "decided", "expected"),
    [
        pytest.param(0, 0, None, id="nothing decided has no bin"),
        pytest.param(0, 16, 0, id="none"),
        pytest.param(1, 16, 1, id="a few"),
        pytest.param(8, 16, 6, id="half"),
        pytest.param(15, 16, 10, id="all but one"),
        pytest.param(16, 16, 11, id="all"),
    ],
)
def test_none_and_all_have_bins_of_their_own(met, decided, expected):
    stats = CriterionStats(
        criterion=Criterion(text="a"),
        initial=True,
        weight_share=1.0,
        met=met,
        decided=decided,
        top_met=0,
        top_decided=0,
    )

    assert rate_bin(stats) == expected


def test_a_prompt_without_rubric_leaves_its_pool_unscored():
    pool = Pool(
        prompt=Prompt.plain("x"), responses=(Response(id="a", text="t"), Response(id="b", text="t"))
    )

    assert asked(pool, refinement()) == Asked(2, 2)
    assert asked(pool, refinement(rubric("a"))) == Asked(0, 0)
    rows = scored({"a": (0.5, "y"), "b": (None, "?")})
    assert asked(pool, refinement(rubric("a"), scored=rows)) == Asked(2, 1)


def test_a_paired_change_needs_a_pair():
    assert paired_share_change(gained=0, lost=0, pairs=0) is None


@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 200))
def test_a_paired_change_lies_in_its_interval_and_turns_with_its_sides(gained, lost, still):
    pairs = gained + lost + still
    if not pairs:
        return
    change = paired_share_change(gained=gained, lost=lost, pairs=pairs)
    turned = paired_share_change(gained=lost, lost=gained, pairs=pairs)
    assert change is not None
    assert turned is not None

    assert -1 <= change.low <= change.high <= 1
    assert change.low - 1e-9 <= change.value * pairs / (pairs + 2) <= change.high + 1e-9
    assert turned.value == pytest.approx(-change.value)
    assert turned.low == pytest.approx(-change.high)


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    random = Random(5)
    truth, inside = 0.3 - 0.1, 0
    for _ in range(400):
        draws = random.choices(("gained", "lost", "same"), (0.3, 0.1, 0.6), k=60)
        change = paired_share_change(
            gained=draws.count("gained"), lost=draws.count("lost"), pairs=60
        )
        assert change is not None
        inside += change.low <= truth <= change.high

    assert 0.92 <= inside / 400 <= 0.98


def test_synthetic_runs_hold_what_the_other_tests_rely_on():
    statuses = {result.status for _, result in run(120)}

    assert statuses == set(Status)
