"""Does refinement work, and which choices help: the simulated world through the real pipeline.

Figures, in percent of fresh response pairs that the finished rubric orders as gold does, ties
counted as wrong: high_initial, high_one_good, high_one_great, high_four_great and
high_four_great_diverse, the same for low_, with _ties and _inversions apart; all knobs are off
and the contrasted pair leaves the pool, as in the reference simulation.
better_minus_paper_low_end is the lower end of the 95 % interval of the high-region gain of the
better defaults over the paper's, under realistic knobs; paper_calls and better_calls are what
they cost. high_faulty_minus_quiet, with both ends of its interval, is what a fifth of all
calls failing costs over HTTP.

The whole programme takes two processor hours. A first look, and one part alone:

    python benchmarks/efficacy.py --seeds 2 --prompts 100 --only choices
    python benchmarks/efficacy.py --markdown tables.md
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import get_args

from efficacy_cases import BETTER, CHOICES, CLEAN, FIVE, KNOBS, PAPER, REALISTIC
from efficacy_faults import Disturbed, run_faulty
from efficacy_figures import Region, What, calls, criteria, gain, share, table
from efficacy_trials import Conditions, Trial, Way, run

from uppertail.refine.result import Status

PORTION = 20
"""Prompts that a process takes at a time."""

Results = dict[str, list[Trial]]


class Programme:
    """Runs trials on all processors and keeps what is to be printed as tables."""

    def __init__(self, pool: ProcessPoolExecutor, seeds: int) -> None:
        self._pool = pool
        self._seeds = seeds
        self.tables: list[str] = []

    def trials(
        self, conditions: Conditions, ways: Sequence[Way], prompts: int, *, fresh: int = 3
    ) -> Results:
        """Return the trials of each way on `prompts` prompts of each seed, always in one order."""
        jobs = [
            self._pool.submit(
                run, conditions, ways, seed, range(at, min(at + PORTION, prompts)), fresh
            )
            for seed in range(self._seeds)
            for at in range(0, prompts, PORTION)
        ]
        results: Results = {way.name: [] for way in ways}
        for job in jobs:
            for name, trials in job.result().items():
                results[name] += trials
        return results

    def disturbed(self, prompts: int, share: float) -> Disturbed:
        """Return what comes of prompts of each seed while `share` of the calls fail."""
        jobs = [
            self._pool.submit(run_faulty, seed, range(prompts), share)
            for seed in range(self._seeds)
        ]
        total = Disturbed([], [], Counter())
        for job in jobs:
            part = job.result()
            total.quiet.extend(part.quiet)
            total.faulty.extend(part.faulty)
            total.statuses.update(part.statuses)
        return total

    def note(self, title: str, text: str) -> None:
        """Keep a table for the end."""
        self.tables.append(f"**{title}**\n\n{text}\n")


def main() -> int:
    """Print the figures, then the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--prompts", type=int, default=800, help="of each seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--only", choices=tuple(PARTS))
    parser.add_argument("--markdown", type=Path, help="also write the tables to this file")
    arguments = parser.parse_args()
    with ProcessPoolExecutor(arguments.processes) as pool:
        programme = Programme(pool, arguments.seeds)
        for name, part in PARTS.items():
            if arguments.only in (None, name):
                for figure, value in part(programme, arguments.prompts):
                    print(f"{figure}: {value:.1f}", flush=True)
    text = "\n".join(programme.tables)
    print(f"\n{text}")
    if arguments.markdown:
        arguments.markdown.write_text(text)
    return 0


def table_two(programme: Programme, prompts: int) -> Iterator[tuple[str, float]]:
    """Yield the figures of the five variants with all knobs off."""
    # One fresh pair a prompt, as the paper and the reference simulation have it.
    results = programme.trials(CLEAN, FIVE, prompts, fresh=1)
    for region in get_args(Region):
        for name, trials in results.items():
            yield f"{region}_{name}", share(trials, region)
            yield f"{region}_{name}_ties", share(trials, region, "tied")
            yield f"{region}_{name}_inversions", share(trials, region, "inverted")
    programme.note("The five variants, all knobs off", _levels(results))
    programme.note("Steps between them", _steps(results))


