"""Runs end to end with scripted models: outputs, losses, stops, resuming."""

import json
from pathlib import Path

import pytest

from tests.cli.runs import invocation, propose, run_scripted, verify, write_pools
from uppertail.cli.app import EXIT_LOST
from uppertail.cli.execute import carry_out
from uppertail.cli.resume import resume
from uppertail.data.run_folder import RunFolder
from uppertail.errors import BudgetExhausted, CallFailed, InputError, ModelUnusable
from uppertail.models import Journal
from uppertail.refine import Refinement, Task

OUTPUTS = ("rubrics", "history", "responses", "scores", "verdicts", "losses", "quarantine")


def rows(run: Path, name: str) -> list[dict]:
    return [json.loads(line) for line in (run / f"{name}.jsonl").read_text().splitlines()]


def contents(run: Path) -> dict[str, bytes]:
    return {name: (run / f"{name}.jsonl").read_bytes() for name in OUTPUTS}


@pytest.fixture
def pools(tmp_path):
    return write_pools(tmp_path / "pools.jsonl", prompts=5, responses=4)


def test_a_run_leaves_every_prompt_in_input_order_and_a_report(tmp_path, pools, capsys):
    out = tmp_path / "run"
    assert run_scripted(invocation(pools, out, method={"rounds": 2})) == 0
    assert [r["prompt_id"] for r in rows(out, "rubrics")] == [f"p{i}" for i in range(5)]
    assert [r["prompt_id"] for r in rows(out, "scores")] == [
        f"p{i}" for i in range(5) for _ in "1234"
    ]
    assert {r["round"] for r in rows(out, "rubrics")} == {2}
    assert len(rows(out, "verdicts")) == 5 * 4 * 14
    assert rows(out, "losses") == rows(out, "quarantine") == []
    assert "5 prompts (5 done)" in capsys.readouterr().out
    assert (out / "report.html").read_text().startswith("<!doctype html>")


def test_the_summary_for_programs_is_one_json_object(tmp_path, pools, capsys):
    out = tmp_path / "run"
    run_scripted(invocation(pools, out, method={"rounds": 1}, run={"json": True}))
    printed = json.loads(capsys.readouterr().out)
    assert (printed["prompts"], printed["done"], printed["unscored"]) == (5, 5, 0)
    assert printed["spend"]["proposer"]["calls"] == 10
    assert printed == json.loads((out / "summary.json").read_text())


def test_the_same_command_again_calls_nobody_and_changes_nothing(tmp_path, pools):
    asked = invocation(pools, tmp_path / "run", method={"rounds": 1})
    run_scripted(asked)
    before = contents(tmp_path / "run")

    def nobody(request):
        raise AssertionError("this call was paid for already")

    assert run_scripted(asked, propose=nobody, verify=nobody) == 0
    assert contents(tmp_path / "run") == before


def test_another_configuration_is_refused_with_the_difference(tmp_path, pools):
    run_scripted(invocation(pools, tmp_path / "run", method={"rounds": 1}))
    with pytest.raises(InputError, match="rounds: made with 1, asked for 2"):
        run_scripted(invocation(pools, tmp_path / "run", method={"rounds": 2}))
    other = write_pools(tmp_path / "other.jsonl", prompts=1, responses=4)
    with pytest.raises(InputError, match="prompts: made with"):
        run_scripted(invocation(other, tmp_path / "run", method={"rounds": 1}))


def test_a_lost_round_keeps_the_rubric_says_why_and_exits_non_zero(tmp_path, pools, capsys):
    def flaky(request):
        text = request.messages[0].content
        return CallFailed("the server gave up") if "thing 3" in text else propose(request)

    out = tmp_path / "run"
    assert run_scripted(invocation(pools, out, method={"rounds": 1}), propose=flaky) == EXIT_LOST
    assert [r["status"] for r in rows(out, "history")] == ["done"] * 3 + ["failed", "done"]
    assert [(r["prompt_id"], r["why"]) for r in rows(out, "losses")] == [
        ("p3", "the server gave up")
    ]
    assert "the server gave up" in capsys.readouterr().out


def test_running_again_pays_for_what_was_lost_and_nothing_else(tmp_path, pools):
    out, asked = tmp_path / "run", []

    def flaky(request):
        return CallFailed("busy") if "thing 3" in request.messages[0].content else propose(request)

    def healthy(request):
        asked.append(request)
        return propose(request)

    this = invocation(pools, out, method={"rounds": 1})
    run_scripted(this, propose=flaky)
    assert run_scripted(this, propose=healthy) == 0
    assert all("thing 3" in request.messages[0].content for request in asked)
    run_scripted(invocation(pools, tmp_path / "whole", method={"rounds": 1}))
    assert contents(out) == contents(tmp_path / "whole")


