"""An OpenAI-compatible server on loopback whose answers and faults follow a script.

In a test: `async with OpenAIServer(answer, faults=plan) as server: … server.url`.
On its own, so that it outlives a client that is killed:

    python tests/openai_server.py --port 8123 --faults 0.2
    curl http://127.0.0.1:8123/counters

Answers are a pure function of the request, so a run against it can be repeated.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import importlib.util
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal, Self

from aiohttp import web

Body = Mapping[str, Any]
Answer = Callable[[Body], "str | Mapping[str, Any]"]
"""Gives the reply's text, or a whole `message` object (content, reasoning_content, …)."""
FaultKind = Literal[
    "busy", "error", "hang", "drop", "malformed", "truncate", "refusal", "prose", "reply"
]
PASSING: tuple[FaultKind, ...] = ("busy", "error", "hang", "drop", "malformed")
"""Faults that are gone when the same call is made again."""
LASTING: tuple[FaultKind, ...] = ("truncate", "refusal", "prose")
"""Faults that belong to the request: made again, it meets them again."""


@dataclass(frozen=True)
class Fault:
    """How one try goes wrong."""

    kind: FaultKind
    seconds: float = 0.02
    """Retry-After of "busy"; how long "hang" says nothing before the connection is closed."""
    status: int = 0
    """Of "busy" (429), "error" (500), "refusal" (400) and "reply"; 0 for these."""
    body: str = ""
    """What "reply" answers with, literally."""
    headers: Mapping[str, str] = field(default_factory=dict)


FaultPlan = Callable[[Body, int], "Fault | None"]
"""Gives the fault of a request's n-th try (from 1), or None. Must depend on nothing else."""


@dataclass
class Counters:
    """What the server has seen."""

    calls: int = 0
    finished: int = 0
    """Complete answers of status 200 that the client took."""
    repeated_finished: int = 0
    """Calls for a request that had already been finished."""
    rejected_by_slots: int = 0
    most_in_flight: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    faults: Counter[str] = field(default_factory=Counter)


def no_faults(body: Body, attempt: int) -> Fault | None:
    """Return None."""
    return None


