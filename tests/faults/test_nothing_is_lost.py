"""What a user of the published code loses, and not here. Numbers are those of spec D.4."""

import json

import pytest

from tests.cli.runs import invocation, propose, run_scripted, verify, write_pools
from tests.refine.fakes import WordProposer, WordVerifier, pool
from uppertail.cli.app import EXIT_LOST
from uppertail.data.pools import read_pools
from uppertail.errors import CallFailed
from uppertail.models import Journal
from uppertail.models.interface import Reply, Request, Usage
from uppertail.refine import Settings, refine


def rows(run, name):
    return [json.loads(line) for line in (run / f"{name}.jsonl").read_text().splitlines()]


def refining(request):
    """Whether a proposer is shown two responses."""
    return "response1" in request.messages[0].content


@pytest.fixture
def pools(tmp_path):
    return write_pools(tmp_path / "pools.jsonl", prompts=4, responses=4)


def test_a_prompt_whose_refinement_failed_keeps_its_rubric(tmp_path, pools):
    """1: the merge replaced everything by what had been improved."""

    def flaky(request):
        lost = refining(request) and "thing 2" in request.messages[0].content
        return CallFailed("no answer") if lost else propose(request)

    run_scripted(invocation(pools, tmp_path / "run", method={"rounds": 1}), propose=flaky)
    rubrics = {row["prompt_id"]: row for row in rows(tmp_path / "run", "rubrics")}
    assert list(rubrics) == ["p0", "p1", "p2", "p3"]
    assert rubrics["p2"]["round"] == 0
    assert rubrics["p2"]["criteria"]


def test_a_prompt_that_runs_out_of_responses_is_still_in_the_outputs(tmp_path):
    """2: with five responses and used pairs excluded, a prompt vanished after round two."""
    source = write_pools(tmp_path / "pools.jsonl", prompts=2, responses=5)
    method = {"rounds": 4, "exclude_used": True}
    assert run_scripted(invocation(source, tmp_path / "run", method=method)) == 0
    assert [row["prompt_id"] for row in rows(tmp_path / "run", "rubrics")] == ["p0", "p1"]
    assert all(row["criteria"] for row in rows(tmp_path / "run", "rubrics"))
    assert [row["status"] for row in rows(tmp_path / "run", "history")] == ["done", "done"]


def test_a_prompt_without_a_rubric_is_neither_scored_nor_refined(tmp_path, pools):
    """3: it was scored against a generic text, and every score was 0."""
    asked = []

    def flaky(request):
        text = request.messages[0].content
        return CallFailed("no answer") if "thing 1" in text else propose(request)

    def noted(request):
        asked.append(request.messages[0].content)
        return verify(request)

    source = invocation(pools, tmp_path / "run", method={"rounds": 1})
    assert run_scripted(source, propose=flaky, verify=noted) == EXIT_LOST
    assert not any("thing 1" in text for text in asked)
    scores = [r["score"] for r in rows(tmp_path / "run", "scores") if r["prompt_id"] == "p1"]
    assert set(scores) <= {None}
    assert [r["status"] for r in rows(tmp_path / "run", "history")].count("failed") == 1


async def test_a_failed_verifier_is_no_bad_score():
    """4: an error, a refusal or a cut reply made the worst response."""
    ended = await refine(
        pool("fruit apple", "fruit broken", "fruit pear"),
        proposer=WordProposer(),
        verifier=WordVerifier(),
        settings=Settings(rounds=1),
    )
    assert [item.score.value for item in ended.scored].count(None) == 1
    assert ended.scored[1].score.value is None
    assert "r1" not in (ended.rounds[0].pair or ())
    assert {loss.response_id for loss in ended.losses} == {"r1"}


async def test_when_every_verdict_failed_nobody_is_contrasted():
    """4: the first two by position were refined on as if they were the best."""
    proposer = WordProposer()
    ended = await refine(
        pool("broken a", "broken b", "broken c"),
        proposer=proposer,
        verifier=WordVerifier(),
        settings=Settings(rounds=1),
    )
    assert proposer.contrasts == []
    assert ended.rounds[0].outcome == "skipped"
    assert ended.final is not None


def test_an_error_message_in_the_place_of_a_response_never_competes(tmp_path):
    """10: "[ERROR: …]" stayed in the pool as a candidate."""
    row = {
        "id": "p",
        "prompt": "Why?",
        "responses": [
            {"model": "a", "response": "Because."},
            {"model": "b", "response": "[ERROR: rate limit]"},
            {"model": "c", "response": ""},
        ],
    }
    path = tmp_path / "pools.jsonl"
    path.write_text(json.dumps(row) + "\n")
    (read,) = read_pools(str(path))
    assert [response.model for response in read.pool.responses] == ["a"]
    assert [item.why.value for item in read.quarantined] == ["error_text", "empty"]


def test_a_run_in_which_every_call_failed_says_so_and_exits_non_zero(tmp_path, pools, capsys):
    """13: the exit code was 0, and there was no final file."""
    out = tmp_path / "run"

    def dead(request):
        return CallFailed("no answer")

    asked = invocation(pools, out, method={"rounds": 1})
    assert run_scripted(asked, propose=dead, verify=dead) == EXIT_LOST
    assert [row["why"] for row in rows(out, "losses")] == ["no answer"] * 4
    assert [row["status"] for row in rows(out, "history")] == ["failed"] * 4
    assert "no answer" in capsys.readouterr().out


async def test_taking_a_used_pair_out_leaves_its_twins():
    """15: responses of the same text were all deleted."""
    ended = await refine(
        pool("fruit apple", "fruit apple", "fruit apple", "fruit apple"),
        proposer=WordProposer(),
        verifier=WordVerifier(),
        settings=Settings(rounds=2, exclude_used=True),
    )
    first, second = (set(round.pair or ()) for round in ended.rounds)
    assert first.isdisjoint(second)
    assert len(first | second) == 4


def test_a_prompt_keeps_its_id_wherever_it_stands(tmp_path):
    """17: ids were positions after sampling, so that a resume joined the wrong responses."""
    rows = [{"prompt": f"Question {i}?", "responses": ["Yes.", "No."]} for i in range(4)]
    ids = []
    for order in (rows, rows[::-1]):
        path = tmp_path / "pools.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in order))
        ids.append({row.pool.prompt.text: row.pool.prompt.id for row in read_pools(str(path))})
    assert ids[0] == ids[1]


def test_a_finished_run_started_again_makes_no_call(tmp_path, pools):
    """20: resuming ran everything again and overwrote the files."""
    asked = invocation(pools, tmp_path / "run", method={"rounds": 2})
    run_scripted(asked)
    made: list[Request] = []
    run_scripted(asked, propose=made.append, verify=made.append)
    assert made == []


def test_every_call_leaves_a_record_of_tokens_and_time(tmp_path, pools):
    """21: there was no log of calls, cost, tokens or latency."""

    def priced(answer):
        return lambda request: Reply(
            text=answer(request),
            usage=Usage(prompt_tokens=100, completion_tokens=10),
            seconds=0.5,
        )

    out = tmp_path / "run"
    asked = invocation(pools, out, method={"rounds": 1})
    run_scripted(asked, propose=priced(propose), verify=priced(verify))
    with Journal(out / "journal.sqlite") as journal:
        totals = {total.role: total for total in journal.roles()}
    assert totals["proposer"].calls == 4 * 2
    assert totals["verifier"].usage.prompt_tokens == totals["verifier"].calls * 100
    assert totals["verifier"].p50_seconds == 0.5
