"""How far reward and gold follow the length and the format of a response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from uppertail.evaluate.tail.figure import Figure, figure
from uppertail.evaluate.tail.groups import Groups, rank
from uppertail.evaluate.tail.table import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependence:
    """Rank correlation within prompts, Spearman's, with 95 % intervals over prompts."""

    feature: str
    reward: Figure | None
    """Correlation with the reward. None where the feature never varies."""
    gold: Figure | None
    """Correlation with gold; None also without gold."""
    excess: Figure | None
    """Reward minus gold, paired: what the reward pays for and gold does not."""


def dependence(
    features: Mapping[str, Floats],
    groups: Groups,
    reward: Floats,
    gold: Floats | None,
    *,
    weights: Floats,
) -> tuple[Dependence, ...]:
    """Return how reward and gold follow each feature. Columns are [R] by row of the table.

    Args:
        features: [R] each, known for every row of `groups`.
        groups: prompts in which all columns are known.
        reward: [R].
        gold: [R], or None.
        weights: [1 + resamples, Q] from `weightings`.
    """
    targets = [reward] if gold is None else [reward, gold]
    followed = _correlations(groups, list(features.values()), targets, weights)
    out = []
    for name, own in zip(features, followed, strict=True):
        excess = own[0] - own[1] if len(own) > 1 else None
        with_gold = own[1] if len(own) > 1 else None
        out.append(
            Dependence(
                feature=name,
                reward=_interval(own[0]),
                gold=_interval(with_gold),
                excess=_interval(excess),
            )
        )
    return tuple(out)


def _correlations(
    groups: Groups, features: list[Floats], targets: list[Floats], weights: Floats
) -> Floats:
    """Return [F, T, 1 + resamples] pooled within-prompt correlations of mid-ranks.

    NaN where a side never varies within a prompt.
    """
    products = np.zeros((len(features), len(targets), groups.bundles))
    squares = np.zeros((len(features) + len(targets), groups.bundles))
    for chunk in groups.chunks():
        size = chunk.per_row(chunk.sizes)
        centred = [
            rank(values[chunk.rows], chunk).quantile(size) - 0.5 for values in features + targets
        ]
        for at, x in enumerate(centred):
            squares[at] += chunk.bundled(chunk.sum(x * x), groups.bundles)
        for f, x in enumerate(centred[: len(features)]):
            for t, y in enumerate(centred[len(features) :]):
                products[f, t] += chunk.bundled(chunk.sum(x * y), groups.bundles)
    together, alone = products @ weights.T, squares @ weights.T
    spread = np.sqrt(alone[: len(features), None] * alone[None, len(features) :])
    empty = np.full(together.shape, np.nan)
    return np.asarray(np.divide(together, spread, out=empty, where=spread > 0))


def _interval(draws: Floats | None) -> Figure | None:
    return None if draws is None or np.isnan(draws[0]) else figure(draws)
