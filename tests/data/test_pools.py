import json

import pytest

from uppertail.data.pools import read_pools
from uppertail.data.responses import Flaw
from uppertail.errors import InputError, StorageError
from uppertail.types import Prompt


def save(folder, name, rows):
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def shape(source, responses=None, **options):
    """Return prompt id and response texts of every pool."""
    rows = read_pools(source, responses, **options)
    return [(row.pool.prompt.id, [r.text for r in row.pool.responses]) for row in rows]


def test_pools_of_one_file_come_in_its_order(tmp_path):
    path = save(
        tmp_path,
        "a.jsonl",
        [
            {"id": "b", "prompt": "x", "responses": ["1", "2"]},
            {"id": "a", "prompt": "y", "responses": []},
            {"id": "c", "prompt": "z"},
        ],
    )
    assert shape(path) == [("b", ["1", "2"]), ("a", []), ("c", [])]
    assert [row.place.line for row in read_pools(path)] == [1, 2, 3]


def test_the_authors_rollouts_are_pools_named_for_their_position(tmp_path):
    path = tmp_path / "rollouts.json"
    answers = [{"generator": "g", "response": "1"}, {"generator": "h", "response": "[ERROR: x]"}]
    path.write_text(json.dumps([{"prompt": "x", "responses": answers}, {"id": "q", "prompt": "y"}]))
    rows = list(read_pools(path))
    assert [row.pool.prompt.id for row in rows] == ["prompt_0", "q"]
    assert [(r.id, r.model) for r in rows[0].pool.responses] == [("g#0", "g")]
    assert [(q.model, q.why) for q in rows[0].quarantined] == [("h", Flaw.ERROR_TEXT)]


def test_a_flat_list_is_gathered_by_prompt_in_the_order_of_first_appearance(tmp_path):
    path = tmp_path / "flat.json"
    rows = [
        {"prompt_id": "b", "prompt": "x", "response": "1"},
        {"prompt_id": "a", "prompt": "y", "response": "2"},
        {"prompt_id": "b", "prompt": "x", "response": "3"},
        {"prompt_id": "a", "response": "4"},
    ]
    path.write_text(json.dumps(rows))
    assert shape(path) == [("b", ["1", "3"]), ("a", ["2", "4"])]


def test_a_flat_list_without_ids_is_gathered_by_the_words_of_the_prompt(tmp_path):
    rows = [{"prompt": p, "response": r} for p, r in ("x1", "y2", "x3")]
    path = save(tmp_path, "flat.jsonl", rows)
    assert shape(path) == [
        (Prompt.plain("x").id, ["1", "3"]),
        (Prompt.plain("y").id, ["2"]),
    ]


def test_responses_of_their_own_file_join_in_any_order(tmp_path):
    prompts = save(tmp_path, "p.jsonl", [{"prompt_id": id, "prompt": id} for id in "abc"])
    responses = save(
        tmp_path,
        "r.jsonl",
        [
            {"prompt_id": "c", "model": "m", "response": "1"},
            {"prompt_id": "a", "model": "m", "response": "2"},
            {"prompt_id": "c", "model": "n", "response": "3", "label": 1},
            {"prompt_id": "c", "responses": ["4", "5"]},
        ],
    )
    assert shape(prompts, responses) == [("a", ["2"]), ("b", []), ("c", ["1", "3", "4", "5"])]
    last = list(read_pools(prompts, responses))[-1]
    assert [(r.id, r.label) for r in last.pool.responses][:2] == [("m#0", None), ("n#0", 1.0)]


def test_responses_join_prompts_without_ids_by_their_words(tmp_path):
    prompts = save(tmp_path, "p.jsonl", [{"prompt": "x"}, {"prompt": "y"}])
    responses = save(tmp_path, "r.jsonl", [{"prompt": "y", "response": "1"}])
    assert [texts for _, texts in shape(prompts, responses)] == [[], ["1"]]


def test_joined_texts_may_hold_anything_that_json_can(tmp_path):
    text = "\ud800 \x00 \u202e \U0001f600"
    prompts = save(tmp_path, "p.jsonl", [{"prompt_id": text, "prompt": text}])
    responses = save(tmp_path, "r.jsonl", [{"prompt_id": text, "response": text, "model": text}])
    (row,) = read_pools(prompts, responses)
    assert row.pool.prompt.text == row.pool.prompt.id == text
    assert (row.pool.responses[0].text, row.pool.responses[0].model) == (text, text)


def test_the_temporary_database_stands_in_the_given_folder_and_goes_at_the_end(tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    path = save(tmp_path, "flat.jsonl", [{"prompt": "x", "response": "1"}])
    rows = read_pools(path, scratch=scratch)
    next(rows)
    assert len(list(scratch.iterdir())) == 1
    rows.close()
    assert list(scratch.iterdir()) == []


def test_a_folder_that_cannot_hold_the_database_is_a_storage_error(tmp_path):
    path = save(tmp_path, "flat.jsonl", [{"prompt": "x", "response": "1"}])
    with pytest.raises(StorageError, match="cannot be joined there"):
        list(read_pools(path, scratch=tmp_path / "none"))


FLAT = {"prompt_id": "a", "prompt": "x", "response": "1"}
BAD = {
    "two prompts of one id": (
        [{"id": "a", "prompt": "x"}, {"id": "a", "prompt": "y"}], None,
        r"a.jsonl, line 2, field 'prompt_id': the prompt id 'a' comes twice: first on line 1"),
    "two prompts of one id beside responses": (
        [{"id": "a", "prompt": "x"}, {"id": "a", "prompt": "y"}], [FLAT],
        r"a.jsonl, line 2, field 'prompt_id': the prompt id 'a' comes twice: first on line 1"),
    "a flat row with another prompt": (
        [FLAT, {**FLAT, "prompt": "y"}], None,
        r"line 2, field 'prompt_id': another prompt has the id 'a': first on line 1"),
    "a flat row of an unknown prompt": (
        [FLAT, {"prompt_id": "b", "response": "1"}], None, "line 2, field 'prompt': expected a prompt"),
    "a response to an unknown prompt": (
        [{"id": "a", "prompt": "x"}], [FLAT, {"prompt_id": "zz", "response": "1"}],
        r"r.jsonl, line 2, field 'prompt_id': expected the id of a prompt in .*a.jsonl, found 'zz'"),
    "a response that names no prompt": (
        [{"id": "a", "prompt": "x"}], [{"response": "1"}], "r.jsonl, line 1, field 'prompt'"),
    "a row without a response": (
        [{"id": "a", "prompt": "x"}], [{"prompt_id": "a"}],
        "r.jsonl, line 1, field 'response': expected a response under one of"),
    "responses given twice": (
        [{"id": "a", "prompt": "x", "responses": ["1"]}], [FLAT],
        "a.jsonl, line 1, field 'responses': expected prompts alone"),
    "a prompt that is missing": (
        [{"id": "a", "responses": ["1"]}], None, "line 1, field 'prompt': expected a prompt"),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "responses", "message"), BAD.values(), ids=BAD.keys())
def test_inputs_are_refused_with(tmp_path, rows, responses, message):
    source = save(tmp_path, "a.jsonl", rows)
    beside = None if responses is None else save(tmp_path, "r.jsonl", responses)
    with pytest.raises(InputError, match=message):
        list(read_pools(source, beside))
