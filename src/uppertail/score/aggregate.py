"""The score of a response: the share of attainable points that it earned."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from typing import Literal

from uppertail.types import Criterion, Outcome, Score, Unscored, Verdict

Aggregation = Literal["weighted", "unweighted", "all_or_nothing"]


def score(
    criteria: Sequence[Criterion],
    outcomes: Sequence[Outcome],
    *,
    aggregation: Aggregation = "weighted",
    min_answered: float = 1.0,
) -> Score:
    """Return the share of attainable points that a response earned.

    Weighted: sum of the weights of met criteria, over the sum of the positive weights,
    clipped to [0, 1]. Unweighted: the same with every weight replaced by its sign.
    All-or-nothing: 1 where every positive criterion is met and no negative one, else 0.

    A score exists where at least `min_answered` of the absolute weight was answered. An
    unanswered criterion then counts as what is worse for the response: a missing merit as
    not met, a missing fault as met. So no failure can ever raise a score, whatever the
    sign of its criterion, and `value == low`.

    Args:
        criteria: K criteria, at least one of positive weight.
        outcomes: K outcomes, in the same order.
        aggregation: how verdicts become a number.
        min_answered: least share of the total absolute weight that must be answered,
            in (0, 1].

    Raises:
        ValueError: outcomes do not pair off with criteria, no weight is positive, or
            `min_answered` is outside (0, 1].

    Source:
        Weighted: arXiv 2509.21500, section 2. Negative points: HealthBench,
        arXiv 2505.08775; it clips the mean over examples, we clip each response, since a
        trainer sees single rewards.

    """
    if len(criteria) != len(outcomes):
        raise ValueError(f"{len(outcomes)} outcomes for {len(criteria)} criteria")
    if not 0 < min_answered <= 1:
        raise ValueError(f"min_answered must be in (0, 1], not {min_answered!r}")
    weights = [c.weight if aggregation == "weighted" else _sign(c.weight) for c in criteria]
    if not any(weight > 0 for weight in weights):
        raise ValueError("a rubric needs at least one criterion of positive weight")
    decided = [outcome.met for outcome in outcomes if isinstance(outcome, Verdict)]
    if len(decided) == len(outcomes):
        earned = _share(weights, decided, aggregation)
        return Score(value=earned, low=earned, high=earned, answered=1.0)
    pairs = tuple(zip(outcomes, weights, strict=True))
    low, high = (
        _share(weights, [_met(o, w, best=best) for o, w in pairs], aggregation)
        for best in (False, True)
    )
    answered = _answered(criteria, outcomes)
    if answered >= min_answered:
        return Score(value=low, low=low, high=high, answered=answered)
    return Score(value=None, low=low, high=high, answered=answered, why=_why(outcomes))


def _sign(weight: float) -> float:
    return 1.0 if weight > 0 else -1.0


def _met(outcome: Outcome, weight: float, *, best: bool) -> bool:
    """Return the verdict, or what an unanswered criterion would be at best or at worst."""
    if isinstance(outcome, Verdict):
        return outcome.met
    return (weight > 0) == best


def _share(weights: Sequence[float], met: Sequence[bool], aggregation: Aggregation) -> float:
    if aggregation == "all_or_nothing":
        return float(all(m == (w > 0) for w, m in zip(weights, met, strict=True)))
    # fsum rounds once, so that equal sums tie whatever the order of their terms.
    points = fsum([w for w, m in zip(weights, met, strict=True) if m])
    return min(1.0, max(0.0, points / fsum([w for w in weights if w > 0])))


def _answered(criteria: Sequence[Criterion], outcomes: Sequence[Outcome]) -> float:
    """Return the share of absolute weight that was answered; exactly 1.0 where all was."""
    pairs = list(zip(criteria, outcomes, strict=True))
    known = fsum(abs(c.weight) for c, o in pairs if isinstance(o, Verdict))
    return known / fsum(abs(c.weight) for c in criteria)


def _why(outcomes: Sequence[Outcome]) -> str:
    """Return the reasons of what nobody decided, with counts, in order of first appearance."""
    reasons = [outcome.why.value for outcome in outcomes if isinstance(outcome, Unscored)]
    counts = {reason: reasons.count(reason) for reason in reasons}
    return ", ".join(f"{reason} {count}" for reason, count in counts.items())
