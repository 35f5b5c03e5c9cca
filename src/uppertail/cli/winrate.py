"""`uppertail winrate`: one policy against another under a pairwise judge."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from cyclopts import App, Parameter

from uppertail.cli.app import EXIT_LOST
from uppertail.cli.invocation import absolute, anchored, default_folder, fingerprint, located
from uppertail.cli.judges import JudgeOpener, JudgeOptions, OpenedJudge, open_judge
from uppertail.cli.options import RunOptions
from uppertail.cli.work import Ended, work_through
from uppertail.concurrent import run
from uppertail.data.pools import PoolRow, read_pools
from uppertail.data.rubrics import read_rubrics
from uppertail.data.run_folder import RunConfig, RunFolder
from uppertail.data.write import replacing
from uppertail.errors import InputError, MissingExtra
from uppertail.evaluate.win_rate import Duel, Match, play, read_log, write_log
from uppertail.judge.interface import Choice
from uppertail.judge.orders import Orders
from uppertail.models import Journal, ModelSession
from uppertail.types import Unscored, Why

if TYPE_CHECKING:
    from uppertail.evaluate.win_rate.figures import WinRate

Ties = Literal["half", "drop", "wrong"]
PAPER_SEED = 42
"""Source: the authors' code of arXiv 2509.21500 flips each pair at random under this seed."""

