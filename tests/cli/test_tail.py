"""`uppertail tail` from the command line."""

import json
from pathlib import Path

import pytest

from uppertail.cli.app import EXIT_INPUT, run


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    path = tmp_path / "scores.jsonl"
    rows = [
        {"prompt_id": p, "reward": (7 * r) % 11, "old": r % 3, "gold": r, "response": "x" * r}
        for p in range(30)
        for r in range(p % 3, 9)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_terminal_shows_the_headline_and_every_table(scores, capsys):
    assert run(["tail", str(scores), "--against", "old", "--retest", "old"]) == 0
    shown = capsys.readouterr().out
    for words in ("orders", "whole pool", "Predicted win rate", "Best-of-n", "prompts that tie"):
        assert words in shown
    for words in ("Rank correlation", "reward minus old", "scored twice", "note:"):
        assert words in shown


def test_unscored_responses_get_a_table(scores, capsys):
    lines = scores.read_text().splitlines()
    lines[3] = lines[3].replace('"reward": ', '"reward": null, "was": ')
    scores.write_text("\n".join(lines) + "\n")
    assert run(["tail", str(scores)]) == 0
    assert "given the lowest reward" in capsys.readouterr().out


def test_without_gold_it_says_so(scores, capsys):
    scores.write_text(scores.read_text().replace('"gold"', '"other"'))
    assert run(["tail", str(scores), "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    assert out["measured"] is None
    assert out["notes"]
    scores.write_text(scores.read_text().replace('"response"', '"words"'))
    assert run(["tail", str(scores)]) == 0
    shown = capsys.readouterr().out
    assert "no policy on these responses" in shown
    assert "Predicted win rate" not in shown
    assert "Rank correlation" not in shown


def test_json_is_one_object_and_the_page_is_written(scores, tmp_path, capsys):
    page = tmp_path / "tail.html"
    assert run(["tail", str(scores), "--json", "--html", str(page), "--resamples", "20"]) == 0
    out = json.loads(capsys.readouterr().out)
    assert out["measured"]["pairs"]["pairs"] > 0
    assert out["resamples"] == 20
    assert page.read_text().startswith("<!doctype html>")


def test_a_wrong_column_is_a_wrong_input(scores, capsys):
    assert run(["tail", str(scores), "--reward", "nope"]) == EXIT_INPUT
    assert "there is no such column" in capsys.readouterr().err


def test_a_run_is_tracked(tmp_path, capsys):
    path = tmp_path / "run.csv"
    golds = (0.1, 0.4, 0.6, 0.5, 0.3, 0.2)
    path.write_text(
        "step,reward,gold,kl\n" + "".join(f"{s},{s},{g},{s / 2}\n" for s, g in enumerate(golds))
    )
    assert run(["tail", "track", str(path), "--noise", "0.05"]) == 0
    out = capsys.readouterr().out
    assert "peak: step 2, gold 0.6, KL 1" in out
    assert "stop:" in out
    assert run(["tail", "track", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["peak"]["step"] == 2


def test_a_run_without_kl_or_gold_says_what_is_missing(tmp_path, capsys):
    path = tmp_path / "run.csv"
    path.write_text("step,reward,gold\n1,1,0.5\n2,2,\n")
    assert run(["tail", "track", str(path)]) == 0
    out = capsys.readouterr().out
    assert "last: step 1, gold 0.5\n" in out
    assert "wait:" in out


def test_the_figures_are_written(tmp_path, capsys):
    assert run(["tail", "figures", str(tmp_path / "new")]) == 0
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert {"figures.html", "figure-2a.svg", "figure-2b.svg", "figure-4-1.svg"} <= names


def test_help_needs_no_numpy(capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "numpy", None)
    assert run(["tail", "--help"]) == 0
    assert "figures" in capsys.readouterr().out
