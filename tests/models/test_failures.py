import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uppertail.models.failures import (
    LONGEST_PAUSE_SECONDS,
    SHOWN,
    HttpAnswer,
    Kind,
    classify,
    retry_after,
    shorten,
)


def answer(status: int, message: str = "", **fields: object) -> HttpAnswer:
    error = {"message": message} | fields
    return HttpAnswer(status, {}, json.dumps({"error": error}).encode())


@pytest.mark.parametrize("status", [408, 409, 425, 500, 502, 504, 520])
def test_a_server_error_passes(status: int) -> None:
    assert classify(answer(status, "oops")).kind is Kind.PASSING


@pytest.mark.parametrize("status", [429, 503, 529])
def test_a_busy_server_asks_for_fewer_calls(status: int) -> None:
    assert classify(answer(status, "slow down")).kind is Kind.BUSY


@pytest.mark.parametrize(
    ("status", "message", "code", "kind"),
    [
        (401, "Incorrect API key provided: sk-1", "invalid_api_key", Kind.KEY),
        (403, "You are not allowed to sample from this model", None, Kind.DENIED),
        (400, "API key not valid. Please pass a valid API key.", None, Kind.DENIED),
        (400, "Incorrect API key provided: xa***Q.", None, Kind.DENIED),
        (400, "bad request", "invalid_api_key", Kind.DENIED),
        (400, "API key expired. Please renew the API key.", None, Kind.DENIED),
        (400, "No API key found", None, Kind.DENIED),
        (400, "cannot parse 'How do I store an API key?'", None, Kind.HOPELESS),
        (400, "cannot parse 'Explain authentication and credentials'", None, Kind.HOPELESS),
        (404, "There are no healthy deployments for this model", None, Kind.PASSING),
        (404, "no available server", None, Kind.PASSING),
        (400, "No deployments available for selected model", None, Kind.PASSING),
        (404, "The model `gpt-9` does not exist", "model_not_found", Kind.UNUSABLE),
        (404, "Not Found", None, Kind.UNUSABLE),
        (400, "Invalid model name passed in model=gpt-9", None, Kind.UNUSABLE),
        (405, "Method Not Allowed", None, Kind.UNUSABLE),
        (308, "", None, Kind.UNUSABLE),
        (402, "Insufficient Balance", None, Kind.UNUSABLE),
        (429, "You exceeded your current quota", "insufficient_quota", Kind.UNUSABLE),
        (400, "Your credit balance is too low to access the API", None, Kind.UNUSABLE),
        (400, "The response was filtered", "content_filter", Kind.FILTERED),
        (400, "rejected", "content_policy_violation", Kind.FILTERED),
        (403, "requires moderation on openai; your input was flagged", None, Kind.FILTERED),
        (413, "Request Entity Too Large", None, Kind.HOPELESS),
        (400, "messages must not be empty", None, Kind.HOPELESS),
    ],
)
def test_final_errors_are_told_apart(
    status: int, message: str, code: str | None, kind: Kind
) -> None:
    assert classify(answer(status, message, code=code)).kind is kind


def test_a_quota_a_minute_is_not_an_empty_account() -> None:
    message = "You exceeded your current quota, please check your plan and billing details"
    assert classify(answer(429, message, code=429)).kind is Kind.BUSY


@pytest.mark.parametrize(
    ("status", "message", "param", "parameter"),
    [
        (
            400,
            "Unsupported value: 'temperature' does not support 0.0 with this model.",
            "temperature",
            "temperature",
        ),
        (
            400,
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            "max_tokens",
            "max_tokens",
        ),
        (400, "Unsupported parameter: 'top_p' is not supported.", "top_p", "top_p"),
        (400, "O-series models don't support temperature=0.0.", None, "temperature"),
        (400, "`temperature` and `top_p` cannot both be specified", None, "top_p"),
        (422, "Extra inputs are not permitted: top_p", None, "top_p"),
    ],
)
def test_a_parameter_that_is_not_taken_is_named(
    status: int, message: str, param: str | None, parameter: str
) -> None:
    failure = classify(answer(status, message, param=param))
    assert (failure.kind, failure.parameter) == (Kind.PARAMETER, parameter)


