from __future__ import annotations

from dataclasses import replace
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uppertail.errors import InputError
from uppertail.sample.duplicates import mark_duplicates
from uppertail.world import DIVERSE, GOOD, GREAT, HACKER, HIGH, LOW, Policy, World
from uppertail.world.chance import logistic
from uppertail.world.lexicon import SENTENCES, STYLES
from uppertail.world.nature import plot_number

WORLD = World(seed=3)


def mean_gold(policy: Policy, prompts: int = 60) -> float:
    return fmean(WORLD.gold(n, WORLD.respond(n, policy).text) for n in range(prompts))


def test_equal_worlds_hold_equal_prompts_responses_and_truths():
    assert World(seed=3).pool(7, DIVERSE) == World(seed=3).pool(7, DIVERSE)
    assert World(seed=3).truth(7) == WORLD.truth(7)


def test_other_seeds_prompts_and_samples_give_other_responses():
    texts = {
        World(seed=seed).respond(number, GREAT, sample).text
        for seed in (0, 1)
        for number in (0, 1)
        for sample in (0, 1)
    }
    assert len(texts) == 8


def test_a_prompt_says_its_number():
    assert plot_number(WORLD.prompt(123).text) == 123
    assert plot_number("Write a poem.") is None


@pytest.mark.parametrize("number", [0, 5])
def test_gold_is_the_weight_of_what_the_text_has(number):
    truth, text = WORLD.truth(number), WORLD.respond(number, GREAT).text
    has = [quality.name in text for quality in WORLD.qualities]
    expected = sum(w for w, h in zip(truth.weights, has, strict=True) if h) / sum(truth.weights)
    assert WORLD.gold(number, text) == pytest.approx(expected)
    assert 0 < expected < 1


def test_gold_runs_from_nothing_to_everything():
    everything = " ".join(SENTENCES[0].format(quality.name) for quality in WORLD.qualities)
    assert WORLD.gold(0, "") == 0
    assert WORLD.gold(0, everything) == 1


def test_weights_are_one_to_three_and_difficulties_spread_as_set():
    truths = [WORLD.truth(number) for number in range(50)]
    assert {w for truth in truths for w in truth.weights} == {1, 2, 3}
    squares = [d * d for truth in truths for d in truth.difficulties]
    assert fmean(squares) == pytest.approx(4.0, rel=0.15)


def test_abler_policies_write_better_responses():
    golds = [mean_gold(policy) for policy in (LOW, GOOD, HIGH, GREAT)]
    assert golds == sorted(golds)


def test_biased_policies_differ_in_what_they_are_good_at():
    plain = Policy(name="same", ability=1.5)
    biased = replace(plain, spread=3.0)
    texts = {WORLD.respond(0, policy).text for policy in (plain, biased)}
    assert len(texts) == 2


@pytest.mark.parametrize(
    "changed",
    [
        replace(GREAT, style=0.9),
        replace(GREAT, style_follows_quality=2.0),
        replace(GREAT, padding=1.0),
    ],
    ids=["style", "style after quality", "padding"],
)
def test_a_knob_of_form_leaves_quality_alone(changed):
    for number in range(5):
        plain, formed = WORLD.respond(number, GREAT), WORLD.respond(number, changed)
        assert WORLD.gold(number, plain.text) == WORLD.gold(number, formed.text)


def styles_by_half(policy: Policy, prompts: int = 200) -> tuple[float, float]:
    """Return the mean number of styles in the worse and in the better half of responses."""
    seen = []
    for number in range(prompts):
        text = WORLD.respond(number, policy).text
        others = fmean(WORLD.gold(number, WORLD.respond(number, policy, k).text) for k in (1, 2, 3))
        seen.append((WORLD.gold(number, text) - others, sum(s.in_text(text) for s in STYLES)))
    seen.sort()
    half = prompts // 2
    return fmean(n for _, n in seen[:half]), fmean(n for _, n in seen[half:])


def test_style_says_nothing_of_quality_unless_it_is_told_to():
    worse, better = styles_by_half(GREAT)
    assert abs(better - worse) < 0.5
    worse, better = styles_by_half(replace(GREAT, style_follows_quality=3.0))
    assert better - worse > 1.0


def test_a_hacking_policy_has_more_style_and_length_and_less_quality():
    assert mean_gold(HACKER) < mean_gold(HIGH)
    honest, hacked = WORLD.respond(0, HIGH).text, WORLD.respond(0, HACKER).text
    assert len(hacked.split()) > 1.6 * len(honest.split())
    assert styles_by_half(HACKER)[0] > styles_by_half(HIGH)[1] + 1


def test_near_duplicates_are_found_as_such_and_only_where_asked_for():
    clean = WORLD.pool(0, [GREAT], per_policy=8)
    copied = WORLD.pool(0, [replace(GREAT, near_duplicates=1.0)], per_policy=8)
    assert not any(r.duplicate_of for r in mark_duplicates(clean.responses))
    assert sum(r.duplicate_of is not None for r in mark_duplicates(copied.responses)) >= 4
    assert len({r.text for r in copied.responses}) > 1


def test_length_says_nothing_of_quality():
    able, unable = (len(WORLD.respond(0, policy).text.split()) for policy in (GREAT, LOW))
    assert able == pytest.approx(unable, rel=0.1)


def test_a_pool_holds_each_policy_in_order_and_labels_on_request():
    pool = WORLD.pool(4, [GOOD, GREAT], per_policy=2, labelled=True)
    assert [r.id for r in pool.responses] == ["good#0", "good#1", "great#0", "great#1"]
    assert pool.prompt == WORLD.prompt(4)
    assert [r.label for r in pool.responses] == [WORLD.gold(4, r.text) for r in pool.responses]
    assert WORLD.pool(4, [GOOD]).responses[0].label is None


def test_a_world_may_have_fewer_qualities():
    small = World(num_qualities=5)
    assert len(small.truth(0).weights) == 5
    assert small.gold(0, small.respond(0, GREAT).text) <= 1


@pytest.mark.parametrize("number", [1, 101])
def test_a_world_that_cannot_be_is_refused(number):
    with pytest.raises(InputError, match="num_qualities"):
        World(num_qualities=number)


@pytest.mark.parametrize(
    "wrong", [{"style": 0.0}, {"style": 1.0}, {"padding": 1.5}, {"near_duplicates": -0.1}]
)
def test_a_chance_that_is_none_is_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        Policy(name="p", **wrong)


@given(st.floats(-700, 700))
def test_the_logistic_curve_is_a_chance_and_symmetric(x):
    assert 0 <= logistic(x) <= 1
    assert logistic(x) + logistic(-x) == pytest.approx(1)
