"""Tail reports of real rewards against real labels.

    python benchmarks/tail_real.py --data DIR

DIR holds the folders `ifeval_pool`, `realsumm` and `hellobench`. Figures are named
DATA_REWARD_WHAT, where WHAT is

right, tied, inverted          shares of pairs of different gold; with `_top` among the best
                               quarter of each prompt
win_rate_kl                    predicted win rate at 0.25 and 1 nat, with its 95 % interval over
                               prompts, and `win_rate_gold` of gold as its own reward; missing
                               where the pool's ties do not let any policy get there
peak_kl, lost                  where the win rate is highest and what is lost beyond it;
                               no_peak: it does not fall as far as the pool lets see
all_tied                       share of prompts whose rewards all tie
kl_bound                       most KL that any policy on the pool can have

IFEval: gold is the share of a prompt's instructions that the response follows, by program.
Rewards: `offline` (criteria read from the prompt's text by the offline proposer, decided by
program; `held_out_offline` is on the prompts that the proposer was not written on),
`noise5/10/20` (the gold criteria, each verdict wrong with that chance), `length`.
REALSumm: gold is the share of statements that most people find in the summary. Rewards:
`recall` (mean share of a statement's words that are in the summary, short words left out),
`length`, `worker` (the first worker alone; gold is then the majority of the others, so that
nobody judges himself).
*_best_of_N are means of gold, exact over all subsets, as in the data sets' own notes; for
REALSumm gold is there the mean of the votes.
HelloBench: its recorded GPT-4o scores, for which there is no gold.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from uppertail import theory
from uppertail.checks.coverage import SHORT_WORDS
from uppertail.evaluate.tail import Table, TailReport, tail_report
from uppertail.propose.offline import OfflineProposer
from uppertail.score import score
from uppertail.types import Prompt, Response
from uppertail.verify.offline import OfflineVerifier

Figures = Iterator[tuple[str, float]]
TOP = 1
"""Place of the best quarter among the regions."""
KLS = (0.25, 1)
GRADES = ("chat", "open_ended_qa")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One response with its gold and the rewards that are measured on it."""

    prompt: str
    gold: float | None
    rewards: dict[str, float | None]


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows of one file of a data set.

    Raises:
        SystemExit: the file is not there.
    """
    path = folder / f"{name}.jsonl.gz"
    if not path.is_file():
        sys.exit(f"tail_real: {path} is missing; --data must name the folder above it")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def table_of(cases: Sequence[Case], reward: str) -> Table:
    """Return the table of one reward."""
    codes: dict[str, int] = {}
    gold = [np.nan if case.gold is None else case.gold for case in cases]
    values = [case.rewards[reward] for case in cases]
    return Table(
        source="benchmark",
        prompt=np.array([codes.setdefault(case.prompt, len(codes)) for case in cases]),
        rewards={reward: np.array([np.nan if v is None else v for v in values])},
        gold=np.array(gold) if np.isfinite(gold).any() else None,
    )


def figures_of(report: TailReport) -> Figures:
    """Yield what is printed of one report."""
    yield "unscored", report.rows.unscored / report.rows.responses
    yield "all_tied", report.spread.all_tied
    yield "kl_bound", report.spread.kl_bound
    own = report.measured
    if own is None:
        return
    for name, region in (("", own.pairs), ("_top", own.tops[TOP])):
        yield f"pairs{name}", region.pairs
        for what in ("right", "tied", "inverted"):
            value = getattr(region, what).value
            yield what + name, np.nan if value is None else value
    for point in own.curve:
        if point.kl in KLS and point.win_rate.value is not None:
            yield f"win_rate_kl{point.kl:g}", point.win_rate.value
            yield f"win_rate_kl{point.kl:g}_low", point.win_rate.low or np.nan
            yield f"win_rate_kl{point.kl:g}_high", point.win_rate.high or np.nan
            if point.perfect is not None:
                yield f"win_rate_gold_kl{point.kl:g}", point.perfect
    if own.peak.falls and own.peak.kl.value is not None:
        yield "peak_kl", own.peak.kl.value
        yield "lost", own.peak.lost.value or 0.0
    else:
        yield "no_peak_up_to_kl", own.kl_limit


def best_of(cases: Sequence[Case], reward: str | None, n: int) -> float:
    """Return the mean gold of best-of-n, over prompts that have n; None: gold itself chooses."""
    by_prompt: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for case in cases:
        value = case.gold if reward is None else case.rewards[reward]
        if value is not None and case.gold is not None:
            by_prompt[case.prompt].append((value, case.gold))
    pools = [np.array(pool) for pool in by_prompt.values() if len(pool) >= n]
    return float(np.mean([theory.mean_best_of_n(p[:, 0], p[:, 1], n) for p in pools]))


async def ifeval(folder: Path) -> list[Case]:
    """Return IFEval's responses with the three kinds of reward."""
    prompts = {row["prompt_id"]: row for row in rows(folder, "prompts_en")}
    draw = np.random.default_rng(0)
    proposer, verifier = OfflineProposer(), OfflineVerifier()
    known = {key: Prompt.plain(row["prompt"], id=key) for key, row in prompts.items()}
    rubrics = {key: await proposer.initial(prompt) for key, prompt in known.items()}
    cases = []
    for row in rows(folder, "responses_en"):
        key, strict = row["prompt_id"], np.array(row["strict"], dtype=bool)
        criteria = rubrics[key].criteria
        response = Response(id=row["model"], text=row["response"])
        outcomes = await verifier.verify(known[key], response, criteria, {})
        rewards: dict[str, float | None] = {"offline": score(criteria, outcomes).value}
        for percent in (5, 10, 20):
            wrong = draw.random(len(strict)) < percent / 100
            rewards[f"noise{percent}"] = float((strict ^ wrong).mean())
        rewards["length"] = float(len(row["response"]))
        cases.append(Case(prompt=key, gold=float(strict.mean()), rewards=rewards))
    return cases