def test_a_stop_keeps_what_is_finished_and_the_run_goes_on(tmp_path, pools, capsys):
    out, calls = tmp_path / "run", []

    def poor(request):
        calls.append(request)
        return BudgetExhausted("no money left") if len(calls) > 25 else verify(request)

    this = invocation(pools, out, method={"rounds": 1}, run={"at_once": 2})
    with pytest.raises(BudgetExhausted):
        run_scripted(this, verify=poor)
    assert "of 5 prompts are finished and stored; `uppertail resume" in capsys.readouterr().err
    with Journal(out / "journal.sqlite") as journal:
        paid = journal.roles()[1].calls
    assert paid == 25
    assert run_scripted(this) == 0
    run_scripted(invocation(pools, tmp_path / "whole", method={"rounds": 1}))
    assert contents(out) == contents(tmp_path / "whole")


def test_a_model_that_never_answered_leaves_no_run_behind(tmp_path, pools, capsys):
    def unusable(request):
        return ModelUnusable("nothing answers at http://x")

    with pytest.raises(ModelUnusable):
        run_scripted(invocation(pools, tmp_path / "run"), propose=unusable)
    assert not (tmp_path / "run").exists()
    assert "resume" not in capsys.readouterr().err


@pytest.mark.parametrize("mode", ["chunks", "single"])
def test_verdicts_are_shared_with_later_runs_through_a_cache(tmp_path, pools, mode):
    asked = []

    def judge(request):
        asked.append(request)
        return verify(request)

    def run(name):
        options = {"verify": {"verifier_mode": mode}, "run": {"cache": str(tmp_path / "cache.db")}}
        run_scripted(
            invocation(pools, tmp_path / name, method={"rounds": 1}, **options), verify=judge
        )
        return len(asked)

    first = run("a")
    assert run("b") == first, "the second run asks the verifier nothing"
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_given_rubrics_are_scored_without_a_proposer(tmp_path, pools):
    run_scripted(invocation(pools, tmp_path / "made", method={"rounds": 0}))
    scoring = invocation(
        pools,
        tmp_path / "scored",
        command="score",
        method={"preset": "initial", "rubrics": str(tmp_path / "made")},
        verify={"verifier": "offline"},
    )
    assert carry_out(scoring) in (0, EXIT_LOST)
    made = [r["rubric_id"] for r in rows(tmp_path / "made", "rubrics")]
    assert [r["rubric_id"] for r in rows(tmp_path / "scored", "rubrics")] == made


def test_a_prompt_without_a_given_rubric_is_said_to_have_none(tmp_path, capsys):
    pools = write_pools(tmp_path / "pools.jsonl", prompts=2, responses=2)
    rubrics = tmp_path / "rubrics.jsonl"
    criteria = [{"criterion": "The response contains no commas.", "weight": 1}]
    extra = {"prompt_id": "elsewhere", "criteria": criteria}
    rubrics.write_text(
        json.dumps({"prompt_id": "p0", "criteria": criteria}) + "\n" + json.dumps(extra) + "\n"
    )
    asked = invocation(
        pools,
        tmp_path / "run",
        command="score",
        method={"preset": "initial", "rubrics": str(rubrics)},
        verify={"verifier": "offline"},
    )
    assert carry_out(asked) == EXIT_LOST
    said = capsys.readouterr().err
    assert "1 prompts have no rubric" in said
    assert "1 rubrics belong to no prompt" in said
    assert rows(tmp_path / "run", "losses")[0]["why"] == "no rubric was given for this prompt"
    scores = [(r["score"], r["why"]) for r in rows(tmp_path / "run", "scores")]
    assert scores == [(0.0, ""), (0.0, ""), (None, "no_rubric"), (None, "no_rubric")]


def test_quarantined_responses_are_counted_and_kept_apart(tmp_path, capsys):
    pools = tmp_path / "pools.jsonl"
    good = ["one answer", "another answer", "a third"]
    row = {"id": "p", "prompt": "Say it.", "responses": [*good, "", "[ERROR: timeout]"]}
    alone = {"id": "q", "prompt": "Say more.", "responses": ["alone"]}
    pools.write_text(json.dumps(row) + "\n" + json.dumps(alone) + "\n")
    out = tmp_path / "run"
    assert run_scripted(invocation(pools, out, method={"rounds": 1})) == 0
    assert [r["why"] for r in rows(out, "quarantine")] == ["empty", "error_text"]
    assert [r["response"] for r in rows(out, "responses")] == [*good, "alone"]
    said = capsys.readouterr().err
    assert "2 responses were set aside" in said
    assert "1 prompts have fewer than two usable responses" in said
    assert rows(out, "history")[1]["rounds"][0]["outcome"] == "skipped"


HOSTILE = (
    "</script><script>alert(1)</script> {braces} \x00 \u202e \u05d0 🦊 \ud800 " + "x" * 200_000
)


