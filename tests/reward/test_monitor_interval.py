"""Bounds of a mean difference, against scipy and by simulation."""

from math import inf
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from uppertail.reward.monitor_interval import change, t_quantile, t_tail

MEANS = st.dictionaries(st.sampled_from([f"p{n}" for n in range(12)]), st.floats(0, 1), min_size=2)


@example(1e-6, 3277.0)
@example(1.6383560438182505, 17.0)
@example(1.6690459207925605, 26.0)
@given(st.floats(0, 60), st.floats(1, 5000))
def test_the_tail_of_t_is_scipys(t, freedom):
    assert t_tail(t, freedom) == pytest.approx(stats.t.sf(t, freedom), rel=1e-7, abs=1e-14)


@given(st.floats(1e-8, 0.49), st.floats(1, 5000))
def test_the_quantile_of_t_is_scipys(alpha, freedom):
    assert t_quantile(alpha, freedom) == pytest.approx(stats.t.isf(alpha, freedom), rel=1e-6)


@pytest.mark.parametrize(("t", "freedom"), [(1e200, 5.0), (3.0, 1e6), (5.0, 1e7), (0.0, 1.0)])
def test_the_tail_holds_at_its_ends(t, freedom):
    assert t_tail(t, freedom) == pytest.approx(stats.t.sf(t, freedom), rel=1e-6, abs=1e-100)


@given(MEANS, MEANS)
def test_bounds_hold_the_change_and_turn_with_it(before, after):
    there, back = change(before, after, alpha=0.01), change(after, before, alpha=0.01)
    assert there.low <= there.value <= there.high
    assert there.value == pytest.approx(-back.value, abs=1e-12)
    assert there.high == pytest.approx(-back.low, abs=1e-9)


def test_pairs_are_those_of_scipys_paired_test():
    before = {"a": 0.1, "b": 0.5, "c": 0.9}
    after = {"a": 0.3, "b": 0.6, "c": 0.95, "d": 0.0}
    found = change(before, after, alpha=0.025)
    theirs = stats.ttest_rel([0.3, 0.6, 0.95], [0.1, 0.5, 0.9]).confidence_interval(0.95)
    assert (found.basis, found.prompts) == ("paired", 3)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


def test_other_prompts_are_two_samples_as_welch_compares_them():
    before = {f"a{n}": 0.1 * n for n in range(5)}
    after = {f"b{n}": 0.05 * n for n in range(9)}
    found = change(before, after, alpha=0.025)
    welch = stats.ttest_ind(list(after.values()), list(before.values()), equal_var=False)
    theirs = welch.confidence_interval(0.95)
    assert (found.basis, found.prompts) == ("unpaired", 5)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


@pytest.mark.parametrize(("before", "after"), [({"a": 0.1}, {"b": 0.2, "c": 0.3}), ({}, {"a": 1})])
def test_one_prompt_bounds_nothing(before, after):
    found = change(before, after, alpha=0.1)
    assert (found.low, found.high) == (-inf, inf)


def test_what_never_varies_is_certain():
    found = change({"a": 0.5, "b": 0.5}, {"a": 0.25, "b": 0.25}, alpha=0.01)
    assert (found.low, found.value, found.high) == (-0.25, -0.25, -0.25)
    apart = change({"a": 0.5, "b": 0.5}, {"c": 0.25, "d": 0.25}, alpha=0.01)
    assert (apart.low, apart.high) == (-0.25, -0.25)


@pytest.mark.parametrize("paired", [True, False])
def test_bounds_are_wrong_as_often_as_they_may(paired):
    wrong, runs, alpha = 0, 1500, 0.1
    for run in range(runs):
        random = Random(run)
        level = [random.random() for _ in range(20)]
        before = {f"p{n}": level[n] + random.gauss(0, 0.2) for n in range(20)}
        names = [f"p{n}" if paired else f"q{n}" for n in range(20)]
        own = level if paired else [random.random() for _ in range(20)]
        after = {name: own[n] + random.gauss(0, 0.2) for n, name in enumerate(names)}
        wrong += change(before, after, alpha=alpha).high < 0
    assert 0.075 < wrong / runs < 0.125
