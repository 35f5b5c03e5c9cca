from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.reward.made import LOST, NO, YES, outcomes, rewarded
from uppertail.errors import InputError
from uppertail.reward.shaping import (
    AllOrNothing,
    Chain,
    Gate,
    GroupCentred,
    GroupRank,
    Identity,
    Saturation,
    shape_named,
)
from uppertail.score.interface import Reward
from uppertail.types import Criterion, Kind, Outcome

MERIT = Criterion(text="merit", weight=3)
RULE = Criterion(text="rule", weight=1, kind="hard_rule")
FAULT = Criterion(text="fault", weight=-1, kind="hard_rule")
UNSCORED = Reward(value=None, why="call_failed 1")
SHAPES = (
    Identity(),
    Gate(cap=0.2),
    AllOrNothing(),
    Saturation(floor=0.1),
    GroupRank(),
    GroupCentred(),
    Chain((Gate(), GroupRank())),
)
shape_ids = [shape.name for shape in SHAPES]


def numbers(*values: float | None) -> list[Reward]:
    return [UNSCORED if value is None else Reward(value=value) for value in values]


def values(rewards: tuple[Reward, ...]) -> list[float | None]:
    return [reward.value for reward in rewards]


@pytest.mark.parametrize(
    ("signs", "value", "expected"),
    [
        ("yyn", 1.0, 1.0),
        ("ynn", 0.75, 0.2),
        ("yyy", 0.75, 0.2),
        ("nyn", 0.1, 0.1),
        ("y?n", 0.75, None),
        ("yn?", 0.75, 0.2),
        ("n?n", 0.2, 0.2),
    ],
    ids=[
        "no rule is broken",
        "a hard rule is not met",
        "a fault that is a hard rule is met",
        "a reward below the cap stays",
        "an undecided rule leaves the reward open",
        "another rule is broken for certain",
        "an undecided rule cannot change a reward at the cap",
    ],
)
def test_a_gate_caps_what_breaks_a_hard_rule(signs, value, expected):
    reward = replace(rewarded((MERIT, RULE, FAULT), outcomes("yyn")), value=value)
    broken = rewarded((MERIT, RULE, FAULT), outcomes(signs), min_answered=0.1)
    (shaped,) = Gate(cap=0.2)([replace(reward, judged=broken.judged)], ["g"])
    assert shaped.value == expected
    assert bool(shaped.why) == (expected is None)


@pytest.mark.parametrize(
    ("signs", "expected"), [("yyn", 1.0), ("ynn", 0.0), ("yy?", None), ("n?n", 0.0), ("yyy", 0.0)]
)
def test_all_or_nothing_gives_one_only_where_everything_is_fulfilled(signs, expected):
    reward = rewarded((MERIT, RULE, FAULT), outcomes(signs), min_answered=0.1)
    (shaped,) = AllOrNothing()([reward], ["g"])
    assert shaped.value == expected
    assert bool(shaped.why) == (expected is None)


def test_all_or_nothing_leaves_a_reward_alone_that_no_rubric_decided():
    assert values(AllOrNothing()(numbers(0.4), ["g"])) == [0.4]


def test_saturation_gives_a_criterion_that_all_meet_only_the_floor_of_its_weight():
    both = (Criterion(text="all meet it"), Criterion(text="half meet it"))
    group = [rewarded(both, outcomes(signs)) for signs in ("yy", "yn")]
    shaped = Saturation(floor=0.1)(group, ["g", "g"])
    assert values(shaped) == pytest.approx([1.0, 0.1 / 1.1])


def test_saturation_looks_at_each_group_alone():
    both = (Criterion(text="a"), Criterion(text="b"))
    group = [rewarded(both, outcomes(signs)) for signs in ("yn", "yn", "nn", "yn")]
    shaped = Saturation(floor=0.5)(group, ["g", "h", "g", "h"])
    # In g criterion a has all of its weight and b half of it; in h both have half.
    assert values(shaped) == pytest.approx([1 / 1.5, 0.5, 0.0, 0.5])


def test_saturation_counts_an_undecided_criterion_as_what_is_worse():
    both = (Criterion(text="merit"), Criterion(text="fault", weight=-1.0))
    decided = [rewarded(both, outcomes(signs)) for signs in ("ny", "yn")]
    open_ = [rewarded(both, (LOST, LOST), min_answered=0.01), decided[1]]
    open_[0] = replace(open_[0], value=0.0)  # a score that exists for all that was answered
    assert values(Saturation()(open_, "gg")) == values(Saturation()(decided, "gg"))


def test_saturation_leaves_alone_what_no_rubric_decided():
    assert values(Saturation()(numbers(0.3, None), ["g", "g"])) == [0.3, None]


def test_ranks_are_the_share_of_others_that_are_worse_ties_half():
    shaped = GroupRank()(numbers(0.1, 5.0, 5.0, None, 9.0), ["g"] * 5)
    assert values(shaped) == pytest.approx([0.0, 0.5, 0.5, None, 1.0])


