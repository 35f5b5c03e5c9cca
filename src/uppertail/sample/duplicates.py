"""Near-duplicates in a pool: two samples of one model can be almost the same text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from uppertail.likeness import jaccard, word_runs
from uppertail.types import Response

RUN = 3
"""Words in a run. Runs of three survive small edits and rarely meet by chance."""


def mark_duplicates(
    responses: Sequence[Response], *, threshold: float = 0.9
) -> tuple[Response, ...]:
    """Return the responses, each near-repeat of an earlier one marked with that one's id.

    Likeness is the Jaccard index of the sets of three-word runs, in [0, 1]. Comparing is
    quadratic in the pool, which is small.

    Args:
        responses: a pool, in its order; the first of several alike stays unmarked.
        threshold: least likeness of a near-duplicate, in (0, 1].

    """
    originals: list[tuple[str, frozenset[tuple[str, ...]]]] = []
    marked = []
    for response in responses:
        runs = word_runs(response.text, RUN)
        twin = next((id for id, other in originals if jaccard(runs, other) >= threshold), None)
        if twin is None:
            originals.append((response.id, runs))
        marked.append(replace(response, duplicate_of=twin))
    return tuple(marked)
