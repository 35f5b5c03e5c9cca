"""Readers of how a response begins and ends, of a request to repeat, and of allowed answers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from uppertail.checks import EndsWith, OneOf, ParagraphStarts, StartsWith
from uppertail.propose.requirements.numbers import NUMBER, amounts, value_of
from uppertail.propose.requirements.reading import Reading
from uppertail.propose.requirements.text import HIDDEN, QUOTED, Text

_ORDINALS = {
    word: place
    for place, word in enumerate(
        [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
        ],
        start=1,
    )
}
_ORDINAL = rf"(?:{'|'.join(_ORDINALS)}|last|final|\d{{1,2}}(?:st|nd|rd|th))"
_BEGIN = r"(?:start|begin|open)(?:s|ing)?"
_PARAGRAPH = re.compile(
    rf"\b(?:(?:the|your) )?(?P<nth>{_ORDINAL}) paragraph\b[^.;\n]{{0,40}}?\b{_BEGIN}\b[^.;\n]{{0,30}}?\b(?:with|by)(?: the)?(?: exact)?(?: word)?:? {{1,2}}"
    rf"(?P<word>{QUOTED}|[\w'-]{{1,40}})"
    rf"|\bparagraph (?P<number>{NUMBER})\b[^.;\n]{{0,40}}?\b{_BEGIN}\b[^.;\n]{{0,30}}?\b(?:with|by)(?: the)?(?: exact)?(?: word)?:? {{1,2}}"
    rf"(?P<other>{QUOTED}|[\w'-]{{1,40}})"
    rf"|\b{_BEGIN} (?:the|your) (?P<third>{_ORDINAL}) paragraph with(?: the)?(?: exact)?(?: word)?:? {{1,2}}(?P<last>{QUOTED}|[\w'-]{{1,40}})"
)
_PART = r"(?:each|every|paragraphs?|sections?|stanzas?|lines?|sentences?|bullets?|postscript|items?|verse|chapter|words? that|titles?|names?|letter)"
_WITH = (
    r"(?: (?:with|by (?:saying|writing|using|asking)|on|using))(?: (?:only|exactly))?(?: (?:the|this|these|following|exact|same|single"
    r"|closing|opening|ending|final|and|only|very)){0,5}(?: (?:phrases?|sentences?|words?|lines?|statements?|text|string|question|quotes?|expressions?)){0,2}(?: of)?"
)
_TAIL = rf"(?P<gap> {{0,2}}[:,]? {{0,2}}\n{{0,2}} {{0,2}})(?P<arg>{QUOTED})?"
_END = re.compile(
    rf"\b(?:end(?:s|ing|ed)?|finish(?:es|ing|ed)?|conclud(?:e|es|ing|ed)|clos(?:e|es|ing|ed)|sign(?:ed)? off|wrap(?:s|ping)? up)\b(?P<of>[^.;:\n\x01]{{0,60}}?){_WITH}{_TAIL}"
    rf"|\b(?:very end|end|last (?:words?|sentence|line|phrase)|final (?:words?|sentence|line|phrase))\b(?P<of2>[^.;:\n\x01]{{0,60}}?)\b(?:must|should|shall|needs? to|has to|is to|will)? ?(?:read|be|say|is)(?: exactly)?(?: like)?(?: (?:the|this|exact|following|phrase|words?|sentence)){{0,5}}(?P<gap2> {{0,2}}[:,]? {{0,2}}\n{{0,2}} {{0,2}})(?P<arg2>{QUOTED})?"
)
_START = re.compile(
    rf"\b{_BEGIN}\b(?P<of>[^.;:\n\x01]{{0,60}}?){_WITH}{_TAIL}"
    rf"|\b(?:first (?:words?|sentence|line|phrase)|opening (?:words?|sentence|line|phrase))\b(?P<of2>[^.;:\n\x01]{{0,60}}?)\b(?:must|should|shall|needs? to|has to|is to|will)? ?(?:read|be|say|is)(?: exactly)?(?: (?:the|this|exact|following|phrase|words?|sentence)){{0,5}}(?P<gap2> {{0,2}}[:,]? {{0,2}}\n{{0,2}} {{0,2}})(?P<arg2>{QUOTED})?"
)
_OF_A_PART = re.compile(
    r"\b(?:each|every|title|paragraph|section|sentence|line|words?|not|n't|my|let's)\b(?:(?!\band\b)[^,.;<>()]){0,20}$"
)
_ORDERED = re.compile(
    r"(?:^|[,;:)\]\"'.!?*\n-]|\b(?:and|then|please|must|should|to|will|shall|always|also|finally|lastly|but|by"
    r"|you|be|(?:the|your|this) (?:[\w-]{1,15} )?[\w-]{1,15}|responses?|answers?|repl(?:y|ies)|output|it|poem|story|letter|e-?mail|essay|post|song|text|review"
    r"|article|speech|joke|riddle|ad|advertisement|rap|haiku|blog|script|report|summary|resume|proposal"
    r"|explicitly|which|that|simply|just|be sure|description|pitch|dialogue|conversation))\s*$"
)
"""What may stand before "start with": an order, or the response as a whole."""
_OF_ALL = re.compile(
    r"\b(?:by|responses?|answers?|repl(?:y|ies)|output|it|poem|story|letter|e-?mail|essay|post|song|text)\W{1,3}(?:and )?$"
)
_PHRASE = re.compile(r"\b(?:phrase|words?|sentence|line|exact|exactly|statement)\b")
_REPEAT = re.compile(
    r"\b(?:repeat|restat|copy|echo|reproduc)\w{0,3}\b(?: (?:back|exactly|first|only|precisely|verbatim))?(?P<object>(?: (?:the|this|that|my|your|it|of|above|following|below|entire|exact|whole|original|full|same|initial|first|user|word for word)){1,5}"
    r"(?: (?:requests?|prompts?|questions?|instructions?|sentences?|text|message|query|task|statement|paragraph))?)"
)
_OBJECT = re.compile(
    r"\b(?:requests?|prompts?|questions?|instructions?|sentences?|text|message|query|task|statement|paragraph|it)$"
)
_FIRST = re.compile(r"\b(?:first|before|begin|start|very beginning|prior to|then)\b")
_ANSWER = re.compile(
    r"\b(?:answer|respon|repl(?:y|ies)|choos|choice|pick|select|say|output|print|return|classif|label|must be|should be)"
)
_SENTENCES = re.compile(r"(?: {0,2}[A-Z][^.!?:,;\n]{1,40}[.!?]){2,6}(?= {0,2}(?:\n|$))")
_CHOOSE = re.compile(
    r"\b(?:one of|(?:choose|pick|select) one(?= {0,2}:)|choose (?:one )?(?:from|between|among)|pick (?:one )?(?:from|between)|select (?:one )?from|either|answer (?:only )?with|respond (?:only )?with|from) {0,2}"
    r"(?:the |these |this |only |one of )*(?:(?:following|below|given|provided|available|allowed|exact) )*"
    r"(?:(?:three|two|four|five|\d) )?(?:possible )?(?:phrases?|options?|answers?|responses?|choices?|sentences?|statements?|words?|labels?|categories|lists?)?"
    r"(?: (?:below|only|exactly|listed))?[^.:\n\x01]{0,30}?(?P<mark>[:(]| )"
)


def paragraph_starts(text: Text) -> Iterator[Reading]:
    """Yield the word that a given paragraph must begin with."""
    counts = [a for a in amounts(text, "paragraphs?") if a.at_least is not None]
    total = next((a for a in counts if a.at_least == a.at_most), None)
    for match in _PARAGRAPH.finditer(text.plain):
        group = next(name for name in ("word", "other", "last") if match[name])
        start, end = match.span(group)
        word = text.original[start:end].strip("\"'“”‘’`. ")
        place = _place(match, total.at_least if total else None)
        if place is None or not word or " " in word:
            continue
        count = total.at_least if total and (total.at_least or 0) >= place else None
        yield Reading(
            check=ParagraphStarts(paragraph=place, word=word, paragraphs=count),
            claim=total.number if total and count else (start, end),
        )


def _place(match: re.Match[str], total: int | None) -> int | None:
    """Return which paragraph is meant, from 1; None for the last of an unknown number."""
    if match["number"]:
        return value_of(match["number"]) or None
    name = match["nth"] or match["third"]
    if name in {"last", "final"}:
        return total
    return _ORDINALS.get(name) or int(re.sub(r"\D", "", name)) or None


def ends_with(text: Text) -> Iterator[Reading]:
    """Yield the words with which the response must end."""
    for argument, claim in _edge(text, _END):
        yield Reading(check=EndsWith(text=argument), claim=claim)
        return


def starts_with(text: Text) -> Iterator[Reading]:
    """Yield the words with which the response must begin."""
    for argument, claim in _edge(text, _START):
        yield Reading(check=StartsWith(text=argument), claim=claim)
        return


def _edge(text: Text, pattern: re.Pattern[str]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the wordings that `pattern` places at an edge of the response."""
    for match in pattern.finditer(text.plain):
        before = text.before(match.start())
        if match["of"] is not None and not _ORDERED.search(before):
            continue
        inside = re.search(rf"\b{_PART}\b", match["of"] or match["of2"] or "")
        if inside or _OF_A_PART.search(before):
            continue
        # "hashtags starting with '#'" says how the hashtags start, not the response.
        if re.match(r"\w+ing\b", match[0]) and not _OF_ALL.search(before):
            continue
        span = _argument(text, match)
        if span is not None and text.original[span[0] : span[1]].strip():
            yield text.original[span[0] : span[1]].strip(), span


