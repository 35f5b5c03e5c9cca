"""What calls have cost: frozen values for progress displays and summaries.

Two kinds of calls are told apart everywhere: *paid* ones were sent by this process, *found*
ones were answered by the journal or by an identical call that was under way.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from uppertail.models.interface import CallRole, Usage

BUCKET = math.log(1.05)
"""Latencies are counted in buckets 5 % wide: memory stays small and a figure is off by 2.5 %."""
SHORTEST, LONGEST = 0.001, 86_400.0
"""Seconds that are told apart; what lies outside is counted with the nearest."""

NO_TOKENS = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Seconds that calls took, each accurate to 2.5 %."""

    p50_seconds: float
    p90_seconds: float
    p99_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Calls, their tokens and their price."""

    calls: int = 0
    usage: Usage = NO_TOKENS
    usd: float | None = 0.0
    """None where the price of one of the calls is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSpend:
    """What one role spent on one model."""

    role: CallRole
    model: str
    paid: Bill
    found: Bill
    failures: int
    """Calls that got no reply, retries included. What a provider bills for them is not known."""
    latency: Latency | None
    """Of the paid calls; None before the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """An account at one moment."""

    roles: tuple[RoleSpend, ...]
    """By role, then by model."""
    paid: Bill
    """All roles together, this process only."""
    found: Bill
    earlier_usd: float
    """What earlier processes of the same run had spent when this one began."""
    limit_usd: float | None
    in_flight: int
    """Calls sent, or about to be, whose end is not known yet."""

    @property
    def failures(self) -> int:
        """Calls of all roles that got no reply."""
        return sum(role.failures for role in self.roles)


def total(bills: Iterable[Bill]) -> Bill:
    """Return the sum of `bills`; its price is None where one of theirs is."""
    bills = tuple(bills)
    prices = [bill.usd for bill in bills if bill.usd is not None]
    return Bill(
        calls=sum(bill.calls for bill in bills),
        usage=Usage(
            prompt_tokens=sum(bill.usage.prompt_tokens for bill in bills),
            cached_tokens=sum(bill.usage.cached_tokens for bill in bills),
            completion_tokens=sum(bill.usage.completion_tokens for bill in bills),
            reasoning_tokens=sum(bill.usage.reasoning_tokens for bill in bills),
        ),
        usd=math.fsum(prices) if len(prices) == len(bills) else None,
    )


class Latencies:
    """A histogram of seconds on a logarithmic scale, at most 375 counts."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        """Count one call."""
        within = min(max(seconds, SHORTEST), LONGEST)
        self._counts[round(math.log(within) / BUCKET)] += 1

    def snapshot(self) -> Latency | None:
        """Return the percentiles so far, or None before the first call."""
        if not self._counts:
            return None
        return Latency(
            p50_seconds=self._percentile(0.50),
            p90_seconds=self._percentile(0.90),
            p99_seconds=self._percentile(0.99),
        )

    def _percentile(self, share: float) -> float:
        """Return the least bucket at or below which `share` of the calls lie."""
        needed = share * self._counts.total()
        buckets = sorted(self._counts)
        reached = accumulate(self._counts[bucket] for bucket in buckets)
        found = next(b for b, count in zip(buckets, reached, strict=True) if count >= needed)
        return math.exp(found * BUCKET)
