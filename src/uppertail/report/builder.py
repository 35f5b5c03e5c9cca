"""The report of a run, fed prompt by prompt."""

from __future__ import annotations

from functools import partial
from typing import Final

from uppertail.refine.result import Refinement
from uppertail.report.browser import Entry, entry
from uppertail.report.facts import RunFacts
from uppertail.report.page import page
from uppertail.report.shortlist import Shortlist
from uppertail.report.tally import Tally
from uppertail.types import Pool

DETAIL_BYTES: Final = 480_000
"""Room for the prompts that are shown in full; the rest of the page is bounded by its lists."""


class ReportBuilder:
    """Collects a run and renders its page. Memory does not grow with the number of prompts."""

    def __init__(self, *, title: str, seed: int = 0) -> None:
        self.tally = Tally()
        """The run's figures so far, for any other summary."""
        self._title = title
        self._shortlist: Shortlist[Entry] = Shortlist(seed=seed)

    def add(self, pool: Pool, refinement: Refinement) -> None:
        """Take one prompt. Call it once a prompt, in input order."""
        self.tally.add(pool, refinement)
        position = self.tally.prompts
        self._shortlist.offer(position, refinement, partial(entry, position, pool, refinement))

    def render(self, facts: RunFacts) -> str:
        """Return the page as HTML that loads nothing, runs nothing foreign and is valid UTF-8."""
        chosen = self._shortlist.choose(room=DETAIL_BYTES, size=lambda item: item.size)
        return page(self._title, self.tally, chosen, facts)
