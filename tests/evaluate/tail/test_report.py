"""The whole report on responses of known truth, and on every kind of bad input."""

import re
from html import unescape

import msgspec
import numpy as np
import pytest

from tests.evaluate.tail.samples import proxy_of, table
from uppertail import theory
from uppertail.errors import InputError
from uppertail.evaluate.tail import Settings, Table, TailReport, tail_report
from uppertail.evaluate.tail.figure import Figure
from uppertail.evaluate.tail.page import page
from uppertail.evaluate.tail.result import AgainstGold
from uppertail.evaluate.tail.table import Floats
from uppertail.evaluate.tail.wording import number, points, share

GOLD = np.random.default_rng(0).random(300 * 16)
NOISE = np.random.default_rng(9).normal(0, 1, 300 * 16)


def against(report: TailReport) -> AgainstGold:
    assert report.measured is not None
    return report.measured


def with_nan(values: Floats, share: float, seed: int = 1) -> Floats:
    lost = np.random.default_rng(seed).random(len(values)) < share
    return np.where(lost, np.nan, values)


def test_a_reward_that_reverses_the_best_quarter():
    own = against(tail_report(table()))
    quarter = own.tops[1]
    assert own.pairs.inverted.value == pytest.approx(1 / 16, abs=0.01)
    assert own.pairs.tied.value == 0
    assert quarter.right.value is not None
    assert quarter.right.value < 0.4
    assert own.peak.falls
    assert own.peak.kl.value == pytest.approx(1.37, abs=0.2)
    assert own.map.turn == pytest.approx(0.75, abs=0.1)
    assert own.map.rising < 1
    assert own.peak.win_rate.low < own.peak.win_rate.value < own.peak.win_rate.high  # type: ignore[operator]


def test_the_worst_case_has_the_same_accuracy():
    own = against(tail_report(table(3000)))
    at_two = next(p for p in own.curve if p.kl == 2)
    # The reward itself is of that kind, so the worst case is its own curve.
    assert at_two.worst == pytest.approx(at_two.win_rate.value, abs=0.02)
    assert at_two.perfect == pytest.approx(float(theory.gold_at_kl(theory.correct(), 2)), abs=0.02)


def test_the_perfect_reward_has_no_peak_and_meets_its_bound():
    report = tail_report(table(rewards={"gold itself": GOLD}))
    own = against(report)
    assert "does not fall up to" in page(report)
    assert own.pairs.right.value == 1
    assert not own.peak.falls
    assert own.kl_limit == pytest.approx(np.log(16), abs=0.01)
    # Gold by value and gold by rank spread their KL over prompts a little differently.
    for p in own.curve:
        assert p.win_rate.value == pytest.approx(p.perfect, abs=0.02)


def test_scales_of_gold_that_differ_by_prompt_change_nothing_but_mean_gold():
    factor = np.repeat(np.exp(3 * NOISE[:300]), 16)
    shift = np.repeat(100 * NOISE[300:600], 16)
    plain = tail_report(table(), Settings(resamples=0))
    scaled = tail_report(table(gold=GOLD * factor + shift), Settings(resamples=0))
    assert against(plain).curve == against(scaled).curve
    assert against(plain).pairs == against(scaled).pairs
    assert any("different ranges" in note for note in scaled.notes)


def test_rows_in_any_order_give_the_same_report():
    order = np.random.default_rng(3).permutation(len(GOLD))
    plain = table()
    mixed = Table(
        source="made up",
        prompt=plain.prompt[order],
        rewards={"reward": plain.rewards["reward"][order]},
        gold=GOLD[order],
    )
    first, second = against(tail_report(plain)), against(tail_report(mixed))
    assert first.pairs == second.pairs
    assert first.peak.kl.value == pytest.approx(second.peak.kl.value)


def test_a_reward_and_a_noisier_one_are_told_apart_by_paired_intervals():
    rewards = {"sharp": GOLD + 0.2 * NOISE, "blunt": GOLD + 0.6 * NOISE}
    report = tail_report(table(rewards=rewards))
    assert report.difference is not None
    assert report.compared is not None
    assert report.difference.right.low is not None
    assert report.difference.right.low > 0
    expected = against(report).pairs.right.value - report.compared.pairs.right.value  # type: ignore[operator]
    assert report.difference.right.value == pytest.approx(expected)


def test_paired_intervals_are_narrower_than_unpaired_ones():
    rewards = {"one": GOLD + 0.3 * NOISE, "two": GOLD + 0.3 * NOISE + 0.01 * NOISE[::-1]}
    report = tail_report(table(rewards=rewards))
    assert report.difference is not None
    paired = report.difference.right
    single = against(report).pairs.right
    assert paired.high - paired.low < (single.high - single.low) / 2  # type: ignore[operator]


