"""Numbers and bounds in English: "at least three", "300+", "no more than 5", "between 4 and 6"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from uppertail.propose.requirements.text import Text

Manner = Literal["exact", "bound", "about", "plain"]

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_VALUES = {word: value for value, word in enumerate(_ONES)} | {
    word: 10 * value for value, word in enumerate(_TENS, start=2)
}
_PAIRS = {
    "once": 1,
    "twice": 2,
    "thrice": 3,
    "a single": 1,
    "single": 1,
    "a couple of": 2,
    "a pair of": 2,
    "half a dozen": 6,
}

_ONE = "|".join(_ONES[1:10])
_SMALL = rf"(?:(?:{'|'.join(_TENS)})(?:[- ](?:{_ONE}))?|{'|'.join(sorted(_ONES, key=len, reverse=True))})"
NUMBER = (
    r"(?:(?<![\w.,$€£#/-])(?:\d{1,3}(?:,\d{3}){1,2}|\d{1,7})(?![\d%]|[.,]\d)"
    rf"|\b(?:(?:(?:a|{_SMALL})[- ])?thousand(?:(?: and)? {_SMALL})?"
    rf"|(?:(?:a|{_SMALL})[- ])?hundred(?:(?: and)? {_SMALL})?"
    rf"|half a dozen|(?:(?:a|{_SMALL}) )?dozen|{_SMALL}|a couple of|a pair of|(?:a )?single)\b)"
)
"""Pattern of a whole number in figures or words; read it with `value_of`."""

_AT_LEAST = (
    r"at ?(?:the very )?least|at (?:a )?minimum(?: of)?|(?:the |a )?minimum(?: number)?(?: of)?|min\.?"
    r"|no (?:less|fewer|shorter) than|not (?:less|fewer) than|(?:greater|more) than or equal to"
    r"|upwards? of|>=|≥"
)
_AT_MOST = (
    r"at ?(?:the very )?most|at (?:a )?maximum(?: of)?|no (?:more|longer|greater) than"
    r"|not (?:more|longer|greater) than|(?:not|n't|never|without) (?:to )?exceed(?:ing)?|up to"
    r"|(?:the |a )?max(?:imum)?\.?(?: number)?(?: of)?|within|limit(?: of)?"
    r"|(?:limit|limited|restrict|restricted|keep|kept|cap|capped)(?: [\w'-]{1,15}){0,4} to"
    r"|(?:less|fewer) than or equal to|<=|≤"
)
_BOUNDS: tuple[tuple[str, str], ...] = (
    ("at_least", _AT_LEAST),
    ("at_most", _AT_MOST),
    ("more_than", r"more than|over|greater than|above|longer than|exceed(?:s|ing)?|in excess of|>"),
    ("less_than", r"less than|fewer than|under|below|shorter than|<"),
    ("exactly", r"exactly|precisely|strictly|only|just|equal to|(?:the )?exact(?: number of)?"),
    ("about", r"about|around|approximately|approx\.?|roughly|nearly|circa|close to|some|~"),
)
_BEFORE = "|".join(rf"(?P<{name}>{words})" for name, words in _BOUNDS)
_FILL = r"(?: {0,2}(?:a total of|a count of|a number of|in total|of|the|all)){0,2}"
_MORE = r"\+|\bplus\b|or more|or greater|or longer|or higher|and more|and above|or above|at (?:the )?(?:least|minimum)|minimum\b|min\b"
_FEWER = r"or less|or fewer|or shorter|or under|and below|or below|at (?:the )?(?:most|maximum)|maximum\b|max\b|tops\b"
TAIL = rf"(?: {{0,2}}(?:(?P<more_after>{_MORE})|(?P<fewer_after>{_FEWER})))?"
BOUND = rf"(?:(?:{_BEFORE}){_FILL} {{0,2}})?(?P<n>{NUMBER})(?: {{0,2}}(?:(?P<more>{_MORE})|(?P<fewer>{_FEWER})))?"
"""Pattern of an amount without its unit, for readers with a grammar of their own."""
_TIME = r"(?:times?|occurrences?|instances?|mentions?|uses)\b"
_TIMES = re.compile(
    rf"(?:(?:{_BEFORE}){_FILL} {{0,2}})?"
    rf"(?P<n>\b(?:once|twice|thrice)\b(?! upon| again)|{NUMBER}(?=(?:\+| or more| plus)? (?:different |separate )?{_TIME}))"
    rf"(?: {{0,2}}(?:(?P<more>{_MORE})|(?P<fewer>{_FEWER})))?(?: {{1,2}}(?:different |separate )?{_TIME})?{TAIL}"
)
GAP = (
    r"(?:(?!(?:words?|sentences?|paragraphs?|per|a|an|the|in|from|for|and|or|with|to)\b)"
    r"[\w'*-]{1,20} ){0,2}?"
)
"""Pattern of the words that may stand between a number and what it counts."""
_SHARED = re.compile(
    r"\b(?:each|every|per)\b[^,.;:]{0,40}$|^\W*(?:each|every)\b(?:(?!, and\b|\b(?:total|overall|entire)\b).)*$"
)
_OWNED = re.compile(
    r"\b(?:i|we|he|she|they) (?:already |currently )?(?:have(?! to)|has(?! to)|had|wrote|made|got|saw)\b"
    r"[^,.;:]{0,20}$"
)
_NEGATED = re.compile(
    r"(?:\bnot|n't|\bnever|\bcannot|\bwithout|\bavoid)(?: (?!and\b|but\b)[\w'-]{1,15}){0,3} {0,2}$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How many of something a text asks for, bounds inclusive."""

    at_least: int | None
    """1 or more."""
    at_most: int | None
    """0 or more; there is at least one of the two bounds."""
    manner: Manner
    """How it was put: exactly, as a bound or range, as "about", or as a plain number."""
    number: tuple[int, int]
    """Span of the number's words."""
    start: int
    end: int

    def around(self, share: float) -> tuple[int | None, int | None]:
        """Return the bounds with a plain or approximate number widened by `share` both ways."""
        if self.at_least is None or self.at_least != self.at_most:
            return self.at_least, self.at_most
        # Rounded inward at the hundredth, so that 10 % of 100 is 10 in spite of binary fractions.
        slack = int(self.at_least * share + 0.995)
        return max(1, self.at_least - slack), self.at_least + slack


