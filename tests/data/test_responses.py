import pytest

from uppertail.data.place import Place, Row
from uppertail.data.responses import Draft, Flaw, drafts_in, is_flat, sort_out
from uppertail.errors import InputError


def row(**fields):
    return Row(fields=fields, place=Place(file="f", line=3))


def kept(**fields):
    return sort_out("p", drafts_in(row(prompt="q", **fields))).kept


def ids(*items):
    return [response.id for response in kept(responses=list(items))]


def test_every_field_of_a_response_is_read():
    (only,) = kept(
        responses=[
            {
                "id": "a",
                "text": "t",
                "model": "m",
                "sample": 4,
                "reasoning": "r",
                "on_policy": True,
                "label": 0.25,
            }
        ]
    )
    assert (only.id, only.text, only.model, only.sample) == ("a", "t", "m", 4)
    assert (only.reasoning, only.on_policy, only.label) == ("r", True, 0.25)


SHAPES = {
    "plain texts": ({"responses": ["a", "b"]}, ["a", "b"]),
    "the authors' items": ({"responses": [{"generator": "g", "response": "a"}]}, ["a"]),
    "completions": ({"completions": [{"completion": "a"}, {"content": "b"}]}, ["a", "b"]),
    "completions of chats": (
        {"completions": [[{"role": "assistant", "content": "a"}]]}, ["a"]),
    "a flat row": ({"response": "a", "model": "m"}, ["a"]),
    "a preference": ({"chosen": "a", "rejected": "b"}, ["a", "b"]),
    "a preference of chats": (
        {"chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}],
         "rejected": [{"role": "assistant", "content": "b"}]}, ["a", "b"]),
    "no responses": ({}, []),
    "responses that are null": ({"responses": None}, []),
    "an empty list": ({"responses": []}, []),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "texts"), SHAPES.values(), ids=SHAPES.keys())
def test_responses_are_read_from(fields, texts):
    assert [response.text for response in kept(**fields)] == texts


