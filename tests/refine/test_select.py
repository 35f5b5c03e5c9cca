"""Which responses take part and which two are contrasted."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.refine.fakes import pool
from uppertail.errors import InputError
from uppertail.refine.select import candidates
from uppertail.refine.select import choose_pair as choose
from uppertail.refine.settings import Settings
from uppertail.types import Pool, Response

FIVE = pool("a b c", "a b d", "x y z", "a b c d", "q")


def choose_pair(*arguments, **options):
    """The pair, where a test knows that there is one."""
    pair = choose(*arguments, **options)
    assert pair is not None
    return pair


def ids(responses):
    return [response.id for response in responses]


def test_a_small_pool_takes_part_whole():
    assert candidates(FIVE, Settings(pool_size=5)) == FIVE.responses
    assert candidates(FIVE, Settings(pool_size=None)) == FIVE.responses


def test_a_large_pool_is_a_seeded_draw_and_not_its_first_members():
    draws = {tuple(ids(candidates(FIVE, Settings(pool_size=2, seed=s)))) for s in range(30)}
    assert len(draws) > 5
    assert all(list(d) == sorted(d) for d in draws), "the pool's order is kept"


def test_sources_and_duplicates_narrow_the_pool():
    assert ids(candidates(FIVE, Settings(sources=("m1", "m3")))) == ["r1", "r3"]
    twin = Response(id="r9", text="a b c", duplicate_of="r0")
    doubled = Pool(prompt=FIVE.prompt, responses=(*FIVE.responses, twin))
    assert "r9" not in ids(candidates(doubled, Settings(skip_duplicates=True)))
    assert "r9" in ids(candidates(doubled, Settings()))


def test_the_better_response_comes_first():
    pair = choose_pair(
        FIVE.responses, {"r0": 0.1, "r1": 0.9, "r2": 0.5}, prefer="top", random=Random(0)
    )
    assert ids(pair) == ["r1", "r2"]


def test_a_tie_is_broken_by_the_seed_and_not_by_position():
    scores = dict.fromkeys(ids(FIVE.responses), 1.0)
    firsts = {
        choose_pair(FIVE.responses, scores, prefer="top", random=Random(s))[0].id for s in range(60)
    }
    assert firsts == set(scores)


def test_tied_prefers_a_tie_below_the_top_and_falls_back_to_the_top():
    scores = {"r0": 0.9, "r1": 0.5, "r2": 0.5, "r3": 0.1}
    pair = choose_pair(FIVE.responses, scores, prefer="tied", random=Random(0))
    assert set(ids(pair)) == {"r1", "r2"}
    scores["r2"] = 0.4
    assert ids(choose_pair(FIVE.responses, scores, prefer="tied", random=Random(0))) == ["r0", "r1"]


def test_different_takes_the_least_alike_of_the_pairs_with_the_two_best_scores():
    tied = {"r0": 1.0, "r1": 1.0, "r2": 1.0, "r3": 0.2}
    pair = choose_pair(FIVE.responses, tied, prefer="different", random=Random(3))
    assert "r2" in ids(pair)
    below = {"r3": 1.0, "r0": 0.5, "r2": 0.5, "r4": 0.1}
    assert ids(choose_pair(FIVE.responses, below, prefer="different", random=Random(3))) == [
        "r3",
        "r2",
    ]


@pytest.mark.parametrize("scores", [{}, {"r0": 1.0}])
def test_fewer_than_two_scored_responses_make_no_pair(scores):
    assert choose(FIVE.responses, scores, prefer="top", random=Random(0)) is None


@given(
    st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=2, max_size=5),
    st.sampled_from(["top", "tied", "different"]),
    st.integers(),
)
def test_a_pair_is_two_scored_responses_best_first(values, prefer, seed):
    scores = {f"r{i}": value for i, value in enumerate(values)}
    first, second = choose_pair(FIVE.responses, scores, prefer=prefer, random=Random(seed))
    assert first.id != second.id
    assert scores[first.id] >= scores[second.id]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rounds": -1}, "rounds"),
        ({"pool_size": 1}, "pool size"),
        ({"min_answered": 0.0}, "min answered"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Settings(**settings)
