"""Working through a run folder: many items at once, progress shown, a stop that resumes."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from rich.console import Console

from uppertail.cli.app import say
from uppertail.cli.progress import Tally, shown
from uppertail.data.run_folder import RunFolder
from uppertail.errors import Stopped
from uppertail.models import ModelSession
from uppertail.refine.schedule import run_all

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Generic[Result]):
    """An item that has its result."""

    result: Result
    state: str
    """In a word, for the display."""
    complete: bool
    """Whether nothing was lost; an incomplete item is tried again when the run is resumed."""
    responses: int = 0
    unscored: int = 0
    stored: Callable[[], None] = lambda: None
    """Called once the result is on disk."""


async def work_through(
    folder: RunFolder[Item, Result],
    work: Callable[[Item], Awaitable[Ended[Result]]],
    *,
    session: ModelSession,
    at_once: int,
    gap: str = "unscored",
) -> None:
    """Bring every pending item of a run to its result, storing each as it ends.

    Args:
        folder: the run.
        work: what brings one item to its result.
        session: whose spend is shown.
        at_once: items in work at a time.
        gap: what a response without a result is called.

    Raises:
        Stopped: the run must stop; what is finished is stored.

    """
    tally = Tally(total=len(folder), resumed=folder.finished, gap=gap)

    async def one(item: tuple[int, Item]) -> Ended[Result]:
        tally.in_work += 1
        return await work(item[1])

    def finished(item: tuple[int, Item], ended: Ended[Result]) -> None:
        folder.store(item[0], ended.result, complete=ended.complete)
        ended.stored()
        tally.end(ended.state, responses=ended.responses, unscored=ended.unscored)

    began = time.monotonic()
    try:
        async with shown(tally, session.account.spend, console=Console(stderr=True)):
            if not folder.finished:
                # Alone: a wrong key or name in any role shows before the others are paid for.
                await run_all(islice(folder.pending(), 1), one, finished, at_once=1)
            await run_all(folder.pending(), one, finished, at_once=at_once)
    except Stopped:
        spend = session.account.spend()
        if tally.ended or spend.paid.calls or spend.found.calls:
            say(
                f"{tally.ended} of {tally.total} prompts are finished and stored; "
                f"`uppertail resume {folder.path}` goes on"
            )
        else:
            folder.abandon()
        raise
    finally:
        before = float(folder.fact("seconds") or 0)
        folder.remember("seconds", repr(before + time.monotonic() - began))