def value_of(words: str) -> int:
    """Return the number that `words`, matched by `NUMBER`, stand for."""
    digits = words.replace(",", "")
    if digits.isdecimal():
        return int(digits)
    if words in _PAIRS:
        return _PAIRS[words]
    total = current = 0
    for word in re.split(r"[- ]", words):
        if word == "thousand":
            total, current = total + 1000 * max(current, 1), 0
        elif word in {"hundred", "dozen"}:
            current = max(current, 1) * (100 if word == "hundred" else 12)
        else:
            current += _VALUES.get(word, 0)
    return total + current


@lru_cache(maxsize=64)
def _patterns(unit: str, gap: str) -> tuple[re.Pattern[str], ...]:
    """Return the patterns of a range, of one number, of "the number of …" and of "… 3 of them"."""
    described = rf"(?:[- ]{{1,2}}(?:{gap}))(?:{unit})\b"
    spread = re.compile(
        rf"(?:\bbetween (?P<low>{NUMBER}) ?(?:and|to|-) ?(?P<high>(?:{NUMBER}|(?<=-)\d{{1,7}}))"
        rf"|(?P<low2>{NUMBER}) (?:to|or) (?P<high2>{NUMBER})"
        rf"|(?<![\w.,/-])(?P<low3>\d{{1,7}}) ?- ?(?P<high3>\d{{1,7}})){described}"
    )
    single = re.compile(rf"{BOUND}{described}{TAIL}")
    counted = re.compile(
        rf"\b(?:(?:number of|total) (?:{gap})(?:{unit})|(?:{unit}) (?:count|(?P<limit>limit)))\b"
        rf"(?:[^.;\n]{{0,60}}?(?:\b(?:be|is|to|of|at|with|exceed|as)\b|:))? {{0,2}}{BOUND}\b{TAIL}"
    )
    them = re.compile(rf"\b(?:{unit})\b[^.;\n]{{0,60}}?, {BOUND} of (?:them|these|those)\b")
    return spread, single, counted, them


