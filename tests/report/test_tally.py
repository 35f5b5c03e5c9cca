from dataclasses import replace

import pytest

from tests.report.synthetic import (
    FINAL_APART,
    FINAL_TIED,
    POOL,
    apart,
    none,
    refinement,
    rounds,
    rubric,
    run,
    scored,
    tied,
)
from uppertail.refine.result import Loss, Refinement, Status
from uppertail.report.aggregate import Standing
from uppertail.report.tally import MOST_REASONS, OTHER, Tally
from uppertail.types import Why

APART, TIED, NOWHERE = Standing.SEPARATED, Standing.TIED, Standing.UNDECIDED


def fed(*refinements: Refinement) -> Tally:
    tally = Tally()
    for result in refinements:
        tally.add(POOL, result)
    return tally


def test_an_empty_tally_claims_nothing():
    tally = Tally()

    assert (tally.prompts, tally.unscored_share, tally.pairs) == (0, 0.0, 0)
    assert tally.tied_change is None
    assert tally.flows() == ()


def test_every_prompt_is_in_every_flow_also_where_it_had_fewer_rounds():
    tally = fed(
        refinement(rubric("a"), rounds=rounds(tied, apart, apart), scored=FINAL_APART),
        refinement(rubric("a"), rounds=rounds(tied), scored=FINAL_TIED),
        refinement(rubric("a"), scored=FINAL_APART),
        refinement(),
    )
    flows = tally.flows()

    assert [sum(flow.values()) for flow in flows] == [4, 4, 4]
    assert flows[0] == {(TIED, APART): 1, (TIED, NOWHERE): 1, (NOWHERE, NOWHERE): 2}
    assert flows[-1] == {
        (APART, APART): 1,
        (NOWHERE, TIED): 1,
        (NOWHERE, APART): 1,
        (NOWHERE, NOWHERE): 1,
    }


def test_flows_agree_with_the_figures_of_each_step():
    tally = Tally()
    for pool, result in run(60, words=10):
        tally.add(pool, result)

    for flow, before, after in zip(
        tally.flows(), tally.rounds, [*tally.rounds[1:], tally.final], strict=True
    ):
        assert sum(n for (a, _), n in flow.items() if a is TIED) == before.tied
        assert sum(n for (_, b), n in flow.items() if b is APART) == after.separated
        assert sum(flow.values()) == tally.prompts


def test_the_change_compares_only_prompts_that_are_decided_at_both_ends():
    tally = fed(
        refinement(rubric("a"), rounds=rounds(tied), scored=FINAL_APART),
        refinement(rubric("a"), rounds=rounds(tied), scored=FINAL_APART),
        refinement(rubric("a"), rounds=rounds(apart), scored=FINAL_TIED),
        refinement(rubric("a"), rounds=rounds(none), scored=FINAL_APART),
    )

    assert tally.pairs == 3
    assert tally.tied_change is not None
    assert tally.tied_change.value == pytest.approx(-1 / 3)
    assert tally.outcomes == {1: {"skipped": 4}}


def test_unscored_responses_are_counted_and_those_without_a_rubric_set_apart():
    partly = scored({"r0": (0.9, "y"), "r1": (None, "?")})
    tally = fed(refinement(rubric("a"), scored=partly), refinement(), refinement(rubric("a")))

    assert (tally.responses, tally.unscored, tally.no_rubric) == (4, 3, 2)
    assert tally.unscored_share == 0.75
    assert tally.unscored_verdicts == {Why.MISSING: 1}
    assert tally.verdicts == 2


def test_criteria_are_counted_by_pass_rate_and_by_where_they_come_from():
    rows = scored({"r0": (0.9, "yyn?"), "r1": (0.2, "yyn?")})
    split = scored({"r0": (0.9, "y"), "r1": (0.9, "n")})
    tally = fed(
        refinement(rubric("a"), rubric("a", "b", "c", "d"), scored=rows),
        refinement(rubric("e"), scored=split),
    )
    found = tally.criteria

    assert (found.total, found.met_by_all, found.met_by_none, found.undecided) == (5, 2, 1, 1)
    assert (found.kept[-1], found.added[-1], found.added[0], sum(found.kept)) == (1, 1, 1, 2)
    assert (found.share_all, found.share_none, found.prompts) == (0.5, 0.25, 2)
    assert [row.stats.criterion.text for row in found.splitting] == ["e"]
    assert {row.stats.criterion.text for row in found.saturated} == {"a", "b"}
    assert (tally.sizes_before, tally.sizes_after) == ({1: 2}, {4: 1, 1: 1})


def test_losses_are_counted_by_stage_and_reason_in_bounded_room():
    losses = tuple(Loss(stage="propose", round=1, why=f"reason {i}") for i in range(MOST_REASONS))
    more = (*losses, *losses, Loss(stage="verify", round=1, why="a later reason"))
    tally = fed(replace(refinement(rubric("a")), status=Status.PARTIAL, losses=more))

    assert tally.losses["propose", "reason 0"] == 2
    assert tally.losses["verify", OTHER] == 1
    assert len(tally.losses) == MOST_REASONS + 1
    assert tally.statuses == {Status.PARTIAL: 1}


def test_the_same_prompts_give_the_same_tally():
    one, other = Tally(), Tally()
    for pool, result in run(25, words=10):
        one.add(pool, result)
    for pool, result in run(25, words=10):
        other.add(pool, result)

    assert one.flows() == other.flows()
    assert one.rounds == other.rounds
    assert [row.prompt_id for row in one.criteria.splitting] == [
        row.prompt_id for row in other.criteria.splitting
    ]
