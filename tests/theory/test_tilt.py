"""Proposition 1 and Theorem 1 (ii): the reference tables and what holds for every map."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uppertail import theory
from uppertail.theory import Misspecification, gold_at_kl, kl_of_tilt, max_kl, tilt, tilt_at_kl

KLS = [0.01, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8]
# Rows of the reference table, one a case, in the order of KLS.
WIN_RATES = {
    "correct": ".5408 .6278 .6989 .7737 .8646 .9179 .9502 .9817 .9933 .9991 .9999",
    "reversed": ".4592 .3722 .3011 .2263 .1354 .0821 .0498 .0183 .0067 .0009 .0001",
    "top 25": ".5393 .6209 .6846 .7462 .8035 .8124 .7975 .7683 .7567 .7509 .7501",
    "top 50": ".5293 .5824 .6140 .6313 .6170 .5806 .5498 .5183 .5067 .5009 .5001",
    "worst 50": ".5318 .6074 .6764 .7556 .8583 .9172 .9502 .9817 .9933 .9991 .9999",
    "worst 90": ".4828 .4578 .4529 .4718 .5625 .7003 .8428 .9780 .9933 .9991 .9999",
    "top 10": ".5407 .6273 .6978 .7714 .8583 .9040 .9230 .9177 .9067 .9009 .9001",
}
CASES = {
    "correct": theory.correct(),
    "reversed": theory.reversed_order(),
    "top 25": theory.top_wrong(0.25),
    "top 50": theory.top_wrong(0.5),
    "worst 50": theory.worst_wrong(0.5),
    "worst 90": theory.worst_wrong(0.9),
    "top 10": theory.top_wrong(0.1),
}
SHUFFLED = {1: 0.8341, 2: 0.8738, 4: 0.8750, 8: 0.8750}
TIED = {0.5: 0.7723, 1: 0.8614, 1.5: 0.9120, 2: 0.9403}


def digits(row: str) -> list[float]:
    return [float(value) for value in row.split()]


@pytest.mark.parametrize("case", CASES)
def test_the_win_rates_at_given_kls_are_the_reference_values(case):
    assert gold_at_kl(CASES[case], KLS) == pytest.approx(digits(WIN_RATES[case]), abs=5.001e-5)


def test_random_order_at_the_top_stops_the_win_rate_and_not_the_kl():
    law = theory.top_shuffled(0.25)
    assert gold_at_kl(law, list(SHUFFLED)) == pytest.approx(list(SHUFFLED.values()), abs=5.001e-5)
    assert max_kl(law) == float("inf")


def test_ties_at_the_top_give_the_reference_values():
    values = gold_at_kl(theory.top_tied(0.1), list(TIED))
    assert values == pytest.approx(list(TIED.values()), abs=5.001e-5)


@pytest.mark.parametrize(("c", "limit"), [(0.1, 2.303), (0.25, 1.386), (0.5, 0.693)])
def test_ties_at_the_top_bound_the_kl(c, limit):
    law = theory.top_tied(c)
    assert max_kl(law) == pytest.approx(limit, abs=5e-4)
    assert np.isnan(gold_at_kl(law, limit + 0.01))
    with pytest.raises(ValueError, match="lies between 0 and"):
        tilt_at_kl(law, limit + 0.01)


@pytest.mark.parametrize(("k", "kl", "best"), [(10, 2.303, 0.95), (20, 2.996, 0.975)])
def test_score_levels_bound_kl_and_win_rate(k, kl, best):
    law = theory.score_levels(k)
    assert max_kl(law) == pytest.approx(kl, abs=5e-4)
    strongest = tilt(law, np.exp(12))
    assert strongest.kl == pytest.approx(np.log(k), abs=1e-9)
    assert strongest.gold == pytest.approx(best, abs=1e-9)


def test_a_constant_reward_moves_nothing():
    law = theory.score_levels(1)
    assert max_kl(law) == 0
    assert tilt(law, 5.0) == pytest.approx((0, 0.5))


@st.composite
def measure_preserving(draw) -> Misspecification:
    """A random interval exchange, each piece kept or turned over."""
    sizes = np.array(draw(st.lists(st.integers(1, 9), min_size=1, max_size=8)), dtype=float)
    edges = np.concatenate([[0], np.cumsum(sizes)]) / sizes.sum()
    edges[-1] = 1
    order = draw(st.permutations(range(len(sizes))))
    widths = np.diff(edges)[list(order)]
    gold_edges = np.concatenate([[0], np.cumsum(widths)])
    gold = np.empty((len(sizes), 2))
    for place, piece in enumerate(order):
        gold[piece] = gold_edges[place : place + 2]
    turned = np.array(draw(st.lists(st.booleans(), min_size=len(sizes), max_size=len(sizes))))
    gold[turned] = gold[turned, ::-1]
    return Misspecification(
        mass=np.diff(edges), gold=gold, proxy=np.stack([edges[:-1], edges[1:]], axis=1)
    )


@given(measure_preserving(), st.floats(-8, 12))
def test_the_kl_does_not_depend_on_the_map(law, log_b):
    b = np.exp(log_b)
    assert tilt(law, b).kl == pytest.approx(kl_of_tilt(b), rel=1e-6, abs=1e-12)


@given(measure_preserving(), st.floats(-8, 12))
def test_reversed_and_correct_enclose_every_map_and_sum_to_one(law, log_b):
    b = np.exp(log_b)
    best, worst = (tilt(CASES[name], b).gold for name in ("correct", "reversed"))
    assert best + worst == pytest.approx(1, abs=1e-12)
    assert worst - 1e-9 <= tilt(law, b).gold <= best + 1e-9


@given(measure_preserving(), st.floats(0.01, 0.99), st.floats(-3, 8))
def test_the_lower_envelope_bounds_every_map_with_the_same_top(rest, top, log_b):
    scale = 1 - top  # the map `rest` below, the identity above
    law = Misspecification(
        mass=np.append(rest.mass * scale, top),
        gold=np.vstack([rest.gold * scale, [scale, 1]]),
        proxy=np.vstack([rest.proxy * scale, [scale, 1]]),
    )
    b = np.exp(log_b)
    assert tilt(theory.lower_envelope(top), b).gold <= tilt(law, b).gold + 1e-9


def test_two_million_quadrature_points_agree_with_the_closed_form():
    u = (np.arange(2_000_000) + 0.5) / 2_000_000
    f = np.where(u <= 0.75, u, 1.75 - u)
    for b in (0.3, 7.0, 400.0):
        w = np.exp(b * (f - 1))
        w /= w.sum()
        kl = (w * np.log(w * len(w))).sum()
        assert tilt(theory.top_wrong(0.25), b) == pytest.approx((kl, (w * u).sum()), abs=1e-7)


def test_the_formula_of_theorem_1_is_the_one_of_the_appendix():
    def s(a: float, c: float, slope: float, intercept: float, b: float) -> float:
        at = [np.exp(b * (u - 1)) * ((intercept + slope * u) / b - slope / b**2) for u in (a, c)]
        return float(at[1] - at[0])

    c = 0.1
    for b in (2.0, 26.73, np.exp(12)):
        expected = (s(0, 1 - c, 1, 0, b) + s(1 - c, 1, -1, 2 - c, b)) / (-np.expm1(-b) / b)
        assert tilt(theory.top_wrong(c), b).gold == pytest.approx(expected, rel=1e-9)


def test_shapes_follow_the_tilts():
    out = tilt(theory.correct(), np.ones((2, 3)))
    assert out.kl.shape == out.gold.shape == (2, 3)


@pytest.mark.parametrize(
    ("mass", "gold", "problem"),
    [
        ([0.5, 0.4], [[0, 1], [0, 1]], "sum to 1"),
        ([1.0], [[0, 1], [0, 1]], "shape"),
        ([1.0], [[0, np.nan]], "finite"),
        ([1.5, -0.5], [[0, 1], [0, 1]], "positive"),
    ],
)
def test_what_is_no_law_is_refused(mass, gold, problem):
    gold = np.array(gold, dtype=float)
    with pytest.raises(ValueError, match=problem):
        Misspecification(mass=np.array(mass), gold=gold, proxy=gold)


@pytest.mark.parametrize("make", [theory.top_wrong, theory.worst_wrong, theory.top_tied])
def test_a_share_outside_0_to_1_is_refused(make):
    with pytest.raises(ValueError, match="share"):
        make(1.5)


def test_a_reward_without_levels_is_refused():
    with pytest.raises(ValueError, match="level"):
        theory.score_levels(0)


@pytest.mark.parametrize("k", range(2, 40))
def test_a_kl_next_to_the_limit_has_a_tilt(k):
    law = theory.score_levels(k)
    b = tilt_at_kl(law, np.nextafter(max_kl(law), 0))
    assert tilt(law, b).kl == pytest.approx(np.log(k))
