"""The endpoint on real sockets, against a server on loopback."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Self, cast

import pytest

from tests.clock import Clock
from tests.openai_server import LASTING, Body, Fault, OpenAIServer, faults_for, fingerprint
from uppertail.concurrent import due, new_event_loop
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
    async with Connections(proxies={}) as connections:
        answer = await connections.post(
            "http://no-such-host.invalid/v1", b"", headers={}, timeout_seconds=5.0
        )
    assert isinstance(answer, Failure)
    assert answer.kind is Kind.UNREACHABLE


class Listener:
    """A server of one answer, that knows whether its clients are still there."""

    def __init__(self, answer: bytes = b"") -> None:
        self.answer = answer
        self.heard = b""
        self.lost = asyncio.Event()
        self.lines: list[asyncio.Transport] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Line(self), "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for line in self.lines:
            line.abort()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"


class Line(asyncio.Protocol):
    """One connection to a listener."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._listener.lines.append(self._transport)

    def data_received(self, data: bytes) -> None:
        self._listener.heard += data
        self._transport.write(self._listener.answer)

    def connection_lost(self, error: Exception | None) -> None:
        self._listener.lost.set()


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def post(
    connections: Connections, url: str, *, timeout_seconds: float = 5.0
) -> HttpAnswer | Failure:
    return await connections.post(url, b"", headers={"A": "b"}, timeout_seconds=timeout_seconds)


async def test_a_call_is_taken_back_when_the_work_it_is_for_is_over() -> None:
    async with Listener() as server, Connections() as connections:
        with due(asyncio.get_running_loop().time() + 0.5):
            call = asyncio.create_task(post(connections, server.url, timeout_seconds=600.0))
        await asyncio.wait([call], timeout=0.5)
        call.cancel()
        assert server.heard
        async with asyncio.timeout(10):
            await server.lost.wait()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, new_event_loop])
def test_a_cancellation_that_meets_the_answer_is_not_lost(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def cancelled() -> int:
        count = 0
        async with Listener(ANSWER) as server, Connections() as connections:
            for _ in range(20):
                call = asyncio.create_task(post(connections, server.url))
                server.heard = b""
                while not server.heard and not call.done():  # noqa: ASYNC110 - of the socket
                    await asyncio.sleep(0)
                time.sleep(0.01)  # noqa: ASYNC251 - the answer comes while the loop is held up
                call.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await call
                count += call.cancelled()
        return count

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(cancelled()) == 20


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


async def test_a_proxy_is_asked_for_a_tunnel_to_what_is_encrypted() -> None:
    async with Listener(b"HTTP/1.1 502 Bad Gateway\r\n\r\n") as proxy:
        address = proxy.url.removeprefix("http://")  # as curl takes it
        async with Connections(proxies={"https": address}) as connections:
            answer = await post(connections, "https://far.invalid/v1")
    assert isinstance(answer, Failure)
    assert answer.kind is Kind.UNREACHABLE
    assert proxy.heard.startswith(b"CONNECT far.invalid:443 ")


async def test_a_proxy_without_an_address_is_told_and_not_shown() -> None:
    async with Connections(proxies={"http": "http://me:secret@"}) as connections:
        answer = await post(connections, "http://far.invalid/v1")
    assert isinstance(answer, Failure)
    assert answer.kind is Kind.UNUSABLE
    assert "HTTP_PROXY" in answer.what
    assert "secret" not in answer.what


def asked_in_a_process_of_its_own(program: str, **environ: str) -> str:
    """Return what `program` prints about a call to a port at which nothing listens."""
    script = """
import asyncio, os
from uppertail.models.connections import Connections

async def asked():
    async with Connections() as connections:
        url = os.environ.get("URL", "http://127.0.0.1:1/v1")
        print(await connections.post(url, b"", headers={}, timeout_seconds=5.0), flush=True)

"""
    ended = subprocess.run(
        [sys.executable, "-c", script + program],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environ},
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_process_whose_last_call_failed_ends_well() -> None:
    assert "Connection refused" in asked_in_a_process_of_its_own("asyncio.run(asked())")


def test_a_machine_without_certificates_is_told_what_to_install() -> None:
    said = asked_in_a_process_of_its_own(
        "asyncio.run(asked())", SSL_CERT_FILE="/nowhere", SSL_CERT_DIR="/nowhere"
    )
    assert "UNUSABLE" in said
    assert "ca-certificates" in said


def test_proxies_are_read_from_the_environment() -> None:
    said = asked_in_a_process_of_its_own(
        "asyncio.run(asked())",
        URL="http://far.invalid/v1",
        http_proxy="http://127.0.0.1:1",
        no_proxy="",
    )
    assert "Connection refused" in said, "by the proxy"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_process_that_is_forked_after_a_call_is_told_so() -> None:
    program = """
asyncio.run(asked())
if child := os.fork():
    os.waitpid(child, 0)
else:
    asyncio.run(asked())
    os._exit(0)
"""
    assert "start processes by spawn" in asked_in_a_process_of_its_own(program)


def test_the_same_request_has_the_same_fingerprint() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
