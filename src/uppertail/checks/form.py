"""Checks of form: how a response begins, ends, and is put together."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Literal

from uppertail.checks.base import CheckBase, listed, quote, require_text, require_texts
from uppertail.checks.lengths import paragraphs_of

_FENCE = re.compile(r"```(?:json|xml)?", re.IGNORECASE)
_WORD_END = re.compile(r"[.,?!'\"]")
_RULE = re.compile(r":?-+:?")


class Title(CheckBase, frozen=True, kw_only=True, tag="title"):
    """There is a title in double angle brackets, such as <<title>>, on one line."""

    def met_by(self, text: str) -> bool:
        """Return whether some line holds a title that is not blank."""
        return any(map(_has_title, text.split("\n")))

    def sentence(self) -> str:
        """Return the requirement in English."""
        return "The response has a title in double angle brackets, <<like this>>."


def _has_title(line: str) -> bool:
    start, end = line.find("<<"), line.rfind(">>")
    return start >= 0 and bool(line[start + 2 : max(end, start)].strip("<>").strip())


class Postscript(CheckBase, frozen=True, kw_only=True, tag="postscript"):
    """There is a postscript that begins with a marker, in any case."""

    marker: str = "P.S."

    def __post_init__(self) -> None:
        require_text("marker", self.marker)

    def met_by(self, text: str) -> bool:
        """Return whether the marker occurs; a space may follow each of its dots."""
        marker = re.escape(self.marker.strip()).replace(r"\.", r"\.\s?").removesuffix(r"\s?")
        return re.search(marker, text, re.IGNORECASE) is not None

    def sentence(self) -> str:
        """Return the requirement in English."""
        return f"The response has a postscript that begins with {quote(self.marker)}."


class Format(CheckBase, frozen=True, kw_only=True, tag="format"):
    """The whole response is JSON or XML, or it holds a markdown table or a fenced code block.

    JSON and XML may stand in a code fence. JSON nested deeper than the interpreter can
    read, and XML with a document type (which can hold an entity bomb), count as malformed.
    """

    format: Literal["json", "xml", "markdown_table", "code_block"]

    def met_by(self, text: str) -> bool:
        """Return whether the response has the format."""
        if self.format == "json":
            return _is_json(_unfenced(text))
        if self.format == "xml":
            return _is_xml(_unfenced(text))
        lines = text.split("\n")
        if self.format == "markdown_table":
            return any("|" in head and _is_rule(rule) for head, rule in pairwise(lines))
        return sum(line.lstrip().startswith("```") for line in lines) >= 2

    def sentence(self) -> str:
        """Return the requirement in English."""
        what = {
            "json": "is valid JSON",
            "xml": "is well-formed XML",
            "markdown_table": "contains a markdown table",
            "code_block": "contains a fenced code block",
        }
        return f"The response {what[self.format]}."


def _unfenced(text: str) -> str:
    text = text.strip()
    fence = _FENCE.match(text)
    return (text[fence.end() :] if fence else text).removesuffix("```").strip()


def _is_json(text: str) -> bool:
    try:
        # Numbers stay text: turning a very long one into a number takes quadratic time.
        json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


def _is_xml(text: str) -> bool:
    from xml.parsers import expat

    if "<!DOCTYPE" in text:
        return False
    try:
        expat.ParserCreate().Parse(text, True)
    except (expat.ExpatError, UnicodeEncodeError):
        return False
    return True


def _is_rule(line: str) -> bool:
    """Return whether `line` is the line under a table's head, such as |---|:-:|."""
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    return "|" in line and all(_RULE.fullmatch(cell) for cell in cells)


class Quoted(CheckBase, frozen=True, kw_only=True, tag="quoted"):
    """The whole response stands in double quotation marks."""

    def met_by(self, text: str) -> bool:
        """Return whether the first and the last character are quotation marks."""
        text = text.strip()
        return len(text) > 1 and text[0] == text[-1] == '"'

    def sentence(self) -> str:
        """Return the requirement in English."""
        return "The response is wrapped in double quotation marks."


