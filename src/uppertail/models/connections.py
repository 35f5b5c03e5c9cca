"""The one place that opens sockets: connections that are kept, one pool a running loop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from types import TracebackType
from typing import Self
from urllib.request import getproxies
from weakref import WeakKeyDictionary

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import BuilderError, RequestError, RequestTimeoutError
from pyreqwest.http import Url
from pyreqwest.proxy import ProxyBuilder
from pyreqwest.request import RequestBuilder

from uppertail.concurrent import time_left
from uppertail.models.failures import Failure, HttpAnswer, Kind, shorten

_IDLE_SECONDS = timedelta(seconds=4)
"""Below the 5 seconds after which uvicorn, and so vLLM and SGLang, closes an idle connection:
a call sent on a connection that is just being closed is lost."""
_AFTER_SECONDS = 1.0
"""How long after the deadline of its work a call is given up. The cancellation comes first, also
on a loop that is late: a server must not be blamed for our deadline."""
_LEAVING_SECONDS = 0.01
_LOOPBACK = "localhost,127.0.0.0/8,0.0.0.0,::1"
"""What no proxy can reach for us."""
_CONNECTING = "client error (Connect)"
"""What the HTTP library calls the step that failed: its exception types do not tell a server
that is not there from one that hangs up."""


class Connections:
    """Connections of all endpoints of this process, to be closed at the end of each loop.

    Use it as `async with Connections() as connections:`, or call `aclose` in every loop that
    made a call. The sockets belong to a thread of the HTTP library, which reads and writes
    while Python does something else.

    That library does not take a cancelled call back from the server, only one that is timed
    out; so a call never outlasts the deadline of the work that it is made for
    (`concurrent.due`). Without a deadline it may keep the server busy up to its time limit.

    Args:
        proxies: proxies by scheme, without those for `no`; by default what the environment
            says (`HTTPS_PROXY`, `NO_PROXY`, …). Loopback addresses are never reached through one.
        connect_seconds: how long a server may take to accept a connection.
    """

    def __init__(
        self, *, proxies: Mapping[str, str] | None = None, connect_seconds: float = 15.0
    ) -> None:
        self._proxies = getproxies() if proxies is None else proxies
        self._connect_seconds = connect_seconds
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Client] = WeakKeyDictionary()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the idle connections of the running loop; a call under way fails."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close()
            # The library's thread may just be telling Python of an answer; an interpreter that
            # ends under it aborts.
            await asyncio.sleep(_LEAVING_SECONDS)

    async def post(
        self, url: str, body: bytes, *, headers: Mapping[str, str], timeout_seconds: float
    ) -> HttpAnswer | Failure:
        """Return what the server answered, whatever its status, or how the exchange failed."""
        try:
            address = _parsed(url)
        except ValueError as error:
            return Failure(kind=Kind.UNUSABLE, what=f"{url!r} is no address: {error}")
        try:
            client = self._client()
        except (ValueError, RuntimeError) as error:
            return Failure(kind=Kind.UNUSABLE, what=_unopened(error))
        request = client.post(address).headers(headers).body_bytes(body)
        task = asyncio.current_task()
        cancelled = task.cancelling() if task is not None else 0
        outcome = await self._exchanged(request, min(timeout_seconds, time_left() + _AFTER_SECONDS))
        if task is not None and task.cancelling() > cancelled:
            raise asyncio.CancelledError  # the library loses one that meets its answer
        return outcome

    async def _exchanged(self, request: RequestBuilder, seconds: float) -> HttpAnswer | Failure:
        try:
            response = await request.timeout(timedelta(seconds=seconds)).build().send()
            content = await response.bytes()
        except RequestTimeoutError as error:
            if _connecting(error):
                what = f"no connection within {self._connect_seconds:g} s"
                return Failure(kind=Kind.UNREACHABLE, what=what)
            return Failure(kind=Kind.PASSING, what=f"no answer within {seconds:g} s")
        except RequestError as error:
            if _connecting(error):
                return Failure(kind=Kind.UNREACHABLE, what=_reason(error))
            what = f"the connection broke: {_reason(error)}"
            return Failure(kind=Kind.PASSING, what=what)
        return HttpAnswer(response.status, response.headers, bytes(content))

    def _client(self) -> Client:
        """Return the running loop's client; the limiter, not the pool, bounds the calls.

        Raises:
            ValueError, RuntimeError: it cannot be opened; `_unopened` says why.
        """
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = _opened(self._proxies, self._connect_seconds)
        return client


def _opened(proxies: Mapping[str, str], connect_seconds: float) -> Client:
    builder = ClientBuilder().no_proxy().follow_redirects(enable=False)
    builder = builder.pool_idle_timeout(_IDLE_SECONDS)
    builder = builder.connect_timeout(timedelta(seconds=connect_seconds))
    direct = ",".join(filter(None, (_LOOPBACK, proxies.get("no"))))
    for scheme, made in (("http", ProxyBuilder.http), ("https", ProxyBuilder.https)):
        if proxy := proxies.get(scheme) or proxies.get("all"):
            address = proxy if "://" in proxy else f"http://{proxy}"
            builder = builder.proxy(made(address).no_proxy(direct))
    return builder.build()


def _unopened(error: Exception) -> str:
    """Return why no client can be opened; a proxy, which may hold a password, is not shown."""
    if isinstance(error, RuntimeError):
        return "calls were made before this process was forked; start processes by spawn instead"
    if isinstance(error, BuilderError):
        hint = "install ca-certificates, or name a file of them in SSL_CERT_FILE"
        return f"connections cannot be opened: {_reason(error)}; {hint}"
    return "a proxy that the environment names (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY) is no address"


_parsed = lru_cache(maxsize=256)(Url)  # a few addresses, and parsing one takes its time


def _connecting(error: RequestError) -> bool:
    return any(cause["message"] == _CONNECTING for cause in error.details["causes"] or ())


def _reason(error: RequestError | BuilderError) -> str:
    """Return what the operating system said, without the steps that led to it."""
    causes = error.details["causes"]
    return shorten(causes[-1]["message"] if causes else error.message)
