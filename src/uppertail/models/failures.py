"""What went wrong with one try, and what that means for the call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from math import isnan

import msgspec

SHOWN = 300
"""Most characters of a server's message that reach a user."""

LONGEST_PAUSE_SECONDS = 120.0
"""A Retry-After beyond this (a daily quota, say) is cut: the call should rather give up."""


class Kind(StrEnum):
    """What to do after a failed try."""

    UNREACHABLE = "unreachable"
    """No connection could be made."""
    BUSY = "busy"
    """The server asked for fewer calls (429, 503): slow down, then try again."""
    PASSING = "passing"
    """Server error, dropped connection, time limit, unreadable body: try again."""
    PARAMETER = "parameter"
    """The model does not take a sampling parameter: say it differently."""
    FILTERED = "filtered"
    """The provider refuses this content."""
    HOPELESS = "hopeless"
    """This call cannot succeed; others may."""
    KEY = "key"
    """The key is missing, wrong or not allowed to do this."""
    DENIED = "denied"
    """The key or this call is refused (403, or 400 about a key). Where the key has worked
    before it is the call."""
    UNUSABLE = "unusable"
    """No call to this model can succeed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A try that gave no reply."""

    kind: Kind
    what: str
    """For the user; holds no key once the endpoint has seen to it."""
    pause_seconds: float = 0.0
    """What the server asked for with Retry-After, at most 120."""
    parameter: str = ""
    """The parameter that is not taken."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP response that was read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ErrorBody(msgspec.Struct):
    """The error object of the protocol."""

    message: str | None = None
    code: str | int | None = None
    type: str | None = None
    param: str | None = None


class _Envelope(msgspec.Struct):
    error: ErrorBody | str | None = None
    message: str | None = None
    detail: object = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)

_NOT_TAKEN = re.compile(
    r"unsupported|not support|n't support|only the default|deprecated|cannot both|cannot be (used|specified|set)|"
    r"unrecognized|unknown|not permitted|not allowed|unexpected|extra input|not both"
)
_TOO_LONG = re.compile(
    r"context[ _](length|window|size)|prompt is too long|max_model_len|too many tokens|"
    r"(input|prompt).{0,40}(longer|exceeds?).{0,40}(context|maximum|limit)"
)
_FILTERED = re.compile(r"content[ _](filter|policy|management)|data_inspection_failed|moderation")
_NO_MODEL = re.compile(r"model_not_found|invalid model|model.{0,80}(not exist|not found)")
_NO_MONEY = re.compile(r"insufficient[_ ](quota|balance|credit)|credit balance|billing_hard_limit")
_BAD_KEY = re.compile(
    r"\b(invalid|incorrect|wrong|missing|expired|no)[ _-](valid[ _-])?api[ _-]?key|"
    r"\bapi[ _-]?key (is |was |has )?(not valid|invalid|incorrect|wrong|missing|expired|required|"
    r"not (found|provided|set))"
)
"""Narrow, since some servers repeat the request in their error."""
_NONE_HEALTHY = re.compile(
    r"\bno (healthy|available) (deployment|upstream|backend|endpoint|instance|server|worker|replica)|"
    r"\bno (deployment|upstream|backend|instance|server|worker|replica)s? (is |are )?available"
)
"""What a gateway says whose servers are down for now, at times with a 404."""
_PARAMETERS = ("temperature", "top_p", "max_tokens")


def classify(answer: HttpAnswer) -> Failure:
    """Return what an HTTP response that is not 200, or holds an error, means."""
    error = _error(answer.body)
    return judge(answer.status, error, retry_after(answer.headers))


def judge(status: int, error: ErrorBody, pause_seconds: float | None = None) -> Failure:
    """Return what an error with this status means. Messages decide where statuses do not."""
    said = shorten(error.message or "") or "no reason given"
    what = f"HTTP {status}: {said}"
    words = f"{error.code or ''} {error.type or ''} {error.message or ''}".lower()
    if status in {408, 409, 425, 429} or status >= 500:
        return _retriable(status, what, words, pause_seconds or 0.0)
    if status in {400, 404} and _NONE_HEALTHY.search(words):
        return Failure(kind=Kind.PASSING, what=what, pause_seconds=pause_seconds or 0.0)
    kind = _final(status, words)
    if kind is not None:
        if status == 404 or _NO_MODEL.search(words):
            what = f"the server knows no such model, or nothing is at this path ({what})"
        return Failure(kind=kind, what=what)
    if _TOO_LONG.search(words):
        what = f"the request is longer than the model's context ({what})"
        return Failure(kind=Kind.HOPELESS, what=what)
    parameter = _parameter(error.param, words) if status in {400, 422} else ""
    kind = Kind.PARAMETER if parameter else Kind.HOPELESS
    return Failure(kind=kind, what=what, parameter=parameter)


def _retriable(status: int, what: str, words: str, pause_seconds: float) -> Failure:
    if status == 429 and _NO_MONEY.search(words):
        return Failure(kind=Kind.UNUSABLE, what=what)
    kind = Kind.BUSY if status in {429, 503, 529} else Kind.PASSING
    return Failure(kind=kind, what=what, pause_seconds=pause_seconds)


def _final(status: int, words: str) -> Kind | None:
    """Return why trying again is no use, where the status or the words say so."""
    if status in {400, 403, 422} and _FILTERED.search(words):
        return Kind.FILTERED
    if status in {402, 404, 405} or 300 <= status < 400:
        return Kind.UNUSABLE
    if _NO_MONEY.search(words) or _NO_MODEL.search(words):
        return Kind.UNUSABLE
    if status == 401:
        return Kind.KEY
    # Gemini and xAI answer a wrong key with 400.
    if status == 403 or (status == 400 and _BAD_KEY.search(words)):
        return Kind.DENIED
    return None


def _parameter(param: str | None, words: str) -> str:
    """Return the parameter that the model does not take, or "" if that is not the complaint.

    A value out of range names its parameter too, and is the caller's mistake: leaving the
    parameter out would hide it.
    """
    if not _NOT_TAKEN.search(words):
        return ""
    if "max_completion_tokens" in words:
        return "max_tokens"
    if param in _PARAMETERS:
        return param
    named = [name for name in _PARAMETERS if name in words]
    # "temperature and top_p cannot both be specified": the temperature stays.
    return named[-1] if named else ""


def _error(body: bytes) -> ErrorBody:
    """Return the error that a body holds, in any of the shapes that servers give it."""
    try:
        envelope = _ENVELOPE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ErrorBody(message=body[: 4 * SHOWN].decode("utf-8", "replace"))
    if isinstance(envelope.error, ErrorBody):
        return envelope.error
    if envelope.error or envelope.message:
        return ErrorBody(message=envelope.error or envelope.message)
    return ErrorBody(message=str(envelope.detail or ""))


def shorten(text: str) -> str:
    """Return `text` on one line, without control characters, at most 300 characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * SHOWN]).split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds for which the server asks not to be called, at most 120; None if it does not.

    Reads `retry-after-ms`, and `Retry-After` in seconds or as a date. A date is compared with
    the response's own `Date`, so that this machine's clock does not matter.
    """
    seconds = _number(headers.get("retry-after-ms"), 1e-3)
    if seconds is None:
        seconds = _number(headers.get("Retry-After"), 1.0)
    if seconds is None:
        seconds = _until(headers.get("Retry-After"), headers.get("Date"))
    return None if seconds is None else min(max(0.0, seconds), LONGEST_PAUSE_SECONDS)


def _number(text: str | None, unit: float) -> float | None:
    try:
        value = float(text) * unit if text is not None else None
    except ValueError:
        return None
    return None if value is None or isnan(value) else value


def _until(then: str | None, now: str | None) -> float | None:
    if then is None or now is None:
        return None
    try:
        return (parsedate_to_datetime(then) - parsedate_to_datetime(now)).total_seconds()
    except (ValueError, TypeError):  # not a date; or one with a time zone and one without
        return None
