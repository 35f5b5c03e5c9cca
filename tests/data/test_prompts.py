import json

import pytest

from uppertail.data.place import Place, Row
from uppertail.data.prompts import SeenIds, prompt_in, read_prompts
from uppertail.errors import InputError
from uppertail.types import Prompt


def row(index=None, **fields):
    return Row(fields=fields, place=Place(file="f", line=3), index=index)


def turns(*pairs):
    return [{"role": role, "content": text} for role, text in pairs]


def seen(prompt):
    return [(m.role, m.content) for m in prompt.messages]


def test_a_plain_prompt_without_an_id_has_the_id_of_its_text():
    assert prompt_in(row(prompt="say hi")) == Prompt.plain("say hi")


def test_a_prompt_of_a_json_array_without_an_id_is_named_for_its_position():
    assert prompt_in(row(index=4, prompt="x")).id == "prompt_4"


@pytest.mark.parametrize(
    ("fields", "id"),
    [
        ({"prompt_id": "a", "id": "b"}, "a"),
        ({"prompt_id": None, "id": "b"}, "b"),
        ({"id": 12}, "12"),
    ],
)
def test_a_given_id_is_kept(fields, id):
    assert prompt_in(row(prompt="x", **fields)).id == id


def test_a_lone_user_message_has_the_id_of_the_plain_text():
    assert prompt_in(row(prompt=turns(("user", "say hi")))).id == Prompt.plain("say hi").id


def test_conversations_with_the_same_words_and_other_roles_have_other_ids():
    one = prompt_in(row(prompt=turns(("system", "a"), ("user", "b"))))
    two = prompt_in(row(prompt=turns(("user", "a"), ("user", "b"))))
    assert one.id != two.id


PROMPTS = {
    "roles of other data sets": (
        {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
        [("user", "a")],
    ),
    "a chat whose last turn is an answer": (
        {"messages": turns(("system", "s"), ("user", "a"), ("assistant", "b"))},
        [("system", "s"), ("user", "a")],
    ),
    "a chat that ends with the user": (
        {"messages": turns(("user", "a"), ("assistant", "b"), ("user", "c"))},
        [("user", "a"), ("assistant", "b"), ("user", "c")],
    ),
    "content in parts": (
        {
            "prompt": [
                {"role": "developer", "content": "d"},
                {"role": "user", "content": [{"type": "text", "text": "a"}, "b"]},
            ]
        },
        [("system", "d"), ("user", "ab")],
    ),
    "an instruction with an input": ({"instruction": "i", "input": "j"}, [("user", "i\n\nj")]),
    "an instruction with an empty input": ({"instruction": "i", "input": ""}, [("user", "i")]),
    "a prompt and an input of another meaning": ({"prompt": "p", "input": "j"}, [("user", "p")]),
    "a system prompt": ({"prompt": "p", "system_prompt": "s"}, [("system", "s"), ("user", "p")]),
    "the first column that is not null": ({"prompt": None, "question": "q"}, [("user", "q")]),
}


@pytest.mark.parametrize(("fields", "messages"), PROMPTS.values(), ids=PROMPTS.keys())
def test_prompts_are_read_from(fields, messages):
    assert seen(prompt_in(row(**fields))) == messages


BAD = {
    "no prompt": ({"text": "x"}, "field 'prompt': expected a prompt .* found nothing"),
    "a number": ({"prompt": 5}, "field 'prompt': .* found 5"),
    "an empty prompt": ({"prompt": " \n"}, "field 'prompt': .* found an empty text"),
    "an empty list": ({"messages": []}, "field 'messages': .* last turn is the user's"),
    "an answer alone": ({"messages": turns(("assistant", "a"))}, "last turn is the user's"),
    "a prompt that ends with an answer": (
        {"prompt": turns(("user", "a"), ("assistant", "b"))}, "last turn is the user's"),
    "a turn that is a text": ({"prompt": ["hi"]}, r"field 'prompt\[0\]': expected a message"),
    "an unknown role": (
        {"prompt": turns(("user", "a"), ("wizard", "b"))},
        r"field 'prompt\[1\].role': expected one of .*user.* found 'wizard'"),
    "a role that is a list": ({"prompt": [{"role": [], "content": "a"}]}, "prompt.0..role"),
    "a turn without content": ({"prompt": [{"role": "user"}]}, r"'prompt\[0\].content'"),
    "an image": (
        {"prompt": [{"role": "user", "content": [{"type": "image"}]}]}, "expected a text"),
    "an id that is a list": ({"prompt": "p", "id": []}, "field 'id': expected an id"),
    "an id that is true": ({"prompt": "p", "id": True}, "field 'id': expected an id"),
    "an empty id": ({"prompt": "p", "prompt_id": ""}, "field 'prompt_id': expected an id"),
    "a system prompt that is a number": ({"prompt": "p", "system_prompt": 3}, "'system_prompt'"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "message"), BAD.values(), ids=BAD.keys())
def test_prompts_are_refused_with(fields, message):
    with pytest.raises(InputError, match=f"^f, line 3, .*{message}"):
        prompt_in(row(**fields))


def test_what_is_quoted_is_short_and_shows_control_characters():
    with pytest.raises(InputError) as caught:
        prompt_in(row(prompt={"a": "\x1b[31m\u202e" + "x" * 100_000}))
    assert len(str(caught.value)) < 400
    assert "\x1b" not in str(caught.value)
    assert "\u202e" not in str(caught.value)


def test_a_prompt_of_200000_characters_passes(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"prompt": "é{" * 100_000}))
    (only,) = read_prompts(path)
    assert only.prompt.text == "é{" * 100_000


def test_an_id_that_comes_twice_is_refused_with_both_lines(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "a", "prompt": "x"}\n\n{"id": "b", "prompt": "y"}\n'
                    '{"id": "a", "prompt": "z"}\n')  # fmt: skip
    with pytest.raises(
        InputError, match=r"line 4, .*the prompt id 'a' comes twice: first on line 1"
    ):
        list(read_prompts(path))


def test_a_collision_of_hashes_is_not_taken_for_a_repeated_id(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "a", "prompt": "x"}\n{"id": "b", "prompt": "y"}\n')
    ids = SeenIds(path)
    second = Place(file=str(path), line=2)
    ids.add("b", second)
    ids.add("b", second)  # Known by its hash, and no earlier line has the id.
    ids.add("a", second)
    with pytest.raises(InputError, match="'a' comes twice"):
        ids.add("a", second)
