"""How hard one model is pressed: calls in flight, requests and tokens a minute, pauses.

One `Limiter` stands for one model in one process, whatever the roles that call it. It is the
only queue: everything that waits to be sent waits here, first come first served, in two lanes.
What goes ahead is few: calls that are sent again, and calls whose beginning the server holds
in its cache now and will have forgotten later.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

_START = 32
"""Calls in flight at first."""
_GROWTH_SECONDS = 0.25
"""While no call has been turned away, the calls in flight grow e-fold in this time without
waiting for answers: those may take minutes, and a server that is too busy says so at once."""
_GAIN = 0.5
"""By how much an answer raises them until then. Answers come in bursts, so that 1 would send
twice as many as were answered before the first of them can be turned away."""
_BACK_OFF = 0.75
"""What a congestion leaves of the calls in flight. Half, as TCP has it, idles a server that
has a fixed number of slots for twice as long before the next probe."""
_LEAST = 0.5
"""What it leaves at least: growth does not double the calls in flight within a round."""


_EARLIER_SECONDS = 0.01
"""By how much a wait must have become shorter for it to be begun anew."""


class Pace:
    """Spreads units (requests or tokens) evenly over the minute, from the first one on.

    At most `per_minute` units, and one more, pass in any 60 seconds. Up to half a second of
    unused pace is kept, so that a timer that fires late does not slow the stream; the rate is
    lowered by as much.
    """

    __slots__ = ("_ready", "_seconds_each")

    _SLACK_SECONDS = 0.5

    def __init__(self, per_minute: float, *, now: float) -> None:
        self._seconds_each = (60.0 + self._SLACK_SECONDS) / per_minute
        self._ready = now

    def wait(self, now: float) -> float:
        """Return the seconds until something may pass; 0 if it may now."""
        return max(0.0, self._ready - now)

    def take(self, units: float, now: float) -> None:
        """Let `units` pass. However many they are, they pass at once and the next ones wait."""
        self._ready = max(self._ready, now - self._SLACK_SECONDS) + units * self._seconds_each

    def correct(self, units: float) -> None:
        """Account for `units` more (or fewer, if negative) than were taken."""
        self._ready += units * self._seconds_each


class Limiter:
    """Admits calls to one model.

    Calls in flight: starts at 32 (or the maximum), one more for two answers and every few
    milliseconds until the server first says that it is too busy; then down to three quarters,
    once for all calls that were in flight at that moment, and to fewer, at least half, where so
    many of them are turned away; and back up by one for each full round of answers.
    """

    def __init__(
        self,
        concurrency: int,
        *,
        rpm: float | None = None,
        tpm: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._maximum = concurrency
        self._allowed = float(min(concurrency, _START))
        self._probing = True
        self._in_flight = 0
        self._admitted = 0
        self._full_at = 0
        self._lowered_at = 0
        self._lowered_from = self._refused = 0.0
        """Calls that were in flight then, and how many of them were turned away."""
        self._paused_until = float("-inf")
        self._clock = clock
        self._sleep = sleep
        now = clock()
        self._requests = Pace(rpm, now=now) if rpm is not None else None
        self._tokens = Pace(tpm, now=now) if tpm is not None else None
        self._ahead: deque[tuple[Slot, asyncio.Future[None]]] = deque()
        self._queue: deque[tuple[Slot, asyncio.Future[None]]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._growth: asyncio.TimerHandle | None = None
        self._holding: asyncio.Task[None] | None = None
        self._due = 0.0

    @property
    def in_flight(self) -> int:
        """Calls that hold a slot."""
        return self._in_flight

    @property
    def allowed(self) -> int:
        """Calls that may hold a slot now, between 1 and the maximum."""
        return int(self._allowed)

    @property
    def waiting(self) -> int:
        """Calls that wait to be admitted."""
        return sum(not future.done() for _, future in (*self._ahead, *self._queue))

    def slot(self, tokens: int, *, ahead: bool = False) -> Slot:
        """Return a slot to be entered with `async with`; entering it waits for admission.

        Args:
            tokens: estimate of the call's prompt and completion tokens.
            ahead: the call goes before all that have not asked for this.
        """
        return Slot(self, tokens, ahead=ahead)

    async def _admit(self, slot: Slot) -> None:
        """Wait until `slot` may be used."""
        loop = asyncio.get_running_loop()
        if self._loop is None or self._loop.is_closed():  # who waited there is gone with it
            self._loop, self._growth, self._holding = loop, None, None
            self._ahead.clear()
            self._queue.clear()
        future = loop.create_future()
        (self._ahead if slot.ahead else self._queue).append((slot, future))
        self._let_in()
        if future.done():
            return
        try:
            await future
        except asyncio.CancelledError:
            if not future.cancelled():  # it was admitted in the same moment
                self._spent(-slot.tokens)
                self._leave()
            raise

    def _let_in(self) -> None:
        """Admit those who wait for as long as they may go, then see to it that it is tried again.

        Only the head of the queue waits for anything else than its turn.
        """
        while lane := self._ahead or self._queue:
            slot, future = lane[0]
            if not future.done():  # it is done where its caller was cancelled
                if self._in_flight >= self.allowed:
                    self._grow_later()
                    return
                if (seconds := self._hold(self._clock())) > 0:
                    self._look_later(seconds)
                    return
                self._enter(slot)
                future.set_result(None)
            lane.popleft()

    def _hold(self, now: float) -> float:
        """Return the seconds for which nothing may be sent."""
        waits = [self._paused_until - now]
        if self._requests is not None:
            waits.append(self._requests.wait(now))
        if self._tokens is not None:
            waits.append(self._tokens.wait(now))
        return max(waits)

    def _enter(self, slot: Slot) -> None:
        self._in_flight += 1
        self._admitted += 1
        slot.number = self._admitted
        if self._in_flight >= self.allowed:
            self._full_at = self._admitted
        now = self._clock()
        if self._requests is not None:
            self._requests.take(1, now)
        if self._tokens is not None:
            self._tokens.take(slot.tokens, now)

    def _leave(self) -> None:
        self._in_flight -= 1
        self._let_in()

    def _grow_later(self) -> None:
        """Let one more in after a while, unless the server has said that it is too busy."""
        if self._growth is None and self._probing and self._allowed < self._maximum:
            seconds = _GROWTH_SECONDS / self._allowed
            self._growth = asyncio.get_running_loop().call_later(seconds, self._one_more)

    def _one_more(self) -> None:
        self._growth = None
        if self._probing and self._in_flight >= self.allowed:
            self._allowed = min(float(self._maximum), self._allowed + 1.0)
        self._let_in()

    def _look_later(self, seconds: float) -> None:
        """Look again after `seconds`, unless that is to happen by then."""
        due = self._clock() + seconds
        if self._holding is not None:
            if due >= self._due - _EARLIER_SECONDS:
                return
            self._holding.cancel()
        self._due = due
        self._holding = asyncio.create_task(self._held(seconds))

    async def _held(self, seconds: float) -> None:
        try:
            await self._sleep(seconds)
        finally:
            if self._holding is asyncio.current_task():
                self._holding = None
        self._let_in()

    def _spent(self, more: int) -> None:
        if self._tokens is not None:
            self._tokens.correct(more)

    def _answered(self, slot: Slot) -> None:
        """Admit more, if all slots were in use during this call; else nothing was tested."""
        if slot.number <= self._full_at:
            gain = _GAIN if self._probing else 1.0 / self._allowed
            self._allowed = min(float(self._maximum), self._allowed + gain)

    def _congested(self, slot: Slot, pause_seconds: float) -> None:
        """Admit fewer; of calls that were in flight together, as many as had room."""
        if slot.number > self._lowered_at:
            self._lowered_at = self._admitted
            self._probing = False
            self._lowered_from, self._refused = min(self._allowed, self._in_flight), 0.0
            self._allowed = max(1.0, self._lowered_from * _BACK_OFF)
        self._refused += 1
        had_room = max(self._lowered_from - self._refused, self._lowered_from * _LEAST, 1.0)
        self._allowed = min(self._allowed, had_room)
        self._paused_until = max(self._paused_until, self._clock() + pause_seconds)


class Slot:
    """One admitted call, and how it tells the limiter what came of it."""

    __slots__ = ("_limiter", "ahead", "number", "tokens")

    def __init__(self, limiter: Limiter, tokens: int, *, ahead: bool) -> None:
        self._limiter = limiter
        self.tokens = tokens
        self.ahead = ahead
        self.number = 0
        """Which admission this is, from 1."""

    async def __aenter__(self) -> Self:
        await self._limiter._admit(self)  # noqa: SLF001  # the two are one thing
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._limiter._leave()  # noqa: SLF001

    def answered(self, tokens: int) -> None:
        """The server answered; the call took this many tokens (0: it did not say)."""
        self._limiter._answered(self)  # noqa: SLF001
        if tokens:
            self._limiter._spent(tokens - self.tokens)  # noqa: SLF001

    def congested(self, pause_seconds: float = 0.0) -> None:
        """The server is too busy; nothing is sent to the model for `pause_seconds`."""
        self._limiter._congested(self, pause_seconds)  # noqa: SLF001
        self._limiter._spent(-self.tokens)  # noqa: SLF001
