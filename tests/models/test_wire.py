import json

import pytest

from uppertail.models.failures import Failure, HttpAnswer, Kind
from uppertail.models.interface import Reply, Request, Usage
from uppertail.models.wire import Dialect, encode, read
from uppertail.text import encodable
from uppertail.types import Message


def request(text: str = "hello", **fields: object) -> Request:
    messages = (Message(role="system", content="be brief"), Message(role="user", content=text))
    return Request(messages=messages, role="verifier", **fields)  # type: ignore[arg-type]


def body(asked: Request, dialect: Dialect | None = None, **extra: object) -> dict[str, object]:
    decoded = json.loads(encode("m", asked, dialect or Dialect(), extra))
    assert isinstance(decoded, dict)
    return decoded


def answer(**completion: object) -> HttpAnswer:
    return HttpAnswer(200, {}, json.dumps(completion).encode())


def reply(message: dict[str, object], finish: str | None = "stop", **fields: object) -> Reply:
    choice = {"message": message, "finish_reason": finish}
    outcome = read(answer(choices=[choice], **fields), seconds=1.5)
    assert isinstance(outcome, Reply)
    return outcome


def failure(of: HttpAnswer) -> Failure:
    outcome = read(of, seconds=1.5)
    assert isinstance(outcome, Failure)
    return outcome


def test_only_what_is_given_is_sent() -> None:
    assert body(request()) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "hello"},
        ],
    }


def test_sampling_parameters_are_sent() -> None:
    sent = body(request(temperature=0.0, top_p=0.95, max_tokens=64))
    assert (sent["temperature"], sent["top_p"], sent["max_tokens"]) == (0.0, 0.95, 64)


def test_what_a_model_does_not_take_is_left_out() -> None:
    dialect = Dialect().without("temperature").without("top_p").without("max_tokens")
    sent = body(request(temperature=0.0, top_p=0.95, max_tokens=64), dialect)
    assert sent.keys() == {"model", "messages", "max_completion_tokens"}
    assert dialect.without("top_p") == dialect


def test_extra_fields_win() -> None:
    sent = body(request(temperature=0.0), temperature=0.7, chat_template_kwargs={"thinking": True})
    assert sent["temperature"] == 0.7
    assert sent["chat_template_kwargs"] == {"thinking": True}


def test_lone_surrogates_are_written_out_as_verifiers_see_them() -> None:
    sent = body(request("a\ud800b"))
    seen = {"role": "user", "content": encodable("a\ud800b")}
    assert seen["content"] == "a\\ud800b"
    assert sent["messages"][1] == seen  # type: ignore[index]


def test_a_plain_reply_is_read() -> None:
    got = reply(
        {"role": "assistant", "content": "yes"},
        usage={"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
    )
    usage = Usage(prompt_tokens=10, completion_tokens=2)
    assert got == Reply(text="yes", finish="stop", usage=usage, seconds=1.5)


def test_content_in_parts_is_joined_and_thinking_kept_apart() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm "}]},
        {"type": "thinking", "thinking": "so"},
        {"type": "text", "text": "ye"},
        {"type": "text", "text": "s"},
        {"type": "citation"},
    ]
    got = reply({"content": parts})
    assert (got.text, got.reasoning) == ("yes", "hm so")


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_is_read_from_either_field(field: str) -> None:
    assert reply({"content": "yes", field: "because"}).reasoning == "because"


def test_reasoning_of_another_shape_is_ignored() -> None:
    assert reply({"content": "yes", "reasoning": {"steps": []}}).reasoning == ""


@pytest.mark.parametrize(
    ("said", "finish"),
    [
        ("stop", "stop"),
        ("STOP", "stop"),
        ("eos", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("SAFETY", "content_filter"),
        ("tool_calls", "other"),
        (None, "other"),
    ],
)
def test_finish_reasons_are_translated(said: str | None, finish: str) -> None:
    assert reply({"content": "x"}, said).finish == finish


@pytest.mark.parametrize("content", [None, ""])
def test_an_empty_reply_is_a_reply(content: str | None) -> None:
    assert reply({"content": content}, "length").text == ""


def test_a_refusal_in_the_message_is_a_filtered_reply() -> None:
    got = reply({"content": None, "refusal": "I cannot help with that."})
    assert (got.text, got.finish) == ("I cannot help with that.", "content_filter")


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, Usage()),
        (
            {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 8}},
            Usage(prompt_tokens=9, cached_tokens=8),
        ),
        (
            {"prompt_tokens": 9, "prompt_tokens_details": None, "cached_tokens": 7},
            Usage(prompt_tokens=9, cached_tokens=7),
        ),
        (
            {"prompt_tokens": 9, "prompt_cache_hit_tokens": 6},
            Usage(prompt_tokens=9, cached_tokens=6),
        ),
        (
            {"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 5}},
            Usage(completion_tokens=9, reasoning_tokens=5),
        ),
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 40},
            Usage(prompt_tokens=10, completion_tokens=30),
        ),
    ],
)
def test_tokens_are_read_wherever_servers_put_them(
    usage: dict[str, object] | None, expected: Usage
) -> None:
    assert reply({"content": "x"}, usage=usage).usage == expected


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>gateway</html>",
        b'{"choices": [{"message": {"content": "It',
        b'{"choices": [{"message": {"content": 3}}]}',
        b'{"choices": [{}]}',
        b'{"choices": []}',
        b'{"choices": null}',
        b"{}",
        b'{"choices": [{"message": {"content": "\xff"}}]}',
        b'{"x": ' + b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_completion_is_worth_another_try(raw: bytes) -> None:
    assert failure(HttpAnswer(200, {}, raw)).kind is Kind.PASSING


@pytest.mark.parametrize(
    ("code", "kind"),
    [(429, Kind.BUSY), (502, Kind.PASSING), ("server_error", Kind.PASSING), (401, Kind.KEY)],
)
def test_an_error_inside_a_reply_counts_as_its_status(code: object, kind: Kind) -> None:
    error = {"code": code, "message": "upstream"}
    assert failure(answer(error=error)).kind is kind
    choice = {"message": {"content": ""}, "error": error}
    assert failure(answer(choices=[choice])).kind is kind


def test_a_filtered_request_is_an_empty_filtered_reply() -> None:
    error = {"message": "filtered", "code": "content_filter"}
    refused = HttpAnswer(400, {}, json.dumps({"error": error}).encode())
    assert read(refused, seconds=1.5) == Reply(text="", finish="content_filter", seconds=1.5)
