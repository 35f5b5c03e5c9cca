"""A run of `refine` or `score` from its invocation to its files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from uppertail.cli.app import EXIT_LOST, say
from uppertail.cli.estimate import print_estimate
from uppertail.cli.invocation import Invocation
from uppertail.cli.publish import publish
from uppertail.cli.roles import Roles, open_roles
from uppertail.cli.staging import stage
from uppertail.cli.work import Ended, work_through
from uppertail.concurrent import run
from uppertail.data.run_folder import RunFolder, read_config
from uppertail.models import Journal, ModelSession, VerdictStore
from uppertail.refine.algorithm import refine
from uppertail.refine.result import Refinement, Status, Task

RolesOpener = Callable[[Invocation, ModelSession], Roles]


def carry_out(
    invocation: Invocation, *, roles: RolesOpener = open_roles, resumed: bool = False
) -> int:
    """Do what was asked and return the exit code; 0 only when nothing was lost.

    Args:
        invocation: what was asked.
        roles: opens proposer and verifier; the default goes by the names in the invocation.
        resumed: whether it is the run itself that is to go on, whatever has become of its
            input files since they were copied.

    Raises:
        UppertailError: the input is wrong, or the run had to stop.

    """
    if invocation.run.dry_run:
        return print_estimate(invocation)
    with RunFolder(invocation.folder, Task, Refinement) as folder:
        run(_work(invocation, folder, roles, resumed=resumed))
        folder.remember("finished", _now())
        lost = publish(folder, as_json=invocation.run.json)
    return EXIT_LOST if lost else 0


async def _work(
    invocation: Invocation,
    folder: RunFolder[Task, Refinement],
    opener: RolesOpener,
    *,
    resumed: bool,
) -> None:
    """Bring every prompt of the run to its result."""
    async with AsyncExitStack() as stack:
        journal = stack.enter_context(Journal(folder.journal))
        session = ModelSession(journal, budget_usd=invocation.run.budget_usd)
        await stack.enter_async_context(session)
        roles = opener(invocation, session)
        _prepare(invocation, folder, roles, resumed=resumed)
        cache = journal
        if invocation.run.cache is not None:
            cache = stack.enter_context(Journal(invocation.run.cache))
        verdicts = VerdictStore(cache.database)

        async def work(task: Task) -> Ended[Refinement]:
            memory = verdicts.for_prompt()
            refinement = await refine(
                task.pool,
                proposer=roles.proposer,
                verifier=roles.verifier,
                settings=invocation.settings,
                start=task.start,
                memory=memory,
            )
            return Ended(
                result=refinement,
                state=refinement.status.value,
                complete=refinement.status is Status.DONE,
                responses=len(refinement.scored),
                unscored=sum(item.score.value is None for item in refinement.scored),
                # Not before: a killed prompt must start again with what it knew the first time.
                stored=memory.flush,
            )

        # Programs do not wait: side by side, all prompts would only end at the same late time.
        at_once = invocation.run.at_once if roles.remote else 1
        await work_through(folder, work, session=session, at_once=at_once)


def _prepare(
    invocation: Invocation, folder: RunFolder[Task, Refinement], roles: Roles, *, resumed: bool
) -> None:
    """Check and stage the inputs, or see that the folder holds this very run."""
    inputs: Mapping[str, object]
    if resumed and folder.staged:
        made = read_config(folder.path).identity
        inputs = {name: made.get(name) for name in ("prompts", "responses", "rubrics")}
    else:
        inputs = invocation.inputs()
    config = invocation.config(inputs, roles.identity)
    folder.refuse_other(config)
    if not folder.staged:
        intake = stage(invocation, folder)
        folder.remember("quarantined", json.dumps(intake.quarantined))
        folder.remember("conversations", str(intake.conversations))
        folder.remember("started", _now())
        for note in intake.notes(invocation):
            say(f"note: {note}")
    folder.configure(config)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
