"""The server itself: slots, queue, prefix cache, faults and counters behind two addresses."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self, cast

import msgspec

from uppertail.errors import CallFailed, MissingExtra
from uppertail.types import content_id
from uppertail.world.server_answers import Answer, Body, hashed_answer, messages_of
from uppertail.world.server_cache import PrefixCache, block_keys, tokens
from uppertail.world.server_faults import Faults, Kind, Latency, Times, spoilt

try:
    from aiohttp import web
except ImportError:
    raise MissingExtra("uppertail.world.server", "world") from None

_LARGEST = 64 * 2**20
"""Bytes of a request."""
_DRIPS = 20
"""Pieces in which a slow answer comes."""


@dataclass
class Counters:
    """What the server has seen."""

    calls: int = 0
    answered: int = 0
    """Answers of status 200 that the client took to the last byte."""
    repeated: int = 0
    """Calls for a request that had been answered before."""
    rejected: int = 0
    """Calls turned away with 429 because slots and queue were full."""
    most_in_service: int = 0
    most_waiting: int = 0
    prompt_tokens: int = 0
    """Of answered calls, as the next three."""
    cached_tokens: int = 0
    completion_tokens: int = 0
    slot_seconds: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)
    """By kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One try of a request."""

    body: Body
    text: str
    """All messages, as the prefix cache sees them."""
    mark: str
    """16 hexadecimal characters that stand for the body."""
    attempt: int
    """From 1."""


class WorldServer:
    """The server; an async context manager. It listens on 127.0.0.1 and nowhere else."""

    def __init__(
        self,
        answer: Answer = hashed_answer,
        *,
        faults: Faults | None = None,
        latency: Latency | Callable[[Asked], Times] | None = None,
        slots: int | None = None,
        queue: int | None = 0,
        cache_blocks: int = 0,
        port: int = 0,
    ) -> None:
        """Prepare the server.

        Args:
            answer: gives the text of a reply.
            faults: what goes wrong.
            latency: how long calls take: by their tokens, or a function of yours.
            slots: calls in service at a time; None for no limit.
            queue: calls that may wait for a slot, and more are answered with 429; None for
                any number, as vLLM does.
            cache_blocks: blocks of 16 tokens that the prefix cache of a model holds; 0 for
                no cache.
            port: 0 picks a free one.
        """
        self._answer = answer
        self._faults = faults or Faults()
        self._latency = latency or Latency()
        self._slots = asyncio.Semaphore(slots) if slots else None
        self._queue = queue
        self._blocks = cache_blocks
        self._port = port
        self._caches: dict[str, PrefixCache] = {}
        self._attempts: Counter[str] = Counter()
        self._done: set[str] = set()
        self._in_service = 0
        self._waiting = 0
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.counters = Counters()

    @property
    def url(self) -> str:
        """The base URL to give to a client."""
        return f"http://127.0.0.1:{self._port}/v1"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_LARGEST)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/counters", self._counted)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, backlog=2048).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        assert self._runner is not None
        await self._runner.cleanup()

    async def _counted(self, _: web.Request) -> web.Response:
        return _json(self.counters)

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        self.counters.calls += 1
        try:
            asked = self._read(await request.read())
        except (CallFailed, ValueError) as problem:
            return _error(400, str(problem), "invalid_request")
        self.counters.repeated += asked.mark in self._done
        if not self._admits():
            self.counters.rejected += 1
            return self._busy("all slots are taken")
        await self._take_slot()
        try:
            return await self._serve(request, asked)
        except CallFailed as problem:
            return _error(400, str(problem), "cannot_answer")
        finally:
            self._leave_slot()

    def _read(self, raw: bytes) -> Asked:
        """Return the request that `raw` holds, and which try of it this is.

        Raises:
            ValueError: it is no JSON object.
            CallFailed: it has no messages.
        """
        body = msgspec.json.decode(raw, type=dict[str, object])
        text = "".join(f"{m.role}\n{m.content}\n" for m in messages_of(body))
        mark = content_id(msgspec.json.encode(body, order="deterministic").decode())
        self._attempts[mark] += 1
        return Asked(body=body, text=text, mark=mark, attempt=self._attempts[mark])

    def _admits(self) -> bool:
        full = self._slots is not None and self._slots.locked()
        return not full or self._queue is None or self._waiting < self._queue

    async def _take_slot(self) -> None:
        if self._slots is not None:
            self._waiting += 1
            self.counters.most_waiting = max(self.counters.most_waiting, self._waiting)
            try:
                await self._slots.acquire()
            finally:
                self._waiting -= 1
        self._in_service += 1
        self.counters.most_in_service = max(self.counters.most_in_service, self._in_service)

    def _leave_slot(self) -> None:
        self._in_service -= 1
        if self._slots is not None:
            self._slots.release()

    async def _serve(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        fault = self._faults.of(asked.mark, asked.attempt)
        if fault is not None:
            self.counters.faults[fault] = self.counters.faults.get(fault, 0) + 1
        if fault in {"busy", "error", "hang", "drop", "malformed"}:
            return await self._fail(request, fault)
        text = self._answer(asked.body)
        answer = text if isinstance(text, str) else await text
        completion = await self._spend(asked, _completion(answer, fault, asked))
        try:
            response = await self._send(request, completion, slowly=fault == "drip")
        except ConnectionResetError:  # the client is gone and has not taken the answer
            return web.Response()
        self._done.add(asked.mark)
        self.counters.answered += 1
        return response

    async def _spend(self, asked: Asked, completion: dict[str, object]) -> dict[str, object]:
        """Take the time that the call takes, and return the completion with its usage."""
        keys = block_keys(asked.text) if self._blocks else ()
        model = str(asked.body.get("model"))
        cache = self._caches.setdefault(model, PrefixCache(self._blocks))
        cached = cache.found(keys)
        prompt, written = tokens(asked.text), tokens(str(completion.pop("written")))
        if isinstance(self._latency, Latency):
            uncached = prompt - cached
            times = self._latency.of(asked.mark, asked.attempt, prompt=uncached, completion=written)
        else:
            times = self._latency(asked)
        if times.prefill:
            await asyncio.sleep(times.prefill)
        cache.add(keys)
        if times.decode:
            await asyncio.sleep(times.decode)
        self.counters.prompt_tokens += prompt
        self.counters.cached_tokens += cached
        self.counters.completion_tokens += written
        self.counters.slot_seconds += sum(times)
        usage = {
            "prompt_tokens": prompt,
            "completion_tokens": written,
            "total_tokens": prompt + written,
            "prompt_tokens_details": {"cached_tokens": cached},
        }
        return completion | {"usage": usage}

    async def _send(
        self, request: web.Request, completion: dict[str, object], *, slowly: bool
    ) -> web.StreamResponse:
        """Send the completion, and return once the client has it."""
        response = _json(completion)
        if not slowly:
            await response.prepare(request)
            await response.write_eof()
            return response
        stream = web.StreamResponse(headers={"Content-Type": "application/json"})
        await stream.prepare(request)
        body = cast("bytes", response.body)
        size = -(-len(body) // _DRIPS)
        for start in range(0, len(body), size):
            await stream.write(body[start : start + size])
            await self._pause(self._faults.seconds / _DRIPS)
        await stream.write_eof()
        return stream

    async def _fail(self, request: web.Request, fault: Kind) -> web.StreamResponse:
        if fault == "busy":
            return self._busy("slow down")
        if fault == "error":
            return _error(500, "something broke", "server_error")
        if fault == "malformed":
            return web.Response(text='{"choices": [{"message": {"content": "It')
        if fault == "hang":
            await self._pause(self._faults.seconds)
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def _busy(self, why: str) -> web.Response:
        response = _error(429, why, "rate_limit_exceeded")
        response.headers["Retry-After"] = f"{self._faults.seconds:g}"
        return response

    async def _pause(self, seconds: float) -> None:
        """Wait, but not beyond the server's end."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)


def _completion(answer: str, fault: Kind | None, asked: Asked) -> dict[str, object]:
    """Return a completion without usage, and under "written" what the model wrote."""
    message: dict[str, object] = {"role": "assistant", "content": answer}
    finish = "stop"
    if fault == "refusal":
        message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
        finish = "content_filter"
    elif fault in {"truncate", "prose", "hostile"}:
        message["content"] = spoilt(fault, answer, asked.mark)
        finish = "length" if fault == "truncate" else "stop"
    written = message["content"] or message["refusal"]
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {
        "id": f"chatcmpl-{asked.mark}",
        "object": "chat.completion",
        "created": 0,
        "model": asked.body.get("model"),
        "choices": [choice],
        "written": written,
    }


def _json(value: object, *, status: int = 200) -> web.Response:
    try:
        body = msgspec.json.encode(value)
    except UnicodeEncodeError:  # hostile replies hold lone surrogates, which go out escaped
        body = web.json_response(value).body  # type: ignore[assignment]
    return web.Response(body=body, status=status, content_type="application/json")


def _error(status: int, message: str, code: str) -> web.Response:
    error = {"message": message, "type": "server_error", "code": code}
    return _json({"error": error}, status=status)
