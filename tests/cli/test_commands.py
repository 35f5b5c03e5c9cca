"""The command as a user types it: what it prints, how it exits, what bad input gets."""

import json

import pytest

from tests.openai_server import OpenAIServer
from uppertail.cli.app import COMMANDS, run
from uppertail.cli.report import report
from uppertail.errors import InputError

GOOD = {"id": "a", "prompt": "Say it in at most ten words.", "responses": ["one two", "three"]}


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


BAD = {
    "a missing file": (None, "no such file"),
    "an empty file": (b"", "expected at least one row"),
    "a truncated file": (lines(GOOD) + b'{"id": "b", "prompt": "x', "line 2: the line is cut off"),
    "bytes that are no UTF-8": (b"\xff\xfe{}", "line 1: expected UTF-8 text"),
    "a row without a prompt": (lines({"id": "a", "text": "x"}), "line 1, field 'prompt'"),
    "an id that comes twice": (lines(GOOD, GOOD), "line 2, field 'prompt_id'"),
    "one response each": (lines({**GOOD, "responses": ["one"]}), "no prompt has two usable"),
    "only failed responses": (lines({**GOOD, "responses": ["", "[ERROR: x]"]}), "no usable"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_gets_one_message_and_leaves_nothing(tmp_path, capsys, content, message):
    pools = tmp_path / "pools.jsonl"
    if content is not None:
        pools.write_bytes(content)
    assert run(["refine", str(pools), "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert message.lower() in said.lower()
    assert said.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["refin"], "refine"),
        (["refine", "x.jsonl", "--preset", "nope"], "four-great-diverse"),
        (["refine", "x.jsonl", "--rounds", "many"], "rounds"),
        (["sample", "x.jsonl"], "name at least one --model"),
        (["sample", "x.jsonl", "--model", "a", "--model", "a"], "named twice"),
        (["sample", "x.jsonl", "--model", "a", "--n", "0"], "1 or more"),
        (["resume", "nowhere"], "no run here"),
        (["report", "nowhere"], "no run here"),
    ],
)
def test_a_wrong_command_is_explained(tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.out + captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(capsys, command):
    assert run([command, "--help"]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 6


def test_the_overview_names_every_command(capsys):
    run(["--help"])
    printed = capsys.readouterr().out
    assert all(command in printed for command in COMMANDS)


def test_the_demo_runs_twice_and_replaces_nothing_but_a_demo(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["demo"]) == run(["demo"]) == 0
    assert "12 prompts (12 done)" in capsys.readouterr().out
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    assert run(["demo", "--out", "mine"]) == 2
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_a_run_can_be_reported_and_exported(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(["demo", "--out", "run"])
    (tmp_path / "run" / "report.html").unlink()
    assert run(["report", "run"]) == 0
    assert (tmp_path / "run" / "report.html").exists()
    capsys.readouterr()
    assert run(["export", "run", "pairs.jsonl", "--format", "preferences"]) == 0
    assert "pairs.jsonl" in capsys.readouterr().out
    assert run(["export", "run", "pairs.jsonl", "--format", "preferences"]) == 2


def typed(*arguments):
    """Run the command in a thread of its own, beside the server's loop."""
    import asyncio

    return asyncio.to_thread(run, [str(argument) for argument in arguments])


async def test_pools_are_sampled_refined_and_scored_over_http(tmp_path, capsys):
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_bytes(lines({"id": "a", "prompt": "Explain A."}, {"id": "b", "prompt": "B?"}))
    async with OpenAIServer() as server:
        model = f"m@{server.url}"
        drawn, made = tmp_path / "drawn", tmp_path / "made"
        assert await typed("sample", prompts, "--model", model, "--n", 4, "--out", drawn) == 0
        roles = ("--proposer", model, "--verifier", model)
        assert await typed("refine", drawn, *roles, "--rounds", 1, "--out", made) == 0
        calls = server.counters.calls
        assert await typed("resume", drawn) == 0
        assert await typed("resume", made) == 0
        assert server.counters.calls == calls, "a finished run pays for nothing"
        scored = await typed(
            "score", drawn, "--rubrics", made, "--verifier", model, "--out", tmp_path / "scored"
        )
        assert scored == 0
    assert "8 responses to 2 prompts" in capsys.readouterr().out
    scores = (tmp_path / "scored" / "scores.jsonl").read_text().splitlines()
    assert len(scores) == 8
    with pytest.raises(InputError, match="no rubrics to report"):
        report(str(drawn))


async def test_a_wrong_key_stops_before_anything_is_spent(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("UPPERTAIL_API_KEY", "sk-wrong-key-1234567890")
    pools = tmp_path / "pools.jsonl"
    pools.write_bytes(lines(GOOD))
    async with OpenAIServer(key="right") as server:
        model = f"m@{server.url}"
        code = await typed("refine", pools, "--proposer", model, "--out", tmp_path / "run")
        assert server.counters.finished == 0
    assert code == 3
    said = capsys.readouterr().err
    assert "UPPERTAIL_API_KEY" in said
    assert "sk-wrong-key" not in said
    assert not (tmp_path / "run").exists()


def test_a_missing_key_is_named_before_anything_is_read(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    pools = tmp_path / "pools.jsonl"
    pools.write_bytes(lines(GOOD))
    assert run(["refine", str(pools), "--proposer", "openai/gpt-4.1", "--out", "run"]) == 2
    assert "OPENAI_API_KEY" in capsys.readouterr().err


def test_a_budget_needs_prices(tmp_path, capsys):
    pools = tmp_path / "pools.jsonl"
    pools.write_bytes(lines(GOOD))
    model = "m@http://127.0.0.1:9/v1"
    arguments = ["refine", str(pools), "--proposer", model, "--budget-usd", "1"]
    assert run([*arguments, "--out", str(tmp_path / "run")]) == 2
    assert "price" in capsys.readouterr().err
