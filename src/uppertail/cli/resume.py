"""`uppertail resume`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from uppertail.cli import execute, sample
from uppertail.cli.invocation import Invocation, recall
from uppertail.cli.options import RunOptions
from uppertail.cli.sample import SampleInvocation
from uppertail.data.run_folder import read_config


def resume(
    run: str,
    /,
    *,
    budget_usd: float | None = None,
    concurrency: int | None = None,
    at_once: int | None = None,
    json: bool = False,
) -> int:
    """Go on with a run that stopped, or try again what a run lost.

    Calls that were answered are found in the run's journal and are never paid for again. The
    run's inputs were copied when it started, so the files they came from are not needed.

    Args:
        run: the run folder.
        budget_usd: a new money limit for the whole run, what is spent included; without
            it the run's own limit holds.
        concurrency: most calls in flight to each model.
        at_once: prompts in work at a time.
        json: print the summary as one JSON object.

    """

    def again(made: RunOptions) -> RunOptions:
        return replace(
            made,
            out=run,
            budget_usd=made.budget_usd if budget_usd is None else budget_usd,
            concurrency=made.concurrency if concurrency is None else concurrency,
            at_once=made.at_once if at_once is None else at_once,
            json=json,
        )

    config = read_config(Path(run))
    if config.command == "sample":
        drawing = recall(config, SampleInvocation)
        return sample.carry_out(replace(drawing, run=again(drawing.run)))
    invocation = recall(config, Invocation)
    return execute.carry_out(replace(invocation, run=again(invocation.run)), resumed=True)
