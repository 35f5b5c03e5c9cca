import csv
import json
import sys

import pytest

from uppertail.checks import Words
from uppertail.data.export import export
from uppertail.data.pools import read_pools
from uppertail.data.prompts import read_prompts
from uppertail.data.rows import response_row, rubric_row, score_row
from uppertail.data.rubrics import read_rubrics
from uppertail.data.write import write_jsonl
from uppertail.errors import InputError, MissingExtra
from uppertail.types import Criterion, Lineage, Message, Prompt, Response, Rubric, Score

PLAIN = Prompt(id="a", messages=(Message(role="user", content="ask"),))
CHAT = Prompt(
    id="b", messages=(Message(role="system", content="s"), Message(role="user", content="u"))
)
FIRST = Rubric(prompt_id="a", criteria=(Criterion(text="old"),), lineage=Lineage(model="m"))
FINAL = Rubric(
    prompt_id="a",
    criteria=(
        Criterion(text="short", weight=3.0, kind="hard_rule", check=Words(at_most=5)),
        Criterion(text="kind", weight=0.5),
        Criterion(text="rude", weight=-2.0),
    ),
    lineage=Lineage(model="m"),
)
OTHER = Rubric(prompt_id="b", criteria=(Criterion(text="x"),), lineage=Lineage(model="m"))


def score(value):
    if value is None:
        return Score(value=None, low=0.0, high=1.0, answered=0.0, why="nobody decided")
    return Score(value=value, low=value, high=value, answered=1.0)


@pytest.fixture
def run(tmp_path):
    """Return the folder of a run: a prompt that failed, a plain one and a conversation."""
    folder = tmp_path / "run"
    values: dict[str, list[float | None]] = {"a": [0.1, 0.4, None, 0.4, 0.35], "b": [1.0, 0.0]}
    rubric = {"a": FINAL, "b": OTHER}
    answers = [
        response_row(id, Response(id=f"r{n}", text=f"{id}{n}", model="m"))
        for id, count in (("failed", 1), ("a", 5), ("b", 2))
        for n in range(count)
    ]
    scores = [
        score_row(id, f"r{n}", rubric[id].id, score(value))
        for id, listed in values.items()
        for n, value in enumerate(listed)
    ]
    rubrics = [rubric_row(r, p) for r, p in ((FIRST, PLAIN), (FINAL, PLAIN), (OTHER, CHAT))]
    write_jsonl(folder / "rubrics.jsonl", rubrics)
    write_jsonl(folder / "responses.jsonl", answers)
    write_jsonl(folder / "scores.jsonl", scores)
    return folder


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_hf_is_the_published_data_set(run, tmp_path):
    to = tmp_path / "train.jsonl"
    summary = export(run, to, format="hf")
    assert (summary.files, summary.rows, summary.left_out) == ((to,), 2, {})
    assert lines(to)[0] == {
        "prompt": "ask",
        "rubrics": [
            {"criterion": "short", "weight": 3},
            {"criterion": "kind", "weight": 0.5},
            {"criterion": "rude", "weight": -2},
        ],
        "number_of_criteria": 3,
        "total_weight": 3.5,
    }
    assert lines(to)[1]["prompt"] == [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
    ]


def test_hf_reads_back_and_joins_by_the_words_of_the_prompt(run, tmp_path):
    export(run, tmp_path / "train.jsonl", format="hf")
    first, second = read_rubrics(tmp_path / "train.jsonl")
    asked = [row.prompt.id for row in read_prompts(tmp_path / "train.jsonl")]
    assert [first.prompt_id, second.prompt_id] == asked
    assert first.prompt_id == Prompt.plain("ask").id
    assert [(c.text, c.weight) for c in first.criteria] == [
        ("short", 3.0),
        ("kind", 0.5),
        ("rude", -2.0),
    ]


def test_authors_is_their_final_file(run, tmp_path):
    to = tmp_path / "final_rubrics.json"
    assert export(run, to, format="authors").rows == 2
    items = json.loads(to.read_text())
    assert items[0] == {
        "id": "a",
        "prompt": "ask",
        "total_criteria": 3,
        "criteria": [
            {"criterion": "short", "weight": 3, "local_id": "c1"},
            {"criterion": "kind", "weight": 0.5, "local_id": "c2"},
            {"criterion": "rude", "weight": -2, "local_id": "c3"},
        ],
        "total_weight": 3.5,
    }
    assert items[1]["prompt"] == CHAT.text
    assert [rubric.prompt_id for rubric in read_rubrics(to)] == ["a", "b"]


def test_trl_holds_the_rubric_as_json_text_that_reads_back_with_its_checks(run, tmp_path):
    to = tmp_path / "trl.jsonl"
    export(run, to, format="trl")
    assert list(lines(to)[0]) == ["prompt_id", "prompt", "rubric"]
    assert isinstance(lines(to)[0]["rubric"], str)
    assert [rubric.criteria for rubric in read_rubrics(to)] == [FINAL.criteria, OTHER.criteria]


