"""The endpoint on real sockets, against a server on loopback."""

import asyncio
import contextlib
import socket
from typing import Self

import pytest

from tests.clock import Clock
from tests.openai_server import LASTING, Body, Fault, OpenAIServer, faults_for, fingerprint
from uppertail.concurrent import due
from uppertail.errors import CallFailed, ModelUnusable
from uppertail.models.config import ModelConfig
from uppertail.models.connections import Connections
from uppertail.models.endpoint import Endpoint
from uppertail.models.failures import Failure, HttpAnswer, Kind
from uppertail.models.interface import Request
from uppertail.models.limits import Limiter
from uppertail.types import Message


def say(text: str) -> Request:
    return Request(messages=(Message(role="user", content=text),), role="verifier")


def echo(body: Body) -> str:
    return f"echo {body['messages'][-1]['content']}"


def endpoint(
    connections: Connections, *urls: str, environ: dict[str, str] | None = None, **fields: object
) -> Endpoint:
    given = {"model": "m", "base_urls": urls, "key_env": "A_KEY"} | fields
    config = ModelConfig(**given)  # type: ignore[arg-type]
    clock = Clock()
    limiter = Limiter(config.concurrency, clock=clock, sleep=clock.sleep)
    return Endpoint(
        config, limiter, connections, environ=environ or {}, clock=clock, sleep=clock.sleep
    )


def one_fault(fault: Fault, *, tries: int = 1) -> OpenAIServer:
    """Return a server whose first tries of every request fail."""
    return OpenAIServer(echo, faults=lambda body, n: fault if n <= tries else None)


async def test_a_call_goes_there_and_back() -> None:
    async with OpenAIServer(echo, key="k") as server, Connections() as connections:
        model = endpoint(connections, server.url, environ={"A_KEY": "k"})
        reply = await model.complete(say("grüß 🙂 dich"))
        assert reply.text == "echo grüß 🙂 dich"
        assert reply.usage.prompt_tokens > 0
        assert server.counters.finished == 1


async def test_a_wrong_key_is_told() -> None:
    async with OpenAIServer(echo, key="right") as server, Connections() as connections:
        model = endpoint(connections, server.url, environ={"A_KEY": "wrong"})
        with pytest.raises(ModelUnusable, match="A_KEY"):
            await model.complete(say("x"))


