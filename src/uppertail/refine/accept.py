"""Whether a refined rubric may replace its parent. Optional; the paper accepts everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from uppertail.refine.settings import Acceptance
from uppertail.types import Response, Rubric


def size_objection(rubric: Rubric, rules: Acceptance) -> str | None:
    """Return why the rubric is too large, or None."""
    if len(rubric.criteria) > rules.max_criteria:
        return f"it has {len(rubric.criteria)} criteria; at most {rules.max_criteria} are allowed"
    return None


def separation_objection(pair: tuple[str, str], scores: Mapping[str, float | None]) -> str | None:
    """Return why the rubric does not tell the contrasted pair apart, or None."""
    first, second = scores.get(pair[0]), scores.get(pair[1])
    if first is None or second is None:
        return "the contrasted responses could not be scored with it"
    if first == second:
        return "it gives both responses the same score"
    return None


def label_objection(
    responses: Sequence[Response],
    before: Mapping[str, float | None],
    after: Mapping[str, float | None],
) -> str | None:
    """Return why the rubric contradicts known labels more than its parent did, or None."""
    worse = inversions(responses, after) - inversions(responses, before)
    if worse > 0:
        return f"it puts {worse} more pairs of responses of known quality in the wrong order"
    return None


def inversions(responses: Sequence[Response], scores: Mapping[str, float | None]) -> int:
    """Return how many pairs are scored against their labels. Unscored pairs do not count."""
    known = [
        (response.label, score)
        for response in responses
        if response.label is not None and (score := scores.get(response.id)) is not None
    ]
    return sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for a, b in combinations(known, 2))