class StartsWith(CheckBase, frozen=True, kw_only=True, tag="starts_with"):
    """The response begins with a text, in any case."""

    text: str

    def __post_init__(self) -> None:
        require_text("text", self.text)

    def met_by(self, text: str) -> bool:
        """Return whether the response begins with the text."""
        return text.strip().lower().startswith(self.text.strip().lower())

    def sentence(self) -> str:
        """Return the requirement in English."""
        return f"The response starts with {quote(self.text)}."


class EndsWith(CheckBase, frozen=True, kw_only=True, tag="ends_with"):
    """The response ends with a text, in any case; a closing quotation mark may follow."""

    text: str

    def __post_init__(self) -> None:
        require_text("text", self.text)

    def met_by(self, text: str) -> bool:
        """Return whether the response ends with the text."""
        return text.strip().strip('"').lower().endswith(self.text.strip().lower())

    def sentence(self) -> str:
        """Return the requirement in English."""
        return f"The response ends with {quote(self.text)}."


class ParagraphStarts(CheckBase, frozen=True, kw_only=True, tag="paragraph_starts"):
    """A given paragraph begins with a given word, in any case; blank lines divide paragraphs."""

    paragraph: int
    """Which one, from 1."""
    word: str
    paragraphs: int | None = None
    """How many there must be; None for any number."""

    def __post_init__(self) -> None:
        require_text("word", self.word)
        if self.paragraph < 1:
            raise ValueError(f"paragraph: expected 1 or more, found {self.paragraph}")
        if self.paragraphs is not None and self.paragraphs < self.paragraph:
            raise ValueError(
                f"paragraphs: expected {self.paragraph} or more, found {self.paragraphs}"
            )

    def met_by(self, text: str) -> bool:
        """Return whether the paragraph exists and begins with the word."""
        found = [part for part in paragraphs_of(text) if part]
        if len(found) < self.paragraph or len(found) != (self.paragraphs or len(found)):
            return False
        first = found[self.paragraph - 1].split(maxsplit=1)[0].lstrip("'\"")
        return _WORD_END.split(first)[0].lower() == self.word.strip().lower()

    def sentence(self) -> str:
        """Return the requirement in English."""
        starts = f"paragraph {self.paragraph} starts with the word {quote(self.word)}"
        if self.paragraphs is None:
            return f"The response is such that {starts}."
        noun = "paragraph" if self.paragraphs == 1 else "paragraphs"
        return f"The response has exactly {self.paragraphs} {noun}, and {starts}."


class Parts(CheckBase, frozen=True, kw_only=True, tag="parts"):
    """The response has several parts with a separator between them; none of them is blank."""

    separator: str
    count: int
    """How many parts, 2 or more."""
    different: bool = True
    """Whether no part may repeat another."""

    def __post_init__(self) -> None:
        require_text("separator", self.separator)
        if self.count < 2:
            raise ValueError(f"count: expected 2 or more, found {self.count}")

    def met_by(self, text: str) -> bool:
        """Return whether the parts are as many and as different as they must be."""
        parts = [part.strip() for part in text.split(self.separator)]
        found = [part for part in parts if part]
        if not all(parts[1:-1]) or len(found) != self.count:
            return False
        return not self.different or len(set(found)) == len(found)

    def sentence(self) -> str:
        """Return the requirement in English."""
        kind = "different parts" if self.different else "parts"
        return f"The response has exactly {self.count} {kind} separated by {quote(self.separator)}."


class OneOf(CheckBase, frozen=True, kw_only=True, tag="one_of"):
    """The response contains one of the options, letter for letter."""

    options: tuple[str, ...]

    def __post_init__(self) -> None:
        require_texts("options", self.options)

    def met_by(self, text: str) -> bool:
        """Return whether an option occurs."""
        return any(option in text for option in self.options)

    def sentence(self) -> str:
        """Return the requirement in English."""
        return f"The response contains one of these options: {listed(self.options)}."
