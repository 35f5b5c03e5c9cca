"""Several servers of one model: which one is called next, and whether any is there."""

from __future__ import annotations

from collections.abc import Sequence

_ASIDE_SECONDS = 10.0
"""How long a server that could not be reached is left alone while there are others."""


class Host:
    """One server."""

    __slots__ = ("aside_until", "base_url", "in_flight", "served", "url")

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.url = f"{base_url}/chat/completions"
        self.in_flight = 0
        self.served = 0
        self.aside_until = float("-inf")


class Hosts:
    """The servers of one model."""

    def __init__(self, base_urls: Sequence[str]) -> None:
        self._hosts = tuple(Host(url) for url in base_urls)

    def pick(self, now: float) -> Host:
        """Return the server with the fewest calls in flight (then: that has served fewest).

        Where all are set aside, the one whose time is up first is tried.
        """
        there = [host for host in self._hosts if host.aside_until <= now]
        if not there:
            return min(self._hosts, key=lambda host: host.aside_until)
        return min(there, key=lambda host: (host.in_flight, host.served))

    def set_aside(self, host: Host, now: float) -> None:
        """Leave `host` alone for a while: it could not be reached."""
        host.aside_until = now + _ASIDE_SECONDS

    def any_left(self, now: float) -> bool:
        """Return whether some server is not set aside."""
        return any(host.aside_until <= now for host in self._hosts)


class Health:
    """Whether a model's servers have answered, and since when they do not."""

    __slots__ = ("_lost", "_quiet_since", "_unreachable_since", "ever_heard")

    def __init__(self) -> None:
        self.ever_heard = False
        self._unreachable_since: float | None = None
        self._quiet_since: float | None = None
        self._lost = 0

    def heard(self) -> None:
        """Some server was there, whatever it said."""
        self.ever_heard = True
        self._unreachable_since = None

    def replied(self) -> None:
        """A call succeeded."""
        self._lost = 0
        self._quiet_since = None

    def unreachable(self, now: float) -> float:
        """No server was there; return for how many seconds that has been so."""
        if self._unreachable_since is None:
            self._unreachable_since = now
        return now - self._unreachable_since

    def lost(self, now: float) -> tuple[int, float]:
        """A call was given up; return how many were in a row, and over how many seconds."""
        if self._quiet_since is None:
            self._quiet_since = now
        self._lost += 1
        return self._lost, now - self._quiet_since
