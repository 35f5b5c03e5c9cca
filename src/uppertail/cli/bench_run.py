"""A run of `uppertail bench run` from its invocation to its tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from uppertail.cli.app import EXIT_LOST, say
from uppertail.cli.bench_systems import Asked, Opening, open_system, refuse_absent
from uppertail.cli.invocation import absolute, anchored, fingerprint
from uppertail.cli.options import RunOptions
from uppertail.cli.work import Ended, work_through
from uppertail.concurrent import run
from uppertail.data.run_folder import RunConfig, RunFolder
from uppertail.data.write import json_line, replacing
from uppertail.evaluate.bench.ask import ask
from uppertail.evaluate.bench.benchmark import Benchmark, Inputs, items_of
from uppertail.evaluate.bench.items import Item
from uppertail.evaluate.bench.log import Header, Log, read_log, write_log
from uppertail.evaluate.bench.read import files
from uppertail.evaluate.bench.record import Record
from uppertail.evaluate.bench.registry import find
from uppertail.evaluate.bench.report import Report, Resampling, report
from uppertail.evaluate.bench.systems import System
from uppertail.models import Journal, ModelSession
from uppertail.types import Why, content_id

SystemOpener = Callable[[Opening], System]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchInvocation:
    """What was asked of `uppertail bench run`."""

    name: str
    """Of the benchmark, or the path of a Python file that defines it."""
    data: str
    responses: str | None = None
    policy: str | None = None
    limit: int | None = None
    seed: int = 0
    resamples: int = 1000
    asked: Asked
    run: RunOptions

    @property
    def folder(self) -> Path:
        """The run folder: the one named, else runs/bench-NAME-SYSTEM."""
        if self.run.out is not None:
            return Path(self.run.out)
        return Path("runs") / f"bench-{Path(self.name).stem}-{self.asked.word}"

    @property
    def inputs(self) -> Inputs:
        """What the benchmark is read from."""
        return Inputs(data=self.data, responses=self.responses, policy=self.policy)

    def anchored(self) -> BenchInvocation:
        """Return the same invocation with absolute paths, to be repeated from any folder."""
        own = self.name.endswith(".py")
        return replace(
            self,
            name=absolute(self.name) if own else self.name,
            data=absolute(self.data),
            responses=self.responses and absolute(self.responses),
            asked=self.asked.anchored(),
            run=anchored(self.run, self.folder),
        )


def carry_out(
    invocation: BenchInvocation, *, opener: SystemOpener = open_system, resumed: bool = False
) -> int:
    """Do what was asked and return the exit code; 0 only when no call was lost.

    Args:
        invocation: what was asked.
        opener: opens the system; the default goes by the names in the invocation.
        resumed: whether it is the run itself that is to go on, whatever has become of its data.

    Raises:
        UppertailError: the data are wrong, or the run had to stop.
    """
    benchmark = find(invocation.name)
    if invocation.run.dry_run:
        return _print_estimate(benchmark, invocation)
    with RunFolder(invocation.folder, Item, Record) as folder:
        header = run(_work(benchmark, invocation, folder, opener, resumed=resumed))
        log = _publish(folder, header)
    made = report(log, benchmark.aggregation, resampling=Resampling(resamples=invocation.resamples))
    with replacing(invocation.folder / "figures.json") as write:
        write(json_line(msgspec.to_builtins(made)))
    show_report(made, as_json=invocation.run.json)
    if not invocation.run.json:
        print(invocation.folder / "items.jsonl")
    return EXIT_LOST if any(_lost(record) for record in log.records) else 0


async def _work(
    benchmark: Benchmark,
    invocation: BenchInvocation,
    folder: RunFolder[Item, Record],
    opener: SystemOpener,
    *,
    resumed: bool,
) -> Header:
    """Bring every item of the run to its record; return the header of the log."""
    async with AsyncExitStack() as stack:
        journal = stack.enter_context(Journal(folder.journal))
        session = ModelSession(journal, budget_usd=invocation.run.budget_usd)
        await stack.enter_async_context(session)
        # Before a system is opened: a wrong file must not cost a model's loading, or a call.
        staged = folder.staged
        if not staged:
            _stage(benchmark, invocation, folder)
        cache = journal
        if invocation.run.cache is not None:
            cache = stack.enter_context(Journal(invocation.run.cache))
        system = opener(
            Opening(
                asked=invocation.asked,
                run=invocation.run,
                seed=invocation.seed,
                folder=folder.path,
                session=session,
                journal=cache,
                stack=stack,
            )
        )
        if next(folder.pending(), None) is not None:
            await refuse_absent(system)
        data = folder.fact("data") if resumed and staged else data_hash(invocation)
        config = _config(invocation, system, data or "")
        folder.refuse_other(config)
        folder.remember("data", data or "")
        folder.configure(config)

        async def work(item: Item) -> Ended[Record]:
            record = await ask(item, system, seed=invocation.seed)
            return Ended(
                result=record,
                state="partial" if record.unscored else "done",
                complete=not _lost(record),
                responses=1,
                unscored=int(record.unscored > 0),
            )

        # Programs do not wait: side by side they would only all end at the same late time.
        at_once = invocation.run.at_once if invocation.asked.remote else 1
        await work_through(folder, work, session=session, at_once=at_once)
        return _header(benchmark, invocation, system, data or "")


def _lost(record: Record) -> bool:
    """Return whether a call failed, so that another try may bring the answer."""
    return any(Why.CALL_FAILED.value in why for why in record.reasons)


def _stage(
    benchmark: Benchmark, invocation: BenchInvocation, folder: RunFolder[Item, Record]
) -> None:
    """Check every item and copy it into the run.

    Raises:
        InputError: a row is not what it must be; nothing is staged.
    """

    def items() -> Iterator[tuple[str, Item]]:
        for item in items_of(benchmark, invocation.inputs, limit=invocation.limit):
            yield item.id, item

    folder.stage(items())


def data_hash(invocation: BenchInvocation) -> str:
    """Return a hash of the benchmark's files, and of the policy's answers where there are any.

    Raises:
        InputError: a file cannot be read.
    """
    parts = [fingerprint(str(file)) for file in files(invocation.data)]
    if invocation.responses is not None:
        parts += [fingerprint(invocation.responses), invocation.policy or ""]
    return parts[0] if len(parts) == 1 else content_id(*parts)


def _config(invocation: BenchInvocation, system: System, data: str) -> RunConfig:
    return RunConfig(
        command="bench",
        identity={
            "benchmark": Path(invocation.name).stem,
            "data": data,
            "limit": invocation.limit,
            "system": system.name,
            "kind": system.kind,
            "seed": invocation.seed,
            **invocation.asked.identity(),
        },
        options=msgspec.to_builtins(invocation.anchored()),
    )


def _header(benchmark: Benchmark, invocation: BenchInvocation, system: System, data: str) -> Header:
    return Header(
        benchmark=benchmark.name,
        aggregation=benchmark.aggregation.name,
        system=system.name,
        kind=system.kind,
        rules=benchmark.rules,
        seed=invocation.seed,
        data=data,
    )


def _publish(folder: RunFolder[Item, Record], header: Header) -> Log:
    """Write items.jsonl and return it as it reads back, so that every figure is the log's."""
    path = folder.path / "items.jsonl"
    write_log(path, header, (record for _, record in folder.results()))
    return read_log(path)


