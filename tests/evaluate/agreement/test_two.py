"""Two raters: our formulas against scikit-learn, statsmodels and a worked example."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, precision_score, recall_score
from statsmodels.stats.inter_rater import cohens_kappa

from uppertail.evaluate.agreement import two
from uppertail.evaluate.agreement.many import alpha as alpha_of_many

ANSWER = st.sampled_from([0.0, 1.0])
PAIRS = st.lists(st.tuples(ANSWER, ANSWER), min_size=1, max_size=60)


def table(pairs):
    first, second = (np.array(side) for side in zip(*pairs, strict=True))
    return two.counts(first, second, np.zeros(len(first), int), 1)[0]


def assert_same(ours, theirs):
    assert float(ours) == pytest.approx(float(theirs), abs=1e-12, nan_ok=True)


@given(PAIRS)
@settings(deadline=None, max_examples=40)
def test_kappa_is_that_of_the_libraries(pairs):
    first, second = zip(*pairs, strict=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # both libraries divide by zero where kappa is undefined
        learned = cohen_kappa_score(first, second, labels=[0.0, 1.0])
        c = table(pairs)
        modelled = cohens_kappa(c.reshape(2, 2)).kappa
    assert_same(two.kappa(c), learned)
    assert_same(two.kappa(c), modelled)


@given(PAIRS)
@settings(deadline=None, max_examples=40)
def test_precision_and_recall_are_those_of_scikit_learn(pairs):
    first, second = zip(*pairs, strict=True)
    c = table(pairs)
    for label, precision, recall in (
        (1.0, two.yes_precision, two.yes_recall),
        (0.0, two.no_precision, two.no_recall),
    ):
        kw = {"pos_label": label, "zero_division": np.nan}
        assert_same(precision(c), precision_score(second, first, **kw))
        assert_same(recall(c), recall_score(second, first, **kw))


@given(PAIRS)
def test_alpha_of_two_is_the_general_alpha(pairs):
    assert_same(two.alpha(table(pairs)), alpha_of_many(np.array(pairs)))


@given(PAIRS)
def test_swapping_the_raters_swaps_precision_and_recall_and_changes_no_agreement(pairs):
    c, swapped = table(pairs), table([(b, a) for a, b in pairs])
    for symmetric in (two.accuracy, two.kappa, two.alpha):
        assert_same(symmetric(c), symmetric(swapped))
    assert_same(two.yes_precision(c), two.yes_recall(swapped))
    assert_same(two.first_yes(c), two.second_yes(swapped))


@given(PAIRS)
def test_calling_yes_no_and_no_yes_changes_no_agreement(pairs):
    c, turned = table(pairs), table([(1 - a, 1 - b) for a, b in pairs])
    for invariant in (two.accuracy, two.kappa, two.alpha):
        assert_same(invariant(c), invariant(turned))
    assert_same(two.yes_precision(c), two.no_precision(turned))


@given(PAIRS)
def test_agreement_stays_in_bounds_and_kappa_never_exceeds_accuracy(pairs):
    c = table(pairs)
    assert 0 <= two.accuracy(c) <= 1
    kappa = two.kappa(c)
    assert np.isnan(kappa) or -1 - 1e-12 <= kappa <= two.accuracy(c) + 1e-12


@given(st.lists(ANSWER, min_size=1, max_size=40))
def test_identical_raters_have_kappa_and_alpha_of_one_or_none_where_all_is_the_same(answers):
    c = table([(own, own) for own in answers])
    expected = 1.0 if len(set(answers)) == 2 else float("nan")
    assert_same(two.kappa(c), expected)
    assert_same(two.alpha(c), expected)


def test_a_worked_example_of_kappa():
    # 20 both yes, 5 first only, 10 second only, 15 neither: (0.7 - 0.5) / (1 - 0.5).
    assert two.kappa(np.array([20.0, 5, 10, 15])) == pytest.approx(0.4)


def test_undecided_cells_count_nowhere_and_clusters_are_kept_apart():
    nan = float("nan")
    first = np.array([1, 1, 0, nan, 0])
    second = np.array([1, 0, nan, 1, 0])
    c = two.counts(first, second, np.array([0, 1, 1, 1, 2]), 3)
    assert c.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]
