"""The offline verifier against human votes on REALSumm (arXiv 2010.07100).

Crowd workers marked which short statements of a reference summary each of 25 systems'
summaries makes. The verifier decides the same statements by program, and a plain token
recall beside it. The settings of `Covers` were chosen on the build half of the prompts (by
a hash of their ids); the main figures are those of the other half, figures that end in
`_all` those of both.

Usage: python benchmarks/offline_realsumm.py [--data DIR]
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import random
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations, groupby
from math import comb
from pathlib import Path
from typing import Any

from uppertail.checks.coverage import SHORT_WORDS
from uppertail.types import Criterion, Outcome, Prompt, Response, Verdict
from uppertail.verify.offline import OfflineVerifier

GAP = 0.1
"""Pairs count where the people's scores of the two responses differ by more than this."""
POOL = 16
RECALL = 0.6
RESAMPLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One statement of one response: what people said and what two programs say."""

    response_id: str
    label: bool
    """What most voters said; a tie is a no."""
    votes: float
    """The share of voters who said yes, in [0, 1]."""
    verdict: bool | None
    """None where the verifier could not decide."""
    recalled: bool | None
    """Whether the response has 60 % of the statement's words, short words left out; None
    where the verifier could not decide, so that both are measured on the same cells."""


Cells = dict[str, list[Cell]]
"""Cells by prompt id."""
Vote = Callable[[Cell], float | None]


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows of one file of the data set.

    Raises:
        SystemExit: the file is not there.
    """
    path = folder / f"{name}.jsonl.gz"
    if not path.is_file():
        sys.exit(f"offline_realsumm: {path} is missing; --data must name a folder that holds it")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def recalls(statement: str, response: str) -> bool:
    """Return the plain baseline's decision: 60 % of the words, as they are spelled."""
    wanted = set(re.findall(r"\w+", statement.lower())) - SHORT_WORDS
    found = wanted & set(re.findall(r"\w+", response.lower()))
    return len(found) >= RECALL * len(wanted) > 0


async def cells_of(folder: Path) -> tuple[Cells, float]:
    """Return every labelled cell, and the verifier's decisions a second."""
    texts = {
        criterion["criterion_id"]: criterion["criterion"]
        for rubric in rows(folder, "rubrics")
        for criterion in rubric["criteria"]
    }
    prompts = {row["prompt_id"]: row["prompt"] for row in rows(folder, "prompts")}
    responses = {row["response_id"]: row for row in rows(folder, "responses")}
    labels = defaultdict(list)
    for label in rows(folder, "labels"):
        labels[label["response_id"]].append(label)
    verifier, cells, seconds = OfflineVerifier(), defaultdict(list), 0.0
    for response_id, votes in labels.items():
        row = responses[response_id]
        statements = [texts[vote["criterion_id"]] for vote in votes]
        start = time.perf_counter()
        outcomes = await verifier.verify(
            Prompt.plain(prompts[row["prompt_id"]], id=row["prompt_id"]),
            Response(id=response_id, text=row["response"]),
            tuple(Criterion(text=statement) for statement in statements),
            {},
        )
        seconds += time.perf_counter() - start
        for vote, statement, outcome in zip(votes, statements, outcomes, strict=True):
            recalled = recalls(statement, row["response"])
            cells[row["prompt_id"]].append(_cell(vote, outcome, recalled=recalled))
    return dict(cells), sum(map(len, cells.values())) / seconds


def _cell(vote: Mapping[str, Any], outcome: Outcome, *, recalled: bool) -> Cell:
    decided = isinstance(outcome, Verdict)
    return Cell(
        response_id=vote["response_id"],
        label=bool(vote["label"]),
        votes=vote["mean"],
        verdict=outcome.met if isinstance(outcome, Verdict) else None,
        recalled=recalled if decided else None,
    )


def hits(cells: Iterable[Cell], vote: Vote) -> tuple[int, int]:
    """Return how many decided cells agree with people, and how many were decided."""
    decided = [cell for cell in cells if vote(cell) is not None]
    return sum(vote(cell) == cell.label for cell in decided), len(decided)


def accuracy(cells: Cells, vote: Vote) -> float:
    """Return the share of decided cells that agree with people."""
    agreed, decided = hits((cell for own in cells.values() for cell in own), vote)
    return agreed / decided


