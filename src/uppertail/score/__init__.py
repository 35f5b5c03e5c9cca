"""Verdicts to scores: the one place that turns outcomes into a number, or into *unscored*."""

from uppertail.score.aggregate import Aggregation, score

__all__ = ["Aggregation", "score"]