def faults_for(
    share: float,
    kinds: tuple[FaultKind, ...] = PASSING + LASTING,
    *,
    seconds: float = 0.02,
    seed: str = "",
) -> FaultPlan:
    """Return a plan that gives this share of requests a fault, picked by the request's hash.

    Passing faults hit the first try only, lasting ones every try.
    """

    def plan(body: Body, attempt: int) -> Fault | None:
        draw = int(fingerprint(body, seed), 16)
        if (draw % 10_000) / 10_000 >= share:
            return None
        kind = kinds[(draw // 10_000) % len(kinds)]
        return Fault(kind, seconds=seconds) if kind in LASTING or attempt == 1 else None

    return plan


def fingerprint(body: Body, salt: str = "") -> str:
    """Return 16 hexadecimal characters that stand for the request."""
    text = json.dumps(body, sort_keys=True)
    return blake2b(f"{salt}\0{text}".encode(), digest_size=8).hexdigest()


_ASKED_IDS = re.compile(r"ids and no other: ([^\n]*)")
_ID = re.compile(r"\bc\d+\b")


def rubric_answer(body: Body) -> str:
    """Return a rubric, verdicts or a response, whichever the request seems to ask for.

    Verdicts where it lists criterion ids (c1, c2, …) to be answered, a rubric where it speaks
    of the key "criterion", else a short text. All of it follows from the request's hash.
    """
    text = "\n".join(str(message["content"]) for message in body["messages"])
    asked = _ASKED_IDS.findall(text)
    if asked:
        return _verdicts(body, _ID.findall(asked[-1]), reasons='"reason"' in text)
    if '"criterion"' in text:
        return _rubric(body)
    return f"An answer that mentions {fingerprint(body)}."


def _verdicts(body: Body, ids: list[str], *, reasons: bool) -> str:
    answers: dict[str, object] = {}
    for id in dict.fromkeys(ids):
        answer = "yes" if int(fingerprint(body, id), 16) % 3 else "no"
        answers[id] = {"reason": "It says so.", "answer": answer} if reasons else answer
    return json.dumps(answers)


def _rubric(body: Body) -> str:
    count = 4 + int(fingerprint(body, "count"), 16) % 4
    marks = [fingerprint(body, str(number)) for number in range(count)]
    items = [
        {"criterion": f"Explains point {mark} of the subject.", "weight": 1 + int(mark, 16) % 3}
        for mark in marks
    ]
    return json.dumps(items)


class OpenAIServer:
    """The server; an async context manager."""

    def __init__(
        self,
        answer: Answer = rubric_answer,
        *,
        faults: FaultPlan = no_faults,
        latency: float = 0.0,
        slots: int | None = None,
        key: str | None = None,
        port: int = 0,
    ) -> None:
        """Args:
        answer: text of the reply.
        faults: what goes wrong.
        latency: seconds before an answer.
        slots: calls that it takes at a time; more are answered with 429.
        key: the only key that it takes; None takes all, and none at all.
        port: 0 picks a free one.
        """
        self._answer = answer
        self._faults = faults
        self._latency = latency
        self._slots = slots
        self._key = key
        self._port = port
        self._attempts: Counter[str] = Counter()
        self._finished: set[str] = set()
        self._in_flight = 0
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.counters = Counters()
        self.bodies: list[Body] = []
        """The last 100 request bodies."""
        self.headers: list[Mapping[str, str]] = []

    @property
    def url(self) -> str:
        """The base URL to give to a client."""
        return f"http://127.0.0.1:{self._port}/v1"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/counters", self._counted)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        assert self._runner is not None
        await self._runner.cleanup()

    async def _counted(self, request: web.Request) -> web.Response:
        return web.json_response(asdict(self.counters))

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies = [*self.bodies[-99:], body]
        self.headers = [*self.headers[-99:], request.headers]
        mark = fingerprint(body)
        self.counters.calls += 1
        self.counters.repeated_finished += mark in self._finished
        self._in_flight += 1
        self.counters.most_in_flight = max(self.counters.most_in_flight, self._in_flight)
        try:
            if self._key is not None and request.headers.get("Authorization") != self._bearer():
                return _error(401, "Incorrect API key provided", "invalid_api_key")
            if self._slots is not None and self._in_flight > self._slots:
                self.counters.rejected_by_slots += 1
                return _error(429, "too many calls at a time")
            self._attempts[mark] += 1
            fault = self._faults(body, self._attempts[mark])
            if fault is not None:
                self.counters.faults[fault.kind] += 1
            return await self._respond(request, body, fault, mark)
        finally:
            self._in_flight -= 1

    def _bearer(self) -> str:
        return f"Bearer {self._key}"

    async def _respond(
        self, request: web.Request, body: Body, fault: Fault | None, mark: str
    ) -> web.StreamResponse:
        if fault is not None and fault.kind not in {"truncate", "prose"}:
            return await self._fail(request, fault)
        if self._latency:
            await asyncio.sleep(self._latency)
        completion = self._completion(body, fault)
        response = web.json_response(completion)
        await response.prepare(request)
        await response.write_eof()
        self.counters.finished += 1
        self.counters.prompt_tokens += completion["usage"]["prompt_tokens"]
        self.counters.completion_tokens += completion["usage"]["completion_tokens"]
        self._finished.add(mark)
        return response

    def _completion(self, body: Body, fault: Fault | None) -> dict[str, Any]:
        answer = self._answer(body)
        message = {"content": answer} if isinstance(answer, str) else dict(answer)
        finish = "stop"
        if fault is not None and fault.kind == "truncate":
            finish = "length"
            text = str(message["content"])
            message["content"] = text[: len(text) // 2]
        elif fault is not None:
            message["content"] = "I would rather talk about the weather, which is fine today."
        prompt = sum(len(str(m["content"])) for m in body["messages"]) // 4
        written = len(str(message["content"])) // 4
        usage = {
            "prompt_tokens": prompt,
            "completion_tokens": written,
            "total_tokens": prompt + written,
        }
        choice = {"index": 0, "message": {"role": "assistant"} | message, "finish_reason": finish}
        return {"object": "chat.completion", "choices": [choice], "usage": usage}

    async def _fail(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.kind == "hang":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), fault.seconds)
        if fault.kind in {"hang", "drop"}:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if fault.kind == "busy":
            headers = {"Retry-After": str(fault.seconds)} | dict(fault.headers)
            return _error(fault.status or 429, "slow down", "rate_limit", headers)
        if fault.kind == "error":
            return _error(fault.status or 500, "something broke", headers=fault.headers)
        if fault.kind == "refusal":
            return _error(fault.status or 400, "the prompt was filtered", "content_filter")
        text = fault.body if fault.kind == "reply" else '{"choices": [{"message": {"content": "It'
        return web.Response(
            status=fault.status or 200,
            text=text,
            content_type="application/json",
            headers=dict(fault.headers),
        )


def _error(
    status: int, message: str, code: str = "", headers: Mapping[str, str] | None = None
) -> web.Response:
    error = {"error": {"message": message, "type": "server_error", "code": code or None}}
    return web.json_response(error, status=status, headers=dict(headers or {}))


def load_answer(where: str) -> Answer:
    """Return the function that "module:function" or "path/to/file.py:function" names."""
    module_name, _, function = where.rpartition(":")
    path = Path(module_name)
    if path.suffix != ".py":
        return getattr(importlib.import_module(module_name), function)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return getattr(module, function)


async def _serve(options: argparse.Namespace) -> None:
    answer = load_answer(options.answer) if options.answer else rubric_answer
    plan = faults_for(options.faults, seconds=options.fault_seconds)
    server = OpenAIServer(
        answer, faults=plan, latency=options.latency, slots=options.slots, port=options.port
    )
    async with server:
        print(server.url, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Serve until killed; the first line of output is the base URL."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--answer", help="module:function or file.py:function; built in: rubrics")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before an answer")
    parser.add_argument("--faults", type=float, default=0.0, help="share of requests with a fault")
    parser.add_argument("--fault-seconds", type=float, default=0.02, help="Retry-After and hangs")
    parser.add_argument("--slots", type=int, help="calls taken at a time; more get 429")
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
