"""Does refinement work, and which choices help: the simulated world through the real pipeline.

Figures, in percent of fresh response pairs that the finished rubric orders as gold does, ties
counted as wrong: high_initial, high_one_good, high_one_great, high_four_great and
high_four_great_diverse, the same for low_, with _ties and _inversions apart; knobs are off and
the contrasted pair leaves the pool, as in the reference simulation. kept_ is the same with all
responses staying, the paper's rule. better_minus_paper_low_end is the lower end of the 95 %
interval of the high-region gain of the better defaults over the paper's, under realistic knobs.

    python benchmarks/efficacy.py --markdown tables.md
    python benchmarks/efficacy.py --seeds 2 --prompts 100 --only five
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import get_args

from efficacy_cases import BETTER, CHOICES, CLEAN, KNOBS, PAPER, REALISTIC, five
from efficacy_figures import Region, accuracy, calls, gain, marks, share, table
from efficacy_trials import Conditions, Trial, Way, run

PORTION = 20
"""Prompts that a process takes at a time."""

Results = dict[str, list[Trial]]


class Programme:
    """Runs trials on all processors and keeps what is to be printed as tables."""

    def __init__(self, pool: ProcessPoolExecutor, seeds: int) -> None:
        self._pool = pool
        self._seeds = seeds
        self.tables: list[str] = []

    def trials(self, conditions: Conditions, ways: Sequence[Way], prompts: int) -> Results:
        """Return the trials of each way on `prompts` prompts of each seed, always in one order."""
        jobs = [
            self._pool.submit(run, conditions, ways, seed, range(at, min(at + PORTION, prompts)))
            for seed in range(self._seeds)
            for at in range(0, prompts, PORTION)
        ]
        results: Results = {way.name: [] for way in ways}
        for job in jobs:
            for name, trials in job.result().items():
                results[name] += trials
        return results

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
    parser.add_argument("--only", choices=("five", "knobs", "choices", "better"))
    parser.add_argument("--markdown", type=Path, help="also write the tables to this file")
    arguments = parser.parse_args()
    parts = {"five": table_two, "better": better, "choices": choices, "knobs": knobs}
    with ProcessPoolExecutor(arguments.processes) as pool:
        programme = Programme(pool, arguments.seeds)
        for name, part in parts.items():
            if arguments.only in (None, name):
                for figure, value in part(programme, arguments.prompts):
                    print(f"{figure}: {value:.1f}", flush=True)
    text = "\n".join(programme.tables)
    print(f"\n{text}")
    if arguments.markdown:
        arguments.markdown.write_text(text)
    return 0


def table_two(programme: Programme, prompts: int) -> Iterator[tuple[str, float]]:
    """Yield the figures of the five variants, knobs off, with and without the used pair."""
    for prefix, exclude in (("", True), ("kept_", False)):
        ways = five(exclude_used=exclude) if exclude else five(exclude_used=False)[3:]
        results = programme.trials(CLEAN, ways, prompts)
        for region in get_args(Region):
            for name, trials in results.items():
                found = marks(trials, region)
                yield f"{prefix}{region}_{name}", share(found, 1)
                yield f"{prefix}{region}_{name}_ties", share(found, 0)
                yield f"{prefix}{region}_{name}_inversions", share(found, -1)
        rule = "the used pair leaves" if exclude else "all responses stay"
        programme.note(f"Five variants, knobs off, {rule}", _levels(results))
        programme.note("Steps between them", _steps(results))


def knobs(programme: Programme, prompts: int) -> Iterator[tuple[str, float]]:
    """Yield nothing that is a figure of its own; keep the table of the knobs."""
    rows = []
    for conditions in (*KNOBS, REALISTIC):
        ways = five(exclude_used=True)
        results = programme.trials(conditions, ways, max(2, prompts // 8))
        levels = [f"{accuracy(trials, 'high'):.1f}" for trials in results.values()]
        rise = gain(results["four_great"], results["initial"], "high")
        rest = gain(results["four_great_diverse"], results["four_great"], "high")
        lows = [accuracy(results[name], "low") for name in ("initial", "four_great")]
        rows.append([conditions.name, *levels, rise, rest, *(f"{low:.1f}" for low in lows)])
        if conditions is REALISTIC:
            yield from (
                (f"realistic_high_{name}", accuracy(t, "high")) for name, t in results.items()
            )
    head = [
        *("knob", "initial", "1 good", "1 great", "4 great", "4 diverse"),
        *("4 great - initial", "diverse - great", "low: initial", "low: 4 great"),
    ]
    programme.note("High region, one knob at a time, the used pair leaves", table(head, rows))


def choices(programme: Programme, prompts: int) -> Iterator[tuple[str, float]]:
    """Yield the number of choices that beat the paper preset; keep their table."""
    results = programme.trials(REALISTIC, CHOICES, max(2, prompts // 4))
    paper = results[PAPER.name]
    rows, clear = [], 0
    for name, trials in results.items():
        high, low = gain(trials, paper, "high"), gain(trials, paper, "low")
        clear += high.low > 0
        found = marks(trials, "high")
        shares = [f"{share(found, mark):.1f}" for mark in (1, 0, -1)]
        rows.append([name, *shares, high, low, f"{calls(trials):.0f}"])
    head = ["choice", "high", "ties", "inversions", "high gain", "low gain", "calls a prompt"]
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


def _levels(results: Results) -> str:
    rows = [
        [
            name,
            *(f"{share(marks(trials, 'high'), mark):.1f}" for mark in (1, 0, -1)),
            *(f"{share(marks(trials, 'low'), mark):.1f}" for mark in (1, 0, -1)),
            f"{calls(trials):.0f}",
        ]
        for name, trials in results.items()
    ]
    head = [
        *("variant", "high: right", "tied", "inverted"),
        *("low: right", "tied", "inverted", "calls a prompt"),
    ]
    return table(head, rows)


def _steps(results: Results) -> str:
    names = list(results)
    rows = [
        [
            f"{after} - {before}",
            *(gain(results[after], results[before], r) for r in ("high", "low")),
        ]
        for before, after in zip(names, names[1:], strict=False)
    ]
    return table(["step", "high", "low"], rows)


if __name__ == "__main__":
    sys.exit(main())
