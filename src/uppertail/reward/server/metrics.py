"""Figures for Prometheus, summed over the workers where there are several."""

from __future__ import annotations

import os
from collections import Counter as Counts
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from uppertail.models.spend import Spend
from uppertail.score.interface import Judged, Reward
from uppertail.types import Verdict

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable of the folder in which workers keep their figures."""
CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
_TENTHS = tuple(n / 10 for n in range(11))


class Metrics:
    """The figures of one server. Each has a registry of its own."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        requests = Counter(
            "uppertail_requests",
            "Answered requests.",
            ("endpoint", "status"),
            registry=registry,
        )
        self._refused = Counter(
            "uppertail_refused",
            "Requests that were not scored, by the code of the error.",
            ("code",),
            registry=registry,
        )
        seconds = Histogram(
            "uppertail_request_seconds",
            "From the first byte of a request to its answer.",
            ("endpoint",),
            buckets=_SECONDS,
            registry=registry,
        )
        rollouts = Counter(
            "uppertail_rollouts", "Rollouts that were answered.", ("outcome",), registry=registry
        )
        criteria = Counter(
            "uppertail_criteria",
            "Criteria by what came of them: met, unmet, or why nobody decided.",
            ("outcome",),
            registry=registry,
        )
        self._reward = Histogram(
            "uppertail_reward",
            "Rewards of scored rollouts.",
            buckets=_TENTHS,
            registry=registry,
        )
        self.in_flight = Gauge(
            "uppertail_rollouts_in_flight",
            "Rollouts being scored.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._calls = Gauge(
            "uppertail_model_calls",
            "Calls to models: paid ones, ones that the journal answered, ones that failed.",
            ("role", "kind"),
            registry=registry,
            multiprocess_mode="sum",
        )
        self._usd = Gauge(
            "uppertail_spend_usd",
            "What calls of known price have cost since the start.",
            registry=registry,
            multiprocess_mode="sum",
        )

        # To look labels up costs more than to count; there are few.
        self._requests, self._seconds = cache(requests.labels), cache(seconds.labels)
        self._rollouts, self._criteria = cache(rollouts.labels), cache(criteria.labels)

    def answered(self, endpoint: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests(endpoint, status).inc()
        self._seconds(endpoint).observe(seconds)

    def refused(self, code: str) -> None:
        """Count a request that was not scored."""
        self._refused.labels(code).inc()

    def rewarded(self, rewards: Sequence[Reward]) -> None:
        """Count rollouts and their criteria."""
        outcomes: Counts[str] = Counts()
        for reward in rewards:
            if reward.value is not None:
                self._reward.observe(reward.value)
            outcomes.update(_came_of(judged) for judged in reward.judged)
        for outcome, count in outcomes.items():
            self._criteria(outcome).inc(count)
        scored = sum(reward.value is not None for reward in rewards)
        self._rollouts("scored").inc(scored)
        self._rollouts("unscored").inc(len(rewards) - scored)

    def spent(self, spend: Spend) -> None:
        """Show what the models have cost so far."""
        for role in spend.roles:
            self._calls.labels(role.role, "paid").set(role.paid.calls)
            self._calls.labels(role.role, "found").set(role.found.calls)
            self._calls.labels(role.role, "failed").set(role.failures)
        self._usd.set(sum(role.paid.usd or 0.0 for role in spend.roles))

    def page(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        folder = os.environ.get(SHARED)
        if folder is None:
            return generate_latest(self._registry)
        _forget_dead(Path(folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def _came_of(judged: Judged) -> str:
    outcome = judged.outcome
    if isinstance(outcome, Verdict):
        return "met" if outcome.met else "unmet"
    return outcome.why.value


def _forget_dead(folder: Path) -> None:
    """Remove what workers that were killed had in flight."""
    for file in folder.glob("gauge_live*_*.db"):
        worker = int(file.stem.rpartition("_")[2])
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            file.unlink(missing_ok=True)