def test_centred_rewards_are_distances_from_the_mean_of_their_group():
    shaped = GroupCentred()(numbers(1.0, 3.0, 10.0, 20.0, None), ["g", "g", "h", "h", "h"])
    assert values(shaped) == [-1.0, 1.0, -5.0, 5.0, None]


@pytest.mark.parametrize("shape", [GroupRank(), GroupCentred()])
def test_a_rollout_with_nothing_to_be_compared_with_is_unscored(shape):
    shaped = shape(numbers(0.7, None, None), ["g", "g", "h"])
    assert values(shaped) == [None, None, None]
    assert shaped[0].why == "no other rollout of its group is scored"


def test_a_chain_applies_its_shapes_in_order():
    group = [rewarded((MERIT, RULE), outcomes(signs)) for signs in ("yn", "ny")]
    assert values(Chain((Gate(), GroupRank()))(group, ["g", "g"])) == [0.0, 1.0]


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("identity", Identity()),
        ("gate", Gate()),
        ("gate=0.25", Gate(cap=0.25)),
        ("all-or-nothing", AllOrNothing()),
        ("saturation", Saturation()),
        ("saturation=0.5", Saturation(floor=0.5)),
        ("rank", GroupRank()),
        ("gate=0, centred", Chain((Gate(), GroupCentred()))),
    ],
)
def test_a_shape_is_found_by_its_name(text, shape):
    assert shape_named(text) == shape
    assert shape_named(shape.name) == shape


@pytest.mark.parametrize(
    "text",
    ["", "gates", "rank=3", "gate=high", "gate=nan", "saturation=0", "saturation=2", "gate,,rank"],
)
def test_a_name_that_means_nothing_is_refused(text):
    with pytest.raises(InputError, match="expected"):
        shape_named(text)


outcome: st.SearchStrategy[Outcome] = st.sampled_from((YES, NO, LOST))
weights = st.lists(st.sampled_from((-2.0, -1.0, 1.0, 3.0)), min_size=1, max_size=4).filter(
    lambda found: max(found) > 0
)


@st.composite
def groups(draw: st.DrawFn) -> tuple[list[Criterion], list[list[Outcome]]]:
    kinds: st.SearchStrategy[Kind] = st.sampled_from(("principle", "hard_rule"))
    criteria = [
        Criterion(text=f"c{i}", weight=w, kind=draw(kinds)) for i, w in enumerate(draw(weights))
    ]
    sheet = st.lists(outcome, min_size=len(criteria), max_size=len(criteria))
    return criteria, draw(st.lists(sheet, min_size=1, max_size=4))


@pytest.mark.parametrize("shape", SHAPES, ids=shape_ids)
@given(group=groups(), min_answered=st.sampled_from((0.01, 0.5, 1.0)))
def test_what_is_unscored_stays_unscored(shape, group, min_answered):
    criteria, sheets = group
    rewards = [rewarded(criteria, sheet, min_answered=min_answered) for sheet in sheets]
    shaped = shape(rewards, ["g"] * len(rewards))
    assert len(shaped) == len(rewards)
    for before, after in zip(rewards, shaped, strict=True):
        assert before.value is not None or after.value is None
        assert after.value is not None or after.why


@pytest.mark.parametrize("shape", SHAPES, ids=shape_ids)
@given(group=groups(), min_answered=st.sampled_from((0.01, 0.5, 1.0)))
def test_no_failure_raises_a_reward(shape, group, min_answered):
    """Whatever the lost outcomes of a rollout would have been, it would not have earned less."""
    criteria, sheets = group
    first, *others = sheets

    def value_of(sheet: list[Outcome]) -> float | None:
        rewards = [rewarded(criteria, one, min_answered=min_answered) for one in (sheet, *others)]
        return shape(rewards, ["g"] * len(rewards))[0].value

    with_failures = value_of(first)
    if with_failures is None:
        return
    choices = [(YES, NO) if one is LOST else (one,) for one in first]
    for resolved in product(*choices):
        without = value_of(list(resolved))
        assert without is not None
        assert with_failures <= without + 1e-12


@pytest.mark.parametrize("shape", [GroupRank(), GroupCentred(), Saturation()])
@given(group=groups(), seed=st.randoms(use_true_random=False))
def test_the_order_of_rollouts_changes_nothing(shape, group, seed):
    criteria, sheets = group
    rewards = [rewarded(criteria, sheet, min_answered=0.01) for sheet in sheets]
    order = list(range(len(rewards)))
    seed.shuffle(order)
    straight = shape(rewards, ["g"] * len(rewards))
    mixed = shape([rewards[i] for i in order], ["g"] * len(rewards))
    assert [mixed[order.index(i)].value for i in range(len(order))] == pytest.approx(
        [reward.value for reward in straight]
    )