def knobs(programme: Programme, prompts: int) -> Iterator[tuple[str, float]]:
    """Yield nothing that is a figure of its own; keep the table of the knobs."""
    rows = []
    for conditions in (*KNOBS, REALISTIC):
        results = programme.trials(conditions, FIVE, max(2, prompts // 10))
        levels = [f"{share(trials, 'high'):.1f}" for trials in results.values()]
        rise = gain(results["four_great"], results["initial"], "high")
        rest = gain(results["four_great_diverse"], results["four_great"], "high")
        lows = [share(results[name], "low") for name in ("initial", "four_great")]
        rows.append([conditions.name, *levels, rise, rest, *(f"{low:.1f}" for low in lows)])
        if conditions is REALISTIC:
            yield from ((f"realistic_high_{name}", share(t, "high")) for name, t in results.items())
    head = [
        *("knob", "initial", "1 good", "1 great", "4 great", "4 diverse"),
        *("4 great - initial", "diverse - great", "low: initial", "low: 4 great"),
    ]
    programme.note("High region, one knob at a time, the used pair leaves", table(head, rows))


def choices(programme: Programme, prompts: int) -> Iterator[tuple[str, float]]:
    """Yield the number of choices that beat the paper preset; keep their table."""
    results = programme.trials(REALISTIC, CHOICES, max(2, prompts // 5))
    paper = results[PAPER.name]
    rows, clear = [], 0
    for name, trials in results.items():
        high, low = gain(trials, paper, "high"), gain(trials, paper, "low")
        clear += high.low > 0
        shares = [f"{share(trials, 'high', what):.1f}" for what in get_args(What)]
        rows.append([name, *shares, high, low, *_size(trials)])
    head = ["choice", "high", "ties", "inversions", "high gain", "low gain", "criteria", "calls"]
    programme.note("Choices against the paper preset, realistic knobs", table(head, rows))
    yield "choices_better_than_paper", clear


def better(programme: Programme, prompts: int) -> Iterator[tuple[str, float]]:
    """Yield what the better defaults gain over the paper preset under realistic knobs."""
    results = programme.trials(REALISTIC, (PAPER, BETTER), prompts)
    paper, ours = results[PAPER.name], results[BETTER.name]
    for region in get_args(Region):
        won = gain(ours, paper, region)
        suffix = "" if region == "high" else "_in_low"
        yield f"better_minus_paper{suffix}", won.mean
        yield f"better_minus_paper{suffix}_low_end", won.low
        yield f"better_minus_paper{suffix}_high_end", won.high
    yield "paper_calls", calls(paper)
    yield "better_calls", calls(ours)
    programme.note("Better defaults and the paper preset, realistic knobs", _levels(results))


def faults(programme: Programme, prompts: int) -> Iterator[tuple[str, float]]:
    """Yield what a fifth of all calls failing costs the paper preset, knobs off."""
    quiet, faulty, statuses = programme.disturbed(max(2, prompts // 80), 0.2)
    for region in get_args(Region):
        lost = gain(faulty, quiet, region)
        yield f"{region}_faulty_minus_quiet", lost.mean
        yield f"{region}_faulty_minus_quiet_low_end", lost.low
        yield f"{region}_faulty_minus_quiet_high_end", lost.high
    yield "prompts_without_a_rubric", statuses[Status.FAILED.value]
    yield "prompts_that_lost_something", statuses[Status.PARTIAL.value]
    rows = [
        [name, *(f"{share(t, r, w):.1f}" for r in get_args(Region) for w in get_args(What))]
        for name, t in (("no call fails", quiet), ("20 % of the calls fail", faulty))
    ]
    head = ["calls", "high: right", "tied", "inverted", "low: right", "tied", "inverted"]
    programme.note("The paper preset over HTTP, knobs off", table(head, rows))


def _levels(results: Results) -> str:
    rows = [
        [
            name,
            *(f"{share(trials, r, w):.1f}" for r in get_args(Region) for w in get_args(What)),
            *_size(trials),
        ]
        for name, trials in results.items()
    ]
    head = [
        *("variant", "high: right", "tied", "inverted"),
        *("low: right", "tied", "inverted", "criteria", "calls"),
    ]
    return table(head, rows)


def _size(trials: Sequence[Trial]) -> tuple[str, str]:
    """Return criteria and calls of a prompt."""
    return f"{criteria(trials):.1f}", f"{calls(trials):.0f}"


def _steps(results: Results) -> str:
    names = list(results)
    rows = [
        [
            f"{after} - {before}",
            *(gain(results[after], results[before], r) for r in ("high", "low")),
        ]
        for before, after in pairwise(names)
    ]
    return table(["step", "high", "low"], rows)


PARTS = {
    "five": table_two,
    "better": better,
    "choices": choices,
    "knobs": knobs,
    "faults": faults,
}

if __name__ == "__main__":
    sys.exit(main())
