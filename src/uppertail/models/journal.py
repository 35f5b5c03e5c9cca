"""The call journal: every finished call, stored before its answer is used.

A call is stored under a hash of its content, so that a run that is started again finds
what it has already paid for. Failures are never stored: they may be worth another try.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import msgspec

from uppertail.errors import StorageError
from uppertail.models.database import Database, Row, Value
from uppertail.models.encoding import from_json, to_json, to_json_bytes
from uppertail.models.interface import Reply, Request, Usage


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A reply and what it cost."""

    reply: Reply
    usd: float | None
    """None where the model's price is unknown."""


_ADD = f"INSERT INTO calls VALUES ({', '.join('?' * 12)}) ON CONFLICT (key) DO NOTHING"  # noqa: S608 - only marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a store's calls of one model have cost."""

    model: str
    usd: float
    """Sum over the calls whose price was known when they were made."""
    unpriced: Usage
    """Tokens of the other calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleTotal:
    """What the journalled calls of one role took, over all processes of a run."""

    role: str
    calls: int
    usage: Usage
    usd: float | None
    """None where the price of one of the calls was unknown."""
    p50_seconds: float
    """Median latency of a call."""
    p95_seconds: float


class CallStore(Protocol):
    """Finished calls by key, shared by every process that opens the same store."""

    async def get(self, key: str, /) -> Answer | None:
        """Return the answer stored under `key`, or None."""
        ...

    async def put(self, key: str, answer: Answer, /, *, model: str, request: Request) -> Answer:
        """Store `answer` for good, and return the answer that stands under `key`.

        Where another process was first, its answer stands: a key never changes its answer,
        or a run that is resumed would not see what the first run saw.
        """
        ...

    async def spent(self) -> tuple[Spent, ...]:
        """Return what all stored calls have cost, one entry a model."""
        ...


def call_key(model: str, request: Request) -> str:
    """Return the identity of a call: SHA-256 of canonical JSON, as 64 hexadecimal characters.

    It covers the model's name, the messages, temperature, top_p, max_tokens, the template's
    hash and the sample index. Role and prefix do not change the answer and are left out.
    """
    identity = {
        "max_tokens": request.max_tokens,
        "messages": [[message.role, message.content] for message in request.messages],
        "model": model,
        "sample": request.sample,
        "temperature": _number(request.temperature),
        "template": request.template,
        "top_p": _number(request.top_p),
    }
    return sha256(to_json_bytes(identity)).hexdigest()


def _number(value: float | None) -> float | None:
    """Return 1 and 1.0 as the same number, so that they make the same JSON."""
    return None if value is None else float(value)


class _Turn:
    """One turn of the event loop, and what else is to be committed in it."""

    __slots__ = ("loop", "rows")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.rows: list[tuple[Row, asyncio.Future[bool]]] = []


class Journal:
    """The call store of a run: the table `calls` of one SQLite file.

    Every answer is committed on the event loop, some tens of microseconds, before `put`
    returns; those that come in the same turn of the loop are committed together, which leaves
    the file to other processes for longer. Killing the process loses at most the answers that
    were being committed, and nobody has seen those.

    Raises:
        StorageError: from every method, where the file cannot be used.
    """

    def __init__(self, path: Path | str, *, clock: Callable[[], float] = time.time) -> None:
        self.database = Database(path)
        self._clock = clock
        self._turn: _Turn | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Closing twice is fine."""
        try:
            self._end_turn()
        finally:
            self.database.close()

    async def get(self, key: str, /) -> Answer | None:
        """Return the answer stored under `key`, or None."""
        rows = self.database.rows("SELECT reply, usd FROM calls WHERE key = ?", (key,))
        if not rows:
            return None
        reply, usd = rows[0]
        return Answer(
            reply=from_json(str(reply), Reply), usd=usd if isinstance(usd, float) else None
        )

    async def put(self, key: str, answer: Answer, /, *, model: str, request: Request) -> Answer:
        """Store `answer` and return it, or the answer that already stands under `key`."""
        reply = answer.reply
        row = (
            key,
            model,
            request.role,
            request.template,
            request.sample,
            to_json(reply),
            reply.usage.prompt_tokens,
            reply.usage.cached_tokens,
            reply.usage.completion_tokens,
            answer.usd,
            reply.seconds,
            self._clock(),
        )
        added = await self._add(row)
        return answer if added else await self.get(key) or answer

    async def _add(self, row: Row) -> bool:
        """Commit `row`; return whether it was new. False may also mean that another one was not."""
        loop = asyncio.get_running_loop()
        if self._turn is None or self._turn.loop is not loop:
            self._end_turn()  # of a loop that ended in the middle of it
            self._turn = _Turn(loop)
            loop.call_soon(self._end_turn)
            return bool(self.database.write(_ADD, row))
        added: asyncio.Future[bool] = loop.create_future()
        self._turn.rows.append((row, added))
        return await added

    def _end_turn(self) -> None:
        """Commit the rows that came after the first one of this turn of the loop."""
        turn, self._turn = self._turn, None
        if turn is None or not turn.rows:
            return
        rows = [row for row, _ in turn.rows]
        try:
            added = self.database.write_many(_ADD, rows)
            outcomes: list[bool | StorageError] = [added == len(rows)] * len(rows)
        except StorageError:  # one of them may be at fault: each by itself
            outcomes = [self._added(row) for row in rows]
        if turn.loop.is_closed():  # nobody waits any more
            return
        for (_, told), outcome in zip(turn.rows, outcomes, strict=True):
            if told.done():  # its caller was cancelled
                continue
            if isinstance(outcome, StorageError):
                told.set_exception(outcome)
            else:
                told.set_result(outcome)

    def _added(self, row: Row) -> bool | StorageError:
        """Commit one row; return whether it was new, or why it cannot be stored."""
        try:
            return bool(self.database.write(_ADD, row))
        except StorageError as error:
            return error

    async def spent(self) -> tuple[Spent, ...]:
        """Return what all stored calls have cost, one entry a model, by name."""
        rows = self.database.rows(
            "SELECT model, total(usd) AS usd,"
            " total(prompt_tokens) FILTER (WHERE usd IS NULL),"
            " total(cached_tokens) FILTER (WHERE usd IS NULL),"
            " total(completion_tokens) FILTER (WHERE usd IS NULL)"
            " FROM calls GROUP BY model ORDER BY model"
        )
        return tuple(_spent(*row) for row in rows)

    def roles(self) -> tuple[RoleTotal, ...]:
        """Return the totals of every role that made a call, by name."""
        rows = self.database.rows(
            "SELECT role, count(*), total(prompt_tokens), total(cached_tokens),"
            " total(completion_tokens), CASE count(usd) WHEN count(*) THEN total(usd) END"
            " FROM calls GROUP BY role ORDER BY role"
        )
        return tuple(self._role_total(*row) for row in rows)

    def _role_total(
        self, role: Value, calls: Value, prompt: Value, cached: Value, completion: Value, usd: Value
    ) -> RoleTotal:
        usage = {"prompt_tokens": prompt, "cached_tokens": cached, "completion_tokens": completion}
        middle, late = (self._latency(role, calls, share) for share in (0.5, 0.95))
        total = {"role": role, "calls": calls, "usage": usage, "usd": usd}
        total |= {"p50_seconds": middle, "p95_seconds": late}
        return msgspec.convert(total, RoleTotal, strict=False)

    def _latency(self, role: Value, calls: Value, share: float) -> Value:
        """Return the latency that `share` of the role's calls did not exceed, in seconds."""
        place = min(int(calls or 0) - 1, int(share * int(calls or 0)))
        query = "SELECT seconds FROM calls WHERE role = ? ORDER BY seconds LIMIT 1 OFFSET ?"
        return self.database.rows(query, (role, place))[0][0]


def _spent(model: Value, usd: Value, prompt: Value, cached: Value, completion: Value) -> Spent:
    unpriced = {"prompt_tokens": prompt, "cached_tokens": cached, "completion_tokens": completion}
    # SQLite's total() is a float; not strict lets whole floats be token counts.
    return msgspec.convert({"model": model, "usd": usd, "unpriced": unpriced}, Spent, strict=False)
