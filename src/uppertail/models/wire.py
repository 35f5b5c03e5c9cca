"""The chat-completions protocol: a request to bytes, bytes to a reply. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from uppertail.models.failures import ErrorBody, Failure, HttpAnswer, Kind, classify, judge, shorten
from uppertail.models.interface import Finish, Reply, Request, Usage
from uppertail.text import encodable

_ENCODER = msgspec.json.Encoder()

_FINISHES: Mapping[str, Finish] = {
    "stop": "stop",
    "end_turn": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "prohibited_content": "content_filter",
    "recitation": "content_filter",
    "refusal": "content_filter",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Which of the protocol's sampling parameters a model takes."""

    temperature: bool = True
    top_p: bool = True
    completion_limit: str = "max_tokens"
    """What the limit of the reply is called."""

    def without(self, parameter: str) -> Dialect:
        """Return the dialect that avoids `parameter`; the same one if it already does."""
        if parameter == "temperature":
            return replace(self, temperature=False)
        if parameter == "top_p":
            return replace(self, top_p=False)
        return replace(self, completion_limit="max_completion_tokens")


def encode(model: str, request: Request, dialect: Dialect, extra: Mapping[str, object]) -> bytes:
    """Return the JSON body that asks `model` for `request`; fields of `extra` win."""
    body: dict[str, object] = {"model": model, "messages": request.messages}
    if request.temperature is not None and dialect.temperature:
        body["temperature"] = request.temperature
    if request.top_p is not None and dialect.top_p:
        body["top_p"] = request.top_p
    if request.max_tokens is not None:
        body[dialect.completion_limit] = request.max_tokens
    body.update(extra)
    try:
        return _ENCODER.encode(body)
    except UnicodeEncodeError:  # lone surrogates, which are no text and which no server takes
        body["messages"] = [
            {"role": message.role, "content": encodable(message.content)}
            for message in request.messages
        ]
        return _ENCODER.encode(body)


class _Part(msgspec.Struct):
    type: str = ""
    text: str | None = None
    thinking: str | list[_Part] | None = None


class _Message(msgspec.Struct):
    content: str | list[_Part] | None = None
    reasoning_content: str | None = None
    reasoning: object = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None
    error: ErrorBody | None = None


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None


class _CompletionDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    prompt_cache_hit_tokens: int | None = None
    """Where DeepSeek says it."""
    cached_tokens: int | None = None
    """Where Moonshot says it."""


class _Completion(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: ErrorBody | None = None


_DECODER = msgspec.json.Decoder(_Completion)


def read(answer: HttpAnswer, *, seconds: float) -> Reply | Failure:
    """Return the reply that an HTTP response holds, or why it holds none.

    A refusal by the provider's content filter is a reply, with `finish` "content_filter".
    """
    if answer.status != 200:
        return _or_filtered(classify(answer), seconds)
    try:
        completion = _DECODER.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        return _unreadable(f"its reply is not a chat completion: {problem}")
    choice = completion.choices[0] if completion.choices else None
    error = completion.error or (choice.error if choice is not None else None)
    if error is not None:  # gateways put upstream errors into a reply of status 200
        status = error.code if isinstance(error.code, int) else 500
        return _or_filtered(judge(status, error), seconds)
    if choice is None:
        return _unreadable("its reply holds no choices")
    return _reply(choice, _usage(completion.usage), seconds)


def _unreadable(what: str) -> Failure:
    return Failure(kind=Kind.PASSING, what=shorten(what))


def _or_filtered(failure: Failure, seconds: float) -> Reply | Failure:
    if failure.kind is Kind.FILTERED:
        return Reply(text="", finish="content_filter", seconds=seconds)
    return failure


def _reply(choice: _Choice, usage: Usage, seconds: float) -> Reply:
    message = choice.message
    finish = _FINISHES.get((choice.finish_reason or "").lower(), "other")
    text, thoughts = _texts(message.content)
    if not text and message.refusal:
        text, finish = message.refusal, "content_filter"
    plain = message.reasoning if isinstance(message.reasoning, str) else ""
    return Reply(
        text=text,
        reasoning=message.reasoning_content or plain or thoughts,
        finish=finish,
        usage=usage,
        seconds=seconds,
    )


def _texts(content: str | list[_Part] | None) -> tuple[str, str]:
    """Return the answer and the reasoning that `content` holds."""
    if content is None or isinstance(content, str):
        return content or "", ""
    text = "".join(part.text or "" for part in content if part.thinking is None)
    thoughts = "".join(_texts(part.thinking)[0] for part in content)
    return text, thoughts


def _usage(usage: _Usage | None) -> Usage:
    """Return the tokens, with reasoning among the completion's.

    Some servers (Gemini, xAI) leave reasoning out of `completion_tokens` and have it in the
    total only; it is paid for all the same.
    """
    if usage is None:
        return Usage()
    prompt = usage.prompt_tokens or 0
    completion = max(usage.completion_tokens or 0, (usage.total_tokens or 0) - prompt)
    details, thinking = usage.prompt_tokens_details, usage.completion_tokens_details
    cached = (details.cached_tokens if details is not None else None) or 0
    return Usage(
        prompt_tokens=prompt,
        cached_tokens=cached or usage.prompt_cache_hit_tokens or usage.cached_tokens or 0,
        completion_tokens=completion,
        reasoning_tokens=(thinking.reasoning_tokens if thinking is not None else None) or 0,
    )
