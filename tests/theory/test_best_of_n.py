"""Best-of-n: the reference values, and estimators checked against every subset and by simulation."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uppertail import theory
from uppertail.theory import (
    best_of_n,
    compare,
    kl_best_of_n,
    kl_best_of_n_tied,
    mean_best_of_n,
    win_rate_best_of_n,
)

SIZES = [2, 4, 8, 16, 32, 64, 256]
WIN_RATES = {
    "correct": (theory.correct(), ".6667 .8 .8889 .9412 .9697 .9846 .9961"),
    "top 25": (theory.top_wrong(0.25), ".6615 .7760 .8194 .8054 .7803 .7654 .7539"),
    "top 10": (theory.top_wrong(0.1), ".6663 .7982 .8820 .9207 .9250 .9152 .9039"),
    "worst 90": (theory.worst_wrong(0.9), ".4237 .4457 .5876 .7940 .9407 .9836 .9961"),
}


@pytest.mark.parametrize("case", WIN_RATES)
def test_the_win_rates_are_the_reference_values(case):
    law, row = WIN_RATES[case]
    expected = [float(value) for value in row.split()]
    assert [best_of_n(law, n) for n in SIZES] == pytest.approx(expected, abs=5.001e-5)


@pytest.mark.parametrize("n", [1, 2, 7, 50])
def test_the_closed_form_of_a_wrong_top(n):
    c, d = 0.25, 0.75
    expected = n / (n + 1) * d ** (n + 1) + (2 - c) * (1 - d**n) - n / (n + 1) * (1 - d ** (n + 1))
    assert best_of_n(theory.top_wrong(c), n) == pytest.approx(expected, abs=1e-12)


def test_pieces_given_out_of_order_and_from_above_are_put_in_order():
    law = theory.Misspecification(
        mass=np.array([0.25, 0.75]),
        gold=np.array([[0.75, 1.0], [0.0, 0.75]]),
        proxy=np.array([[1.0, 0.75], [0.0, 0.75]]),
    )
    assert best_of_n(law, 8) == pytest.approx(0.8194, abs=5e-5)


def test_tied_pieces_share_their_mean_gold():
    law = theory.from_samples([1, 2, 2], [1, 2, 3], scale="value")
    # The chance that three draws with replacement are all the first response is 1/27.
    assert best_of_n(law, 3) == pytest.approx(1 / 27 * 1 + 26 / 27 * 2.5)


def test_score_levels_bound_best_of_n():
    assert best_of_n(theory.score_levels(10), 100_000) == pytest.approx(0.95)


def test_the_kl_is_that_of_the_order_statistic():
    assert kl_best_of_n([1, 2, 16]) == pytest.approx([0, 0.193147, 1.835089], abs=1e-6)


def test_with_many_equal_levels_the_kl_is_that_without_ties():
    assert kl_best_of_n_tied(np.full(100_000, 1e-5), 8) == pytest.approx(kl_best_of_n(8), abs=1e-3)


def test_ties_bound_the_kl_of_best_of_n():
    assert kl_best_of_n_tied([0.9, 0.1], 10_000) == pytest.approx(np.log(10))
    assert kl_best_of_n_tied([1.0], 8) == 0


def brute_mean(proxy: list[int], gold: list[int], n: int) -> float:
    """Mean gold of the best over all subsets, ties averaged."""
    values = []
    for subset in combinations(range(len(proxy)), n):
        top = max(proxy[i] for i in subset)
        values.append(np.mean([gold[i] for i in subset if proxy[i] == top]))
    return float(np.mean(values))


def brute_win_rate(proxy: list[int], gold: list[int], n: int) -> float:
    """Mean over subsets, tied bests and outsiders of whether the chosen one is better."""
    values = []
    for subset in combinations(range(len(proxy)), n):
        top = max(proxy[i] for i in subset)
        outside = [j for j in range(len(proxy)) if j not in subset]
        chosen = [i for i in subset if proxy[i] == top]
        wins = [(1 + np.sign(gold[i] - gold[j])) / 2 for i in chosen for j in outside]
        values.append(np.mean(wins))
    return float(np.mean(values))


pools = st.integers(2, 7).flatmap(
    lambda size: st.tuples(
        st.lists(st.integers(0, 3), min_size=size, max_size=size),
        st.lists(st.integers(0, 3), min_size=size, max_size=size),
        st.integers(1, size - 1),
    )
)


@given(pools)
def test_both_estimators_equal_the_mean_over_every_subset(pool):
    proxy, gold, n = pool
    assert mean_best_of_n(proxy, gold, n) == pytest.approx(brute_mean(proxy, gold, n))
    expected = brute_win_rate(proxy, gold, n)
    assert win_rate_best_of_n(compare(proxy, gold), n) == pytest.approx(expected)


def test_the_estimators_are_unbiased_by_simulation():
    draw = np.random.default_rng(1)
    gold = draw.random((40_000, 12))
    proxy = np.round(np.where(gold <= 0.75, gold, 1.75 - gold), 1)  # wrong at the top, and tied
    many = draw.random(2_000_000)
    law = theory.from_samples(np.round(np.where(many <= 0.75, many, 1.75 - many), 1), many)
    for n in (2, 8, 11):
        true = best_of_n(law, n)
        assert mean_best_of_n(proxy, gold, n).mean() == pytest.approx(true, abs=0.004)
        wins = win_rate_best_of_n(compare(proxy[:10_000], gold[:10_000]), n)
        assert wins.mean() == pytest.approx(true, abs=0.008)


def test_an_empirical_quantile_would_be_too_kind_where_ours_is_not():
    draw = np.random.default_rng(2)
    gold = draw.random((20_000, 8))
    quantile = (gold.argsort(axis=1).argsort(axis=1) + 0.5) / 8
    assert mean_best_of_n(gold, quantile, 7).mean() > 7 / 8 + 0.02
    assert win_rate_best_of_n(compare(gold, gold), 7).mean() == pytest.approx(7 / 8, abs=0.006)


@pytest.mark.parametrize("n", [0, 4])
def test_more_draws_than_responses_are_refused(n):
    with pytest.raises(ValueError, match="best-of"):
        mean_best_of_n([1, 2, 3], [1, 2, 3], n)