@pytest.mark.parametrize(
    ("messages", "texts"),
    [
        ([{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], ["a"]),
        ([{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}], ["a"]),
        ([{"role": "user", "content": "q"}], []),
        ([], []),
        (["odd"], []),
    ],
    ids=["an answer", "an answer under other names", "a question", "nothing", "no message"],
)
def test_the_last_turn_of_a_chat_is_a_response_if_it_is_the_assistants(messages, texts):
    read = sort_out("p", drafts_in(row(messages=messages))).kept
    assert [response.text for response in read] == texts


def test_the_sides_of_a_preference_are_labelled():
    assert [(r.id, r.label) for r in kept(chosen="a", rejected="b")] == [
        ("chosen", 1.0),
        ("rejected", 0.0),
    ]


def test_a_row_is_flat_only_where_it_lists_no_responses():
    assert is_flat(row(response="a"))
    assert is_flat(row(response="a", responses=None))
    assert not is_flat(row(response="a", responses=[]))
    assert not is_flat(row(text="a"))


def test_ids_that_are_unique_are_kept_and_repeated_ones_are_replaced():
    items = [
        {"id": "a", "text": "1"},
        {"id": "b", "text": "2", "model": "m"},
        {"id": "b", "text": "3", "model": "m"},
        {"response_id": 7, "text": "4"},
    ]
    assert ids(*items) == ["a", "m#0", "m#1", "7"]


def test_ids_are_made_of_model_and_sample_else_of_the_position():
    items = [{"model": "m", "text": "1"}, "2", {"model": "m", "text": "3"},
             {"model": "m", "sample": 9, "text": "4"}]  # fmt: skip
    assert ids(*items) == ["m#0", "r1", "m#1", "m#9"]


def test_made_ids_give_way_to_given_ones_and_to_each_other():
    items = [{"id": "r1", "text": "1"}, "2", {"model": "m", "sample": 0, "text": "3"},
             {"model": "m", "sample": 0, "text": "4"}]  # fmt: skip
    assert ids(*items) == ["r1", "r1'", "m#0", "r3"]


def test_made_ids_do_not_depend_on_the_order_of_other_models():
    one, two = {"model": "m", "text": "1"}, {"model": "n", "text": "2"}
    assert set(ids(one, two)) == set(ids(two, one)) == {"m#0", "n#0"}


def test_a_flat_row_has_its_own_id_only_beside_a_prompt_id():
    assert drafts_in(row(prompt_id="p", id="x", response="a"))[0].id == "x"
    assert drafts_in(row(id="p", response="a"))[0].id is None
    assert drafts_in(row(id="p", response_id="x", response="a"))[0].id == "x"


def test_a_duplicate_points_to_a_candidate_or_nowhere():
    items = [
        {"id": "a", "text": "1"},
        {"id": "b", "text": "1", "duplicate_of": "a"},
        {"id": "c", "text": " "},
        {"id": "d", "text": "1", "duplicate_of": "c"},
        {"id": "e", "text": "1", "duplicate_of": ""},
    ]
    assert [r.duplicate_of for r in kept(responses=items)] == [None, "a", None, None]


def test_labels_may_be_truth_values():
    items = [{"text": "1", "label": True}, {"text": "2", "label": False}, {"text": "3"}]
    assert [r.label for r in kept(responses=items)] == [1.0, 0.0, None]


QUARANTINED = {
    "empty": ("", Flaw.EMPTY, ""),
    "white space": (" \n\u2003", Flaw.EMPTY, " \n\u2003"),
    "an error message": ("[ERROR: 429 [limit]\nlater]", Flaw.ERROR_TEXT, "[ERROR: 429 [limit]\nlater]"),
    "an error message with space around": (" [ERROR: x]\n", Flaw.ERROR_TEXT, " [ERROR: x]\n"),
    "null": (None, Flaw.NOT_TEXT, "None"),
    "a number": (3, Flaw.NOT_TEXT, "3"),
    "an empty list": ([], Flaw.NOT_TEXT, "[]"),
    "a message without content": ([{"role": "assistant"}], Flaw.NOT_TEXT, "[{'role': 'assistant'}]"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "why", "shown"), QUARANTINED.values(), ids=QUARANTINED.keys())
def test_what_cannot_be_a_candidate_is_quarantined(text, why, shown):
    items = [{"model": "m", "text": "good"}, {"model": "m", "text": text}]
    result = sort_out("p", drafts_in(row(responses=items)))
    assert [r.text for r in result.kept] == ["good"]
    (out,) = result.quarantined
    assert (out.prompt_id, out.model, out.position, out.why, out.text) == ("p", "m", 1, why, shown)


@pytest.mark.parametrize("text", ["[ERROR: begins so, and goes on", "see [ERROR: x]", "ERROR: x]"])
def test_an_answer_that_speaks_of_errors_is_a_candidate(text):
    assert [r.text for r in kept(responses=[text])] == [text]


def test_quarantine_changes_no_id_and_no_sample_of_the_others():
    good, bad = {"model": "m", "text": "x"}, {"model": "m", "text": ""}
    result = sort_out("p", drafts_in(row(responses=[bad, good, None, "plain"])))
    assert [(r.id, r.sample) for r in result.kept] == [("m#1", 1), ("r3", 1)]


def test_a_long_text_is_shortened_in_the_report():
    text = "[ERROR: " + "x" * 1000 + "]"
    assert len(sort_out("p", [Draft(text=text)]).quarantined[0].text) == 200


BAD = {
    "responses that are no list": ({"responses": {"a": 1}}, "field 'responses': expected a list"),
    "an item without a text": (
        {"responses": ["a", {"model": "m"}]},
        r"field 'responses\[1\].response': expected a response under one of response, "),
    "a model that is a number": ({"responses": [{"text": "a", "model": 3}]}, r"'responses\[0\].model'"),
    "a negative sample": ({"response": "a", "sample": -1}, "'sample': expected a whole number"),
    "a sample that is true": ({"response": "a", "sample": True}, "'sample': expected a whole number"),
    "a policy mark that is a text": ({"response": "a", "on_policy": "no"}, "expected true or false"),
    "a label that is a text": ({"response": "a", "label": "0.5"}, "'label': expected a finite number"),
    "a label that is not finite": ({"response": "a", "label": float("nan")}, "expected a finite"),
    "a label beyond all numbers": ({"response": "a", "label": 10**400}, "expected a finite"),
    "an id that is a list": ({"responses": [{"id": [1], "text": "a"}]}, r"'responses\[0\].id'"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "message"), BAD.values(), ids=BAD.keys())
def test_responses_are_refused_with(fields, message):
    with pytest.raises(InputError, match=f"^f, line 3, .*{message}"):
        drafts_in(row(prompt="q", **fields))
