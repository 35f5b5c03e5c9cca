"""The prompts that are shown in full, most interesting first, with search and filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from uppertail.refine.result import Refinement
from uppertail.report.detail import detail
from uppertail.report.figures import count, score_text
from uppertail.report.markup import Html, clip, tag
from uppertail.report.pieces import section
from uppertail.report.shortlist import GROUPS, Chosen, Interest
from uppertail.types import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A prompt's line in the list and what unfolds under it, as markup."""

    line: Html
    body: Html

    @property
    def size(self) -> int:
        """Bytes in the page."""
        return len(self.line.encode()) + len(self.body.encode())


def entry(position: int, pool: Pool, refinement: Refinement, about: Interest) -> Entry:
    """Return one prompt, ready for the page. Only what is shown is kept."""
    text = " ".join(pool.prompt.text[:400].split())
    line = tag(
        "summary",
        tag("span", f"{position}", class_="n pos"),
        tag("span", GROUPS[about.group][0], class_=f"chip {about.group}")
        if about.group != "sample"
        else None,
        tag("span", clip(text, limit=160).html, class_="i ask"),
        tag("small", clip(refinement.prompt_id, limit=60).html, class_="i key"),
        tag("span", *_gap(about), class_="gap"),
    )
    return Entry(line=line, body=detail(position, pool, refinement))


def _gap(about: Interest) -> tuple[str | Html, ...]:
    """Return the difference of the two best, before and after."""
    if about.after is None:
        return ("no two scores",)
    after = "tied" if about.after == 0 else f"gap {score_text(about.after)}"
    if about.before is None:
        return (after,)
    before = "tied" if about.before == 0 else f"gap {score_text(about.before)}"
    return (f"{before} → ", tag("b", after))


def browser(chosen: Sequence[Chosen[Entry]], prompts: int) -> Html:
    """Return the list of prompts. Search and filters appear where scripts may run."""
    groups = Counter(c.interest.group for c in chosen)
    about = (
        f"{count(len(chosen))} of {count(prompts)} prompts: the most telling of each kind, and a "
        "seeded random sample. Long texts are shortened here; the run's files hold all of them."
    )
    items = [
        tag(
            "details",
            c.detail.line,
            tag("div", c.detail.body, class_="body"),
            class_="p",
            id=f"p{c.position}",
            data_group=c.interest.group,
        )
        for c in chosen
    ]
    buttons = [
        tag("button", f"{name} ", tag("b", str(groups[key])), type="button", data_group=key)
        for key, (name, _) in GROUPS.items()
        if groups[key]
    ]
    tools = tag(
        "div",
        tag(
            "label",
            tag("span", "Search these prompts", class_="vh"),
            tag("input", type="search", id="find", placeholder="Search text, ids, models  ( / )"),
        ),
        tag("div", *buttons, class_="filters", role="group", aria_label="Show only"),
        tag("p", id="found", role="status"),
        class_="tools",
        hidden=True,
    )
    return section("prompts", "Prompts in full", about, tools, *items)
