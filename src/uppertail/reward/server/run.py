"""Running the application: sockets, signals, draining, one process or several."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import multiprocessing
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Protocol

import uvicorn

from uppertail.concurrent import new_event_loop
from uppertail.errors import InputError, UppertailError
from uppertail.reward.server.app import Application

_log = logging.getLogger(__name__)
BACKLOG = 2048
_COLLECT = (20_000, 50, 100)
"""New objects that make the garbage collector look, and how often it looks deeper."""
_CLOSING_SECONDS = 1
"""What a connection has to end once the drain is over."""
_EXTRA_SECONDS = 10.0
"""How long the parent waits for a worker beyond its drain before it is killed."""
_LOOK_SECONDS = 0.2


class Opens(Protocol):
    """Opens the application of one worker; it must be picklable where there are several."""

    def __call__(self) -> AbstractAsyncContextManager[Application]:
        """Return the application, open for as long as the block runs."""
        ...


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        InputError: the port is taken or not allowed, or the host is none of this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, OverflowError) as error:
        raise InputError(f"cannot listen on {host}:{port}: {error}", field="--host") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise _unbound(error, host, port) from error
    return listener


def spread(listener: socket.socket, count: int) -> list[socket.socket]:
    """Return `count` sockets on the address of `listener`, which is closed.

    The kernel deals connections out among them. One socket that several processes accept from
    would leave most to whichever wakes first. Where the system cannot do so, they are that one.

    Raises:
        InputError: another process took the port in the same moment.
    """
    if sys.platform != "linux":  # elsewhere the option exists and deals nothing out
        return [listener.dup() for _ in range(count)]
    address = listener.getsockname()
    listener.close()  # it made sure that nobody else listens: the sockets below would not
    shared = [socket.socket(listener.family, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for one in shared:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind(address)
            one.listen(BACKLOG)
    except OSError as error:
        for one in shared:
            one.close()
        raise _unbound(error, *address[:2]) from error
    return shared


def _unbound(error: Exception, host: str, port: int) -> InputError:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        problem = f"port {port} of {host} is taken; stop what listens there, or choose another one"
        return InputError(f"{problem} (0: any that is free)", field="--port")
    said = getattr(error, "strerror", None) or error
    return InputError(f"cannot listen on {host}:{port}: {said}", field="--port")


def url_of(listener: socket.socket) -> str:
    """Return the URL under which this machine reaches a listening socket."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound, shown
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


class Server(uvicorn.Server):
    """A web server that drains: told to stop, it finishes what is in flight first.

    While it drains it still answers: `/readyz` with 503, so that a balancer looks elsewhere,
    and new rollouts with 503, so that clients ask again later. The same signal once more ends
    it at once.
    """

    def __init__(self, application: Application, ready: Callable[[Server], None]) -> None:
        config = uvicorn.Config(
            application.asgi,
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=_CLOSING_SECONDS,
        )
        super().__init__(config)
        self._gate = application.gate
        self._ready = ready
        self._stop_at = 0.0
        self._told: set[int] = set()
        self.abandoned = 0
        """Rollouts that were still in flight when the drain was over."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        self._ready(self)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; at the same signal once more, stop.

        Ctrl-C reaches a worker twice, from the terminal and as its parent's SIGTERM.
        """
        if sig in self._told:
            self._stop_at = 0.0
            return
        self._told.add(sig)
        if not self._gate.draining:
            self.drain()

    def drain(self) -> None:
        """Take no more rollouts, and stop once those in flight have ended."""
        self._gate.draining = True
        self._stop_at = time.monotonic() + self._gate.limits.drain_s

    async def on_tick(self, counter: int) -> bool:
        """Return whether to stop; asked ten times a second."""
        ended = self._gate.draining and (
            not self._gate.in_flight or time.monotonic() >= self._stop_at
        )
        if ended:
            self.abandoned = self._gate.in_flight
            self.should_exit = True
        return await super().on_tick(counter)


async def serve(
    opens: Opens,
    listener: socket.socket,
    *,
    ready: Callable[[Server], None] = lambda _: None,
) -> int:
    """Serve until a signal or `drain`; return how many rollouts were given up in the end.

    Args:
        opens: gives the application.
        listener: from `listen`; closed in the end.
        ready: called once requests can be answered.
    """
    async with opens() as application:
        server = Server(application, ready)
        await server.serve(sockets=[listener])
        return server.abandoned


def run(opens: Opens, listener: socket.socket, *, ready: Callable[[], None]) -> int:
    """Serve in this process until a signal; return how many rollouts were given up."""

    def settled(_: Server) -> None:
        # What is there now stays: not to look at it again and again saves a seventh of the CPU.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_COLLECT)
        ready()

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(serve(opens, listener, ready=settled))


class Workers:
    """Several processes that serve one address; one that dies is replaced.

    Connections to one that is being replaced wait for its successor.

    Args:
        opens: gives the application of each.
        listeners: a socket each, from `spread`; closed in the end.
    """

    def __init__(self, opens: Opens, listeners: Sequence[socket.socket]) -> None:
        self._opens = opens
        self._listeners = listeners
        self._context = multiprocessing.get_context("spawn")
        self._signals: list[int] = []
        self._processes: list[BaseProcess] = []
        self._broken = False

    def run(self, *, drain_s: float, ready: Callable[[], None]) -> int:
        """Serve until a signal; return how many workers ended badly."""
        kept = {sig: signal.signal(sig, self._told) for sig in _SIGNALS}
        try:
            self._processes = [self._started(listener) for listener in self._listeners]
            ready()
            while not self._signals and not self._broken:
                time.sleep(_LOOK_SECONDS)
                self._replace()
            return self._end(drain_s)
        finally:
            for process in self._processes:
                process.kill()
            for sig, handler in kept.items():
                signal.signal(sig, handler)

    def _told(self, sig: int, frame: FrameType | None) -> None:
        self._signals.append(sig)

    def _started(self, listener: socket.socket) -> BaseProcess:
        process = self._context.Process(target=_work, args=(self._opens, listener))
        process.start()
        return process

    def _replace(self) -> None:
        """Start a worker for each that a signal has killed; one that could not start ends all."""
        self._broken = any(process.exitcode == _CANNOT_START for process in self._processes)
        if not self._broken and not self._signals:
            self._processes = [
                process if process.is_alive() else self._started(listener)
                for process, listener in zip(self._processes, self._listeners, strict=True)
            ]

    def _end(self, drain_s: float) -> int:
        """Tell all workers to drain, and pass on a second signal; return how many ended badly."""
        for listener in self._listeners:
            listener.close()
        last = time.monotonic() + drain_s + _EXTRA_SECONDS
        passed = -1
        while any(p.is_alive() for p in self._processes) and time.monotonic() < last:
            if len(self._signals) > passed:
                passed = len(self._signals)
                for process in self._processes:
                    process.terminate()
            time.sleep(_LOOK_SECONDS)
        for process in self._processes:
            process.kill()
            process.join()
        return sum(process.exitcode not in _ENDED_WELL for process in self._processes)


_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_CANNOT_START = 2
_ENDED_WELL = (0, -signal.SIGTERM)
"""A worker that was told to stop before it could listen to signals had nothing in flight."""


def _work(opens: Opens, listener: socket.socket) -> None:
    """Be a worker."""
    try:
        abandoned = run(opens, listener, ready=lambda: None)
    except UppertailError as error:
        _log.critical("a worker cannot start: %s", error)
        raise SystemExit(_CANNOT_START) from error
    raise SystemExit(min(1, abandoned))
