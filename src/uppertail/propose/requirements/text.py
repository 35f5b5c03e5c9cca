"""A prompt's words prepared for reading: folded, with quoted matter and material hidden.

All views have the length of the original, so a span found in one can be cut from another.
Every pattern is bounded, so reading takes time linear in the length of the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

HIDDEN = "\x01"
"""Stands in `Text.plain` for each character that is quoted or is material to work on."""

QUOTED = rf"""(?:"{HIDDEN}{{1,2000}}"|'{HIDDEN}{{1,400}}')"""
"""Pattern of a quotation in `Text.plain`."""

EDGE = 8000
"""Of a longer text, only this many characters at each end are read for requirements."""

_REACH = 600
_FOLDS = str.maketrans(
    dict.fromkeys("“”„‟«»″＂", '"')
    | dict.fromkeys("‘’‚‛`´′", "'")
    | dict.fromkeys("–—−‐‑", "-")
    | dict.fromkeys("\u00a0\u2009\u202f\u3000\t\r", " ")
    | {HIDDEN: " "}
)
_DOUBLE = re.compile(r'(?<![\w"])"([^"]{1,2000})"(?!\w)')
_SINGLE = re.compile(r"(?<![\w'])'(?=[^\s'])((?:[^'\n]|(?<=\w)'(?=\w)){1,400})'(?!\w)")
_FENCE = re.compile(
    r"""'''((?:(?!''').){1,8000})'''|"{3}((?:(?!"{3}).){1,8000})"{3}""",
    re.DOTALL,
)
_MATERIAL = re.compile(
    r"\b(?:following|below|this|these|given|original)(?: [\w'-]{1,20}){0,4}? ?"
    r"(?:texts?|passages?|paragraphs?|articles?|stor(?:y|ies)|essays?|e-?mails?|letters?|documents?"
    r"|excerpts?|poems?|snippets?|conversations?|dialogues?|reviews?|speech|transcripts?"
    r"|abstracts?|posts?|data|information|input|sections?|summary)\b[^\n.:]{0,80}[:.] {0,3}\n\s{0,4}"
    r"([^\n]{200,8000})"
)
_BOUNDARY = re.compile(r"[.!?;]['\")\]]{0,2}(?=\s)|\n|$")
_SAID = re.compile(rf"(?:{HIDDEN}|\b(?:p\.){{1,3}}s\.?)[\"']? {{1,2}}(?=\w)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:i\.e|e\.g|(?:p\.){1,3}s|etc|vs|mr|mrs|dr|ex|approx|min|max))\.$"
)


@dataclass(frozen=True, slots=False, kw_only=True)
class Text:
    """One text in three views of the same length."""

    original: str
    folded: str
    """Lower case, with plain quotes, dashes and spaces."""
    plain: str
    """`folded`, with the inside of quotations and material replaced by `HIDDEN`."""
    whole: bool
    """Whether nothing of the text was left out."""

    @classmethod
    def of(cls, original: str) -> Text:
        """Return the views of `original`, or of its two ends where it is long."""
        whole = len(original) <= 2 * EDGE
        if not whole:
            original = f"{original[:EDGE]}\n\n{original[-EDGE:]}"
        folded = _lower(original).translate(_FOLDS)
        return cls(original=original, folded=folded, plain=_hide(folded), whole=whole)

    @cached_property
    def boundaries(self) -> tuple[int, ...]:
        """Ends of sentences and lines, ascending; 0 first."""
        ends = [
            match.end()
            for match in _BOUNDARY.finditer(self.plain)
            if not _ABBREVIATION.search(self.plain, max(0, match.start() - 8), match.start() + 1)
        ]
        # A full stop inside quotation marks ends the sentence outside as well, and so does
        # "P.S." where a capital letter follows.
        said = [
            match.end()
            for match in _SAID.finditer(self.plain)
            if (match[0][0] == "p" or self.folded[match.start()] in ".!?")
            and self.original[match.end()].isupper()
        ]
        return (0, *sorted(ends + said))

    def sentence(self, position: int) -> tuple[int, int]:
        """Return the span of the sentence or line that holds `position`, cut 600 characters away."""
        index = bisect_right(self.boundaries, position)
        start = self.boundaries[index - 1]
        end = self.boundaries[index] if index < len(self.boundaries) else len(self.plain)
        return max(start, position - _REACH), min(end, position + _REACH)

    def around(self, position: int) -> str:
        """Return the plain sentence that holds `position`."""
        start, end = self.sentence(position)
        return self.plain[start:end]

    def before(self, position: int, *, most: int = 80) -> str:
        """Return the plain words of the same sentence that precede `position`."""
        start, _ = self.sentence(position)
        return self.plain[max(start, position - most) : position]

    def after(self, position: int, *, most: int = 80) -> str:
        """Return the plain words of the same sentence that follow `position`."""
        _, end = self.sentence(max(0, position - 1))
        return self.plain[position : min(max(end, position), position + most)]


def _lower(text: str) -> str:
    """Return `text` in lower case, letters whose lower case is longer left as they are."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _hide(folded: str) -> str:
    """Return `folded` with quotations, fenced blocks and material hidden."""
    text = _mask(_MATERIAL, _mask(_FENCE, folded))
    return _mask(_SINGLE, _mask(_DOUBLE, text, most=0.9), most=0.9)


def _mask(pattern: re.Pattern[str], text: str, *, most: float = 1.0) -> str:
    """Return `text` with what the groups of `pattern` match hidden.

    A match that is more than `most` of the text stays: a prompt all in quotes is no quotation.
    """
    parts, last = [], 0
    for match in pattern.finditer(text):
        index = match.lastindex
        if index is None or match.end(index) - match.start(index) > most * len(text):
            continue
        parts += [text[last : match.start(index)], HIDDEN * (match.end(index) - match.start(index))]
        last = match.end(index)
    return "".join([*parts, text[last:]])
