import gzip
import sys

import pytest

from uppertail.data.formats import read_rows
from uppertail.data.pools import read_pools
from uppertail.data.tables import hub_rows
from uppertail.data.tables_out import write_csv, write_parquet
from uppertail.errors import InputError, MissingExtra, StorageError


def test_csv_rows_keep_long_cells_line_breaks_and_the_line_on_which_they_begin(tmp_path):
    path = tmp_path / "a.csv"
    long = "y" * 200_000
    path.write_text(f'prompt_id,prompt\np,"two\nlines"\n\nq,{long}\n')
    rows = list(read_rows(path))
    assert [row.fields for row in rows] == [
        {"prompt_id": "p", "prompt": "two\nlines"},
        {"prompt_id": "q", "prompt": long},
    ]
    assert [row.place.line for row in rows] == [2, 5]


def test_csv_cells_of_typed_columns_are_json(tmp_path):
    path = tmp_path / "a.csv.gz"
    text = 'prompt_id,label,sample,responses,model\n7,0.5,,"[""a"", ""b""]",3\n8,x,1\n'
    path.write_bytes(gzip.compress(text.encode()))
    assert [dict(row.fields) for row in read_rows(path)] == [
        {"prompt_id": "7", "label": 0.5, "sample": None, "responses": ["a", "b"], "model": "3"},
        {"prompt_id": "8", "label": "x", "sample": 1},
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a,b\n1,2,3\n", "line 2: expected 2 cells as in the header, found 3"),
        (b"a,b\n\xff,2\n", "expected UTF-8 text"),
        (b'a,b\n"1"2,3\n', "line 2: not CSV"),
        (b"a,b\n", "expected at least one row"),
        (b"", "expected at least one row"),
    ],
    ids=["too many cells", "not UTF-8", "broken quotes", "a header alone", "nothing"],
)
def test_bad_csv_is_refused(tmp_path, data, message):
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    with pytest.raises(InputError, match=message):
        list(read_rows(path))


ROWS: list[dict[str, object]] = [
    {"prompt_id": "p", "prompt": "\ud800 é", "label": 0.5, "on_policy": None, "pair": ["a", "b"]},
    {"prompt_id": "q", "prompt": [{"role": "user", "content": "x"}], "label": None, "pair": []},
]


def test_csv_output_escapes_surrogates_and_packs_lists_as_json(tmp_path):
    path = tmp_path / "new" / "a.csv"
    assert write_csv(path, ROWS) == 2
    assert path.read_text(encoding="utf-8").splitlines() == [
        "prompt_id,prompt,label,on_policy,pair",
        'p,\\ud800 é,0.5,,"[""a"", ""b""]"',
        'q,"[{""role"": ""user"", ""content"": ""x""}]",,,[]',
    ]


def test_csv_output_in_a_place_that_cannot_be_written_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        write_csv(tmp_path / "file" / "a.csv", ROWS)


def test_parquet_without_its_package_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"uppertail\[data\]"):
        list(read_rows(tmp_path / "a.parquet"))
    with pytest.raises(MissingExtra, match=r"uppertail\[data\]"):
        write_parquet(tmp_path / "a.parquet", ROWS)


def test_parquet_is_read_back_as_it_was_written(tmp_path):
    pytest.importorskip("pyarrow", reason="the data extra is not installed")
    path = tmp_path / "a.parquet"
    criteria = [
        {"criterion_id": "c", "criterion": "x", "weight": 2.0, "kind": "hard_rule", "check": ""}
    ]
    first = {**ROWS[0], "sample": 3, "criteria": criteria}
    assert write_parquet(path, [first, *([ROWS[1]] * 1500)]) == 1501
    rows = [dict(row.fields) for row in read_rows(path)]
    assert rows[0] == {**first, "prompt": "\\ud800 é"}
    assert rows[1500]["prompt"] == '[{"role": "user", "content": "x"}]'
    assert rows[1500]["pair"] == []
    assert rows[1500]["criteria"] is None


def test_pools_come_from_parquet_as_from_json_lines(tmp_path):
    pa = pytest.importorskip("pyarrow", reason="the data extra is not installed")
    import pyarrow.parquet as pq

    rows = [
        {"prompt": "q", "responses": [{"text": "a", "model": "m"}, {"text": "b", "model": "n"}]},
    ]
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    (only,) = read_pools(path)
    assert [r.id for r in only.pool.responses] == ["m#0", "n#0"]
    assert only.place.unit == "row"


def test_a_file_that_is_not_parquet_is_refused(tmp_path):
    pytest.importorskip("pyarrow", reason="the data extra is not installed")
    path = tmp_path / "a.parquet"
    path.write_bytes(b"not a table")
    with pytest.raises(InputError, match="not a Parquet file"):
        list(read_rows(path))


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("hf:owner/name", ("owner/name", None, "train")),
        ("hf:owner/name:health", ("owner/name", "health", "train")),
        ("hf:owner/name::test", ("owner/name", None, "test")),
        ("hf:owner/name:health:test", ("owner/name", "health", "test")),
    ],
)
def test_a_hub_name_says_data_set_configuration_and_split(source, asked):
    seen = []

    def load(name, config, *, split):
        seen.append((name, config, split))
        return [{"a": 1}, {"a": 2}]

    rows = list(hub_rows(source, load=load))
    assert seen == [asked]
    assert [(dict(row.fields), row.place.line, row.place.file) for row in rows] == [
        ({"a": 1}, 1, source),
        ({"a": 2}, 2, source),
    ]


@pytest.mark.parametrize("source", ["hf:", "hf:a/b:c:d:e"])
def test_a_malformed_hub_name_is_refused(source):
    with pytest.raises(InputError, match="expected hf:owner/name"):
        list(read_rows(source))


def test_a_data_set_that_cannot_be_loaded_is_an_input_error():
    def load(name, config, *, split):
        raise ConnectionError("no route\nto the hub")

    with pytest.raises(InputError, match=r"ConnectionError: no route$"):
        list(hub_rows("hf:owner/name", load=load))


def test_the_hub_without_its_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtra, match=r"hf:owner/name needs an extra"):
        list(read_rows("hf:owner/name"))


@pytest.mark.filterwarnings("default")
def test_a_local_data_set_is_streamed_by_the_real_library(tmp_path):
    pytest.importorskip("datasets", reason="the data extra is not installed")
    (tmp_path / "train.jsonl").write_text('{"prompt": "p"}\n{"prompt": "q"}\n')
    rows = list(read_rows(f"hf:{tmp_path}"))
    assert [row.fields["prompt"] for row in rows] == ["p", "q"]
