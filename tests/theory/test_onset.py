"""The onset law, peaks and the lower envelope: the reference values."""

import numpy as np
import pytest

from uppertail import theory
from uppertail.theory import Misspecification, Peak, gold_at_kl, lower_envelope, onset

# c: b*, KL*, WR* (exact), WR at infinite KL.
PEAKS = {
    0.01: (267.3, 4.588, 0.9925, 0.99),
    0.05: (53.49, 2.979, 0.9627, 0.95),
    0.10: (26.73, 2.286, 0.9253, 0.90),
    0.25: (10.67, 1.368, 0.8134, 0.75),
    0.50: (4.609, 0.584, 0.6322, 0.50),
    0.75: (0.762, 0.024, 0.5049, 0.25),
}
ENVELOPE_KLS = [0.25, 0.5, 1, 1.5, 2, 3]
ENVELOPE = {
    0.1: ".4529 .4718 .5625 .7003 .8428 .9780",
    0.2: ".5520 .6122 .7424 .8623 .9376 .9817",
    0.3: ".6149 .6908 .8167 .9040 .9488 .9817",
    0.4: ".6536 .7334 .8467 .9146 .9501 .9817",
    0.5: ".6764 .7556 .8583 .9172 .9502 .9817",
    0.6: ".6890 .7664 .8626 .9178 .9502 .9817",
    0.8: ".6980 .7732 .8645 .9179 .9502 .9817",
    1.0: ".6989 .7737 .8646 .9179 .9502 .9817",
}
GAPS = {0.1: (0.316, 2.79), 0.2: (0.162, 2.05), 0.3: (0.086, 1.59), 0.4: (0.045, 1.21)}
GAPS |= {0.5: (0.023, 0.81)}


def peak(law: Misspecification) -> Peak:
    found = theory.peak(law)
    assert found is not None
    return found


@pytest.mark.parametrize("c", PEAKS)
def test_the_peak_of_a_wrong_top(c):
    tilt, kl, win_rate, plateau = PEAKS[c]
    found = peak(theory.top_wrong(c))
    assert found.tilt == pytest.approx(tilt, rel=1e-3)
    # The table's peaks were found on a grid; the curve is flat there.
    assert (found.kl, found.gold) == pytest.approx((kl, win_rate), abs=1e-3)
    assert theory.tilt(theory.top_wrong(c), np.exp(12)).gold == pytest.approx(plateau, abs=1e-4)


@pytest.mark.parametrize("c", [0.01, 0.05, 0.1])
def test_the_law_of_small_wrong_tops_is_near_the_exact_peak(c):
    law, exact = onset(c), peak(theory.top_wrong(c))
    assert law.tilt == pytest.approx(exact.tilt, rel=1e-3)
    assert law.kl == pytest.approx(exact.kl, abs=1e-3)
    assert law.win_rate == pytest.approx(exact.gold, abs=1e-4)
    assert law.plateau == pytest.approx(1 - c)


def test_the_constants_of_the_law():
    law = theory.onset(1.0)
    assert (law.tilt, 1 - law.win_rate) == pytest.approx((2.67406, 0.74659), abs=5e-6)


@pytest.mark.parametrize("law", [theory.correct(), theory.top_tied(0.2), theory.top_shuffled(0.2)])
def test_ties_and_noise_have_no_peak(law):
    assert theory.peak(law) is None


def test_a_reversed_reward_is_best_left_alone():
    assert peak(theory.reversed_order()).gold == pytest.approx(0.5, abs=1e-3)


def test_a_constant_reward_has_no_peak():
    assert theory.peak(theory.score_levels(1)) is None


@pytest.mark.parametrize("top", ENVELOPE)
def test_figure_2b(top):
    expected = [float(value) for value in ENVELOPE[top].split()]
    assert gold_at_kl(lower_envelope(top), ENVELOPE_KLS) == pytest.approx(expected, abs=5.001e-5)


@pytest.mark.parametrize("top", GAPS)
def test_how_far_a_correct_top_is_from_the_optimum(top):
    largest, last = GAPS[top]
    kls = np.arange(0.005, 4, 0.005)
    gap = gold_at_kl(theory.correct(), kls) - gold_at_kl(lower_envelope(top), kls)
    assert gap.max() == pytest.approx(largest, abs=5.1e-4)
    # The table's grid is coarser: it stops up to 0.02 before the gap closes.
    assert last - 0.005 <= kls[gap >= 0.01].max() <= last + 0.02


def test_a_share_of_nothing_has_no_onset():
    with pytest.raises(ValueError, match="share"):
        onset(0)
