"""Checks that count: words, sentences, paragraphs, list items, sections and marks."""

from __future__ import annotations

import re
from typing import Literal

from uppertail.checks.base import Bounded, quote, require_text
from uppertail.checks.sentences import num_sentences

_WORD = re.compile(r"\w+")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_NUMBERED = re.compile(r"\d{1,9}[.)]\s")
_HEADING = re.compile(r"^#{1,6} +\S", re.MULTILINE)
_BOLD = re.compile(r"\*\*([^\n*]*)\*\*")
_ITALIC = re.compile(r"\*([^\n*]*)\*")
_BRACKETED = re.compile(r"\[[^\[\]\n]*\]")

Divider = Literal["blank_line", "***"]
ListStyle = Literal["bullet", "numbered", "any"]


def paragraphs_of(text: str, divider: Divider = "blank_line") -> list[str]:
    """Return the paragraphs of `text`, stripped, blank ones included where `divider` makes them."""
    parts = text.split("***") if divider == "***" else _BLANK_LINE.split(text)
    return [part.strip() for part in parts]


class Words(Bounded, frozen=True, kw_only=True, tag="words"):
    """The number of words: runs of letters, digits and underscores ("don't" is two)."""

    def met_by(self, text: str) -> bool:
        """Return whether the number of words lies within the bounds."""
        return self.admits(sum(1 for _ in _WORD.finditer(text)))

    def sentence(self) -> str:
        """Return the requirement in English."""
        return f"The response has {self.amount('word', 'words')}."


class Sentences(Bounded, frozen=True, kw_only=True, tag="sentences"):
    """The number of sentences."""

    def met_by(self, text: str) -> bool:
        """Return whether the number of sentences lies within the bounds."""
        return self.admits(num_sentences(text))

    def sentence(self) -> str:
        """Return the requirement in English."""
        return f"The response has {self.amount('sentence', 'sentences')}."


class Paragraphs(Bounded, frozen=True, kw_only=True, tag="paragraphs"):
    """The number of paragraphs, separated by blank lines or by the divider ***.

    Between two dividers *** there must be text: a blank paragraph fails the check.
    """

    divider: Divider = "blank_line"

    def met_by(self, text: str) -> bool:
        """Return whether the number of paragraphs lies within the bounds."""
        parts = paragraphs_of(text, self.divider)
        if self.divider == "***" and not all(parts[1:-1]):
            return False
        return self.admits(sum(1 for part in parts if part))

    def sentence(self) -> str:
        """Return the requirement in English."""
        amount = self.amount("paragraph", "paragraphs")
        between = " separated by the divider ***" if self.divider == "***" else ""
        return f"The response has {amount}{between}."


class ListItems(Bounded, frozen=True, kw_only=True, tag="list_items"):
    """The number of list items: lines that begin with *, - or a number and a dot."""

    style: ListStyle = "any"

    def met_by(self, text: str) -> bool:
        """Return whether the number of list items lies within the bounds."""
        return self.admits(sum(map(self._is_item, text.split("\n"))))

    def _is_item(self, line: str) -> bool:
        line = line.lstrip()
        starred = line.startswith("*") and not line.startswith("**") and len(line) > 1
        if self.style != "numbered" and (starred or line.startswith("-")):
            return True
        return self.style != "bullet" and _NUMBERED.match(line) is not None

    def sentence(self) -> str:
        """Return the requirement in English."""
        one = {"bullet": "bullet point", "numbered": "numbered list item", "any": "list item"}
        noun = one[self.style]
        return f"The response has {self.amount(noun, noun + 's')}."


class Sections(Bounded, frozen=True, kw_only=True, tag="sections"):
    """The number of sections that begin with a marker and a number, or of markdown headings."""

    marker: str | None = None
    """Such as "Section" for "Section 1", "Section 2"; None counts markdown headings (# …)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.marker is not None:
            require_text("marker", self.marker)

    def met_by(self, text: str) -> bool:
        """Return whether the number of sections lies within the bounds."""
        if self.marker is None:
            return self.admits(sum(1 for _ in _HEADING.finditer(text)))
        numbered = re.finditer(re.escape(self.marker) + r"\s?\d", text)
        return self.admits(sum(1 for _ in numbered))

    def sentence(self) -> str:
        """Return the requirement in English."""
        if self.marker is None:
            return f"The response has {self.amount('markdown heading', 'markdown headings')}."
        amount = self.amount("section", "sections")
        return f"The response has {amount} that begin with {quote(self.marker)} and a number."


class Highlights(Bounded, frozen=True, kw_only=True, tag="highlights"):
    """The number of passages marked *like this* or **like this** within one line."""

    def met_by(self, text: str) -> bool:
        """Return whether the number of highlighted passages lies within the bounds."""
        marked = (m for mark in (_ITALIC, _BOLD) for m in mark.finditer(text))
        return self.admits(sum(1 for m in marked if m[1].strip()))

    def sentence(self) -> str:
        """Return the requirement in English."""
        amount = self.amount("passage", "passages")
        return f"The response has {amount} highlighted with asterisks, *like this*."


class Placeholders(Bounded, frozen=True, kw_only=True, tag="placeholders"):
    """The number of placeholders in square brackets, such as [address]."""

    def met_by(self, text: str) -> bool:
        """Return whether the number of placeholders lies within the bounds."""
        return self.admits(sum(1 for _ in _BRACKETED.finditer(text)))

    def sentence(self) -> str:
        """Return the requirement in English."""
        amount = self.amount("placeholder", "placeholders")
        return f"The response has {amount} in square brackets, [like this]."