def print_lines(rows: Sequence[tuple[str, str]]) -> None:
    """Print names and what belongs to them, side by side."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console().print(table, highlight=False, markup=False)


def show_report(made: Report, *, as_json: bool) -> None:
    """Print a report as tables, or as one JSON object."""
    if as_json:
        print(json_line(msgspec.to_builtins(made)).decode(), end="")
        return
    from rich.console import Console

    from uppertail.evaluate.bench.show import show

    show(made, Console())


def _print_estimate(benchmark: Benchmark, invocation: BenchInvocation) -> int:
    """Print the questions that the run would ask; replies have no length before they are there."""
    items = list(items_of(benchmark, invocation.inputs, limit=invocation.limit))
    responses = sum(len(item.responses) for item in items)
    comparisons = sum(len(item.comparisons) for item in items)
    calls = _calls(invocation, items)
    need = {"items": len(items), "responses": responses, "comparisons": comparisons, "calls": calls}
    if invocation.run.json:
        print(json.dumps(need))
    else:
        print(
            f"{len(items):,} items with {responses:,} responses and {comparisons:,} comparisons "
            f"would need {calls:,} calls. Nothing was sent."
        )
    return 0


def _calls(invocation: BenchInvocation, items: list[Item]) -> int:
    """Return how often a model would be asked; retries, and rubrics to be written, come on top."""
    asked = invocation.asked
    votes = asked.judging.judge_votes
    if not asked.remote or (asked.scorer == "rubric" and asked.verify.verifier == "offline"):
        return 0
    if asked.judge is not None:
        return 2 * votes * sum(len(item.comparisons) for item in items if not item.ratings)
    if asked.scorer is None:
        return 2 * votes * sum(bool(item.comparisons) and not item.ratings for item in items)
    if any(item.rubric is None for item in items):
        say("note: where an item has no rubric, each response counts as one criterion")
    single = asked.verify.verifier_mode == "single"
    criteria = [len(item.rubric.criteria) if item.rubric and single else 1 for item in items]
    return sum(len(item.responses) * count for item, count in zip(items, criteria, strict=True))
