"""Markup in which nothing is trusted: text is escaped unless it was built by `tag`.

Model text is hostile. Besides `<` and `&` it may hold characters that reorder a line,
hide words or break the file's encoding; these are shown as labelled tokens.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls but tab and line feed
    "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"  # formats, letter mark
    "\u115f\u1160\u3164\uffa0"  # letters that draw nothing
    "\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # spaces, bidi, marks
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"  # tags and supplementary selectors, which can smuggle whole texts
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"  # halves of characters, and what is none
)
"""Characters that would act on the page without being seen. The joiners U+200C and U+200D
are not among them: Persian and many emoji need them, and they reorder nothing."""
RUN: Final = re.compile(r"(.)\1*", re.DOTALL)
ESCAPES: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
)
EMPTY: Final = frozenset({"input", "meta"})
"""HTML elements that have no end tag."""


class Html(str):
    """Markup that is safe to put into the page."""

    __slots__ = ()


Child = Html | str | int | None
"""What may stand inside a tag: markup as it is, anything else escaped, None left out."""


class Clip(NamedTuple):
    """The beginning of a text as markup, and how much of the text it is."""

    html: Html
    shown: int
    """Characters of the text that are in `html`."""
    total: int

    @property
    def whole(self) -> bool:
        """Whether nothing was left out."""
        return self.shown == self.total


def plain(text: str) -> str:
    """Return `text` with each hidden character as `⟨U+202E⟩`, for attributes and titles."""
    return HIDDEN.sub(lambda match: f"⟨{_label(match[0])}⟩", _lines(text))


def escape(text: str) -> Html:
    """Return the whole of `text` as markup, hidden characters as tokens."""
    return Html("".join(html for html, _ in _pieces(_lines(text))))


def clip(text: str, *, limit: int) -> Clip:
    """Return the beginning of `text` as markup of at most `limit` bytes.

    The limit counts bytes of the page, tokens and escapes included, so that no text, however
    hostile, can swell the file. A cut goes back to the last space where one is near.
    """
    text = _lines(text)
    room, shown = limit, 0
    kept: list[str] = []
    for html, source in _pieces(text):
        room -= len(html.encode())
        if room < 0:
            if not HIDDEN.match(source):
                part = _fit(source, room + len(html.encode()))
                kept.append(part.translate(ESCAPES))
                shown += len(part)
            break
        kept.append(html)
        shown += len(source)
    return Clip(Html("".join(kept)), shown, len(text))


def _fit(text: str, room: int) -> str:
    """Return the longest beginning of `text` whose markup fits into `room` bytes, or nearly."""
    text = text[: room + 1]  # a character takes at least a byte; one more shows whether a word ends
    sizes = range(len(text) + 1)
    end = bisect_right(sizes, room, key=lambda n: len(text[:n].translate(ESCAPES).encode())) - 1
    space = text.rfind(" ", end * 2 // 3, end)
    return text[: space if space > 0 else end]


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def _label(char: str) -> str:
    return f"U+{ord(char):04X}"


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield (markup, source): stretches of plain text, and a token for each hidden run."""
    start = 0
    while match := HIDDEN.search(text, start):
        if match.start() > start:
            yield text[start : match.start()].translate(ESCAPES), text[start : match.start()]
        run = RUN.match(text, match.start())
        assert run is not None  # it matches any character
        yield _token(match[0], len(run[0])), run[0]
        start = run.end()
    if start < len(text):
        yield text[start:].translate(ESCAPES), text[start:]


def _token(char: str, times: int) -> str:
    name = unicodedata.name(char, "")
    title = f' title="{name}"' if name else ""
    return f"<i class=u{title}>{_label(char)}{f' ×{times}' if times > 1 else ''}</i>"


def join(children: Iterable[Child]) -> Html:
    """Return the children one after the other, text escaped."""
    return Html("".join(_child(child) for child in children))


def _child(child: Child) -> str:
    if child is None:
        return ""
    return child if isinstance(child, Html) else escape(str(child))


def tag(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Html:
    """Return an element. `class_` is written `class`, and `data_x` is written `data-x`.

    An attribute that is True stands alone; one that is False or None is left out.
    """
    opened = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    return Html(opened if name in EMPTY else f"{opened}{join(children)}</{name}>")


def _attribute(key: str, value: str | float | bool | None) -> str:
    key = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    if value is True:
        return f" {key}"
    text = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return f' {key}="{plain(text).translate(ESCAPES)}"'
