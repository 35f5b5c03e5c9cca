"""Theorem 1 (i): values, inverse, limits and stability."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uppertail.theory import kl_of_tilt, log_partition, tilt_of_kl, win_rate_correct

KL_OF_BETA = {2: 0.0103520, 1: 0.0406519, 0.5: 0.1515959, 0.2: 0.6501169, 0.1: 1.3030845}
KL_OF_BETA |= {0.05: 1.9957323}
TILT_OF_KL = {0.01: 0.4914, 0.1: 1.5977, 0.25: 2.6544, 0.5: 4.1185, 1: 7.3495, 1.5: 12.1817}
TILT_OF_KL |= {2: 20.0855, 3: 54.5982, 4: 148.413, 6: 1096.63, 8: 8103.08}


@pytest.mark.parametrize(("beta", "kl"), KL_OF_BETA.items())
def test_the_kl_formula_gives_the_reference_values(beta, kl):
    assert kl_of_tilt(1 / beta) == pytest.approx(kl, abs=5e-8)


@pytest.mark.parametrize(("beta", "kl"), KL_OF_BETA.items())
def test_the_formula_printed_in_the_paper_is_the_stable_one(beta, kl):
    z = np.expm1(1 / beta)
    printed = ((1 / beta - 1) * np.exp(1 / beta) + 1) / z - np.log(beta) - np.log(z)
    assert kl_of_tilt(1 / beta) == pytest.approx(printed, abs=1e-12)


@pytest.mark.parametrize(("kl", "b"), TILT_OF_KL.items())
def test_the_kl_is_inverted_to_the_printed_digits(kl, b):
    assert tilt_of_kl(kl) == pytest.approx(b, rel=5e-6, abs=5e-5)


@given(st.floats(-20, 12))
def test_the_inverse_returns_to_the_tilt(log_b):
    b = np.exp(log_b)
    assert tilt_of_kl(kl_of_tilt(b)) == pytest.approx(b, rel=1e-6)


def test_a_strong_tilt_follows_its_asymptotes():
    b = np.exp(12)
    kl = kl_of_tilt(b)
    assert kl == pytest.approx(11, abs=1e-9)
    assert win_rate_correct(b) == pytest.approx(1 - np.exp(-(kl + 1)), abs=1e-12)
    assert log_partition(b) == pytest.approx(b - 12, abs=1e-9)


@pytest.mark.parametrize("formula", [kl_of_tilt, win_rate_correct, log_partition])
def test_series_and_closed_form_meet_without_a_step(formula):
    for seam in (1e-4, 1e-3):
        below, above = formula(np.array([seam * (1 - 1e-9), seam * (1 + 1e-9)]))
        assert above == pytest.approx(below, rel=1e-6)


@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf")])
def test_a_tilt_that_is_not_positive_and_finite_is_refused(bad):
    with pytest.raises(ValueError, match="positive and finite"):
        kl_of_tilt(bad)
