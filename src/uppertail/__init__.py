"""Rubric rewards that tell excellent responses from merely great ones.

The nouns stand here; what is done with them stands in the package of its stage:
`uppertail.sample`, `propose`, `verify`, `score`, `refine`, `models`, `data`, `report`.
"""

from uppertail.types import (
    Criterion,
    Decider,
    Lineage,
    Message,
    Outcome,
    Pool,
    Prompt,
    Response,
    Rubric,
    Score,
    Unscored,
    Verdict,
    Why,
)

__all__ = [
    "Criterion",
    "Decider",
    "Lineage",
    "Message",
    "Outcome",
    "Pool",
    "Prompt",
    "Response",
    "Rubric",
    "Score",
    "Unscored",
    "Verdict",
    "Why",
]