def test_unscored_responses_are_left_out_and_what_they_would_do_is_shown():
    report = tail_report(table(rewards={"reward": with_nan(GOLD, 0.3)}))
    left_out, lowest, highest = report.sensitivity
    assert report.rows.unscored > 1000
    assert left_out.right == 1
    assert lowest.right is not None
    assert lowest.right < 0.9
    assert highest.win_rate is not None
    assert left_out.win_rate is not None
    assert highest.win_rate < left_out.win_rate


def test_missing_labels_are_counted_and_left_out():
    report = tail_report(table(gold=with_nan(GOLD, 0.95)))
    assert report.rows.unlabelled > 4000
    assert report.rows.lone_prompts > 50
    assert report.rows.used_responses < 400
    assert report.spread.responses == 4800
    assert any("single usable response" in note for note in report.notes)


def test_without_gold_the_report_says_what_it_can_and_what_it_cannot():
    levels = np.round(GOLD * 3) / 3
    report = tail_report(table(gold=None, rewards={"levels": levels}))
    assert report.measured is None
    assert report.spread.kl_bound < np.log(16) - 0.5
    assert report.spread.distinct <= 4
    assert 0 < report.spread.tied_pairs < 1
    assert "cannot say whether the reward is right" in report.notes[0]
    assert "no policy on these responses" in page(report)


def test_prompts_with_one_response_are_left_out_and_counted_without_gold_too():
    prompt = np.array([0, 0, 1, 2, 2])
    report = tail_report(Table(source="x", prompt=prompt, rewards={"r": GOLD[:5]}))
    assert report.spread.prompts == 2
    assert "1 prompts with a single scored response are left out" in report.notes[1]


def test_figures_without_a_value_are_a_dash():
    nothing = Figure(value=None)
    assert {share(nothing), number(nothing), points(nothing)} == {"–"}


def test_equal_levels_bound_the_kl_by_their_number():
    reward = np.tile(np.repeat([0.0, 1.0, 2.0, 3.0], 4), 10)
    report = tail_report(
        Table(source="x", prompt=np.repeat(np.arange(10), 16), rewards={"r": reward})
    )
    assert report.spread.kl_bound == pytest.approx(np.log(4))
    assert report.spread.tied_pairs == pytest.approx(3 / 15)
    # Four of one level, of C(16, 4) groups of four: four levels.
    assert report.spread.all_tied_in_groups[0] == pytest.approx(4 / 1820)
    assert report.spread.all_tied_in_groups[1:] == (0, 0)


def test_small_groups_have_no_share_of_larger_ones():
    report = tail_report(table(10, 5, gold=None, rewards={"r": GOLD[:50]}))
    assert report.spread.all_tied_in_groups[0] == 0
    assert report.spread.all_tied_in_groups[1:] == (None, None)


def test_scoring_twice_measures_the_noise():
    first, second = GOLD + 0.1 * NOISE, GOLD + 0.1 * NOISE[::-1]
    report = tail_report(table(gold=None, rewards={"r": first}, retest=second))
    assert report.retest is not None
    assert report.retest.noise == pytest.approx(0.1, rel=0.05)
    assert report.retest.correlation == pytest.approx(1 / (1 + 0.01 * 12), abs=0.02)
    assert report.retest.same_order is not None
    assert 0.8 < report.retest.same_order < 0.95
    assert report.retest.changed_ties == 0


def test_a_reward_that_repeats_itself_exactly_has_no_noise():
    report = tail_report(table(gold=None, rewards={"r": GOLD}, retest=GOLD))
    assert report.retest is not None
    assert (report.retest.noise, report.retest.same_order) == (0, 1)


def test_a_constant_reward_scored_twice_has_no_correlation():
    report = tail_report(table(gold=None, rewards={"r": 0 * GOLD}, retest=0 * GOLD))
    assert report.retest is not None
    assert report.retest.correlation is None
    assert report.retest.same_order is None


def test_what_the_reward_pays_for_and_gold_does_not():
    length = np.exp(6 + NOISE)
    reward = GOLD + 0.3 * NOISE
    features = {"length": length, "headings": np.zeros(len(GOLD))}
    report = tail_report(table(rewards={"r": reward}, features=features))
    by_length, headings = report.dependence
    assert by_length.reward is not None
    assert by_length.reward.value == pytest.approx(0.68, abs=0.05)
    assert by_length.excess is not None
    assert by_length.excess.low is not None
    assert by_length.excess.low > 0.5
    assert headings.reward is None
    last = against(report).curve[-1]
    assert last.length.value is not None
    assert last.length.value > 1.5


