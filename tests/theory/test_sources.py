"""Functions, tables and samples give what the exact pieces give."""

import numpy as np
import pytest

from uppertail import theory
from uppertail.theory import from_function, from_inverse, from_samples, from_table, gold_at_kl, tilt

B = np.exp([-3, 0, 2, 5, 8, 12])


def test_a_function_with_its_breaks_is_the_piecewise_map():
    law = from_function(lambda g: np.where(g <= 0.75, g, 1.75 - g), breaks=[0.75])
    exact = tilt(theory.top_wrong(0.25), B)
    assert tilt(law, B).kl == pytest.approx(exact.kl, abs=1e-6)
    assert tilt(law, B).gold == pytest.approx(exact.gold, abs=1e-6)


def test_a_function_without_its_breaks_is_close():
    law = from_function(lambda g: np.where(g <= 0.7, g, 1.7 - g))
    assert tilt(law, B[:4]).gold == pytest.approx(tilt(theory.top_wrong(0.3), B[:4]).gold, abs=1e-3)


def test_a_function_that_ties_its_top_bounds_the_kl():
    law = from_function(lambda g: np.minimum(g, 0.9), breaks=[0.9])
    assert theory.max_kl(law) == pytest.approx(np.log(10), abs=1e-9)
    assert gold_at_kl(law, 1.5) == pytest.approx(0.9120, abs=5e-5)


def test_a_function_on_another_scale_needs_another_tilt_for_the_same_kl():
    law = from_function(lambda g: 100 * g - 7)
    assert tilt(law, 0.2).kl == pytest.approx(theory.kl_of_tilt(20.0), rel=1e-6)


def test_an_inverse_given_as_function_is_theorem_1():
    law = from_inverse(lambda u: np.where(u > 0.75, 0.875, u), breaks=[0.75])
    assert gold_at_kl(law, [1, 2]) == pytest.approx([0.8341, 0.8738], abs=5e-5)


def test_a_table_of_many_bins_approaches_the_map():
    middles = (np.arange(2000) + 0.5) / 2000
    law = from_table(np.where(middles <= 0.75, middles, 1.75 - middles))
    assert gold_at_kl(law, [0.5, 2]) == pytest.approx([0.7462, 0.7975], abs=2e-4)


def test_a_table_takes_uneven_bins():
    law = from_table([0.25, 0.75], edges=[0, 0.5, 1])
    same = from_table([0.25, 0.25, 0.75], edges=[0, 0.25, 0.5, 1])
    assert tilt(law, 3.0) == pytest.approx(tilt(same, 3.0))


def test_samples_follow_the_weights_written_out():
    proxy, gold = np.array([0.0, 1.0, 1.0, 3.0]), np.array([5.0, 2.0, 9.0, 7.0])
    w = np.exp(0.7 * proxy)
    w /= w.sum()
    kl, ranks = (w * np.log(4 * w)).sum(), np.array([3, 1, 7, 5]) / 8
    assert tilt(from_samples(proxy, gold), 0.7) == pytest.approx((kl, w @ ranks))
    assert tilt(from_samples(proxy, gold, scale="value"), 0.7) == pytest.approx((kl, w @ gold))


def test_gold_ties_share_their_quantile():
    law = from_samples([1, 2, 3], [1, 1, 2])
    assert law.gold[:, 0] == pytest.approx([1 / 3, 1 / 3, 5 / 6])


def test_two_hundred_thousand_samples_give_the_exact_curve():
    draw = np.random.default_rng(0)
    gold = draw.random(200_000)
    proxy = np.where(gold <= 0.75, gold, 1.75 - gold)
    measured = tilt(from_samples(proxy, gold), theory.tilt_of_kl([0.5, 1, 2, 4]))
    assert measured.kl == pytest.approx([0.5, 1, 2, 4], abs=0.05)
    assert measured.gold == pytest.approx([0.7462, 0.8035, 0.7975, 0.7567], abs=0.005)


@pytest.mark.parametrize(("proxy", "gold"), [([1, 2], [1]), ([], []), ([[1]], [[1]])])
def test_samples_that_do_not_pair_off_are_refused(proxy, gold):
    with pytest.raises(ValueError, match="same length"):
        from_samples(proxy, gold)


def test_breaks_and_edges_outside_the_range_are_refused():
    with pytest.raises(ValueError, match="inside"):
        from_function(lambda g: g, breaks=[1.0])
    with pytest.raises(ValueError, match="edges"):
        from_table([0.1, 0.2], edges=[0, 2, 1])
