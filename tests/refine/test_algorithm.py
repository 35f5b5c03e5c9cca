"""Algorithm 1 for one prompt: what it keeps, what it asks for, and what it never loses."""

import pytest

from tests.refine.fakes import WordProposer, WordVerifier, pool
from uppertail.errors import BudgetExhausted, CallFailed, ReplyUnreadable
from uppertail.refine.algorithm import refine
from uppertail.refine.result import Status
from uppertail.refine.settings import Acceptance, Settings
from uppertail.types import Criterion, Rubric

FRUIT = pool("fruit apple pear", "fruit apple", "fruit plum", "nothing")


async def run(candidates, *, proposer=None, verifier=None, start=None, **settings):
    return await refine(
        candidates,
        proposer=proposer or WordProposer(),
        verifier=verifier or WordVerifier(),
        settings=Settings(**settings),
        start=start,
    )


async def test_each_round_scores_every_candidate_and_contrasts_the_two_best():
    proposer, verifier = WordProposer(), WordVerifier()
    result = await run(FRUIT, proposer=proposer, verifier=verifier, rounds=2)
    assert result.status is Status.DONE
    assert [r.outcome for r in result.rounds] == ["accepted", "accepted"]
    assert len(verifier.calls) == 4 * 3
    for round_ in result.rounds:
        values = {rid: s.value for rid, s in round_.scores.items()}
        worst_of_pair = min(values[rid] for rid in round_.pair)
        assert all(values[rid] <= worst_of_pair for rid in values if rid not in round_.pair)


async def test_the_lineage_leads_from_the_final_rubric_back_to_the_initial_one():
    result = await run(FRUIT, rounds=3)
    assert [r.lineage.round for r in result.rubrics] == [0, 1, 2, 3]
    for parent, child in zip(result.rubrics, result.rubrics[1:], strict=False):
        assert child.lineage.parent == parent.id


async def test_no_rounds_keep_the_initial_rubric_and_score_with_it():
    result = await run(FRUIT, rounds=0)
    assert result.final is not None
    assert result.final.lineage.round == 0
    assert [s.score.value for s in result.scored] == [1.0, 1.0, 1.0, 0.0]


async def test_a_given_rubric_replaces_the_first_call():
    start = Rubric(prompt_id="p", criteria=(Criterion(text="plum"),))
    result = await run(FRUIT, start=start, proposer=WordProposer(first_words=()), rounds=0)
    assert result.rubrics == (start,)


async def test_two_candidates_are_the_pair_and_are_not_scored_before():
    verifier = WordVerifier()
    result = await run(pool("fruit a", "fruit b"), verifier=verifier, rounds=1)
    assert result.rounds[0].scores == {}
    assert len(verifier.calls) == 2, "only the final scores"


async def test_final_scores_can_be_left_out():
    verifier = WordVerifier()
    result = await run(pool("fruit a", "b"), verifier=verifier, rounds=1, final_scores=False)
    assert (result.scored, verifier.calls) == ((), [])


async def test_a_lost_initial_rubric_fails_the_prompt_and_says_why():
    result = await run(FRUIT, proposer=WordProposer(first_words=()))
    assert (result.status, result.final) == (Status.FAILED, None)
    assert result.losses[0].why == "no initial rubric today"


@pytest.mark.parametrize("error", [CallFailed("down"), ReplyUnreadable("nonsense")])
async def test_a_lost_round_keeps_the_last_good_rubric_and_says_why(error):
    result = await run(FRUIT, proposer=WordProposer(failure=error), rounds=2)
    assert result.status is Status.PARTIAL
    assert len(result.rubrics) == 1
    assert [r.outcome for r in result.rounds] == ["lost", "lost"]
    assert {loss.why for loss in result.losses} == {str(error)}
    assert len(result.scored) == 4


async def test_an_unscored_candidate_is_never_contrasted_and_never_zero():
    proposer = WordProposer()
    result = await run(pool("broken fruit", "fruit a", "fruit b"), proposer=proposer, rounds=1)
    assert {proposer.contrasts[0].first.id, proposer.contrasts[0].second.id} == {"r1", "r2"}
    assert result.scored[0].score.value is None
    assert {(loss.stage, loss.response_id) for loss in result.losses} == {("verify", "r0")}


async def test_a_round_without_two_scored_candidates_is_skipped():
    result = await run(pool("broken a", "broken b", "fruit"), rounds=1)
    assert result.rounds[0].outcome == "skipped"
    assert len(result.rubrics) == 1


async def test_a_stop_goes_through():
    class Broke(WordVerifier):
        async def verify(self, prompt, response, criteria, memory):
            raise BudgetExhausted("no money left")

    with pytest.raises(BudgetExhausted):
        await run(FRUIT, verifier=Broke())


