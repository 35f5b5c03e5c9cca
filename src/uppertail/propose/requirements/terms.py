"""The words that a prompt names: "the words trust, brand and law", ""ours" or "have"", "keywords: …"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from uppertail.propose.requirements.text import QUOTED, Text

_LEAD = re.compile(
    r"(?: {0,2}(?:and phrases|or phrases|below|listed below|here|of|like|such as|namely|listed|list"
    r"|exactly|itself|in (?:your|the) [a-z]{1,15}|to (?:include|use|mention|incorporate|avoid|exclude|omit|leave out)"
    r"|(?:must|should|have to|need to)(?: not)? (?:be (?:included|used|mentioned|avoided|excluded|omitted)|appear))\b)?"
    r"(?: {0,2}[:\-])? {0,2}\n?(?: {0,3}[-*] {1,2})?(?: {0,2}\()?"
)
_QUOTED = re.compile(QUOTED)
_BARE = re.compile(r"[^\W_][\w'&-]{0,40}")
_JOINT = re.compile(r"[,;/]|\b(?:and|or)\b")
_SEPARATOR = re.compile(
    r" {0,2}(?:[,;/&]|\n)? {0,2}(?:[-*] )?(?:(?:and|or|nor|and/or|as well as) {1,2})?(?:the (?:word|phrase|keyword) )?"
)
_CLOSED = re.compile(
    r"(?=\s{0,3}(?:$|[.,;:!?)\n/]|(?:and|or|nor|in|at|should|must|shall|can|cannot|may|is|are|has|have"
    r"|needs?|will|to|exactly|appears?|occurs?|more|less|fewer|no|only|once|twice|anywhere|somewhere"
    r"|within|throughout|times|each|both|all|not|within|for|with|as|when)\b))"
)
_STOP = re.compile(
    r"a|an|the|this|that|these|those|which|who|what|and|or|nor|but|if|then|in|on|at|of|"
    r"to|for|from|with|without|by|as|is|are|was|be|been|being|should|must|shall|can|"
    r"cannot|could|may|might|will|would|do|does|did|don't|not|no|more|less|fewer|than|"
    r"most|least|exactly|only|once|twice|times|each|every|all|any|both|such|like|about|"
    r"you|your|yours|i|we|our|they|their|it|its|he|she|make|sure|use|using|write|please|"
    r"ensure|add|include|including|includes|mention|say|have|has|had|appear|appears|"
    r"occur|limit|count|long|per|so|also|here|there|below|above|following|when|where|how|"
    r"used|needs|need|instead|rather|before|after|other|others"
)
"""Words that do not begin, and do not continue, a list of words without quotation marks."""
_MOST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A list of words or phrases, as the text spells them."""

    words: tuple[str, ...]
    marked: bool
    """Whether quotation marks or a colon set the words off."""
    start: int
    end: int


def terms_at(text: Text, position: int, *, bare: bool = True, many: bool = True) -> Terms | None:
    """Return the list that begins at `position`, after a colon or a bracket perhaps, or None.

    Args:
        text: where to read.
        position: just after the noun or verb that the list belongs to.
        bare: whether words without quotation marks count.
        many: whether the noun is a plural, so that bare words may go on after a comma.
    """
    lead = _LEAD.match(text.plain, position)
    start = lead.end() if lead else position
    colon = lead is not None and ":" in lead[0]
    if _QUOTED.match(text.plain, start):
        return _quoted(text, start)
    if colon and many:
        return _line(text, start)
    return _bare(text, start, many=many) if bare else None


def _quoted(text: Text, start: int) -> Terms | None:
    """Return the quotations that follow each other from `start`."""
    found: list[str] = []
    place = end = start
    while len(found) < _MOST and (match := _QUOTED.match(text.plain, place)):
        found.append(text.original[match.start() + 1 : match.end() - 1])
        end = match.end()
        separator = _SEPARATOR.match(text.plain, end)
        place = separator.end() if separator else end
    return _terms(found, start, end, marked=True)


def _line(text: Text, start: int) -> Terms | None:
    """Return the items of a list after a colon: up to the line's end, at commas and "and"."""
    stop = re.compile(r"[.!?](?=\s|$)|\n|$").search(text.plain, start)
    end = stop.start() if stop else len(text.plain)
    if end - start > 1500:
        return None
    found: list[str] = []
    last = place = start
    for stop_at, next_at in [
        *(m.span() for m in _JOINT.finditer(text.folded, start, end)),
        (end, end),
    ]:
        item = text.original[place:stop_at].strip(" \t'\"“”‘’`*-()[]")
        first = item.split(maxsplit=1)[:1]
        if len(item.split()) > 5 or (first and found and _STOP.fullmatch(first[0].lower())):
            break
        if item:
            found.append(item)
            last = stop_at
        place = next_at
    return _terms(found[:_MOST], start, last, marked=True)


def _bare(text: Text, start: int, *, many: bool) -> Terms | None:
    """Return the words without quotation marks that follow each other from `start`."""
    found: list[str] = []
    ends: list[int] = []
    joined = ""
    place = start
    while len(found) < _MOST and (match := _BARE.match(text.plain, place)):
        if _STOP.fullmatch(match[0]) or (found and not _CLOSED.match(text.plain, match.end())):
            break
        found.append(text.original[match.start() : match.end()])
        ends.append(match.end())
        separator = _SEPARATOR.match(text.plain, match.end())
        place = separator.end() if separator else match.end()
        if place == match.end() or not text.plain[match.end() : place].strip(" "):
            break
        joined += text.plain[match.end() : place]
    if not found:
        return None
    if not many and not re.search(r"\b(?:and|or|nor)\b", joined):
        del found[1:], ends[1:]  # "the word war, peace": one word, then something else
    return _terms(found, start, ends[-1], marked=False)


def _terms(words: list[str], start: int, end: int, *, marked: bool) -> Terms | None:
    """Return the list with each word once, closing punctuation inside quotes taken off."""
    kept: list[str] = []
    for word in words:
        trimmed = word.strip().rstrip(",;") or word.strip()
        if trimmed and trimmed not in kept:
            kept.append(trimmed)
    return Terms(words=tuple(kept), marked=marked, start=start, end=end) if kept else None