def _argument(text: Text, match: re.Match[str]) -> tuple[int, int] | None:
    """Return the span of the wording that follows: a quotation, or the rest after a colon."""
    name = "arg" if match["gap"] is not None else "arg2"
    if match[name]:
        start, end = match.span(name)
        return start + 1, end - 1
    gap = match["gap"] if match["gap"] is not None else match["gap2"]
    plain_phrase = _PHRASE.search(match[0][-60:]) and re.search(
        r"\b(?:phrase|exact|exactly|words?)\b", match[0][-40:]
    )
    if ":" not in gap and not plain_phrase:
        return None
    start = match.end()
    stop = re.compile(r"\n|$").search(text.plain, start)
    end = stop.start() if stop else len(text.plain)
    first = re.compile(r"[.!?](?=\s)").search(text.plain, start, end)
    end = first.end() if first else end
    return (start, end) if 0 < end - start <= 300 else None


def repeat(text: Text) -> Iterator[Reading]:
    """Yield that the response must begin with the request itself."""
    if not text.whole:
        return
    for match in _REPEAT.finditer(text.plain):
        if not _OBJECT.search(match["object"].strip()) and "word for word" not in text.around(
            match.start()
        ):
            continue
        start, end = text.sentence(match.start())
        paragraph = text.plain[max(0, start - 200) : end]
        if not _FIRST.search(paragraph) or re.search(
            r"(?:\bnot|n't)\b[^,;]{0,15}$", text.before(match.start())
        ):
            continue
        request = _request(text, match.start())
        if request:
            yield Reading(check=StartsWith(text=request), claim=match.span())
            return


