"""Rows and files of benchmarks that are refused, and what is said of them."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from tests.evaluate.bench.rows import CORRECT, LLMBAR, ROWS, read, write
from uppertail.data.place import Place, Row
from uppertail.errors import InputError
from uppertail.evaluate.bench.benchmark import Inputs, items_of
from uppertail.evaluate.bench.read import LONGEST, files, id_of, rows
from uppertail.evaluate.bench.registry import aggregation_of, find

BAD = [
    ("rewardbench", {"subset": None}, "line 1, field 'subset': expected one of 'alpacaeval-easy'"),
    ("rewardbench", {"chosen": ""}, "line 1, field 'chosen': expected a text, found an empty one"),
    ("rewardbench", {"rejected": 3}, "line 1, field 'rejected': expected a text, found 3"),
    ("rewardbench", {"prompt": []}, "conversation whose last turn is the user's"),
    ("rm-bench", {"chosen": ["a"]}, "expected 3 chosen and 3 rejected, found 4 responses"),
    ("rm-bench", {"chosen": "abc"}, "expected a list of texts, found 'abc'"),
    ("rm-bench", {"domain": "art"}, "expected one of 'chat', 'math'.*found 'art'"),
    ("rewardbench-2", {"subset": "Ties"}, "expected an id ref:N or tied:N in Ties, found 'x1'"),
    ("rewardbench-2", {"rejected": ["b", ""]}, r"field 'rejected\[1\]': expected a text"),
    ("rmb", {"category_path": "S1"}, "expected Helpfulness or Harmlessness in the path"),
    ("rmb", {"bon_best": {"answer": ""}}, "field 'bon_best.answer': expected an object"),
    ("rmb", {"loser_list": []}, "field 'loser_list': expected a list of responses"),
    ("judgebench", {"label": "A=B"}, "field 'label': expected one of 'A>B', 'B>A', found 'A=B'"),
    ("llmbar", {"label": True}, "field 'label': expected one of 1, 2, found True"),
    ("llmbar", {"label": [1]}, r"field 'label': expected one of 1, 2, found \[1\]"),
    ("ppe", {"winner": "both"}, "field 'winner': expected one of 'model_a'"),
    ("ppe-correctness", {"scores": [1, 0]}, "field 'scores': expected a list of true and false"),
    ("autoj", {"label": 3}, "field 'label': expected one of 0, 1, 2, found 3"),
    ("pandalm", {"human": [0, 1, 2]}, "field 'human': expected a majority"),
    ("pandalm", {"human": [3]}, "field 'human': expected a list of votes"),
    ("healthbench", {"rubrics": []}, "field 'rubrics': expected a list of objects"),
    ("healthbench", {"rubrics": ["x"]}, r"field 'rubrics\[0\]': expected an object"),
    ("healthbench", {"rubrics": [{"criterion": "x", "points": 0}]}, "points that are not zero"),
    ("healthbench", {"rubrics": [{"criterion": "x", "points": -1}]}, "a criterion of positive"),
    (
        "healthbench",
        {"rubrics": [{"criterion": "x"}]},
        "the column is missing; there are criterion",
    ),
    ("healthbench", {"rubrics": [{"criterion": "x", "points": None}]}, "expected a number, found"),
    ("prbench", {"prompt_1": None}, "expected turns that end with the user's"),
    ("prbench", {"rubric": [{"title": "x", "annotations": 1}]}, "field 'annotations': expected an"),
    ("infobench", {"decomposed_questions": []}, "expected questions, found none"),
    ("ifeval", {"instruction_id_list": ["x:y", "z"]}, "unknown instruction 'x:y'"),
    (
        "ifeval",
        {"kwargs": [{}, {}]},
        "unknown instruction .* or its argument 'relation' is missing",
    ),
    ("ifeval", {"kwargs": [{"relation": "at least", "num_words": 0}, {}]}, "cannot be checked"),
    ("ifeval", {"kwargs": [{}]}, "expected instructions with their kwargs"),
    ("ifeval", {"instruction_id_list": [1, 2]}, "expected a type and its kwargs"),
    ("biggen", {"score_rubric": "x"}, "field 'score_rubric': expected an object"),
    ("rubrics", {"criteria": []}, "expected a list of criteria"),
]


@pytest.mark.parametrize(("name", "change", "complaint"), BAD)
def test_bad_rows_are_refused_with_file_line_and_field(name, change, complaint, tmp_path):
    with pytest.raises(InputError, match=complaint) as caught:
        read(name, tmp_path, {**ROWS[name], **change})
    assert str(tmp_path / "data.jsonl") in str(caught.value)
    assert "line 1" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        (name, column)
        for name, columns in {
            "rewardbench": ("prompt", "chosen", "rejected", "subset"),
            "rm-bench": ("chosen", "rejected", "domain", "prompt"),
            "judgebench": ("question", "response_A", "label", "source"),
            "llmbar": ("output_2", "label", "prompt"),
            "healthbench": ("prompt", "rubrics", "response"),
            "biggen": ("capability", "score_rubric"),
            "rmb": ("category_path", "loser_list", "conversation_input"),
            "pandalm": ("human", "cmp"),
        }.items()
        for column in columns
    ],
)
def test_a_missing_column_is_named(name, column, tmp_path):
    row = {key: value for key, value in ROWS[name].items() if key != column}
    with pytest.raises(InputError) as caught:
        read(name, tmp_path, row)
    known = {"prompt": "input"}.get(column, column) if name == "llmbar" else column
    assert re.search(known, str(caught.value))
    assert "line 1" in str(caught.value)


def test_ids_that_come_twice_are_refused_with_both_lines(tmp_path):
    with pytest.raises(InputError, match="line 2: the id 'l1' comes twice: first on line 1"):
        read("llmbar", tmp_path, LLMBAR, LLMBAR)


def test_ids_that_come_in_two_files_name_the_other_file(tmp_path):
    for name in ("a.jsonl", "b.jsonl"):
        write(tmp_path / name, LLMBAR)
    with pytest.raises(InputError, match=r"b\.jsonl, line 1: .*first on line 1 of .*a\.jsonl"):
        list(items_of(find("llmbar"), Inputs(data=tmp_path)))


@pytest.mark.parametrize("zipped", [False, True])
def test_a_line_of_a_hundred_megabytes_is_refused_before_it_is_decoded(tmp_path, zipped):
    file = tmp_path / ("data.jsonl.gz" if zipped else "data.jsonl")
    long = b'{"prompt": "' + b"x" * 100_000_000
    good = json.dumps(LLMBAR).encode() + b"\n"
    with gzip.open(file, "wb", 1) if zipped else file.open("wb") as stream:
        stream.write(good + long)
    with pytest.raises(InputError, match=f"line 2: expected a line of at most {LONGEST:,} bytes"):
        list(items_of(find("llmbar"), Inputs(data=file)))


def test_a_text_of_a_table_may_not_be_longer_either(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "data.parquet"
    pq.write_table(pa.Table.from_pylist([{**LLMBAR, "output_1": "x" * (LONGEST + 1)}]), file)
    with pytest.raises(InputError, match=r"row 1, field 'output_1': expected at most"):
        list(items_of(find("llmbar"), Inputs(data=file)))


def test_a_folder_without_data_and_a_file_that_is_not_there_are_refused(tmp_path):
    with pytest.raises(InputError, match="expected data files"):
        list(items_of(find("llmbar"), Inputs(data=tmp_path)))
    with pytest.raises(InputError, match="there is no such file"):
        list(items_of(find("llmbar"), Inputs(data=tmp_path / "none.jsonl")))


def test_data_that_ask_nothing_are_refused(tmp_path):
    with pytest.raises(InputError, match="expected at least one item, found none"):
        read("ppe-correctness", tmp_path, {**CORRECT, "scores": [True] * 3})


def test_names_of_the_hub_are_not_looked_for_on_the_disk():
    assert list(files("hf:owner/name::test")) == ["hf:owner/name::test"]
    with pytest.raises(InputError, match="expected hf:owner/name"):
        list(rows("hf:a:b:c:d"))


def test_an_id_that_is_named_must_be_there(tmp_path):
    row = {"prompt": "p", "criteria": ["Is short."], "response": "a", "key": None, "task": ""}
    with pytest.raises(InputError, match="field 'task': expected an id"):
        read("rubrics", tmp_path, row)
    with pytest.raises(InputError, match="field 'uid': expected an id, found nothing"):
        id_of(Row(fields={}, place=Place(file="f", line=1)), "uid")


def test_what_is_no_benchmark_is_refused(tmp_path):
    with pytest.raises(InputError, match="unknown benchmark 'nope'; expected one of rewardbench"):
        find("nope")
    with pytest.raises(InputError, match="there is no such file"):
        find(str(tmp_path / "none.py"))
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(InputError, match="expected a BENCHMARK"):
        find(str(tmp_path / "empty.py"))
    with pytest.raises(InputError, match="unknown aggregation 'nope'"):
        aggregation_of("nope")


def test_two_items_of_one_id_are_refused_whatever_reads_them(tmp_path):
    (tmp_path / "twice.py").write_text(
        "from uppertail.evaluate.bench import Benchmark, pair, reads, rows\n"
        "def read(source):\n"
        "    for row in rows(source):\n"
        "        yield from (pair(row), pair(row))\n"
        "BENCHMARK = Benchmark(name='twice', read=reads(read))\n"
    )
    file = write(
        tmp_path / "data.jsonl", {"id": "x", "prompt": "q", "chosen": "a", "rejected": "b"}
    )
    with pytest.raises(InputError, match="two items have the id 'x'"):
        list(items_of(find(str(tmp_path / "twice.py")), Inputs(data=file)))