winrate = App(
    name="winrate",
    help="Say how often one policy's answers are preferred to another's.\n\n"
    "`uppertail winrate OURS THEIRS --judge …` asks the judge; `winrate rescore ITEMS` computes "
    "every figure again from the log of a run, without a model.",
    result_action="return_value",
    default_parameter=Parameter(negative=()),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WinRateInvocation:
    """What was asked of `uppertail winrate`."""

    ours: str
    theirs: str
    prompts: str | None
    rubrics: str | None
    orders: Orders
    ties: Ties
    against: str | None
    resamples: int
    seed: int
    judge: JudgeOptions
    run: RunOptions


@winrate.default
def ask(
    ours: str,
    theirs: str,
    /,
    *,
    prompts: str | None = None,
    rubrics: str | None = None,
    preset: Literal["paper"] | None = None,
    orders: Literal["both", "flip"] | None = None,
    ties: Ties = "half",
    against: str | None = None,
    resamples: int = 1000,
    seed: int | None = None,
    judge: JudgeOptions | None = None,
    run: RunOptions | None = None,
) -> int:
    """Compare the answers of two policies to the same prompts, one answer a prompt each.

    Every pair is shown in both orders unless told otherwise. Reasoning blocks are not shown.
    Ctrl-C or a full budget stops the run; the same command goes on with it. See docs/judges.md.

    For example:

    - `uppertail winrate new.jsonl base.jsonl --judge openai/gpt-4.1`

    - `uppertail winrate new.jsonl base.jsonl --judge openai/gpt-4.1 --preset paper`

    Args:
        ours: prompts with one response each; the policy whose win rate is reported.
        theirs: the other policy's responses to the same prompts.
        prompts: prompts in a file of their own, where the responses come without.
        rubrics: rubrics that the judge is shown, by prompt.
        preset: `paper` shows each pair once, in an order drawn under seed 42.
        orders: `both`, or `flip` for one order that the seed draws for each prompt.
        ties: what ties and pairs whose orders disagree count: half a win, nothing, no win.
        against: an earlier run or its items.jsonl, to report the difference of win rates.
        resamples: bootstrap resamples of prompts; 0 for no intervals.
        seed: of flips, delimiters, tied votes and resamples; 0 unless the preset says.
        judge: who judges, and how.
        run: where the run lives, how fast it goes, when it stops.

    """
    _need_numpy()
    paper = preset == "paper"
    return carry_out(
        WinRateInvocation(
            ours=ours,
            theirs=theirs,
            prompts=prompts,
            rubrics=rubrics,
            orders=orders or ("flip" if paper else "both"),
            ties=ties,
            against=against,
            resamples=resamples,
            seed=(PAPER_SEED if paper else 0) if seed is None else seed,
            judge=judge or JudgeOptions(),
            run=run or RunOptions(),
        )
    )


@winrate.command
def rescore(
    items: str,
    /,
    *,
    ties: Ties = "half",
    against: str | None = None,
    resamples: int = 1000,
    seed: int = 0,
    json: bool = False,
) -> int:
    """Compute every figure again from the log of a run; no model is asked.

    Args:
        items: items.jsonl of a run, or the run's folder.
        ties: what ties and pairs whose orders disagree count.
        against: another log, to report the difference of win rates.
        resamples: bootstrap resamples of prompts; 0 for no intervals.
        seed: of the resamples.
        json: print JSON.

    """
    _need_numpy()
    matches = _matches(items)
    found, summary = _figures(matches, ties=ties, against=against, resamples=resamples, seed=seed)
    _print(found, summary, as_json=json)
    return EXIT_LOST if any(m.compared.result == "unscored" for m in matches) else 0


def carry_out(invocation: WinRateInvocation, *, opener: JudgeOpener = open_judge) -> int:
    """Do what was asked and return the exit code; 0 only when every prompt was compared.

    Args:
        invocation: what was asked.
        opener: opens the judge; the default goes by the name in the invocation.

    Raises:
        UppertailError: the input is wrong, or the run had to stop.

    """
    out = invocation.run.out
    path = Path(out) if out is not None else default_folder("winrate", invocation.ours)
    if invocation.run.dry_run:
        return _print_estimate(invocation)
    with RunFolder(path, Duel, Match) as folder:
        run(_work(invocation, folder, opener))
        matches = [match for _, match in folder.results()]
        unmatched = int(folder.fact("unmatched") or 0)
    write_log(path / "items.jsonl", matches)
    found, summary = _figures(
        matches,
        ties=invocation.ties,
        against=invocation.against,
        resamples=invocation.resamples,
        seed=invocation.seed,
    )
    summary["unmatched_prompts"] = unmatched
    with replacing(path / "summary.json") as write:
        write(jsonlib.dumps(summary, indent=2).encode() + b"\n")
    _print(found, summary, as_json=invocation.run.json)
    return EXIT_LOST if unmatched or summary["unscored"] else 0


async def _work(
    invocation: WinRateInvocation, folder: RunFolder[Duel, Match], opener: JudgeOpener
) -> None:
    """Bring every prompt to its match."""
    with Journal(folder.journal) as journal:
        async with ModelSession(journal, budget_usd=invocation.run.budget_usd) as session:
            opened = opener(invocation.judge, invocation.run, session, seed=invocation.seed)
            orders: Orders = invocation.orders if opened.sees_positions else "given"
            config = _config(invocation, folder, opened, orders)
            folder.refuse_other(config)
            if not folder.staged:
                _stage(invocation, folder)
            folder.configure(config)

            async def work(duel: Duel) -> Ended[Match]:
                match = await play(opened.judge, duel, orders=orders, seed=invocation.seed)
                calls = match.compared.shown
                lost = any(isinstance(c, Unscored) and c.why is Why.CALL_FAILED for c in calls)
                return Ended(
                    result=match,
                    state=match.compared.result,
                    complete=not lost,
                    responses=len(calls),
                    unscored=sum(not isinstance(call, Choice) for call in calls),
                )

            at_once = invocation.run.at_once if opened.remote else 1
            await work_through(folder, work, session=session, at_once=at_once)


def _stage(invocation: WinRateInvocation, folder: RunFolder[Duel, Match]) -> None:
    """Check every pair and copy it into the run.

    Raises:
        InputError: a file is not what it must be, or the two have no prompt in common.

    """
    theirs = {row.pool.prompt.id: row for row in _rows(invocation.theirs, invocation.prompts)}
    rubrics = (
        {r.prompt_id: r for r in read_rubrics(invocation.rubrics)} if invocation.rubrics else {}
    )
    number, alone = len(theirs), 0

    def duels(rows: Iterator[PoolRow]) -> Iterator[tuple[str, Duel]]:
        nonlocal alone
        for row in rows:
            prompt = row.pool.prompt
            other = theirs.pop(prompt.id, None)
            if other is None:
                alone += 1
                continue
            if other.pool.prompt.messages != prompt.messages:
                problem = f"the prompt {prompt.id!r} has other words than in {invocation.ours}"
                raise other.place.error(problem)
            yield (
                prompt.id,
                Duel(
                    prompt=prompt,
                    ours=row.pool.responses[0],
                    theirs=other.pool.responses[0],
                    rubric=rubrics.get(prompt.id),
                ),
            )

    with closing(_rows(invocation.ours, invocation.prompts)) as rows:
        staged = folder.stage(duels(rows))
    if not staged:
        problem = f"none of its {number} answered prompts is answered in {invocation.ours}"
        raise InputError(problem, file=invocation.theirs)
    folder.remember("unmatched", str(alone + len(theirs)))


def _rows(source: str, prompts: str | None) -> Generator[PoolRow, None, None]:
    """Yield the prompts of a file that have a response.

    Raises:
        InputError: a prompt has several, or an unusable one.

    """
    answers = located(source, "pools.jsonl")
    found = read_pools(prompts, answers) if prompts else read_pools(answers)
    with closing(found):  # it may hold a temporary database
        for row in found:
            if len(row.pool.responses) > 1:
                problem = f"expected one response a prompt, found {len(row.pool.responses)}"
                raise row.place.error(problem, field="responses")
            if row.pool.responses:
                yield row
            elif row.quarantined:
                why = row.quarantined[0].why
                problem = f"expected an answer, found a response that is unusable: {why}"
                raise row.place.error(problem, field="responses")


def _config(
    invocation: WinRateInvocation,
    folder: RunFolder[Duel, Match],
    opened: OpenedJudge,
    orders: Orders,
) -> RunConfig:
    here = replace(
        invocation,
        ours=absolute(invocation.ours),
        theirs=absolute(invocation.theirs),
        prompts=invocation.prompts and absolute(invocation.prompts),
        rubrics=invocation.rubrics and absolute(invocation.rubrics),
        against=invocation.against and absolute(invocation.against),
        run=anchored(invocation.run, folder.path),
    )
    files = {
        name: source and fingerprint(located(source, "pools.jsonl"))
        for name, source in (
            ("ours", invocation.ours),
            ("theirs", invocation.theirs),
            ("prompts", invocation.prompts),
            ("rubrics", invocation.rubrics),
        )
    }
    identity = {**files, **opened.identity, "orders": orders, "seed": invocation.seed}
    return RunConfig(command="winrate", identity=identity, options=msgspec.to_builtins(here))


def _matches(source: str) -> list[Match]:
    return list(read_log(Path(located(source, "items.jsonl"))))


def _figures(
    matches: list[Match], *, ties: Ties, against: str | None, resamples: int, seed: int
) -> tuple[WinRate, dict[str, object]]:
    """Return the figures, and the same as JSON values with the difference from another log."""
    from uppertail.evaluate.win_rate.figures import difference, win_rate

    found = win_rate(matches, ties=ties, resamples=resamples, seed=seed)
    summary: dict[str, object] = msgspec.to_builtins(found)
    if against is not None:
        gain = difference(_matches(against), matches, ties=ties, resamples=resamples, seed=seed)
        summary["against"] = msgspec.to_builtins(gain)
    return found, summary


def _print(found: WinRate, summary: dict[str, object], *, as_json: bool) -> None:
    from uppertail.evaluate.win_rate.wording import lines

    if as_json:
        print(jsonlib.dumps(summary))
        return
    for line in lines(found):
        print(line)
    if summary.get("unmatched_prompts"):
        print(f"answered by one policy only, and not counted: {summary['unmatched_prompts']}")
    if isinstance(gain := summary.get("against"), dict):
        print(f"difference from the other run: {gain['difference']:+.3f} {_span(gain['interval'])}")


def _span(interval: dict[str, float] | None) -> str:
    return "" if interval is None else f"[{interval['low']:+.3f}, {interval['high']:+.3f}]"


def _print_estimate(invocation: WinRateInvocation) -> int:
    """Print the calls that the run would need."""
    prompts = sum(1 for _ in _rows(invocation.ours, invocation.prompts))
    calls = prompts * (2 if invocation.orders == "both" else 1) * invocation.judge.judge_votes
    if invocation.judge.judge in ("offline", "length"):
        calls = 0
    if invocation.run.json:
        print(jsonlib.dumps({"prompts": prompts, "calls": calls}))
    else:
        print(f"{prompts} prompts would need {calls:,} calls at most. Nothing was sent.")
    return 0


def _need_numpy() -> None:
    """Refuse before anything is spent.

    Raises:
        MissingExtra: NumPy is not installed.

    """
    from importlib.util import find_spec

    if find_spec("numpy") is None:
        raise MissingExtra("a win rate", "bench")
