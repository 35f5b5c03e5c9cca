"""Readers of length: words, sentences, paragraphs, and parts with a separator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from uppertail.checks import Paragraphs, Parts, Sentences, Words
from uppertail.propose.requirements.numbers import Amount, amounts
from uppertail.propose.requirements.reading import Reading
from uppertail.propose.requirements.text import Text

PLAIN_WORDS = 0.1
"""A plain "300 words" admits 10 % more or less: nobody counts to the word.
Below 20 words they do."""
ABOUT = 0.2
"""About 300 admits 20 % more or less."""

_GIVEN = re.compile(
    r"\b(?:following|this|these|those|below|original|given|attached|first|last|final|next"
    r"|previous|above|my|from|one of|provided with|given)(?: the)? {0,2}$"
)
_OF_A_PART = re.compile(
    r"\b(?:title|headline|heading|subject line|introduction|intro|conclusion|caption|hook"
    r"|(?:first|second|third|last|final|opening|closing|one) (?:paragraph|section|sentence|part|line|stanza))s?"
    r"\b(?:(?!\band\b)[^,.;:<>()]){0,30}$"
)
_OTHER_WORDS = re.compile(
    r" {0,2}(?:or phrases )?(?:that|which|from|starting|beginning|ending|rhyming|related|with (?:all|only)?"
    r" ?(?:capital|upper|caps)|in (?:all )?(?:capital|upper|caps|bold)|(?:to|for) (?:describe|each))"
)
_DIVIDER = re.compile(r"(?<![\w*=#~_+-])(([*=#~_+-])\2{2,11})(?![\w*=#~_+-])")
_RULE = re.compile(r"(?m)^ {0,3}\*{3} {0,3}$")
_SYMBOLS = re.compile(r"asterisks|stars|symbols|words|sentences|lines|times")
_DIVIDING = re.compile(r"\b(?:separat|divid|delimit|split|between)")
_ASTERISKS = re.compile(r"\b(?P<n>3|three|6|six) (?:asterisks?|stars?)\b")
_PARTS = r"(?:paragraphs?|parts?|sections?|stanzas?|verses?|pieces?|segments?|snippets?|chapters?|blocks?)"
_ANSWERS = (
    r"(?:responses?|answers?|versions?|options?|variants?|alternatives?|poems?|jokes?|riddles?"
    r"|suggestions?|ideas?|names?|replies|outputs?|drafts?|haikus?|limericks?|stories|letters?"
    r"|e-?mails?|essays?|summaries|taglines?|slogans?|tweets?|parts?)"
)


def words(text: Text) -> Iterator[Reading]:
    """Yield the lengths in words that the whole response must have."""
    for amount in amounts(text, "words?", gap=r"(?:total |english |single )?"):
        if _of_the_response(text, amount) and not _OTHER_WORDS.match(text.after(amount.end)):
            yield Reading(check=_words(amount), claim=amount.number)


def _words(amount: Amount) -> Words:
    share = {"plain": PLAIN_WORDS, "about": ABOUT}.get(amount.manner, 0.0)
    counted = amount.manner == "plain" and (amount.at_most or 0) < 20
    low, high = amount.around(0.0 if counted else share)
    return Words(at_least=low or None, at_most=high)


def sentences(text: Text) -> Iterator[Reading]:
    """Yield the numbers of sentences that the whole response must have."""
    for amount in amounts(text, "sentences?"):
        if _of_the_response(text, amount):
            low, high = amount.around(ABOUT if amount.manner == "about" else 0.0)
            yield Reading(check=Sentences(at_least=low or None, at_most=high), claim=amount.number)


def paragraphs(text: Text) -> Iterator[Reading]:
    """Yield the numbers of paragraphs, or of other parts that stand between dividers ***."""
    divider = divider_of(text)
    if divider is not None and divider.symbols == "***":
        yield from _divided(text, divider)
        return
    for amount in amounts(text, "paragraphs?"):
        if _of_the_response(text, amount):
            yield _paragraphs(amount, "blank_line")


def _paragraphs(amount: Amount, divider: Literal["blank_line", "***"]) -> Reading:
    low, high = amount.around(ABOUT if amount.manner == "about" else 0.0)
    check = Paragraphs(at_least=low or None, at_most=high, divider=divider)
    return Reading(check=check, claim=amount.number)


def _divided(text: Text, divider: Divider) -> Iterator[Reading]:
    """Yield the number of parts between dividers ***: a count of parts, of what stands near, or a sketch."""
    found = (
        list(amounts(text, "paragraphs?"))
        or list(amounts(text, _PARTS))
        or [
            amount
            for amount in amounts(text, r"[a-z]{3,20}s")
            if divider.place - 160 <= amount.start <= divider.place + 80
            and amount.at_least != 1
            and not _SYMBOLS.search(text.plain, amount.start, amount.end)
        ]
    )
    if not found:
        yield from _sketched(text)
    for amount in found:
        yield _paragraphs(amount, "***")


def _sketched(text: Text) -> Iterator[Reading]:
    """Yield the number of parts that a sketch of the answer shows, divided by lines of ***."""
    lines = [m.start() for m in _RULE.finditer(text.folded)]
    if not lines:
        return
    open_ended = re.search(r"(?m)^ {0,3}(?:\.\.\.|…) {0,3}$", text.folded[lines[0] :]) is not None
    count = len(lines) + 1
    check = Paragraphs(at_least=count, at_most=None if open_ended else count, divider="***")
    yield Reading(check=check, claim=(lines[0], lines[0] + 3))


def parts(text: Text) -> Iterator[Reading]:
    """Yield several answers that stand between separators, such as two between ******."""
    divider = divider_of(text)
    if divider is None or divider.symbols == "***":
        return
    stated = [
        a for a in amounts(text, _ANSWERS) if a.at_least == a.at_most and (a.at_least or 0) > 1
    ]
    nearest = min(stated, key=lambda a: abs(a.start - divider.place), default=None)
    claim = nearest.number if nearest else (divider.place, divider.place + 3)
    count = nearest.at_least if nearest and nearest.at_least else 2
    yield Reading(check=Parts(separator=divider.symbols, count=count), claim=claim)


@dataclass(frozen=True, slots=True, kw_only=True)
class Divider:
    """The symbols that must stand between the parts of the response."""

    symbols: str
    place: int


def divider_of(text: Text) -> Divider | None:
    """Return the symbols that the text asks for between parts, or None."""
    if not _DIVIDING.search(text.plain) and not _RULE.search(text.folded):
        return None
    found = _DIVIDER.search(text.folded)
    if found:
        return Divider(symbols=found[1], place=found.start())
    named = _ASTERISKS.search(text.plain)
    if named is None:
        return None
    symbols = "***" if named["n"] in {"3", "three"} else "******"
    return Divider(symbols=symbols, place=named.start())


def _of_the_response(text: Text, amount: Amount) -> bool:
    """Return whether the amount is asked of the whole response, not of material or a part."""
    before = text.before(amount.start)
    # "The two sentences" are there already; "the number of sentences" is yet to be written.
    known = amount.start == amount.number[0] and before.endswith("the ")
    return not (known or _GIVEN.search(before) or _OF_A_PART.search(before))