async def test_a_used_pair_leaves_the_pool_only_when_asked():
    kept = await run(FRUIT, rounds=2)
    left = await run(FRUIT, rounds=2, exclude_used=True)
    assert len(kept.rounds[1].scores) == 4
    assert set(left.rounds[0].pair).isdisjoint(left.rounds[1].pair)


async def test_the_proposer_sees_verdicts_and_labels_only_when_asked():
    plain, told = WordProposer(), WordProposer()
    labelled = pool("fruit a", "fruit b", labels=[0.2, 0.9])
    await run(labelled, proposer=plain, rounds=1)
    await run(labelled, proposer=told, rounds=1, show_verdicts=True, tell_preference=True)
    assert (plain.contrasts[0].preferred, plain.contrasts[0].outcomes) == (None, None)
    assert told.contrasts[0].preferred == "r1"
    assert told.contrasts[0].outcomes is not None


@pytest.mark.parametrize("labels", [[0.5, 0.5], [None, 0.5], []])
async def test_labels_that_do_not_differ_tell_no_preference(labels):
    proposer = WordProposer()
    await run(
        pool("fruit a", "fruit b", labels=labels), proposer=proposer, rounds=1, tell_preference=True
    )
    assert proposer.contrasts[0].preferred is None


async def test_the_order_of_the_pair_depends_on_the_seed_alone():
    async def orders(seed):
        proposer = WordProposer()
        await run(FRUIT, proposer=proposer, rounds=4, seed=seed)
        return [(c.first.id, c.second.id) for c in proposer.contrasts]

    assert await orders(1) == await orders(1)
    seen = {tuple(await orders(seed)) for seed in range(8)}
    assert len(seen) > 1


def same(*words):
    return Rubric(prompt_id="p", criteria=tuple(Criterion(text=w) for w in words))


async def test_acceptance_asks_again_with_the_reason_and_then_keeps_the_parent():
    proposer = WordProposer(proposals=lambda _: same("fruit"))
    result = await run(
        pool("fruit a", "fruit b"), proposer=proposer, rounds=1, accept=Acceptance(retries=1)
    )
    assert proposer.refused == [None, "it gives both responses the same score"]
    assert result.rounds[0].outcome == "refused"
    assert len(result.rubrics) == 1
    assert result.status is Status.DONE, "a refusal loses nothing"


async def test_a_proposal_that_changes_nothing_adds_no_rubric():
    proposer = WordProposer(proposals=lambda _: same("fruit"))
    result = await run(FRUIT, proposer=proposer, rounds=2)
    assert [r.outcome for r in result.rounds] == ["unchanged", "unchanged"]
    assert len(result.rubrics) == 1
    assert result.status is Status.DONE


async def test_acceptance_takes_the_second_try_when_it_separates():
    proposer = WordProposer(proposals=lambda n: same("fruit") if n == 1 else same("a"))
    result = await run(
        pool("fruit a", "fruit b"), proposer=proposer, rounds=1, accept=Acceptance(retries=1)
    )
    assert result.rounds[0].outcome == "accepted"


async def test_acceptance_refuses_a_rubric_that_turns_known_quality_round():
    labelled = pool("fruit good", "fruit bad", labels=[1.0, 0.0])
    proposer = WordProposer(proposals=lambda _: same("bad"))
    result = await run(labelled, proposer=proposer, rounds=1, accept=Acceptance(retries=0))
    assert "wrong order" in result.rounds[0].note


async def test_acceptance_refuses_a_rubric_that_is_too_long():
    proposer = WordProposer(proposals=lambda _: same("a", "b", "c"))
    rules = Acceptance(max_criteria=2, retries=0)
    result = await run(pool("fruit a", "fruit b"), proposer=proposer, rounds=1, accept=rules)
    assert result.rounds[0].note == "it has 3 criteria; at most 2 are allowed"


async def test_acceptance_by_size_alone_asks_the_verifier_nothing():
    verifier = WordVerifier()
    rules = Acceptance(separate=False, respect_labels=False)
    await run(
        pool("fruit a", "fruit b"), verifier=verifier, rounds=1, accept=rules, final_scores=False
    )
    assert verifier.calls == []


async def test_acceptance_by_labels_alone_lets_a_tie_pass():
    rules = Acceptance(separate=False)
    proposer = WordProposer(proposals=lambda _: same("fruit", "no"))
    result = await run(
        pool("fruit a", "fruit b", "fruit c", labels=[1.0, 0.0, 0.5]),
        proposer=proposer,
        rounds=1,
        accept=rules,
    )
    assert result.rounds[0].outcome == "accepted"


async def test_a_pair_that_cannot_be_scored_is_not_separated():
    proposer = WordProposer(proposals=lambda _: same("a"))
    result = await run(
        pool("broken a", "fruit b"), proposer=proposer, rounds=1, accept=Acceptance(retries=0)
    )
    assert result.rounds[0].note == "the contrasted responses could not be scored with it"
