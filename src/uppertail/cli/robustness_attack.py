"""A run of `uppertail robustness attack` from its invocation to its table."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from uppertail.cli.app import EXIT_LOST
from uppertail.cli.invocation import (
    Invocation,
    absolute,
    anchored,
    default_folder,
    fingerprint,
    located,
)
from uppertail.cli.options import MethodOptions, RunOptions, VerifyOptions
from uppertail.cli.robustness import attack_lines
from uppertail.cli.roles import open_roles
from uppertail.cli.work import Ended, work_through
from uppertail.concurrent import run
from uppertail.data.jsonl import line_rows
from uppertail.data.pools import PoolRow, read_pools
from uppertail.data.rubrics import read_rubrics
from uppertail.data.run_folder import RunConfig, RunFolder
from uppertail.data.write import json_line, replacing, write_jsonl
from uppertail.errors import InputError
from uppertail.evaluate.robustness import (
    AttackRate,
    attack_verifier,
    nonsense_under,
    verifier_rates,
)
from uppertail.evaluate.robustness.attack import Tested
from uppertail.models import Journal, ModelSession
from uppertail.types import Prompt, Response, Rubric
from uppertail.verify.interface import Verifier


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackInvocation:
    """What was asked of `uppertail robustness attack`."""

    pools: str
    rubrics: str
    responses: str | None
    seed: int
    verify: VerifyOptions
    run: RunOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A response that is attacked, and the rubric that it is graded by."""

    prompt: Prompt
    response: Response
    rubric: Rubric


@dataclass(frozen=True, slots=True, kw_only=True)
class Attacked:
    """What became of one target."""

    rows: tuple[Tested, ...]


VerifierOpener = Callable[[AttackInvocation, ModelSession], Verifier]


def open_verifier(invocation: AttackInvocation, session: ModelSession) -> Verifier:
    """Return the verifier that is named; nothing is sent before it is asked.

    Raises:
        InputError: it cannot be resolved, its key is missing, or its template is wrong.

    """
    asked = Invocation(
        command="score",
        source=invocation.pools,
        method=MethodOptions(seed=invocation.seed),
        verify=invocation.verify,
        run=invocation.run,
    )
    return open_roles(asked, session).verifier


def attack_rubrics(invocation: AttackInvocation, *, opener: VerifierOpener = open_verifier) -> int:
    """Do what was asked and return the exit code; 0 only when every verdict was decided.

    Args:
        invocation: what was asked.
        opener: opens the verifier.

    Raises:
        UppertailError: the input is wrong, or the run had to stop.

    """
    out = invocation.run.out
    path = Path(out) if out is not None else default_folder("attack", invocation.pools)
    if invocation.run.dry_run:
        raise InputError("an attack has no dry run; set --budget-usd instead")
    with RunFolder(path, Target, Attacked) as folder:
        run(_work(invocation, folder, opener))
        tested = [row for _, attacked in folder.results() for row in attacked.rows]
    write_jsonl(path / "items.jsonl", (msgspec.to_builtins(row) for row in tested))
    rates = verifier_rates(tested)
    with replacing(path / "figures.json") as write:
        write(json_line({"attacks": _plain(rates)}))
    print_rates(rates, as_json=invocation.run.json)
    return EXIT_LOST if any(rate.unscored for rate in rates) else 0


def print_rates(rates: tuple[AttackRate, ...], *, as_json: bool) -> None:
    """Print the table, as JSON where a program reads it."""
    print(json.dumps({"attacks": _plain(rates)}) if as_json else "\n".join(attack_lines(rates)))


def _plain(rates: tuple[AttackRate, ...]) -> list[dict[str, object]]:
    return [{**msgspec.to_builtins(rate), "rate": rate.rate} for rate in rates]


def read_tested(source: str) -> list[Tested] | None:
    """Return the log of a run of attacks; None where the first line is not of one.

    Raises:
        InputError: a line is not of such a log, or comes twice.

    """
    found: dict[tuple[str, str, str, str], Tested] = {}
    for row in line_rows(Path(located(source, "items.jsonl"))):
        if not found and "attack" not in row.fields:
            return None
        try:
            one = msgspec.convert(dict(row.fields), Tested)
        except msgspec.ValidationError as error:
            raise row.place.error(f"not a line of a log of attacks: {error}") from None
        key = one.prompt_id, one.response_id, one.criterion_id, one.attack
        if key in found:
            raise row.place.error("this attack on this criterion comes twice")
        found[key] = one
    return list(found.values()) or None


async def _work(
    invocation: AttackInvocation, folder: RunFolder[Target, Attacked], opener: VerifierOpener
) -> None:
    with Journal(folder.journal) as journal:
        async with ModelSession(journal, budget_usd=invocation.run.budget_usd) as session:
            verifier = opener(invocation, session)
            config = _config(invocation, folder.path, verifier)
            folder.refuse_other(config)
            if not folder.staged:
                _stage(invocation, folder)
            folder.configure(config)

            async def work(target: Target) -> Ended[Attacked]:
                rows = (
                    *await attack_verifier(verifier, target.prompt, target.response, target.rubric),
                    *await nonsense_under(verifier, target.prompt, target.rubric),
                )
                unscored = sum(row.attacked is None for row in rows)
                return Ended(
                    result=Attacked(rows=rows),
                    state="done" if not unscored else "partial",
                    complete=not unscored or invocation.verify.verifier == "offline",
                    responses=len(rows),
                    unscored=unscored,
                )

            await work_through(folder, work, session=session, at_once=invocation.run.at_once)


def _stage(invocation: AttackInvocation, folder: RunFolder[Target, Attacked]) -> None:
    """Join rubrics to prompts and copy both into the run.

    Raises:
        InputError: a file is not what it must be, or nothing has a rubric.

    """
    rubrics = {r.prompt_id: r for r in read_rubrics(located(invocation.rubrics, "rubrics.jsonl"))}
    with closing(_pools(invocation)) as rows:
        staged = folder.stage(_targets(rows, rubrics))
    if not staged:
        problem = f"no prompt with a response has a rubric in {invocation.rubrics}"
        raise InputError(problem, file=invocation.pools)


def _pools(invocation: AttackInvocation) -> Generator[PoolRow, None, None]:
    return read_pools(located(invocation.pools, "pools.jsonl"), invocation.responses)


def _targets(rows: Iterator[PoolRow], rubrics: dict[str, Rubric]) -> Iterator[tuple[str, Target]]:
    for row in rows:
        pool = row.pool
        rubric = rubrics.get(pool.prompt.id)
        if rubric is not None and pool.responses:
            target = Target(prompt=pool.prompt, response=pool.responses[0], rubric=rubric)
            yield pool.prompt.id, target


def _config(invocation: AttackInvocation, path: Path, verifier: Verifier) -> RunConfig:
    here = replace(
        invocation,
        pools=absolute(invocation.pools),
        rubrics=absolute(invocation.rubrics),
        responses=invocation.responses and absolute(invocation.responses),
        run=anchored(invocation.run, path),
    )
    return RunConfig(
        command="attack",
        identity={
            "pools": fingerprint(located(invocation.pools, "pools.jsonl")),
            "rubrics": fingerprint(located(invocation.rubrics, "rubrics.jsonl")),
            "responses": invocation.responses and fingerprint(invocation.responses),
            "verifier": verifier.name,
            "seed": invocation.seed,
        },
        options=msgspec.to_builtins(here),
    )
