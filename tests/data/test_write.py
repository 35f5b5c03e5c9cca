import json
import resource

import pytest

from uppertail.data.write import json_line, replacing, write_json_array, write_jsonl
from uppertail.errors import StorageError

ROWS: list[dict[str, object]] = [{"b": 1, "a": "é\u2028\ud800"}, {"b": None, "a": 'q"\n'}]


def test_lines_keep_key_order_and_escape_only_what_utf8_cannot_hold():
    assert json_line(ROWS[0]) == '{"b": 1, "a": "é\u2028\\ud800"}\n'.encode()


def test_a_number_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_line({"score": float("nan")})


def test_a_file_holds_a_row_a_line_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "new" / "a.jsonl"
    assert write_jsonl(path, iter(ROWS)) == 2
    assert [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]] == ROWS
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("rows", [[], ROWS[:1], ROWS], ids=["none", "one", "two"])
def test_an_array_is_one_document(tmp_path, rows):
    path = tmp_path / "a.json"
    assert write_json_array(path, rows) == len(rows)
    assert json.loads(path.read_bytes()) == rows


def test_an_older_file_stays_when_the_rows_fail(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("old")

    def rows():
        yield {"a": 1}
        raise KeyError("no more")

    with pytest.raises(KeyError):
        write_jsonl(path, rows())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_older_file_is_replaced_only_at_the_end(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("old")
    with replacing(path) as write:
        write(b"new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"a\.jsonl: cannot be written: "):
        write_jsonl(tmp_path / "file" / "a.jsonl", ROWS)


def test_a_folder_in_the_place_of_the_file_is_a_storage_error(tmp_path):
    (tmp_path / "a.jsonl").mkdir()
    with pytest.raises(StorageError, match="cannot be written"):
        write_jsonl(tmp_path / "a.jsonl", ROWS)
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


@pytest.fixture
def full_disk():
    """Let no file grow past 64 KiB, as on a disk that is nearly full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [100, 200_000], ids=["at the end", "on the way"])
def test_a_full_disk_is_a_storage_error_and_leaves_nothing(tmp_path, full_disk, size):
    rows = [{"a": "x" * size}] * (200_000 // size)
    with pytest.raises(StorageError, match="cannot be written: File too large"):
        write_jsonl(tmp_path / "a.jsonl", rows)
    assert list(tmp_path.iterdir()) == []
