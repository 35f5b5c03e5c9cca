"""The one place that opens sockets: connections that are kept, one pool a running loop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from types import TracebackType
from typing import Self
from weakref import WeakKeyDictionary

import aiohttp
from yarl import URL

from uppertail.models.failures import Failure, HttpAnswer, Kind, shorten

_CONNECT_SECONDS = 15.0
_IDLE_SECONDS = 4.0
"""Below the 5 seconds after which uvicorn, and so vLLM and SGLang, closes an idle connection:
a call sent on a connection that is just being closed is lost."""


class Connections:
    """Connections of all endpoints of this process, to be closed at the end of each loop.

    Use it as `async with Connections() as connections:`, or call `aclose` in every loop that
    made a call.
    """

    def __init__(self) -> None:
        self._sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = (
            WeakKeyDictionary()
        )

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
        """Close the connections of the running loop."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()

    async def post(
        self, url: str, body: bytes, *, headers: Mapping[str, str], timeout_seconds: float
    ) -> HttpAnswer | Failure:
        """Return what the server answered, whatever its status, or how the exchange failed."""
        try:
            async with self._session().post(
                _parsed(url),
                data=body,
                headers=headers,
                timeout=_limit(timeout_seconds),
                allow_redirects=False,
            ) as response:
                return HttpAnswer(response.status, response.headers, await response.read())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Failure(kind=Kind.UNREACHABLE, what=_reason(error))
        except TimeoutError:
            return Failure(kind=Kind.PASSING, what=f"no answer within {timeout_seconds:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return Failure(kind=Kind.PASSING, what=f"the connection broke: {_reason(error)}")

    def _session(self) -> aiohttp.ClientSession:
        """Return the running loop's session; the limiter, not the pool, bounds the calls."""
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None or session.closed:
            session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
            self._sessions[loop] = session
        return session


_parsed = lru_cache(maxsize=256)(URL)  # a few addresses, and parsing one takes its time


@lru_cache(maxsize=16)
def _limit(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS)


def _reason(error: BaseException) -> str:
    """Return what the operating system said, without the pool's internals."""
    said = getattr(error, "strerror", None) or str(error)
    return shorten(str(said)) or type(error).__name__