def amounts(text: Text, unit: str, *, gap: str = GAP) -> Iterator[Amount]:
    """Yield each amount of `unit` (a pattern) that `text` states.

    `gap` is the pattern of the words that may stand between number and unit. Amounts that
    are shared out ("each section has 3 sentences") or negated outright are left out.
    """
    if not re.search(rf"\b(?:{unit})\b", text.plain):
        return  # most texts name few units, and looking for one is quick
    spread, *singles = _patterns(unit, gap)
    taken: list[tuple[int, int]] = []
    for match in spread.finditer(text.plain):
        mark = "low" if match["low"] else "low2" if match["low2"] else "low3"
        other = mark.replace("low", "high")
        low, high = value_of(match[mark]), value_of(match[other])
        taken.append(match.span())
        if 0 < low < high and not _elsewhere(text, match.start(), match.end()):
            span = (match.start(mark), match.end(other))
            yield _amount(match, span, (low, high), "bound")
    for pattern in singles:
        for match in pattern.finditer(text.plain):
            inside = any(a < match.end("n") and match.start("n") < b for a, b in taken)
            if not inside and not _elsewhere(text, match.start(), match.end()):
                taken.append(match.span("n"))
                yield from read_bound(text, match)


def times(text: Text, start: int, end: int) -> Iterator[Amount]:
    """Yield each "n times", "once" or "twice" of a stretch of `text`, a plain one as "at least".

    What is counted is mostly found inside longer words too, so that a plain number is no
    upper bound.
    """
    for match in _TIMES.finditer(text.plain, start, end):
        for amount in read_bound(text, match):
            floor = amount.manner == "plain" and amount.at_least
            yield replace(amount, at_most=None) if floor else amount


def _elsewhere(text: Text, start: int, end: int) -> bool:
    """Return whether the amount is asked of each of several parts, or tells what the user has."""
    before = text.before(start)
    return bool(
        _SHARED.search(before)
        or _OWNED.search(before)
        or re.match(
            r"[^,.;:]{0,12}\b(?:each|every|per|apiece)\b(?! \w+(?:ed|ing)\b| (?:with|one|must)\b)",
            text.after(end),
        )
    )


def read_bound(text: Text, match: re.Match[str]) -> Iterator[Amount]:
    """Yield the amount of a match that holds the groups of `BOUND`, or nothing if negated."""
    groups = match.groupdict()
    how = next((name for name, _ in _BOUNDS if groups.get(name)), "plain")
    if groups.get("more") or groups.get("more_after"):
        how = "at_least"
    elif (
        groups.get("fewer") or groups.get("fewer_after") or (groups.get("limit") and how == "plain")
    ):
        how = "at_most"
    number = value_of(match["n"])
    if _NEGATED.search(text.before(match.start())):
        flipped = {"more_than": "at_most", "less_than": "at_least"}
        if how not in flipped:
            return
        how = flipped[how]
    bounds, manner = _bounds(how, number)
    if bounds[0] or (bounds[1] is not None and bounds[1] >= 0):
        yield _amount(match, match.span("n"), bounds, manner)


def _bounds(how: str, number: int) -> tuple[tuple[int | None, int | None], Manner]:
    """Return inclusive bounds and the manner for a bound word and its number."""
    if how in {"at_least", "more_than"}:
        return (number + (how == "more_than"), None), "bound"
    if how in {"at_most", "less_than"}:
        return (None, number - (how == "less_than")), "bound"
    manner: Manner = "exact" if how == "exactly" else "about" if how == "about" else "plain"
    return (number, number), manner


def _amount(
    match: re.Match[str],
    number: tuple[int, int],
    bounds: tuple[int | None, int | None],
    manner: Manner,
) -> Amount:
    """Return the amount of a match."""
    return Amount(
        at_least=bounds[0] or None,
        at_most=bounds[1],
        manner=manner,
        number=number,
        start=match.start(),
        end=match.end(),
    )