def pairs(path):
    return [(row["prompt_id"], row["chosen_id"], row["rejected_id"]) for row in lines(path)]


def test_preferences_are_the_pairs_that_differ_by_the_margin(run, tmp_path):
    to = tmp_path / "pairs.jsonl"
    summary = export(run, to, format="preferences", margin=0.3)
    assert pairs(to) == [("a", "r1", "r0"), ("a", "r3", "r0"), ("b", "r0", "r1")]
    assert summary.rows == 3
    assert summary.left_out == {"unscored responses": 1, "pairs that are too close": 4}


def test_ties_are_no_preferences_whatever_the_margin(run, tmp_path):
    to = tmp_path / "pairs.jsonl"
    export(run, to, format="preferences", margin=0)
    assert ("a", "r1", "r3") not in pairs(to)
    assert ("a", "r3", "r1") not in pairs(to)
    assert len(pairs(to)) == 6


def test_preferences_hold_texts_for_plain_prompts_and_turns_for_conversations(run, tmp_path):
    to = tmp_path / "pairs.jsonl"
    export(run, to, format="preferences", margin=0.3)
    plain, _, chat = lines(to)
    assert (plain["prompt"], plain["chosen"], plain["rejected"]) == ("ask", "a1", "a0")
    assert (plain["margin"], plain["by"]) == (pytest.approx(0.3), f"rubric:{FINAL.id}")
    assert chat["chosen"] == [{"role": "assistant", "content": "b0"}]
    assert chat["prompt"][0] == {"role": "system", "content": "s"}


def test_preferences_read_back_as_labelled_pools(run, tmp_path):
    to = tmp_path / "pairs.jsonl"
    export(run, to, format="preferences", margin=0.9)
    (row,) = read_pools(to)
    assert [(r.text, r.label) for r in row.pool.responses] == [("b0", 1.0), ("b1", 0.0)]


def test_csv_writes_a_file_for_each_table_of_the_run(run, tmp_path):
    to = tmp_path / "tables"
    summary = export(run, to, format="csv")
    assert [file.name for file in summary.files] == ["responses.csv", "rubrics.csv", "scores.csv"]
    assert summary.rows == 8 + 3 + 7
    with (to / "scores.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["score"] for row in rows] == ["0.1", "0.4", "", "0.4", "0.35", "1.0", "0.0"]
    assert list(read_rubrics(to / "rubrics.csv", one_per_prompt=False)) == [FIRST, FINAL, OTHER]


def test_parquet_writes_a_file_for_each_table_of_the_run(run, tmp_path):
    pytest.importorskip("pyarrow", reason="the data extra is not installed")
    summary = export(run, tmp_path / "tables", format="parquet")
    assert summary.rows == 18
    rubrics = read_rubrics(tmp_path / "tables" / "rubrics.parquet", one_per_prompt=False)
    assert list(rubrics) == [FIRST, FINAL, OTHER]


def test_parquet_without_its_package_writes_nothing(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra):
        export(run, tmp_path / "tables", format="parquet")
    assert not (tmp_path / "tables").exists()


@pytest.mark.parametrize("format", ["hf", "csv"])
def test_nothing_is_overwritten(run, tmp_path, format):
    file, folder = tmp_path / "file", tmp_path / "folder"
    file.write_text("old")
    folder.mkdir()
    (folder / "old").write_text("old")
    for to in (file, folder):
        with pytest.raises(InputError, match="expected a new name"):
            export(run, to, format=format)
    assert file.read_text() == "old"


def test_an_unknown_format_and_an_impossible_margin_are_refused(run, tmp_path):
    with pytest.raises(InputError, match=r"expected a format out of hf, .* found 'xml'"):
        export(run, tmp_path / "x", format="xml")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"expected a margin in \[0, 1\], found nan"):
        export(run, tmp_path / "x", format="preferences", margin=float("nan"))


@pytest.mark.parametrize("format", ["hf", "csv", "preferences"])
def test_a_folder_that_is_no_run_is_refused(tmp_path, format):
    with pytest.raises(InputError, match=r"no such file|outputs of a finished run"):
        export(tmp_path, tmp_path / "x", format=format)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "row", "message"),
    [
        ("scores.jsonl", {"prompt_id": "zz", "response_id": "r0", "score": 1}, "rows of the prompt 'zz'"),
        ("scores.jsonl", {"prompt_id": "a", "response_id": "zz", "score": 1}, "found 'zz'"),
        ("scores.jsonl", {"prompt_id": "a", "score": 1}, "field 'response_id': expected an id"),
    ],
    ids=["an unknown prompt", "an unknown response", "no response"],
)  # fmt: skip
def test_outputs_that_do_not_fit_each_other_are_refused(run, tmp_path, name, row, message):
    write_jsonl(run / name, [row])
    with pytest.raises(InputError, match=message):
        export(run, tmp_path / "x", format="preferences")
