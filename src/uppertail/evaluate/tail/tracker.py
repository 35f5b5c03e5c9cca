"""Over-optimisation in a training run: onset, peak, drop, and whether to stop.

A run over-optimises from the checkpoint where the true quality begins to fall while the
proxy reward goes on rising.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median
from typing import Final, Literal

_NORMAL: Final = 1.4826
"""A normal law's standard deviation over its median absolute deviation."""
_FEWEST: Final = 3
"""Checkpoints with gold below which nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One measurement of a policy in training. None is what was not measured."""

    step: int
    proxy: float | None = None
    """Mean reward that is being optimised."""
    gold: float | None = None
    """Mean of what counts: human or program labels, or a held-out judge."""
    kl: float | None = None
    """Distance from the base policy, in nats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What a series of checkpoints says."""

    peak: Checkpoint | None
    """Where gold is highest; None with fewer than three checkpoints that have gold."""
    onset: Checkpoint | None
    """The first checkpoint after the peak from which gold stays below it by more than noise
    while the proxy has not fallen; None if there is none."""
    last: Checkpoint | None
    """The newest checkpoint with gold."""
    drop: float | None
    """Gold at the peak minus gold at the last checkpoint, in units of gold."""
    noise: float | None
    """What a fall must exceed to count."""
    advice: Literal["wait", "go on", "stop"]
    """`wait`: too little is known."""
    reason: str


def track(
    checkpoints: Sequence[Checkpoint],
    *,
    noise: float | None = None,
    patience: int = 2,
    kl_limit: float | None = None,
) -> Track:
    """Return onset, peak, drop and advice.

    Args:
        checkpoints: in order of training.
        noise: the least fall that counts. Unless given, twice the standard deviation of gold
            around its own trend, from second differences: 1.4826 median|d2| / sqrt(6).
        patience: stop after this many checkpoints in a row with gold below the peak by more
            than `noise` while the proxy has not fallen.
        kl_limit: stop beyond this KL, in nats: the peak that a tail report predicts.
    """
    known = [c for c in checkpoints if c.gold is not None]
    beyond = _beyond(checkpoints, kl_limit)
    if len(known) < _FEWEST:
        reason = beyond or f"gold is known at {len(known)} checkpoints; {_FEWEST} are needed"
        return _unknown(known, "stop" if beyond else "wait", reason)
    golds = [_gold(c) for c in known]
    peak = known[golds.index(max(golds))]
    least = noise if noise is not None else _noise(golds)
    fallen = _fallen(known, peak, least)
    drop = _gold(peak) - golds[-1]
    stop = len(fallen) >= patience
    reason = beyond or _reason(peak, fallen, drop, stop=stop)
    return Track(
        peak=peak,
        onset=fallen[0] if fallen else None,
        last=known[-1],
        drop=drop,
        noise=least,
        advice="stop" if stop or beyond else "go on",
        reason=reason,
    )


def _unknown(known: Sequence[Checkpoint], advice: Literal["wait", "stop"], reason: str) -> Track:
    last = known[-1] if known else None
    return Track(
        peak=None, onset=None, last=last, drop=None, noise=None, advice=advice, reason=reason
    )


def _gold(checkpoint: Checkpoint) -> float:
    assert checkpoint.gold is not None
    return checkpoint.gold


def _beyond(checkpoints: Sequence[Checkpoint], limit: float | None) -> str:
    """Return why the KL says stop; empty where it does not."""
    kls = [c.kl for c in checkpoints if c.kl is not None]
    if limit is None or not kls or kls[-1] <= limit:
        return ""
    return f"the KL is {kls[-1]:.3g} nats, beyond the predicted peak at {limit:.3g}"


def _noise(golds: Sequence[float]) -> float:
    """Return twice the standard deviation of gold around a locally straight trend."""
    bends = [a - 2 * b + c for a, b, c in zip(golds, golds[1:], golds[2:], strict=False)]
    return 2 * _NORMAL * median(abs(bend) for bend in bends) / sqrt(6)


def _fallen(known: Sequence[Checkpoint], peak: Checkpoint, noise: float) -> list[Checkpoint]:
    """Return the run of checkpoints at the end whose gold fell and whose proxy did not."""
    out: list[Checkpoint] = []
    for checkpoint in reversed(known[known.index(peak) + 1 :]):
        if _gold(peak) - _gold(checkpoint) <= noise or _proxy_fell(peak, checkpoint):
            break
        out.append(checkpoint)
    return out[::-1]


def _proxy_fell(peak: Checkpoint, now: Checkpoint) -> bool:
    """Return whether the proxy fell too: then training fails otherwise than by over-optimising."""
    return peak.proxy is not None and now.proxy is not None and now.proxy < peak.proxy


def _reason(peak: Checkpoint, fallen: Sequence[Checkpoint], drop: float, *, stop: bool) -> str:
    if not fallen:
        return f"gold has not stayed below its peak at step {peak.step} by more than noise"
    where = f"since step {fallen[0].step} gold is below its peak at step {peak.step}"
    fall = f", by {drop:.3g} now, while the proxy has not fallen"
    return where + fall + (f"; go back to step {peak.step}" if stop else "")
