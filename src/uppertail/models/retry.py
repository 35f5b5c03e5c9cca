"""When to try again: waits with full jitter, and what may still be spent on one call."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from uppertail.models.failures import Kind
from uppertail.models.hosts import Host


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits that double up to a ceiling, each drawn evenly between 0 and its bound."""

    first_seconds: float = 0.5
    ceiling_seconds: float = 30.0

    def wait(self, number: int, random: Random) -> float:
        """Return the seconds to wait after failed try `number`, from 0."""
        bound = self.first_seconds * 2.0 ** min(number, 32)
        return random.uniform(0.0, min(bound, self.ceiling_seconds))


class Tries:
    """The failed tries of one call.

    A server that is busy has not failed: such tries cost nothing until the call has waited
    `patience_seconds` for it. All others count from the first.
    """

    __slots__ = (
        "_attempts",
        "_busy_since",
        "_counted",
        "_patience",
        "failed_on",
        "made",
        "unreached",
    )

    def __init__(self, attempts: int, *, patience_seconds: float) -> None:
        self._attempts = attempts
        self._patience = patience_seconds
        self._busy_since: float | None = None
        self._counted = 0
        self.made = 0
        """Failed tries that reached a server."""
        self.unreached = 0
        """Failed tries that reached none."""
        self.failed_on: set[Host] = set()
        """Servers that have failed this call."""

    @property
    def again(self) -> bool:
        """Whether this call has been sent before."""
        return self.made + self.unreached > 0

    def failed(self, kind: Kind, now: float) -> bool:
        """Count a failed try, one that reached a server, and return whether another may follow."""
        self.made += 1
        if kind is Kind.BUSY:
            if self._busy_since is None:
                self._busy_since = now
            if now - self._busy_since < self._patience:
                return True
        self._counted += 1
        return self._counted < self._attempts
