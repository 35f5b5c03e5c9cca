"""What a person sees while a run works: one live panel, or plain lines off a terminal."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from uppertail.models.spend import Spend

LIVE_SECONDS, LINE_SECONDS = 0.25, 10.0
"""Between two looks at a terminal, and between two plain lines."""


@dataclass
class Tally:
    """How far a run is."""

    total: int
    gap: str = "unscored"
    """What a response without a result is called."""
    resumed: int = 0
    """Prompts that an earlier process had finished."""
    states: Counter[str] = field(default_factory=Counter)
    """Prompts that ended in this process, by how they ended."""
    in_work: int = 0
    responses: int = 0
    unscored: int = 0

    @property
    def ended(self) -> int:
        """Prompts with a result, earlier ones included."""
        return self.resumed + self.states.total()

    @property
    def left(self) -> int:
        """Prompts without a result."""
        return self.total - self.ended

    def end(self, state: str, *, responses: int, unscored: int) -> None:
        """Count a prompt that ended."""
        self.in_work -= 1
        self.states[state] += 1
        self.responses += responses
        self.unscored += unscored


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One moment of a run, in words."""

    tally: Tally
    spend: Spend
    seconds: float
    """Since this process began to work."""

    def left(self) -> str:
        """Return the time that the rest will take at the present pace."""
        done = self.tally.states.total()
        if not done:
            return "…"
        return span(self.seconds / done * self.tally.left)

    def facts(self) -> list[tuple[str, str]]:
        """Return label and value of everything that is shown, in order."""
        tally, paid = self.tally, self.spend.paid
        states = [f"{count} {state}" for state, count in sorted(tally.states.items())]
        waiting = tally.left - tally.in_work
        prompts = [f"{tally.ended}/{tally.total}", *states, f"{tally.in_work} in work"]
        if tally.resumed:
            prompts.append(f"{tally.resumed} from before")
        usage = paid.usage
        return [
            ("prompts", ", ".join([*prompts, f"{waiting} waiting"])),
            (
                "calls",
                f"{paid.calls} paid, {self.spend.found.calls} found, {self.spend.failures} failed",
            ),
            ("tokens", f"{usage.prompt_tokens:,} in, {usage.completion_tokens:,} out"),
            ("money", money(self.spend)),
            (tally.gap, percent(tally.unscored, tally.responses)),
            ("time", f"{span(self.seconds)} gone, {self.left()} left"),
        ]


def span(seconds: float) -> str:
    """Return a time such as 42s, 3m10s, 2h05m."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"


def percent(part: int, whole: int) -> str:
    """Return a share such as `0.4% (3 of 750)`."""
    return f"{100 * part / whole:.1f}% ({part:,} of {whole:,})" if whole else "none yet"


def money(spend: Spend) -> str:
    """Return what was spent, and of how much; a call of unknown price makes it unknown."""
    if spend.paid.usd is None:
        return "price unknown"
    limit = f" of ${spend.limit_usd:.2f}" if spend.limit_usd is not None else ""
    return f"${spend.earlier_usd + spend.paid.usd:.4f}{limit}"


def panel(look: Look) -> RenderableType:
    """Return the live panel of one moment."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", min_width=9)
    table.add_column()
    table.add_row(
        "", ProgressBar(total=max(1, look.tally.total), completed=look.tally.ended, width=50)
    )
    for label, value in look.facts():
        table.add_row(label, value)
    return table


def line(look: Look) -> str:
    """Return one moment as a plain line."""
    return " | ".join(f"{label}: {value}" for label, value in look.facts())


@asynccontextmanager
async def shown(
    tally: Tally, spend: Callable[[], Spend], *, console: Console, quiet: bool = False
) -> AsyncIterator[None]:
    """Show the run's progress on `console` for as long as the block runs."""
    began = time.monotonic()

    def look() -> Look:
        return Look(tally=tally, spend=spend(), seconds=time.monotonic() - began)

    if quiet:
        yield
        return
    ticking = asyncio.create_task(
        _live(look, console) if console.is_terminal else _lines(look, console)
    )
    try:
        yield
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)


async def _live(look: Callable[[], Look], console: Console) -> None:
    with Live(panel(look()), console=console, auto_refresh=False, transient=True) as live:
        try:
            while True:
                await asyncio.sleep(LIVE_SECONDS)
                live.update(panel(look()), refresh=True)
        finally:
            live.update(panel(look()), refresh=True)


async def _lines(look: Callable[[], Look], console: Console) -> None:
    while True:
        await asyncio.sleep(LINE_SECONDS)
        console.out(line(look()), highlight=False)