def realsumm(folder: Path) -> tuple[list[Case], list[Case], list[Case]]:
    """Return REALSumm's responses with three kinds of gold.

    Against the majority, against the mean of the votes, and one worker against the others.
    """
    texts = {
        criterion["criterion_id"]: criterion["criterion"]
        for row in rows(folder, "rubrics")
        for criterion in row["criteria"]
    }
    labels = defaultdict(list)
    for row in rows(folder, "labels"):
        labels[row["response_id"]].append(row)
    majority, votes, alone = [], [], []
    for row in rows(folder, "responses"):
        own, summary, prompt = labels[row["response_id"]], row["response"], row["prompt_id"]
        recalled = np.mean([recall(texts[label["criterion_id"]], summary) for label in own])
        rewards: dict[str, float | None] = {"recall": float(recalled), "length": len(summary)}
        gold = float(np.mean([label["label"] for label in own]))
        majority.append(Case(prompt=prompt, gold=gold, rewards=rewards))
        gold = float(np.mean([label["mean"] for label in own]))
        votes.append(Case(prompt=prompt, gold=gold, rewards=rewards))
        worker = float(np.mean([label["votes"][0] for label in own]))
        others = float(np.mean([np.mean(label["votes"][1:]) > 0.5 for label in own]))
        alone.append(Case(prompt=prompt, gold=others, rewards={"worker": worker}))
    return majority, votes, alone


def recall(statement: str, response: str) -> float:
    """Return the share of the statement's words that the response has, short words left out."""
    wanted = set(re.findall(r"\w+", statement.lower())) - SHORT_WORDS
    found = wanted & set(re.findall(r"\w+", response.lower()))
    return len(found) / max(1, len(wanted))


def hellobench(folder: Path, kind: str) -> list[Case]:
    """Return HelloBench's responses with their weighted checklist score in [0, 1]."""
    weights = {
        row["prompt_id"]: np.array([criterion["weight"] for criterion in row["criteria"]])
        for row in rows(folder, f"prompts_{kind}")
    }
    cases = []
    for row in rows(folder, f"judged_responses_{kind}"):
        own, grades = weights[row["prompt_id"]], row["scores"]
        whole = len(own) == len(grades) and None not in grades
        # Rounded, so that equal grades tie whatever the order of the sum.
        value = round(float(np.dot(own, grades) / own.sum()), 9) if whole else None
        cases.append(Case(prompt=row["prompt_id"], gold=None, rewards={"gpt4o": value}))
    return cases


def ifeval_figures(data: Path) -> Figures:
    """Yield the figures of IFEval."""
    cases = asyncio.run(ifeval(data / "ifeval_pool"))
    yield from reports("ifeval", cases)
    offline = [
        Case(prompt=case.prompt, gold=case.gold, rewards={"offline": case.rewards["offline"]})
        for case in cases
        if held_out(case.prompt)
    ]
    yield from reports("ifeval_held_out", offline)
    yield from ladder("ifeval", cases, (1, 2, 4, 8, 16))


def held_out(prompt_id: str) -> bool:
    """Return whether a prompt belongs to the half that the offline proposer was not written on."""
    return int(sha256(prompt_id.encode()).hexdigest(), 16) % 2 == 1


def realsumm_figures(data: Path) -> Figures:
    """Yield the figures of REALSumm."""
    majority, votes, alone = realsumm(data / "realsumm")
    yield from reports("realsumm", majority)
    yield from reports("realsumm", alone)
    yield from ladder("realsumm", votes, (1, 2, 4, 8, 16, 25))


def hellobench_figures(data: Path) -> Figures:
    """Yield the figures of HelloBench: how saturated the scores are, and the KL that is left."""
    for kind in GRADES:
        cases = hellobench(data / "hellobench", kind)
        report = tail_report(table_of(cases, "gpt4o"))
        yield f"hellobench_{kind}_responses", float(report.rows.responses)
        yield f"hellobench_{kind}_unscored", report.rows.unscored / report.rows.responses
        yield f"hellobench_{kind}_top_tied", report.spread.top_tied
        yield f"hellobench_{kind}_tied_pairs", report.spread.tied_pairs
        yield f"hellobench_{kind}_all_tied", report.spread.all_tied
        yield f"hellobench_{kind}_kl_stops_helping", report.spread.kl_bound
        yield f"hellobench_{kind}_kl_without_ties", report.spread.kl_bound_samples
        best = [case.rewards["gpt4o"] for case in cases]
        yield (
            f"hellobench_{kind}_full_marks",
            float(np.mean([value == 1 for value in best if value])),
        )


def reports(name: str, cases: Sequence[Case]) -> Figures:
    """Yield the figures of each reward."""
    for reward in cases[0].rewards:
        for what, value in figures_of(tail_report(table_of(cases, reward))):
            yield f"{name}_{reward}_{what}", value


def ladder(name: str, cases: Sequence[Case], sizes: Sequence[int]) -> Figures:
    """Yield best-of-n for each reward and for gold itself."""
    for reward in (*cases[0].rewards, None):
        for n in sizes:
            yield f"{name}_{reward or 'oracle'}_best_of_{n}", best_of(cases, reward, n)


def main() -> None:
    """Print one figure a line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    data = parser.parse_args().data
    parts: tuple[Callable[[Path], Figures], ...] = (
        ifeval_figures,
        realsumm_figures,
        hellobench_figures,
    )
    for part in parts:
        for name, value in part(data):
            print(f"{name}: {value:.4f}", flush=True)


if __name__ == "__main__":
    main()
