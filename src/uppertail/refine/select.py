"""Which responses take part, and which two are contrasted. Every choice is seeded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from random import Random

from uppertail.likeness import jaccard, word_runs
from uppertail.refine.settings import Prefer, Settings
from uppertail.types import Pool, Response


def draw(seed: int, *parts: object) -> Random:
    """Return the random source of one choice, so that no choice depends on another's order."""
    return Random(":".join(str(part) for part in (seed, *parts)))


def candidates(pool: Pool, settings: Settings) -> tuple[Response, ...]:
    """Return the responses that take part in refinement, in the pool's order."""
    eligible = [
        response
        for response in pool.responses
        if (not settings.sources or response.model in settings.sources)
        and not (settings.skip_duplicates and response.duplicate_of)
    ]
    if settings.pool_size is None or len(eligible) <= settings.pool_size:
        return tuple(eligible)
    indices = draw(settings.seed, pool.prompt.id, "pool").sample(
        range(len(eligible)), settings.pool_size
    )
    return tuple(eligible[index] for index in sorted(indices))


def choose_pair(
    responses: Sequence[Response],
    scores: Mapping[str, float],
    *,
    prefer: Prefer,
    random: Random,
) -> tuple[Response, Response] | None:
    """Return the two responses to contrast, the better one first; None if fewer than two.

    Args:
        responses: candidates, in the pool's order.
        scores: response id to score; who is not in it is unscored and takes no part.
        prefer: see `Settings.prefer`.
        random: breaks ties. List position never does.

    """
    scored = [response for response in responses if response.id in scores]
    if len(scored) < 2:
        return None
    random.shuffle(scored)
    ranked = sorted(scored, key=lambda response: -scores[response.id])
    if prefer == "tied":
        return _tied(ranked, scores) or (ranked[0], ranked[1])
    if prefer == "different":
        return _least_alike(ranked, scores)
    return ranked[0], ranked[1]


def _tied(
    ranked: Sequence[Response], scores: Mapping[str, float]
) -> tuple[Response, Response] | None:
    """Return the first two neighbours of equal score, best first."""
    for first, second in pairwise(ranked):
        if scores[first.id] == scores[second.id]:
            return first, second
    return None


def _least_alike(
    ranked: Sequence[Response], scores: Mapping[str, float]
) -> tuple[Response, Response]:
    """Return the pair that has the two best scores and shares the fewest words."""
    best, second = scores[ranked[0].id], scores[ranked[1].id]
    pairs = [
        (a, b)
        for a, b in combinations([r for r in ranked if scores[r.id] >= second], 2)
        if scores[a.id] == best and scores[b.id] == second
    ]
    words = {r.id: word_runs(r.text) for pair in pairs for r in pair}
    return min(pairs, key=lambda pair: jaccard(words[pair[0].id], words[pair[1].id]))