def rewards(cells: Sequence[Cell], vote: Vote) -> list[tuple[float, float]]:
    """Return each response's reward and people's score.

    The reward is the share of decided statements that got a yes; people's score is the
    mean share of voters who said yes.
    """
    by_response = defaultdict(list)
    for cell in cells:
        by_response[cell.response_id].append(cell)
    pairs = []
    for own in by_response.values():
        votes = [value for cell in own if (value := vote(cell)) is not None]
        if votes:
            pairs.append((sum(votes) / len(votes), _human(own)))
    return pairs


def _human(cells: Sequence[Cell]) -> float:
    return sum(cell.votes for cell in cells) / len(cells)


def pairwise(cells: Cells, vote: Vote) -> float:
    """Return the share of clearly different pairs that the reward orders rightly; ties count half."""
    points = [
        0.5 if first[0] == second[0] else float((first[0] > second[0]) == (first[1] > second[1]))
        for own in cells.values()
        for first, second in combinations(rewards(own, vote), 2)
        if abs(first[1] - second[1]) > GAP
    ]
    return sum(points) / len(points)


def best_of(pool: Sequence[tuple[float, float]], size: int) -> float:
    """Return people's expected score of the best by reward among `size` drawn from the pool.

    Exact, without drawing: the best lies in a group of equal rewards with probability
    (C(below + group, size) - C(below, size)) / C(all, size), and is then any of the group.
    """
    size = min(size, len(pool))
    below, expected = 0, 0.0
    for _, tied in groupby(sorted(pool), key=lambda pair: pair[0]):
        group = [human for _, human in tied]
        chance = comb(below + len(group), size) - comb(below, size)
        expected += chance / comb(len(pool), size) * sum(group) / len(group)
        below += len(group)
    return expected


def mean_best_of(cells: Cells, vote: Vote) -> float:
    """Return `best_of` of 16, averaged over the prompts."""
    values = [best_of(rewards(own, vote), POOL) for own in cells.values()]
    return sum(values) / len(values)


def gain_interval(cells: Cells) -> tuple[float, float]:
    """Return the 95 % bootstrap interval, over prompts, of the gain over plain recall."""
    counts = [
        (*hits(own, lambda c: c.verdict), *hits(own, lambda c: c.recalled))
        for own in cells.values()
    ]
    draw = random.Random(0)
    gains = []
    for _ in range(RESAMPLES):
        a, n, b, m = map(sum, zip(*draw.choices(counts, k=len(counts)), strict=True))
        gains.append(a / n - b / m)
    gains.sort()
    return gains[int(0.025 * RESAMPLES)], gains[int(0.975 * RESAMPLES)]


def figures(cells: Cells) -> Iterator[tuple[str, float]]:
    """Return each figure's name and value."""
    every = [cell for own in cells.values() for cell in own]
    yield "criterion_accuracy", accuracy(cells, lambda c: c.verdict)
    yield "pairwise_accuracy", pairwise(cells, lambda c: c.verdict)
    yield "best_of_16", mean_best_of(cells, lambda c: c.verdict)
    yield "unscored_share", sum(cell.verdict is None for cell in every) / len(every)
    yield "token_recall_accuracy", accuracy(cells, lambda c: c.recalled)
    yield "token_recall_pairwise_accuracy", pairwise(cells, lambda c: c.recalled)
    yield "token_recall_best_of_16", mean_best_of(cells, lambda c: c.recalled)
    low, high = gain_interval(cells)
    yield "criterion_gain_low", low
    yield "criterion_gain_high", high
    yield "best_of_1", sum(map(_human, cells.values())) / len(cells)
    yield "oracle_best_of_16", mean_best_of(cells, lambda c: c.votes)


def held_out(prompt_id: str) -> bool:
    """Return whether a prompt belongs to the half that no setting was chosen on."""
    return int(sha256(prompt_id.encode()).hexdigest(), 16) % 2 == 1


def main() -> None:
    """Print one figure a line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data/realsumm"))
    cells, speed = asyncio.run(cells_of(parser.parse_args().data))
    half = {prompt_id: own for prompt_id, own in cells.items() if held_out(prompt_id)}
    for suffix, part in (("", half), ("_all", cells)):
        for name, value in figures(part):
            print(f"{name}{suffix}: {value:.4f}")
    print(f"decisions_per_second: {speed:.0f}")


if __name__ == "__main__":
    main()