@pytest.mark.parametrize(
    "message",
    [
        "temperature must be in [0, 2], got 3.0",
        "temperature cannot be negative",
        "max_tokens is too large: 100000. This model supports at most 16384 completion tokens",
        "Unsupported parameter: 'logit_bias'",
    ],
)
def test_a_value_that_is_out_of_range_is_the_callers_mistake(message: str) -> None:
    assert classify(answer(400, message)).kind is Kind.HOPELESS


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("This model's maximum context length is 8192 tokens", "context_length_exceeded"),
        ("prompt is too long: 210000 tokens > 200000 maximum", None),
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 4096 (context length is 8192)",
            None,
        ),
        ("The decoder prompt (length 9) is longer than the maximum model length", None),
    ],
)
def test_a_request_that_is_too_long_says_so(message: str, code: str | None) -> None:
    failure = classify(answer(400, message, code=code))
    assert failure.kind is Kind.HOPELESS
    assert failure.what.startswith("the request is longer than the model's context (HTTP 400")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "a reason"}}', "a reason"),
        (b'{"error": "a reason"}', "a reason"),
        (b'{"object": "error", "message": "a reason"}', "a reason"),
        (b'{"detail": "a reason"}', "a reason"),
        (b'{"detail": [{"loc": ["body"], "msg": "a reason"}]}', "a reason"),
        (b"<html>a reason</html>", "a reason"),
        (b'{"error": {"message": ["a reason"]}}', "a reason"),
        (b"\xff a reason", "a reason"),
        (b'{"x": ' + b"[" * 100_000, "[[["),
        (b"", "no reason given"),
        (b"{}", "no reason given"),
    ],
)
def test_the_reason_is_found_in_whatever_shape_it_comes(body: bytes, said: str) -> None:
    assert said in classify(HttpAnswer(418, {}, body)).what


def test_what_a_server_says_is_shortened() -> None:
    failure = classify(answer(500, "spam\n\x1b[31m " * 1000))
    assert len(failure.what) <= SHOWN + len("HTTP 500: ")
    assert failure.what.isprintable()


@given(st.text(max_size=2000))
def test_shortened_text_is_one_printable_line(text: str) -> None:
    line = shorten(text)
    assert len(line) <= SHOWN
    assert all(c.isprintable() for c in line)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "3"}, 3.0),
        ({"Retry-After": "0.25"}, 0.25),
        ({"Retry-After": "-5"}, 0.0),
        ({"Retry-After": "86400"}, LONGEST_PAUSE_SECONDS),
        ({"Retry-After": "inf"}, LONGEST_PAUSE_SECONDS),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "soon", "Date": "Sun, 22 Nov 2026 10:00:00 GMT"}, None),
        ({"retry-after-ms": "250", "Retry-After": "9"}, 0.25),
        ({"Retry-After": "Sun, 22 Nov 2026 10:00:07 GMT"}, None),
        (
            {
                "Retry-After": "Sun, 22 Nov 2026 10:00:07 GMT",
                "Date": "Sun, 22 Nov 2026 10:00:00 GMT",
            },
            7.0,
        ),
        (
            {
                "Retry-After": "Sun, 22 Nov 2026 09:00:00 GMT",
                "Date": "Sun, 22 Nov 2026 10:00:00 GMT",
            },
            0.0,
        ),
        (
            {
                "Retry-After": "Sun, 22 Nov 2026 10:00:07 -0000",
                "Date": "Sun, 22 Nov 2026 10:00:00 GMT",
            },
            None,
        ),
    ],
)
def test_retry_after_is_read_in_each_of_its_forms(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("status", "body"), [(429, b""), (502, b""), (404, b'{"error": "no healthy upstream"}')]
)
def test_an_answer_that_may_be_another_one_next_time_carries_its_pause(
    status: int, body: bytes
) -> None:
    assert classify(HttpAnswer(status, {"Retry-After": "4"}, body)).pause_seconds == 4.0
    assert classify(HttpAnswer(status, {}, body)).pause_seconds == 0.0