@pytest.mark.parametrize(
    "fault",
    [
        Fault("busy"),
        Fault("error"),
        Fault("error", status=503),
        Fault("drop"),
        Fault("malformed"),
        Fault("hang", seconds=5.0),
        Fault("reply", body="<html>"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status}",
)
async def test_faults_that_pass_are_survived(fault: Fault) -> None:
    async with one_fault(fault, tries=2) as server, Connections() as connections:
        model = endpoint(connections, server.url, timeout_seconds=0.2)
        assert (await model.complete(say("x"))).text == "echo x"
        assert (server.counters.calls, server.counters.finished) == (3, 1)
        assert server.counters.repeated_finished == 0


async def test_a_call_without_an_answer_is_given_up_with_the_reason() -> None:
    async with (
        one_fault(Fault("hang", seconds=5.0), tries=9) as server,
        Connections() as connections,
    ):
        model = endpoint(connections, server.url, timeout_seconds=0.05, attempts=2)
        with pytest.raises(CallFailed, match=r"no answer within 0.05 s \(tried 2 times\)"):
            await model.complete(say("x"))


@pytest.mark.parametrize(
    ("kind", "finish"), [("truncate", "length"), ("refusal", "content_filter"), ("prose", "stop")]
)
async def test_faults_of_the_answer_are_left_to_the_reader(kind: str, finish: str) -> None:
    async with (
        one_fault(Fault(kind), tries=9) as server,  # type: ignore[arg-type]
        Connections() as connections,
    ):
        reply = await endpoint(connections, server.url).complete(say("x"))
        assert reply.finish == finish
        assert server.counters.calls == 1


async def test_a_redirect_is_not_followed() -> None:
    moved = Fault("reply", status=307, headers={"Location": "http://127.0.0.1:9/v1"})
    async with one_fault(moved) as server, Connections() as connections:
        with pytest.raises(ModelUnusable, match="HTTP 307"):
            await endpoint(connections, server.url).complete(say("x"))


async def test_nothing_at_the_port_is_unreachable() -> None:
    async with OpenAIServer(echo) as server:
        url = server.url
    async with Connections() as connections:
        with pytest.raises(ModelUnusable, match=f"nothing answers at {url}.*is the server running"):
            await endpoint(connections, url).complete(say("x"))


async def test_a_wrong_path_is_told() -> None:
    async with OpenAIServer(echo) as server, Connections() as connections:
        with pytest.raises(ModelUnusable, match="knows no such model, or nothing is at this path"):
            await endpoint(connections, server.url.removesuffix("/v1")).complete(say("x"))


async def test_calls_share_connections_and_slots() -> None:
    async with (
        OpenAIServer(echo, latency=0.005, slots=16) as server,
        Connections() as connections,
    ):
        model = endpoint(connections, server.url, concurrency=64)
        replies = await asyncio.gather(*(model.complete(say(str(n))) for n in range(300)))
        assert [reply.text for reply in replies] == [f"echo {n}" for n in range(300)]
        assert server.counters.finished == 300


async def test_a_server_that_goes_away_is_replaced_by_the_other() -> None:
    async with OpenAIServer(echo) as staying, Connections() as connections:
        async with OpenAIServer(echo) as leaving:
            model = endpoint(connections, leaving.url, staying.url)
            await asyncio.gather(*(model.complete(say(str(n))) for n in range(8)))
            assert leaving.counters.finished == 4
        await asyncio.gather(*(model.complete(say(f"later {n}")) for n in range(8)))
        assert staying.counters.finished == 12


async def test_no_call_is_lost_or_made_twice_under_faults() -> None:
    plan = faults_for(0.3, ("busy", "error", "drop", "malformed", *LASTING))
    async with OpenAIServer(echo, faults=plan) as server, Connections() as connections:
        model = endpoint(connections, server.url)
        replies = await asyncio.gather(*(model.complete(say(str(n))) for n in range(200)))
        assert len(replies) == 200
        assert server.counters.repeated_finished == 0
        assert server.counters.faults.keys() == {
            "busy", "error", "drop", "malformed", "truncate", "refusal", "prose",
        }  # fmt: skip


def test_connections_serve_one_loop_after_another() -> None:
    connections = Connections()

    async def post() -> HttpAnswer | Failure:
        async with OpenAIServer(echo) as server, connections:
            return await connections.post(
                f"{server.url}/chat/completions",
                b'{"messages": [{"content": "x"}]}',
                headers={"Content-Type": "application/json"},
                timeout_seconds=5.0,
            )

    for _ in range(2):
        answer = asyncio.run(post())
        assert isinstance(answer, HttpAnswer)
        assert b"echo x" in answer.body


async def test_closing_what_was_never_used_is_fine() -> None:
    connections = Connections()
    await connections.aclose()
    async with connections as again:
        assert again is connections, "and it can still be used"


async def test_a_host_that_has_no_address_is_unreachable() -> None:
    async with Connections() as connections:
        answer = await connections.post(
            "http://no-such-host.invalid/v1", b"", headers={}, timeout_seconds=5.0
        )
    assert isinstance(answer, Failure)
    assert answer.kind is Kind.UNREACHABLE


class Listener(asyncio.Protocol):
    """A server of one answer and one client, that knows whether the client is still there."""

    def __init__(self, answer: bytes = b"") -> None:
        self._answer = answer
        self.heard = b""
        self.lost = asyncio.Event()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: self, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        if self.heard:
            self._transport.abort()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard += data
        self._transport.write(self._answer)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost.set()


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def post(
    connections: Connections, url: str, *, timeout_seconds: float = 5.0
) -> HttpAnswer | Failure:
    return await connections.post(url, b"", headers={"A": "b"}, timeout_seconds=timeout_seconds)


async def test_a_call_is_taken_back_when_the_work_it_is_for_is_over() -> None:
    async with Listener() as server, Connections() as connections:
        with due(asyncio.get_running_loop().time() + 0.1):
            call = asyncio.create_task(post(connections, server.url, timeout_seconds=600.0))
        await asyncio.sleep(0.1)
        call.cancel()
        async with asyncio.timeout(5):
            await server.lost.wait()


async def test_a_server_that_accepts_no_connection_is_unreachable() -> None:
    with socket.socket() as listening, contextlib.ExitStack() as stack:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):  # until its queue is full and nobody else is let in
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(listening.getsockname())
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with Connections(connect_seconds=0.1) as connections:
            answer = await post(connections, url)
    assert isinstance(answer, Failure)
    assert (answer.kind, answer.what) == (Kind.UNREACHABLE, "no connection within 0.1 s")


async def test_what_is_no_http_is_a_broken_connection() -> None:
    async with Listener(b"SSH-2.0-OpenSSH\r\n\r\n") as server, Connections() as connections:
        answer = await post(connections, server.url)
    assert isinstance(answer, Failure)
    assert answer.kind is Kind.PASSING
    assert answer.what == "the connection broke: invalid HTTP version parsed"


@pytest.mark.parametrize("url", ["http://ex ample/v1", "http://[::1/v1", "v1"])
async def test_an_address_that_is_none_is_told(url: str) -> None:
    async with Connections() as connections:
        answer = await post(connections, url)
    assert isinstance(answer, Failure)
    assert answer.kind is Kind.UNUSABLE
    assert answer.what.startswith(f"{url!r} is no address: ")


@pytest.mark.parametrize("scheme", ["http", "all"])
async def test_a_proxy_is_asked_but_not_for_servers_of_this_machine(scheme: str) -> None:
    async with Listener(ANSWER) as proxy, Listener(ANSWER) as server:
        proxies = {scheme: proxy.url, "no": "direct.invalid"}
        async with Connections(proxies=proxies) as connections:
            for url in ("http://far.invalid/v1", server.url):
                answer = await post(connections, url)
                assert isinstance(answer, HttpAnswer)
                assert answer.body == b"ok"
            direct = await post(connections, "http://direct.invalid/v1")
    assert isinstance(direct, Failure)
    assert direct.kind is Kind.UNREACHABLE
    assert proxy.heard.startswith(b"POST http://far.invalid/v1 ")
    assert server.heard.startswith(b"POST / ")


def test_the_same_request_has_the_same_fingerprint() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
