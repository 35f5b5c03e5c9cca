"""One reward against gold: checked by hand, by brute force and against the theory."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from tests.evaluate.tail.samples import proxy_of
from uppertail import theory
from uppertail.evaluate.tail.curves import MAP_BINS, STRENGTHS
from uppertail.evaluate.tail.groups import Groups, group
from uppertail.evaluate.tail.measure import (
    KLS,
    Estimates,
    Sums,
    estimate,
    measure,
    perfect_win_rates,
    typical_spread,
    weightings,
)
from uppertail.evaluate.tail.pairs import BLOCK, LADDER, TOPS
from uppertail.evaluate.tail.table import Ints


def measured(prompt: Any, reward: Any, gold: Any, **options: Any) -> tuple[Groups, Sums, Estimates]:
    groups = group(np.asarray(prompt), np.ones(len(prompt), dtype=bool))
    sums = measure(groups, np.asarray(reward, float), np.asarray(gold, float), **options)
    return groups, sums, estimate(sums, np.ones((1, groups.bundles)))


def ragged(seed: int = 0) -> tuple[Ints, Ints, Ints]:
    draw = np.random.default_rng(seed)
    prompt = np.repeat(np.arange(6), [2, 3, 5, 5, 7, 9])
    return prompt, draw.integers(0, 4, len(prompt)), draw.integers(0, 5, len(prompt))


def test_pairs_are_counted_as_by_brute_force():
    prompt, reward, gold = ragged()
    _, sums, _ = measured(prompt, reward, gold)
    expected = np.zeros((len(TOPS), 3))
    for p in range(6):
        rows = np.flatnonzero(prompt == p)
        own = gold[rows]
        q = [((own < g).sum() + (own <= g).sum()) / (2 * len(own)) for g in own]
        for (i, a), (j, b) in combinations(enumerate(rows), 2):
            if gold[a] != gold[b]:
                right = np.sign(int(reward[a]) - int(reward[b])) * np.sign(
                    int(gold[a]) - int(gold[b])
                )
                for at, top in enumerate(TOPS):
                    expected[at, 1 - right] += min(q[i], q[j]) >= 1 - top
    assert sums.pairs.tops.sum(axis=0).tolist() == expected.tolist()
    assert sums.pairs.bins.sum(axis=(0, 1)).tolist() == expected[0].tolist()


def test_the_curve_is_the_mean_of_the_tilts_of_each_prompt():
    prompt, reward, gold = ragged()
    groups, sums, _ = measured(prompt, reward, gold)
    scale = typical_spread(groups, reward.astype(float))
    laws = [theory.from_samples(reward[prompt == p], gold[prompt == p]) for p in range(6)]
    for at in (0, 20, 40):
        tilted = [theory.tilt(law, STRENGTHS[at] / scale) for law in laws]
        assert sums.curves.kl[:, at].sum() == pytest.approx(sum(t.kl for t in tilted), abs=1e-6)
        assert sums.curves.win_rate[:, at].sum() == pytest.approx(sum(t.gold for t in tilted))


def test_best_of_n_is_the_mean_of_the_estimators_of_each_prompt():
    prompt, reward, gold = ragged()
    _, sums, estimates = measured(prompt, reward, gold)
    at = LADDER.index(4)
    large = [p for p in range(6) if (prompt == p).sum() > 4]
    own = [(reward[prompt == p], gold[prompt == p]) for p in large]
    wins = [theory.win_rate_best_of_n(theory.compare(r, g), 4) for r, g in own]
    golds = [theory.mean_best_of_n(r, g, 4) for r, g in own]
    perfect = [theory.mean_best_of_n(g, g, 4) for _, g in own]
    assert sums.pairs.prompts[:, at].sum() == len(large)
    assert estimates.best_wins[0, at] == pytest.approx(np.mean(wins))
    assert estimates.best_gold[0, at] == pytest.approx(np.mean(golds))
    assert estimates.perfect_gold[0, at] == pytest.approx(np.mean(perfect))


def test_the_map_shares_tied_responses_out_over_the_steps_they_cover():
    _, _, estimates = measured([0, 0, 0, 0], [1, 2, 2, 3], [1, 4, 2, 3])
    steps = np.array([1 / 8, 5 / 8, 5 / 8, 5 / 8])  # gold quantiles 7/8 and 3/8 share the middle
    assert estimates.map[0] == pytest.approx(np.repeat(steps, MAP_BINS // 4))


def test_a_map_of_more_bins_than_responses_is_a_staircase():
    _, _, estimates = measured([0, 0, 0], [1, 2, 3], [1, 2, 3])
    assert estimates.map[0].mean() == pytest.approx(0.5)
    assert estimates.map[0, 6] == pytest.approx((1 / 6 * (1 / 3 - 0.3) + 0.5 * (0.35 - 1 / 3)) * 20)


@pytest.mark.parametrize(("prompts", "size"), [(1, 200_000), (400, 250)])
def test_many_samples_give_the_curve_of_the_theory(prompts, size):
    gold = np.random.default_rng(1).random(prompts * size)
    prompt = np.repeat(np.arange(prompts), size)
    _, _, estimates = measured(prompt, proxy_of(gold), gold)
    law = theory.top_wrong(0.25)
    peak = theory.peak(law)
    assert peak is not None
    upto = KLS.index(3.0)
    exact = theory.gold_at_kl(law, KLS[:upto])
    assert estimates.win_rate[0, :upto] == pytest.approx(exact, abs=0.006)
    assert estimates.peak_kl[0] == pytest.approx(peak.kl, rel=0.04)
    assert estimates.peak_win_rate[0] == pytest.approx(peak.gold, abs=0.006)
    best = [theory.best_of_n(law, n) for n in LADDER[:6]]
    assert estimates.best_wins[0, :6] == pytest.approx(best, abs=0.01)


def test_a_large_prompt_is_cut_into_blocks_that_keep_the_estimates():
    gold = np.random.default_rng(2).random(3 * BLOCK + 5)
    reward = gold + np.random.default_rng(3).normal(0, 0.3, len(gold))
    _, sums, estimates = measured(np.zeros(len(gold), dtype=int), reward, gold)
    width = len(gold) // 4
    assert sums.pairs.counts.sum() == 4 * width * (width - 1) / 2
    whole = np.sign(np.subtract.outer(reward, reward)) * np.sign(np.subtract.outer(gold, gold)) > 0
    share = whole.sum() / (len(gold) * (len(gold) - 1))
    assert estimates.tops[0, 0, 0] == pytest.approx(share, abs=0.02)


def test_gold_as_its_own_reward_is_never_beaten():
    prompt, reward, gold = ragged(4)
    groups, _, estimates = measured(prompt, reward, gold)
    quantile = np.full(len(gold), np.nan)
    for p in range(6):
        own = gold[prompt == p]
        quantile[prompt == p] = [((own < g).sum() + (own <= g).sum()) / (2 * len(own)) for g in own]
    perfect = perfect_win_rates(groups, quantile)
    both = np.isfinite(perfect) & np.isfinite(estimates.win_rate[0])
    assert both.any()
    assert (perfect[both] >= estimates.win_rate[0][both] - 1e-3).all()


def test_lengths_follow_the_tilt():
    gold = np.random.default_rng(5).random(160)
    _, _, estimates = measured(np.repeat(np.arange(10), 16), gold, gold, length=100 + 100 * gold)
    assert estimates.length[0, 0] < estimates.length[0, KLS.index(1.0)] < 2


def test_a_constant_reward_is_refused():
    with pytest.raises(ValueError, match="constant"):
        measured([0, 0], [1, 1], [0, 1])


def test_resamples_are_seeded_and_weigh_as_many_prompts_as_there_are():
    weights = weightings(7, resamples=5, seed=3)
    assert weights.tolist() == weightings(7, resamples=5, seed=3).tolist()
    assert weights.sum(axis=1).tolist() == [7] * 6
    assert (weights[0] == 1).all()


def test_bands_cover_the_truth_about_as_often_as_they_say():
    law, covered = theory.top_wrong(0.25), 0
    true = [theory.best_of_n(law, 4)]
    for seed in range(60):
        gold = np.random.default_rng(100 + seed).random(80 * 8)
        groups = group(np.repeat(np.arange(80), 8), np.ones(640, dtype=bool))
        sums = measure(groups, proxy_of(gold), gold)
        draws = estimate(sums, weightings(80, resamples=200, seed=seed)).best_wins[1:, 2]
        low, high = np.percentile(draws, [2.5, 97.5])
        covered += low <= true[0] <= high
    assert covered >= 51