def _request(text: Text, position: int) -> str:
    """Return the request around an order to repeat it: what precedes the order, else what follows."""
    start, _ = text.sentence(position)
    before = text.original[:start].strip()
    if len(before.split()) >= 3:
        return before
    _, end = text.sentence(position)
    blank = re.compile(r"\n\s{0,4}\n").search(text.plain, position)
    return text.original[blank.end() if blank else end :].strip()


def options(text: Text) -> Iterator[Reading]:
    """Yield the answers among which the response must choose."""
    for match in _CHOOSE.finditer(text.plain):
        if not _ANSWER.search(text.around(match.start())):
            continue
        found = _listed_options(text, match.end())
        if len(found) > 1:
            yield Reading(check=OneOf(options=tuple(dict.fromkeys(found))), claim=match.span())
            return


def _listed_options(text: Text, start: int) -> list[str]:
    """Return the options at `start`: quotations or sentences in a row, or the lines below."""
    quoted = re.compile(
        rf"\s{{0,4}}(?:(?:{QUOTED})(?:[\s,;/.]|\band\b|\bor\b){{0,8}}){{2,12}}"
    ).match(text.plain, start)
    if quoted:
        spans = [m.span() for m in re.finditer(QUOTED, quoted[0])]
        return [text.original[start + a + 1 : start + b - 1].strip() for a, b in spans]
    if text.plain[start - 1] != ":":
        return []
    inline = _SENTENCES.match(text.original, start)
    if inline:
        return [item.strip() for item in re.findall(r"[^.!?]+[.!?]", inline[0])]
    if not text.plain[start:].lstrip(" ").startswith("\n"):
        return []
    found: list[str] = []
    for line in text.original[start:].lstrip(" ").removeprefix("\n").split("\n")[:12]:
        item = re.sub(r"^\s*(?:[-*•]|\(?[a-zA-Z0-9]{1,2}[.)])\s+", "", line).strip().strip("\"'“”")
        if not item or len(item) > 80 or HIDDEN in item:
            break
        found.append(item)
    return found
