"""A run of `uppertail robustness` from its invocation to its table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from uppertail.cli.app import EXIT_LOST
from uppertail.cli.bench_systems import Asked, Opening, open_system, refuse_absent
from uppertail.cli.invocation import absolute, anchored, located
from uppertail.cli.options import RunOptions
from uppertail.cli.robustness import pair_lines
from uppertail.cli.work import Ended, work_through
from uppertail.concurrent import run
from uppertail.data.jsonl import line_rows
from uppertail.data.run_folder import RunConfig, RunFolder
from uppertail.data.write import json_line, replacing, write_jsonl
from uppertail.errors import InputError
from uppertail.evaluate.bench.ask import ask
from uppertail.evaluate.bench.benchmark import Inputs, items_of
from uppertail.evaluate.bench.registry import find
from uppertail.evaluate.bench.systems import System
from uppertail.evaluate.robustness import TRANSFORMATIONS, Robustness, Transformation, Trial, Tried
from uppertail.evaluate.robustness import robustness as measure
from uppertail.evaluate.robustness import trials as trials_of
from uppertail.models import Journal, ModelSession
from uppertail.types import Why, content_id

SystemOpener = Callable[[Opening], System]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairsInvocation:
    """What was asked of `uppertail robustness`."""

    benchmark: str
    data: str
    only: tuple[str, ...]
    limit: int | None
    seed: int
    resamples: int
    asked: Asked
    run: RunOptions

    @property
    def folder(self) -> Path:
        """The run folder: the one named, else runs/robustness-BENCHMARK-SYSTEM."""
        if self.run.out is not None:
            return Path(self.run.out)
        return Path("runs") / f"robustness-{Path(self.benchmark).stem}-{self.asked.word}"


def chosen(only: tuple[str, ...]) -> tuple[Transformation, ...]:
    """Return the transformations that are named, or of a named family; all where none is.

    Raises:
        InputError: a name is none of them.

    """
    known = {t.name for t in TRANSFORMATIONS} | {t.family for t in TRANSFORMATIONS}
    for name in only:
        if name not in known:
            raise InputError(f"unknown transformation {name!r}; known: {', '.join(sorted(known))}")
    return tuple(t for t in TRANSFORMATIONS if not only or {t.name, t.family} & set(only))


def try_pairs(invocation: PairsInvocation, *, opener: SystemOpener = open_system) -> int:
    """Do what was asked and return the exit code; 0 only when no answer was lost.

    Args:
        invocation: what was asked.
        opener: opens the system; the default goes by the names in the invocation.

    Raises:
        UppertailError: the data are wrong, or the run had to stop.

    """
    trials = _trials(invocation)
    if invocation.run.dry_run:
        return _print_estimate(trials, invocation)
    with RunFolder(invocation.folder, Trial, Tried) as folder:
        run(_work(invocation, folder, trials, opener))
        tried = [result for _, result in folder.results()]
    write_jsonl(invocation.folder / "items.jsonl", (msgspec.to_builtins(one) for one in tried))
    rows = table(tried, resamples=invocation.resamples, seed=invocation.seed)
    with replacing(invocation.folder / "figures.json") as write:
        write(json_line({"rows": _plain(rows)}))
    print_table(rows, as_json=invocation.run.json)
    return EXIT_LOST if any(one.record.unscored for one in tried) else 0


def _trials(invocation: PairsInvocation) -> Iterator[Trial]:
    inputs = Inputs(data=invocation.data)
    items = items_of(find(invocation.benchmark), inputs, limit=invocation.limit)
    return trials_of(items, transformations=chosen(invocation.only), seed=invocation.seed)


async def _work(
    invocation: PairsInvocation,
    folder: RunFolder[Trial, Tried],
    trials: Iterable[Trial],
    opener: SystemOpener,
) -> None:
    """Bring every trial to its record."""
    async with AsyncExitStack() as stack:
        journal = stack.enter_context(Journal(folder.journal))
        session = ModelSession(journal, budget_usd=invocation.run.budget_usd)
        await stack.enter_async_context(session)
        opening = Opening(
            asked=invocation.asked,
            run=invocation.run,
            seed=invocation.seed,
            folder=folder.path,
            session=session,
            journal=journal,
            stack=stack,
        )
        hashes: list[str] = []
        staged = folder.staged
        if not staged:
            _stage(folder, trials, hashes, invocation)
        else:
            hashes = [_mark(trial) for trial in trials]
        system = opener(opening)
        if next(folder.pending(), None) is not None:
            await refuse_absent(system)
        config = _config(invocation, system, content_id(*hashes))
        folder.refuse_other(config)
        folder.configure(config)

        async def work(trial: Trial) -> Ended[Tried]:
            record = await ask(trial.item, system, seed=invocation.seed)
            return Ended(
                result=Tried(transformation=trial.transformation, record=record),
                state="done" if not record.unscored else "unscored",
                complete=Why.CALL_FAILED.value not in record.reasons,
                responses=len(trial.item.responses),
                unscored=record.unscored,
            )

        at_once = invocation.run.at_once if invocation.asked.remote else 1
        await work_through(folder, work, session=session, at_once=at_once)


def _stage(
    folder: RunFolder[Trial, Tried],
    trials: Iterable[Trial],
    hashes: list[str],
    invocation: PairsInvocation,
) -> None:
    """Copy every trial into the run.

    Raises:
        InputError: no transformation applies to any pair.

    """

    def staged() -> Iterator[tuple[str, Trial]]:
        for trial in trials:
            hashes.append(_mark(trial))
            yield f"{trial.transformation}:{trial.item.id}", trial

    if not folder.stage(staged()):
        problem = "expected pairs with a better side to which a transformation applies, found none"
        raise InputError(problem, file=invocation.data)


def _mark(trial: Trial) -> str:
    texts = (response.text for response in trial.item.responses)
    return content_id(trial.transformation, trial.item.id, trial.item.prompt.text, *texts)


def _config(invocation: PairsInvocation, system: System, trials: str) -> RunConfig:
    own = invocation.benchmark.endswith(".py")
    here = replace(
        invocation,
        benchmark=absolute(invocation.benchmark) if own else invocation.benchmark,
        data=absolute(invocation.data),
        asked=invocation.asked.anchored(),
        run=anchored(invocation.run, invocation.folder),
    )
    return RunConfig(
        command="robustness",
        identity={
            "trials": trials,
            "system": system.name,
            "seed": invocation.seed,
            **invocation.asked.identity(),
        },
        options=msgspec.to_builtins(here),
    )


def read_tried(source: str) -> list[Tried]:
    """Return the log of a run.

    Raises:
        InputError: a line is not one of a robustness log, comes twice, or there is none.

    """
    path = Path(located(source, "items.jsonl"))
    tried: dict[tuple[str, str], Tried] = {}
    for row in line_rows(path):
        try:
            one = msgspec.convert(dict(row.fields), Tried)
        except msgspec.ValidationError as error:
            raise row.place.error(f"not a line of a robustness log: {error}") from None
        key = one.transformation, one.record.id
        if key in tried:
            raise row.place.error(f"the pair {key[1]!r} under {key[0]!r} comes twice")
        tried[key] = one
    if not tried:
        raise InputError("the log holds no lines", file=path)
    return list(tried.values())


def table(tried: Iterable[Tried], *, resamples: int, seed: int) -> tuple[Robustness, ...]:
    """Return the rows of the table."""
    return measure(tried, resamples=resamples, seed=seed)


def print_table(rows: tuple[Robustness, ...], *, as_json: bool) -> None:
    """Print the table, as JSON where a program reads it."""
    print(json.dumps({"rows": _plain(rows)}) if as_json else "\n".join(pair_lines(rows)))


def _plain(rows: tuple[Robustness, ...]) -> list[dict[str, object]]:
    return [{**msgspec.to_builtins(row), "drop": row.drop} for row in rows]


def _print_estimate(trials: Iterable[Trial], invocation: PairsInvocation) -> int:
    number = sum(1 for _ in trials)
    asked = invocation.asked
    votes = asked.judging.judge_votes if asked.remote and asked.scorer is None else 0
    calls = 2 * number * votes if votes else None
    if invocation.run.json:
        print(json.dumps({"trials": number, "calls": calls}))
    else:
        need = "" if calls is None else f" and about {calls:,} calls of the judge"
        print(f"{number:,} trials{need}. Nothing was sent.")
    return 0