def test_hostile_text_goes_through_every_stage_and_comes_out_as_it_went_in(tmp_path):
    pools = tmp_path / "pools.jsonl"
    row = {"id": HOSTILE[:50], "prompt": HOSTILE, "responses": [HOSTILE, "b", HOSTILE + "c"]}
    pools.write_text(json.dumps(row) + "\n")
    out = tmp_path / "run"
    assert run_scripted(invocation(pools, out, method={"rounds": 1})) == 0
    assert [r["response"] for r in rows(out, "responses")] == row["responses"]
    assert rows(out, "rubrics")[0]["prompt"] == HOSTILE


def test_conversations_and_plain_prompts_share_one_column_type(tmp_path):
    pools = tmp_path / "pools.jsonl"
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    lines = [
        {"id": "a", "prompt": chat, "responses": ["1", "2"]},
        {"id": "b", "prompt": "Hi", "responses": ["1", "2"]},
    ]
    pools.write_text("".join(json.dumps(line) + "\n" for line in lines))
    run_scripted(invocation(pools, tmp_path / "run", method={"rounds": 0}))
    prompts = [row["prompt"] for row in rows(tmp_path / "run", "rubrics")]
    assert prompts == [chat, [{"role": "user", "content": "Hi"}]]


def test_a_loss_that_quotes_markup_is_printed_as_it_is(tmp_path, pools, capsys):
    def chatty(request):
        return (
            CallFailed("it said [/INST] and [bold]")
            if "thing 1" in str(request)
            else propose(request)
        )

    asked = invocation(pools, tmp_path / "[bold]run[1]", method={"rounds": 0})
    assert run_scripted(asked, propose=chatty) == EXIT_LOST
    printed = "".join(capsys.readouterr().out.split())
    assert "itsaid[/INST]and[bold]" in printed
    assert "[bold]run[1]/report.html" in printed


def test_a_first_call_that_cannot_succeed_is_paid_alone(tmp_path):
    pools = write_pools(tmp_path / "pools.jsonl", prompts=30, responses=4)
    paid = []

    def proposer(request):
        paid.append(request)
        return propose(request)

    with pytest.raises(ModelUnusable):
        run_scripted(
            invocation(pools, tmp_path / "run"),
            propose=proposer,
            verify=lambda _: ModelUnusable("wrong key"),
        )
    assert len(paid) == 1


def test_a_stopped_retry_keeps_the_partial_results(tmp_path, pools):
    def flaky(request):
        return CallFailed("busy") if "Names fact" in str(request) else propose(request)

    asked = invocation(pools, tmp_path / "run", method={"rounds": 1})
    assert run_scripted(asked, propose=flaky) == EXIT_LOST
    with pytest.raises(ModelUnusable):
        run_scripted(asked, propose=lambda _: ModelUnusable("down"))
    with RunFolder(tmp_path / "run", Task, Refinement) as folder:
        assert [r.status for _, r in folder.results()] == ["partial"] * 5


def test_a_run_goes_on_from_anywhere_without_its_input(tmp_path, pools, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {"method": {"proposer": "offline"}, "verify": {"verifier": "offline"}}
    asked = invocation("pools.jsonl", "run", **options)
    assert carry_out(asked) == 0
    before = contents(tmp_path / "run")
    pools.unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert resume(str(tmp_path / "run")) == 0
    assert contents(tmp_path / "run") == before


@pytest.mark.parametrize(
    ("method", "verify", "run", "message"),
    [
        ({"sources": ("typo",)}, {}, {}, "no prompt has two usable responses"),
        ({"proposer": "offline", "initial_template": "x.md"}, {}, {}, "--initial-template"),
        ({}, {"verifier": "offline", "votes": 3}, {}, "--votes"),
        ({}, {}, {"cache": "x.db"}, "--cache"),
        ({}, {}, {"at_once": 0}, "--at-once must be 1 or more"),
        ({}, {}, {"concurrency": -1}, "--concurrency must be 1 or more"),
    ],
)
def test_options_that_would_do_nothing_are_refused(
    tmp_path, pools, monkeypatch, method, verify, run, message
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    with pytest.raises(InputError, match=message):
        carry_out(invocation(pools, tmp_path / "run", method=method, verify=verify, run=run))
    assert not (tmp_path / "run").exists()


def test_near_duplicates_of_an_imported_pool_take_no_part_when_told(tmp_path):
    pools = tmp_path / "pools.jsonl"
    row = {"id": "p", "prompt": "Say.", "responses": ["a b c d", "a b c d", "e f g", "h i j"]}
    pools.write_text(json.dumps(row) + "\n")
    out = tmp_path / "run"
    run_scripted(invocation(pools, out, method={"rounds": 1, "skip_duplicates": True}))
    assert rows(out, "history")[0]["rounds"][0]["response_ids"] == ["r0", "r2", "r3"]
