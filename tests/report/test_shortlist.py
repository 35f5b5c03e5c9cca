from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report.synthetic import (
    FINAL_APART,
    FINAL_TIED,
    apart,
    none,
    refinement,
    rounds,
    rubric,
    run,
    tied,
)
from uppertail.refine.result import Loss, Status
from uppertail.report.best import Best
from uppertail.report.shortlist import GROUPS, MOST_PROMPTS, Interest, Shortlist, interest

LOSS = Loss(stage="propose", round=1, why="x")


@pytest.mark.parametrize(
    ("result", "group"),
    [
        pytest.param(replace(refinement(), status=Status.FAILED), "failed", id="no rubric"),
        pytest.param(
            replace(
                refinement(rubric("a"), scored=FINAL_TIED), status=Status.PARTIAL, losses=(LOSS,)
            ),
            "partial",
            id="a loss comes before a tie",
        ),
        pytest.param(
            refinement(rubric("a"), rounds=rounds(apart), scored=FINAL_TIED),
            "regressed",
            id="got tied",
        ),
        pytest.param(
            refinement(rubric("a"), rounds=rounds(tied), scored=FINAL_TIED),
            "tied",
            id="stayed tied",
        ),
        pytest.param(
            refinement(rubric("a"), rounds=rounds(none), scored=FINAL_TIED),
            "tied",
            id="tied at the end",
        ),
        pytest.param(
            refinement(rubric("a"), rounds=rounds(tied), scored=FINAL_APART),
            "gained",
            id="separated",
        ),
        pytest.param(
            refinement(rubric("a"), rounds=rounds(apart), scored=FINAL_APART),
            "sample",
            id="stayed apart",
        ),
        pytest.param(
            refinement(rubric("a"), rounds=rounds(apart)), "sample", id="not scored at the end"
        ),
    ],
)
def test_a_prompt_belongs_to_the_most_interesting_group(result, group):
    assert interest(result).group == group


def test_gaps_are_known_only_where_two_scores_are():
    about = interest(refinement(rubric("a"), rounds=rounds(none), scored=FINAL_TIED))

    assert (about.before, about.after) == (None, 0.0)


@given(st.lists(st.integers(0, 50), unique=True, max_size=12), st.integers(1, 5))
def test_the_best_are_kept_whatever_the_order(numbers, room):
    best: Best[int] = Best(room)
    for number in numbers:
        key = (float(number), "", number)
        wanted = best.wants(key)
        best.put(key, number)
        assert (number in set(best)) == wanted

    assert list(best) == sorted(numbers, reverse=True)[:room]


def test_the_choice_is_bounded_and_details_are_built_only_where_wanted():
    built = []

    def build(about: Interest) -> str:
        built.append(about)
        return "x" * 10

    shortlist: Shortlist[str] = Shortlist(seed=1)
    for position, (_, result) in enumerate(run(300, words=10, rounds=1), start=1):
        shortlist.offer(position, result, build)
    chosen = shortlist.choose(room=10_000, size=len)
    order = [list(GROUPS).index(c.interest.group) for c in chosen]

    assert len(chosen) == MOST_PROMPTS
    assert order == sorted(order)
    assert len(built) < 250
    assert len({c.position for c in chosen}) == MOST_PROMPTS


def test_little_room_is_shared_among_the_groups():
    shortlist: Shortlist[str] = Shortlist(seed=1)
    for position, (_, result) in enumerate(run(200, words=10, rounds=1), start=1):
        shortlist.offer(position, result, lambda _: "x" * 10)
    chosen = shortlist.choose(room=65, size=len)

    assert len(chosen) == 6
    assert len({c.interest.group for c in chosen}) >= 5


def test_the_choice_does_not_depend_on_the_order_of_offers():
    results = [(i, result) for i, (_, result) in enumerate(run(4, words=10, rounds=1), start=1)]
    choices = set()
    for order in permutations(results):
        shortlist: Shortlist[str] = Shortlist(seed=3)
        for position, result in order:
            shortlist.offer(position, result, lambda _: "x")
        choices.add(tuple(c.position for c in shortlist.choose(room=2, size=len)))

    assert len(choices) == 1