def test_length_without_gold_has_no_excess():
    report = tail_report(table(gold=None, rewards={"r": GOLD}, features={"length": GOLD}))
    assert report.dependence[0].gold is None
    assert report.dependence[0].reward is not None


def test_features_of_unknown_responses_are_left_out():
    report = tail_report(table(features={"length": GOLD * np.nan}))
    assert report.dependence == ()


def test_one_prompt_has_no_intervals_and_the_report_says_so():
    report = tail_report(table(1, 4000))
    own = against(report)
    assert own.pairs.right.low is None
    assert own.peak.kl.low is None
    assert any("absent" in note for note in report.notes)


def test_a_constant_reward_says_that_it_orders_nothing():
    report = tail_report(table(rewards={"r": np.ones(len(GOLD))}))
    assert report.measured is None
    assert report.spread.all_tied == 1
    assert "orders nothing" in report.notes[0]


def test_a_reward_in_reverse_is_best_left_alone():
    own = against(tail_report(table(rewards={"r": -GOLD})))
    assert (own.peak.kl.value, own.peak.win_rate.value) == (0, 0.5)
    assert own.peak.lost.value == pytest.approx(0.5 - 1 / 32, abs=0.01)


@pytest.mark.parametrize("seed", [50, 51, 52])
def test_a_top_in_random_order_has_a_ceiling_and_no_fall(seed):
    shuffled = 0.75 + 0.25 * np.random.default_rng(seed).random(len(GOLD))
    own = against(tail_report(table(rewards={"r": np.where(GOLD > 0.75, shuffled, GOLD)})))
    assert not own.peak.falls
    assert own.peak.win_rate.value == pytest.approx(0.865, abs=0.02)


def test_a_second_reward_that_is_constant_is_not_compared():
    report = tail_report(table(rewards={"r": GOLD, "flat": np.ones(len(GOLD))}))
    assert report.compared is None
    assert report.difference is None


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"rewards": {"r": np.where(GOLD > 0.99, np.inf, GOLD)}}, "infinite"),
        ({"gold": np.where(GOLD > 0.99, -np.inf, GOLD)}, "infinite"),
        ({"rewards": {"r": GOLD * np.nan}}, "no response has a reward"),
        ({"gold": GOLD * np.nan}, "no response has a gold label"),
        ({"rewards": {"r": GOLD[:7]}}, "expected 4800 values"),
    ],
)
def test_tables_that_cannot_be_measured_are_refused(columns, problem):
    with pytest.raises(InputError, match=problem):
        table(**columns)


def test_one_response_a_prompt_is_refused():
    with pytest.raises(InputError, match="single scored response"):
        tail_report(table(300 * 16, 1))


def test_gold_that_never_meets_a_reward_twice_is_refused():
    gold = np.where(np.arange(len(GOLD)) % 16 == 0, GOLD, np.nan)
    with pytest.raises(InputError, match="both scored and labelled"):
        tail_report(table(gold=gold))


def test_gold_that_never_differs_within_a_prompt_is_refused():
    with pytest.raises(InputError, match="order nothing"):
        tail_report(table(gold=np.repeat(np.arange(300.0), 16)))


def test_a_second_scoring_of_single_responses_is_refused():
    once = np.where(np.arange(len(GOLD)) % 16 == 0, GOLD, np.nan)
    with pytest.raises(InputError, match="scored twice"):
        tail_report(table(retest=once))


def test_the_report_is_json_without_nan():
    report = tail_report(table(20, 4, features={"length": GOLD[:80]}))
    data = msgspec.json.decode(msgspec.json.encode(report))
    assert data["measured"]["peak"]["kl"]["value"] > 0
    assert b"NaN" not in msgspec.json.encode(report)


def test_the_page_loads_nothing_and_escapes_what_it_is_told():
    hostile = "<script>alert(1)</script>"
    rewards = {hostile: with_nan(proxy_of(GOLD), 0.1), "other": GOLD}
    report = tail_report(table(rewards=rewards, retest=GOLD, features={"length": GOLD}))
    html = page(report)
    assert "<script" not in html
    assert "default-src 'none'" in unescape(html)
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", html)
    for part in ("curve", "ranking", "map", "best-of-n", "groups", "surface", "unscored"):
        assert f'<section id="{part}"' in html
    assert "comparison" in html


def test_the_page_of_a_report_without_intervals_has_no_bands():
    html = page(tail_report(table(), Settings(resamples=0)))
    assert 'class="band' not in html
    assert 'class="line l0"' in html
