"""Small parts of the page that several sections use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from uppertail.report.figures import count
from uppertail.report.markup import Child, Clip, Html, clip, tag
from uppertail.types import Response

NAME_BYTES: Final = 60


def cut(text: Clip) -> Html | None:
    """Return a note that says how much of a text is shown; None where all of it is."""
    if text.whole:
        return None
    return tag("small", f" … {count(text.shown)} of {count(text.total)} characters", class_="cut")


def name_of(response: Response) -> Html:
    """Return what a response is called on the page: its model and sample, else its id."""
    known = f"{response.model} #{response.sample}" if response.model else response.id
    return clip(known, limit=NAME_BYTES).html


def left_out(number: int, what: str) -> Html | None:
    """Return a note on what a list leaves out; None where it leaves out nothing."""
    return tag("p", f"{count(number)} more {what} not shown.", class_="cut") if number > 0 else None


def scroller(label: str, content: Html) -> Html:
    """Return a region that scrolls sideways on its own, by keyboard too, so the page never does."""
    return tag("div", content, class_="s", role="region", tabindex="0", aria_label=label)


def section(key: str, title: str, about: str, *content: Html | None) -> Html:
    """Return a section with a heading, a line that says how to read it, and its content."""
    return tag(
        "section",
        tag("h2", title, id=f"{key}-title"),
        tag("p", about, class_="about") if about else None,
        *content,
        id=key,
        aria_labelledby=f"{key}-title",
    )


def table(heads: Iterable[tuple[str, str]], rows: Iterable[Iterable[Child]]) -> Html:
    """Return a table; the first cell of a row is its head.

    Args:
        heads: name and class of each column; class "n" lines digits up.
        rows: cells, in the columns' order.
    """
    heads = tuple(heads)
    head = tag("tr", *(tag("th", name, scope="col", class_=c or None) for name, c in heads))
    body = [
        tag(
            "tr",
            *(
                tag(
                    "td" if place else "th",
                    cell,
                    scope=None if place else "row",
                    class_=heads[place][1] or None,
                )
                for place, cell in enumerate(row)
            ),
        )
        for row in rows
    ]
    return tag("table", tag("thead", head), tag("tbody", *body))
