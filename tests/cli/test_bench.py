"""`uppertail bench` from data to tables: resumed, repeated, rescored, always the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from uppertail.cli.bench import bench
from uppertail.cli.bench_run import BenchInvocation, carry_out
from uppertail.cli.bench_systems import Asked, GradeOptions, SystemOptions, open_system
from uppertail.cli.judges import JudgeOptions
from uppertail.cli.options import RunOptions
from uppertail.errors import BudgetExhausted, CallFailed, InputError, ModelUnusable
from uppertail.evaluate.bench.systems import System
from uppertail.judge import LLMJudge, LLMListJudge
from uppertail.models import Scripted
from uppertail.reward.server.run import listen

PAIRS = [
    {
        "id": f"{n}",
        "prompt": f"Question {n}?",
        "chosen": "good " * (n % 4 + 1),
        "rejected": "bad " * 2,
    }
    for n in range(12)
]

CALLS = 2 * 12 + 2
"""Both orders of twelve pairs; the two replies that nobody can read are asked for once more."""


@pytest.fixture
def data(tmp_path):
    return str(write(tmp_path / "pairs.jsonl", *PAIRS))


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def verdict(request):
    """Prefer the good response in two questions of three, else the first place; one is unreadable."""
    text = "\n".join(message.content for message in request.messages)
    number = next(n for n in reversed(range(12)) if f"Question {n}?" in text)
    if number == 7:
        return "I would rather not say."
    good_first = text.index("good") < text.index("bad")
    return "[[A]]" if number % 3 == 0 or good_first else "[[B]]"


def asked(*, judge="offline", verifier="offline", **system):
    return Asked(
        system=SystemOptions(**system),
        judging=JudgeOptions(judge=judge),
        verify=GradeOptions(verifier=verifier),
    )


def invocation(source, out, **more):
    made = {
        "name": "pairs",
        "data": source,
        "resamples": 50,
        "asked": asked(judge="fake/judge"),
        "run": RunOptions(out=str(out), at_once=3),
    }
    return BenchInvocation(**{**made, **more})


def judging(model):
    def opener(opening):
        return System(judge=LLMJudge(opening.session.open(model), seed=opening.seed))

    return opener


def files(folder):
    return {name: (folder / name).read_bytes() for name in ("items.jsonl", "figures.json")}


def test_cold_warm_resumed_and_rescored_runs_give_the_same_bytes(data, tmp_path, capsys):
    cold = {}
    for name in ("one", "two"):
        model = Scripted(verdict, name="fake/judge")
        assert carry_out(invocation(data, tmp_path / name), opener=judging(model)) == 0
        assert model.calls == CALLS
        cold[name] = files(tmp_path / name)
    assert cold["one"] == cold["two"]

    again = Scripted(verdict, name="fake/judge")
    carry_out(invocation(data, tmp_path / "one"), opener=judging(again))
    assert again.calls == 0
    assert files(tmp_path / "one") == cold["one"]

    def stops(request):
        return BudgetExhausted("no money") if stopping.calls > 9 else verdict(request)

    stopping = Scripted(stops, name="fake/judge")
    with pytest.raises(BudgetExhausted):
        carry_out(invocation(data, tmp_path / "three"), opener=judging(stopping))
    rest = Scripted(verdict, name="fake/judge")
    carry_out(invocation(data, tmp_path / "three"), opener=judging(rest))
    assert rest.calls == CALLS - 9  # what was paid for is found
    assert files(tmp_path / "three") == cold["one"]

    capsys.readouterr()
    assert bench(["rescore", str(tmp_path / "one"), "--resamples", "50", "--json"]) == 0
    assert capsys.readouterr().out.encode() == cold["one"]["figures.json"]


def test_a_run_reports_accuracy_bias_and_what_was_unreadable(data, tmp_path, capsys):
    model = Scripted(verdict, name="fake/judge")
    run = invocation(data, tmp_path / "run", run=RunOptions(out=str(tmp_path / "run"), json=True))
    assert carry_out(run, opener=judging(model)) == 0
    found = json.loads(capsys.readouterr().out)
    (accuracy,) = found["figures"]
    assert accuracy["value"] == pytest.approx((7 + 4 * 0.5) / 11)
    assert found["unscored_items"] == 1
    assert found["reasons"] == {"unreadable": 2}
    assert found["positions"]["shares"]["consistent"] == pytest.approx(7 / 11)
    assert found["positions"]["bias"] == pytest.approx(4 / 11)
    assert accuracy["length"] is not None


def test_calls_that_failed_are_asked_again_when_the_run_goes_on(data, tmp_path, capsys):
    def fails(request):
        return (
            CallFailed("busy")
            if "Question 5?" in request.messages[-1].content
            else verdict(request)
        )

    model = Scripted(fails, name="fake/judge")
    assert carry_out(invocation(data, tmp_path / "run"), opener=judging(model)) == 1
    assert "call_failed 2" in capsys.readouterr().out
    well = Scripted(verdict, name="fake/judge")
    assert carry_out(invocation(data, tmp_path / "run"), opener=judging(well)) == 0
    assert well.calls == 2


def test_a_model_that_cannot_be_used_stops_the_run_after_one_item(data, tmp_path):
    model = Scripted(lambda _: ModelUnusable("wrong key"), name="fake/judge")
    with pytest.raises(ModelUnusable):
        carry_out(invocation(data, tmp_path / "run"), opener=judging(model))
    assert model.calls <= 2


def test_a_reward_server_that_is_not_there_ends_the_run_at_once(data, tmp_path):
    with listen("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    absent = invocation(data, tmp_path / "run", asked=asked(judge=None, scorer=url))
    with pytest.raises(ModelUnusable, match=f"{url} does not answer: .*`uppertail serve`"):
        carry_out(absent)


def test_another_system_data_or_seed_needs_another_folder(data, tmp_path):
    model = Scripted(verdict, name="fake/judge")
    carry_out(invocation(data, tmp_path / "run"), opener=judging(model))
    other = write(tmp_path / "other.jsonl", *PAIRS[:5])
    for change, word in (({"seed": 3}, "seed"), ({"data": str(other)}, "data")):
        with pytest.raises(InputError, match=word):
            carry_out(invocation(data, tmp_path / "run", **change), opener=judging(model))
    changed = Scripted(verdict, name="fake/other")
    with pytest.raises(InputError, match="system"):
        carry_out(invocation(data, tmp_path / "run"), opener=judging(changed))


def test_a_resumed_run_does_not_need_its_data(data, tmp_path):
    model = Scripted(verdict, name="fake/judge")
    made = invocation(data, tmp_path / "run")
    carry_out(made, opener=judging(model))
    before = files(tmp_path / "run")
    Path(data).unlink()
    carry_out(made, opener=judging(model), resumed=True)
    assert files(tmp_path / "run") == before


def test_bad_data_are_refused_before_anything_is_opened_or_kept(tmp_path):
    bad = write(tmp_path / "bad.jsonl", *PAIRS, {"id": "x", "prompt": "p", "chosen": "a"})

    def opener(opening):
        raise AssertionError("nothing may be opened")

    with pytest.raises(InputError, match=r"bad\.jsonl, line 13, field 'rejected'"):
        carry_out(invocation(str(bad), tmp_path / "run"), opener=opener)
    assert not (tmp_path / "run").exists()


def test_the_command_runs_programs_and_compares_them(data, tmp_path, capsys):
    for scorer in ("length", "offline"):
        out = str(tmp_path / scorer)
        assert bench(["run", "pairs", "--data", data, "--scorer", scorer, "--out", out]) == 0
    text = capsys.readouterr().out
    assert "pairs: length, 12 items" in text
    assert "items.jsonl" in text
    arguments = ["compare", str(tmp_path / "length"), str(tmp_path / "offline")]
    assert bench(arguments) == 0
    assert "minus length, 12 items" in " ".join(capsys.readouterr().out.split())
    assert bench([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["figures"][0]["name"] == "accuracy"
    assert bench(["rescore", str(tmp_path / "offline"), "--ties", "half", "--resamples", "0"]) == 0
    assert "counts half" in capsys.readouterr().out


def test_graded_benchmarks_are_decided_by_checks_without_a_model(tmp_path, capsys):
    prompts = write(
        tmp_path / "ifeval.jsonl",
        {
            "key": 1,
            "prompt": "p",
            "instruction_id_list": ["punctuation:no_comma"],
            "kwargs": [{}],
        },
    )
    answers = write(tmp_path / "answers.jsonl", {"prompt_id": 1, "response": "No, never."})
    arguments = ["run", "ifeval", "--data", str(prompts), "--responses", str(answers)]
    arguments += ["--scorer", "checks", "--out", str(tmp_path / "run"), "--json"]
    assert bench(arguments) == 0
    found = {row["name"]: row["value"] for row in json.loads(capsys.readouterr().out)["figures"]}
    assert set(found.values()) == {0.0}


def test_a_dry_run_counts_calls_and_sends_nothing(data, tmp_path, capsys):
    def calls(*options, name="pairs", source=data):
        arguments = ["run", name, "--data", source, *options, "--out", str(tmp_path / "x")]
        assert bench([*arguments, "--dry-run", "--json"]) == 0
        return json.loads(capsys.readouterr().out)["calls"]

    assert calls("--judge", "openai/x") == 24
    assert calls("--judge", "openai/x", "--judge-votes", "3", "--judge-temperature", "1") == 72
    assert calls("--list-judge", "openai/x") == 24
    assert calls("--scorer", "length") == calls() == calls("--judge", "length") == 0
    assert calls("--scorer", "rubric") == 0
    assert calls("--scorer", "rubric", "--verifier", "openai/x") == 24
    assert calls("--scorer", "rubric", "--verifier", "openai/x", "--verifier-mode", "whole") == 24
    rubrics = write(
        tmp_path / "r.jsonl", {"prompt": "p", "criteria": ["a", "b", "c"], "response": "r"}
    )
    options = ("--scorer", "rubric", "--verifier", "openai/x")
    assert calls(*options, name="rubrics", source=str(rubrics)) == 3
    assert bench(["run", "pairs", "--data", data, "--scorer", "length", "--dry-run"]) == 0
    assert "Nothing was sent" in capsys.readouterr().out
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--scorer", "length", "--judge", "x/y"), "not 2 of them"),
        (("--judge", "length", "--judge-reasons"), "--judge-reasons does nothing"),
        (("--scorer", "length", "--limit", "0"), "--limit must be 1 or more"),
        (("--scorer", "offline", "--verifier", "openai/x"), "need --scorer rubric"),
        (("--scorer", "length", "--cache", "cache.sqlite"), "it needs --scorer rubric"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, complaint, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=complaint):
        bench(["run", "pairs", "--data", data, "--out", str(tmp_path / "run"), *options])


def test_the_list_names_every_benchmark_and_one_at_length(capsys):
    assert bench(["list"]) == 0
    assert "rewardbench-2" in capsys.readouterr().out
    assert bench(["list", "judgebench"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "counts right where right answers outnumber wrong ones" in text
    assert "metrics.py is worked by hand" in text
    assert bench(["list", "healthbench"]) == 0
    assert "order" not in capsys.readouterr().out


def test_the_run_folder_is_named_after_benchmark_and_system(data):
    made = invocation(data, "x", run=RunOptions(), asked=asked(judge="openai/gpt-4.1"))
    assert made.folder == Path("runs/bench-pairs-openai-gpt-4.1")
    anchored = invocation("pairs.jsonl", "x", name="mine.py", responses="a.jsonl").anchored()
    assert all(
        Path(p or "").is_absolute() for p in (anchored.name, anchored.data, anchored.responses)
    )
    assert invocation("hf:a/b", "x").anchored().data == "hf:a/b"
    named = invocation("hf:a/b", "x", asked=asked(rubrics="rubrics.jsonl")).anchored()
    assert Path(named.asked.system.rubrics or "").is_absolute()


def test_files_of_a_system_count_by_what_they_hold(tmp_path):
    rubrics = tmp_path / "rubrics.jsonl"
    rubrics.write_text("one")
    first = asked(rubrics=str(rubrics)).identity()
    assert first == asked(rubrics=str(tmp_path)).identity()
    rubrics.write_text("two")
    assert first != asked(rubrics=str(rubrics)).identity()


async def test_systems_are_opened_by_what_the_options_name(tmp_path):
    from contextlib import AsyncExitStack

    from uppertail.cli.bench_systems import Opening
    from uppertail.models import Journal, ModelSession
    from uppertail.reward.rubric_scorer import RubricScorer

    async with AsyncExitStack() as stack:
        journal = stack.enter_context(Journal(":memory:"))
        session = ModelSession(journal, environ={"OPENAI_API_KEY": "k"})
        await stack.enter_async_context(session)

        def opened(**options):
            return open_system(
                Opening(
                    asked=asked(**options),
                    run=RunOptions(),
                    seed=0,
                    folder=tmp_path,
                    session=session,
                    journal=journal,
                    stack=stack,
                )
            )

        assert isinstance(opened(judge="openai/gpt-4.1").judge, LLMJudge)
        assert opened(judge="length").kind == "judge"
        assert opened().name.startswith("offline")
        assert isinstance(opened(list_judge="openai/gpt-4.1").lister, LLMListJudge)
        assert isinstance(opened(verifier="openai/gpt-4.1", scorer="rubric").scorer, RubricScorer)
        assert opened(scorer="http://localhost:9").name.endswith("http://localhost:9")
        rubrics = write(tmp_path / "given.jsonl", {"prompt_id": "p", "criteria": ["a"]})
        stored = opened(scorer="rubric", rubrics=str(rubrics))
        assert "stored" in stored.name
