import gzip
import json

import pytest

from uppertail.data.formats import read_rows
from uppertail.errors import InputError

LONG = "x" * 200_000


def fields(path):
    return [dict(row.fields) for row in read_rows(path)]


def save(folder, name, data):
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def test_lines_give_rows_with_their_line_numbers(tmp_path):
    path = save(tmp_path, "a.jsonl", '\n{"a": 1}\n\n{"a": 2}')
    rows = list(read_rows(path))
    assert [row.place.line for row in rows] == [2, 4]
    assert [row.fields["a"] for row in rows] == [1, 2]
    assert {row.place.file for row in rows} == {str(path)}


def test_gzip_is_recognised_by_its_bytes_whatever_the_name(tmp_path):
    data = gzip.compress(b'{"a": 1}\n')
    assert fields(save(tmp_path, "a.jsonl.gz", data)) == [{"a": 1}]
    assert fields(save(tmp_path, "b.jsonl", data)) == [{"a": 1}]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_a_byte_order_mark_is_passed_over(tmp_path, name):
    assert fields(save(tmp_path, name, b'\xef\xbb\xbf{"a": 1}')) == [{"a": 1}]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_raw_control_characters_and_lone_surrogates_pass_through(tmp_path, name):
    path = save(tmp_path, name, '{"a": "tab\tbell\x07 \\ud800 \u202e"}\n')
    assert fields(path) == [{"a": "tab\tbell\x07 \ud800 \u202e"}]


def test_an_array_gives_rows_with_lines_and_positions(tmp_path):
    path = save(tmp_path, "a.json", '[\n  {"a": 1},\n\n  {"a":\n 2} ]\n')
    rows = list(read_rows(path))
    assert [(row.place.line, row.index, row.fields["a"]) for row in rows] == [(2, 0, 1), (4, 1, 2)]


def test_objects_one_after_another_are_rows(tmp_path):
    path = save(tmp_path, "a.json", '{"a": 1}\n{\n"a": 2\n}{"a": 3}')
    assert fields(path) == [{"a": 1}, {"a": 2}, {"a": 3}]


def test_a_wrapped_array_gives_its_items(tmp_path):
    path = save(tmp_path, "a.json", '{"metadata": {}, "rubrics": [{"id": "p"}, {"id": "q"}]}')
    rows = list(read_rows(path))
    assert [(row.fields["id"], row.index) for row in rows] == [("p", 0), ("q", 1)]
    assert str(rows[1].place.error("odd")) == f"{path}, row 2: odd"


@pytest.mark.parametrize(
    "row", [{"prompt": "p", "rubrics": []}, {"id": "p", "responses": []}, {"rubrics": "text"}]
)
def test_an_object_that_is_itself_a_row_is_not_unwrapped(tmp_path, row):
    assert fields(save(tmp_path, "a.json", json.dumps(row))) == [row]


def test_rows_longer_than_many_chunks_are_read(tmp_path):
    rows = [{"a": LONG * 8, "n": n} for n in range(3)]
    assert fields(save(tmp_path, "a.json", json.dumps(rows, indent=1))) == rows
    assert fields(save(tmp_path, "a.jsonl", "\n".join(map(json.dumps, rows)))) == rows


def test_every_place_of_a_chunk_boundary_is_harmless(tmp_path):
    # 262,144 characters are read at a time; the padding moves each part of the second item
    # across that boundary.
    item = {"é": [1.5, -20, True, None, 'a\\"\u20ac']}
    text = json.dumps(item)
    for shift in range(len(text) + 4):
        pad = "p" * (262_144 - len('[{"a": ""}, ') - shift)
        path = save(tmp_path, "a.json", f'[{{"a": "{pad}"}}, {text}]')
        assert fields(path) == [{"a": pad}, item]


BAD = {
    "an empty file": ("a.jsonl", b"", "expected at least one row"),
    "only blank lines": ("a.jsonl", b"\n \n", "expected at least one row"),
    "an empty document": ("a.json", b" \n", "expected at least one row"),
    "an empty array": ("a.json", b"[ ]", "expected at least one row"),
    "a cut last line": ("a.jsonl", b'{"a": 1}\n{"a": "x', "line 2: the line is cut off"),
    "a broken line in the middle": ("a.jsonl", b'{"a" 1}\n{}\n', "line 1: expected a JSON object"),
    "a line that is a list": ("a.jsonl", b"[1]\n", "line 1: expected a JSON object, found [1]"),
    "a line that is a text": ("a.jsonl", b'"x"\n', "line 1: expected a JSON object, found 'x'"),
    "bytes that are not UTF-8": ("a.jsonl", b'{}\n{"a": "\xff"}\n', "line 2: expected UTF-8 text"),
    "a line cut in a character": ("a.jsonl", b'{"a": "\xe2\x82', "ends inside a character"),
    "nesting without end": ("a.jsonl", b'{"a":' + b"[" * 100_000, "nested too deeply"),
    "a number without end": ("a.jsonl", b'{"a":' + b"9" * 5000 + b"}\n", "line 1: expected a JSON"),
    "a cut array": ("a.json", b'[{"a": 1},\n{"a": 2}', "line 2: the JSON is cut off"),
    "a cut text in an array": ("a.json", b'[{"a": 1},\n{"a": "x', "line 2: the JSON is cut off"),
    "an array that only begins": ("a.json", b"[", "the JSON is cut off"),
    "a comma at the end": ("a.json", b'[{"a": 1}, ]', "line 1: expected JSON"),
    "a missing comma": ("a.json", b'[{"a": 1}\n{"a": 2}]', "line 2: expected ',' or ']'"),
    "text after the array": ("a.json", b"[{}]\nmore", "line 2: expected nothing after"),
    "an array of texts": ("a.json", b'[\n"x"]', "line 2: expected a JSON object, found 'x'"),
    "a wrapped text": ("a.json", b'{"data": [{}, 3]}', "row 2: expected a JSON object, found 3"),
    "a broken document": (
        "a.json",
        b'[{"a": 1,\n "b" 2, "c": 333333333333333}]',
        "line 2: expected",
    ),
    "a document that is a number": ("a.json", b"12", "expected a JSON object, found 12"),
    "a document that is not UTF-8": ("a.json", b'[{"a": "\xff"}]', "expected UTF-8 text, found"),
    "a deeply nested document": ("a.json", b"[" + b"[" * 100_000, "nested too deeply"),
    "a huge number in a document": ("a.json", b"[" + b"9" * 5000 + b"]", "expected JSON"),
    "damaged gzip": ("a.jsonl.gz", gzip.compress(b"{}\n" * 9)[:12] + b"\0" * 30, "gzip data is"),
    "cut gzip": ("a.jsonl.gz", gzip.compress(b'{"a": 1}\n' * 99)[:-12], "gzip data is cut off"),
}


@pytest.mark.parametrize(("name", "data", "message"), BAD.values(), ids=BAD.keys())
def test_bad_files_are_refused_with_their_place(tmp_path, name, data, message):
    path = save(tmp_path, name, data)
    with pytest.raises(InputError) as caught:
        fields(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        fields(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="expected a file, found a folder"):
        fields(tmp_path)


def test_a_path_through_a_file_is_refused(tmp_path):
    save(tmp_path, "a", "x")
    with pytest.raises(InputError, match="cannot be read"):
        fields(tmp_path / "a" / "b.jsonl")
