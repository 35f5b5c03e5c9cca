"""Every kind of file, every way to name gold, and what is refused."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from uppertail.errors import InputError, MissingExtra
from uppertail.evaluate.tail import Columns, read_table
from uppertail.evaluate.tail.read import read_checkpoints
from uppertail.evaluate.tail.tracker import Checkpoint

ROWS: list[dict[str, Any]] = [
    {"prompt_id": "a", "reward": 1, "gold": 0.5, "response": "- one\n- two\n# head\n**bold** é"},
    {"prompt_id": "b", "reward": None, "gold": 2.0, "response": ""},
    {"prompt_id": "a", "reward": 2.5, "gold": None, "response": "plain"},
]


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def jsonl_file(folder: Path) -> Path:
    return jsonl(folder / "rows.jsonl", ROWS)


def zipped_file(folder: Path) -> Path:
    path = folder / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(jsonl_file(folder).read_bytes()))
    return path


def parquet_file(folder: Path) -> Path:
    path = folder / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


def csv_file(folder: Path) -> Path:
    path = folder / "rows.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(ROWS[0]))
        writer.writeheader()
        writer.writerows(ROWS)
    return path


@pytest.mark.parametrize("write", [jsonl_file, zipped_file, parquet_file, csv_file])
def test_every_format_gives_the_same_table(write, tmp_path):
    table = read_table(write(tmp_path))
    assert table.prompt.tolist() == [0, 1, 0]
    assert list(table.rewards) == ["reward"]
    np.testing.assert_array_equal(table.rewards["reward"], [1, np.nan, 2.5])
    np.testing.assert_array_equal(table.gold, [0.5, 2, np.nan])
    lengths = table.features["length"]
    assert (lengths[0], lengths[2]) == (len(str(ROWS[0]["response"])), 5)
    assert [values[0] for values in table.features.values()][1:] == [2, 1, 1]


def test_columns_may_have_any_name_and_numbers_may_be_ids(tmp_path):
    rows = [
        {"q": 7, "rm": 1, "old": 2, "again": 1, "votes": True, "n": 10},
        {"q": 7, "rm": 2, "old": 1, "again": 3, "votes": False, "n": 20},
    ]
    columns = Columns(
        prompt="q", reward="rm", against="old", retest="again", gold="votes", length="n"
    )
    table = read_table(jsonl(tmp_path / "x.jsonl", rows), columns)
    assert list(table.rewards) == ["rm", "old"]
    assert table.gold is not None
    assert table.retest is not None
    assert table.gold.tolist() == [1, 0]
    assert table.retest.tolist() == [1, 3]
    assert table.features["length"].tolist() == [10, 20]


def test_a_rank_is_turned_so_that_higher_is_better(tmp_path):
    table = read_table(jsonl_file(tmp_path), Columns(gold_is="rank"))
    assert table.gold is not None
    assert table.gold[:2].tolist() == [-0.5, -2]


def test_preferences_are_prompts_of_two_responses(tmp_path):
    rows = [{"c": 1.5, "r": 0.5}, {"c": 0.1, "r": 0.2}]
    table = read_table(jsonl(tmp_path / "x.jsonl", rows), Columns(chosen="c", rejected="r"))
    assert table.prompt.tolist() == [0, 1, 0, 1]
    assert table.rewards["c / r"].tolist() == [1.5, 0.1, 0.5, 0.2]
    assert table.gold is not None
    assert table.gold.tolist() == [1, 1, 0, 0]


SCORED: list[dict[str, Any]] = [
    {"prompt_id": "a", "response_id": "1", "score": 0.1},
    {"prompt_id": "a", "response_id": "2", "score": 0.2},
    {"prompt_id": "b", "response_id": "1", "score": 0.3},
    {"prompt_id": "b", "response_id": "9", "score": 0.4},
]


def test_labels_in_a_file_of_their_own_are_joined(tmp_path):
    labels = jsonl(
        tmp_path / "labels.jsonl",
        [
            {"prompt_id": "b", "response_id": "1", "label": 5},
            {"prompt_id": "a", "response_id": "2", "label": 4},
            {"prompt_id": "z", "response_id": "2", "label": 3},
        ],
    )
    table = read_table(jsonl(tmp_path / "x.jsonl", SCORED), labels=labels)
    np.testing.assert_array_equal(table.gold, [np.nan, 4, 5, np.nan])


def test_pairwise_preferences_become_shares_of_comparisons_won(tmp_path):
    labels = jsonl(
        tmp_path / "votes.jsonl",
        [
            {"prompt_id": "a", "chosen": "1", "rejected": "2"},
            {"prompt_id": "a", "chosen": "1", "rejected": "2"},
            {"prompt_id": "a", "chosen": "2", "rejected": "1"},
            {"prompt_id": "b", "chosen": "9", "rejected": "4"},
        ],
    )
    table = read_table(jsonl(tmp_path / "x.jsonl", SCORED), labels=labels)
    assert table.gold is not None
    assert table.gold == pytest.approx([2 / 3, 1 / 3, np.nan, 1], nan_ok=True)


def run_folder(folder: Path, label: float | None) -> Path:
    responses: list[dict[str, Any]] = [
        {"prompt_id": "a", "response_id": "1", "response": "x", "label": label},
        {"prompt_id": "a", "response_id": "2", "response": "xyz", "label": None},
    ]
    jsonl(folder / "responses.jsonl", responses)
    jsonl(folder / "scores.jsonl", [{"prompt_id": "a", "response_id": "2", "score": 0.7}])
    return folder


def test_a_finished_run_is_read_from_its_folder(tmp_path):
    table = read_table(run_folder(tmp_path, 1.0))
    np.testing.assert_array_equal(table.rewards["score"], [np.nan, 0.7])
    np.testing.assert_array_equal(table.gold, [1, np.nan])
    assert table.features["length"].tolist() == [1, 3]


def test_a_run_without_labels_has_no_gold(tmp_path):
    assert read_table(run_folder(tmp_path, None)).gold is None


def test_nan_that_python_writes_is_unscored(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('\n{"id": 1, "reward": NaN}\n\n{"id": 1, "reward": 2}\n')
    np.testing.assert_array_equal(read_table(path).rewards["reward"], [np.nan, 2])


def test_texts_that_are_no_texts_are_not_measured(tmp_path):
    rows = [{"id": 1, "reward": 1.0, "response": 5}, {"id": 1, "reward": 2.0, "response": 6}]
    assert read_table(jsonl(tmp_path / "x.jsonl", rows)).features == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"id": 1, "reward": 1}\n{"id": 1, "rew', "line 2: expected a JSON object"),
        ('{"id": 1, "reward": 1}\n[1]\n', "line 2: expected a JSON object"),
        ('{"id": 1, "reward": 1}\n{"id": 1, "reward": "high"}\n', "line 2, field 'reward'"),
        ('{"id": 1, "reward": "high"}\n', "field 'reward': expected numbers, found string"),
        ('{"id": 1, "reward": [1]}\n{"id": 1, "reward": [{}]}\n', "expected one kind of value"),
        ('{"id": 1, "reward": Infinity}\n', "infinite"),
        ('{"id": null, "reward": 1}\n', "an id is missing"),
        ('{"id": 1, "rewards": 1}\n', "no column of rewards"),
        ("", "empty"),
    ],
)
def test_damaged_rows_are_refused_with_their_place(text, problem, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=problem):
        read_table(path)


def test_cells_that_are_no_numbers_are_refused_in_csv(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id,reward\n1,0.5\n1,high\n")
    with pytest.raises(InputError, match="expected numbers, found string"):
        read_table(path)


def test_ragged_csv_is_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id,reward\n1,0.5\n1,0.5,7\n")
    with pytest.raises(InputError, match="not the CSV"):
        read_table(path)


def test_what_is_no_parquet_is_refused(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_text("no")
    with pytest.raises(InputError, match="not a Parquet file"):
        read_table(path)


@pytest.mark.parametrize("name", ["gone.parquet", "gone.jsonl", "gone.csv"])
def test_a_file_that_is_not_there_is_refused(name, tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / name)


def test_a_file_of_another_kind_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"expected a \.parquet"):
        read_table(tmp_path / "x.xlsx")


def test_a_column_that_is_not_there_is_refused_with_what_is(tmp_path):
    with pytest.raises(InputError, match=r"'rm'.*found prompt_id, reward"):
        read_table(jsonl_file(tmp_path), Columns(reward="rm"))


def test_one_side_of_a_preference_is_refused(tmp_path):
    rows: list[dict[str, Any]] = [{"c": 1.0}]
    with pytest.raises(InputError, match="rejected rewards"):
        read_table(jsonl(tmp_path / "x.jsonl", rows), Columns(chosen="c"))


def test_without_pyarrow_the_extra_is_named(tmp_path, monkeypatch):
    path = parquet_file(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"uppertail\[tail\]"):
        read_table(path)


def test_checkpoints_are_read_with_what_they_have(tmp_path):
    rows: list[dict[str, Any]] = [
        {"step": 0, "reward": 0.1, "gold": None},
        {"step": 10, "reward": 0.2, "gold": 0.5},
    ]
    found = read_checkpoints(
        jsonl(tmp_path / "x.jsonl", rows), step="step", proxy="reward", gold="gold", kl="kl"
    )
    assert found == (Checkpoint(step=0, proxy=0.1), Checkpoint(step=10, proxy=0.2, gold=0.5))


def test_a_checkpoint_without_a_step_is_refused(tmp_path):
    rows: list[dict[str, Any]] = [{"step": None, "gold": 1.0}, {"step": 1, "gold": 1.0}]
    with pytest.raises(InputError, match="every row needs a step"):
        read_checkpoints(
            jsonl(tmp_path / "x.jsonl", rows), step="step", proxy="reward", gold="gold", kl="kl"
        )
