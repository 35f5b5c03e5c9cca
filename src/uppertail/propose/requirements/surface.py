"""Readers of surface: case, words in capitals, punctuation to avoid, wrapping quotation marks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from uppertail.checks import CapitalWords, Case, Letters, Quoted, Without
from uppertail.propose.requirements.numbers import BOUND, Amount, amounts, read_bound, times
from uppertail.propose.requirements.reading import Reading
from uppertail.propose.requirements.text import Text

_LOWER = re.compile(
    r"\b(?:all|only|entirely|completely|in|use|using|contain|fully|be|is|are)(?: (?:in|only|all|english|entirely|completely|and|of)){0,4}? {0,2}"
    r"\(?(?:lower-? ?cased?|small letters)\b(?! letter (?:[a-z]|\x01)\b)"
    r"|\beverything (?:in )?lower-? ?case\b|\blower-? ?case (?:only|letters only|english)\b"
    r"|(?:\b(?:no|without|avoid|not)|n't)(?: [\w'-]{1,15}){0,5} (?:capital|upper-? ?case|capitalized)(?: letters?| words?| characters?)?\b(?! (?:more|less) than)"
)
_UPPER = re.compile(
    r"\b(?:all|only|entirely|completely|in|use|using|contain|fully|be|is|are)(?: (?:in|only|all|english|entirely|completely|and|of|block)){0,4}? {0,2}"
    r"(?:capital(?:ized|s)?|upper-? ?case|caps)\b"
    r"|\b(?:capital letters|uppercase|caps) only\b|\ball-caps\b"
    r"|(?:\b(?:no|without|avoid|not)|n't)(?: [\w'-]{1,15}){0,8} lower-? ?case(?: letters?| words?)?\b"
)
_PART = re.compile(
    r"\b(?:words?|phrases?|title|titles|headings?|headers?|(?<!your )names?|first letters?|letter of|initials?|keywords?|sections?|subject|acronyms?|strings?|inputs?|passwords?|variables?|functions?)\b"
)
_SOME_WORDS = re.compile(
    r"(?: letters?)? ?(?:(?:for|in|on) [^.,;]{0,30}?)?(?:words?|phrases?|title|head|first|name)"
)
_BARS = re.compile(r"(?:\b(?:not|no|never|without)\b|n't\b)(?:(?!\band\b)[^,;:]){0,50}$")
_WHOLE = re.compile(
    r"\b(?:entire|whole|response|answer|output|everything|reply|all text|letters)\b"
)
_CAPITALS = re.compile(r"\b(?:capital(?:s|ized|ised)?|all[- ]caps|caps|upper-? ?case|capitalize)\b")
_CAPITAL_WORDS = re.compile(
    r"\b(?:words?|phrases?)\b(?: (?!and\b|but\b)[\w'-]+){0,3} (?:all |fully |only |entirely )*(?:capital|caps\b|upper)"
    r"|\b(?:capital(?:i[sz]ed)?|all[- ]caps|caps|upper-? ?cased?)(?: letters?)?[- ](?:words?|phrases?)\b"
    r"|\b(?:capital letters|caps|upper-? ?case)(?: style)? (?:for|on|in) [^.,;]{0,40}?\bwords?\b"
    r"|\bcapitalize [^.,;]{0,30}\bwords?\b"
)
_CAPITAL_UNITS = r"(?:words?|phrases?|all[- ]caps|capital(?:ized)?|upper-? ?case)"
_SOME = re.compile(
    r"\b(?:us(?:e|ing)|includ(?:e|ing)|add|contain)\b[^.;,\n]{0,25}\b(?:words?|phrases?)\b (?:or phrases )?(?:in|with) (?:all )?(?:capital|caps|upper)"
)
_EDGE_COUNT = re.compile(rf"(?:to|be|is|:|of|by) {{0,2}}{BOUND}(?= {{0,2}}(?:[.,;!?)\n]|$))")

_MARKS = {
    r"commas?": ",",
    r"semi-?colons?": ";",
    r"exclamation (?:marks?|points?)": "!",
    r"question marks?": "?",
    r"hashtags?|hash signs?": "#",
    r"parenthes[ie]s": "()",
    r"punctuation(?: marks?)?": ".,;:!?",
}
_NEGATION = (
    r"(?:\b(?:no|not|cannot|without|avoid\w{0,4}|refrain\w{0,4}|never|zero|exclud\w{1,4}|free (?:of|from)|omit\w{0,4}"
    r"|abstain\w{0,4}|forbid\w{0,4}|devoid of|leave out)\b|n't\b)"
)
_BETWEEN = r"(?:(?!, and\b|\bbut\b|\binstead\b|\bforget|\bhesitate|\bonly\b)[^.;:!?\n]){0,60}?"
_BARRED = r"(?:(?!, and\b|\b(?:but|that|which)\b)[^.;:!?\n]){0,40}?(?:\b(?:not|never|cannot|forbidden|prohibited|banned|disallowed|avoided|excluded|omitted)\b|n't\b)"
_WRAP = re.compile(
    r"\b(?:wrap|enclos|surround|put|plac|encas|insid|within|add|start|begin|flank|be in|be between|encapsulat|contain)\w{0,6}\b"
    r"(?:(?!, and\b)[^.;\n]){0,100}?(?:\bdouble[- ]?quot(?:es?|ations?)(?:[- ]?marks?)?|\bquotation[- ]marks?|\bquote marks)\b"
    r"|\b(?:double[- ]?quot(?:es?|ations?)(?:[- ]?marks?)?|quotation[- ]marks?)\b[^.;\n]{0,40}?\b(?:around|surround\w{0,3}|wrap\w{0,4}|enclos\w{0,3})\b"
)
_WRAP_PART = re.compile(
    r"\b(?:each|every|any|all|the|its?) (?:title|names?|words?|phrases?|lines?|quotes?|keywords?|dialogues?|sentences?|citations?|paragraphs?|items?|speech|key)\b"
)


def case(text: Text) -> Iterator[Reading]:
    """Yield the case that every letter of the response must have."""
    lower, upper = Case(case="lower"), Case(case="upper")
    for pattern, check, opposite in ((_LOWER, lower, upper), (_UPPER, upper, lower)):
        for match in pattern.finditer(text.plain):
            if not _speaks_of_a_part(text, match):
                barred = _BARS.search(text.before(match.start(), most=60))
                yield Reading(
                    check=opposite if barred else check, claim=(match.end() - 3, match.end())
                )
                break


def _speaks_of_a_part(text: Text, match: re.Match[str]) -> bool:
    """Return whether the words around a mention of case make it that of some words only."""
    before = re.split(r"[,;:]|\band\b", text.before(match.start(), most=60))[-1]
    after = text.after(match.end(), most=50)
    if _SOME_WORDS.match(after):
        return True
    return _PART.search(before) is not None and not re.search(
        r"\b(?:response|answer|entire|every word|all (?:the )?words|output)\b", before
    )


def capital_words(text: Text) -> Iterator[Reading]:
    """Yield the numbers of words in all capital letters."""
    counts: list[Amount] | None = None
    for match in _CAPITALS.finditer(text.plain):
        start, end = text.sentence(match.start())
        if not _CAPITAL_WORDS.search(text.plain, start, end):
            continue
        if counts is None:
            counts = _counts(text)
        found = _nearest(text, [a for a in counts if start <= a.start < end], match.span())
        if found:
            floor = found.manner in {"plain", "about"} and found.at_least
            high = None if floor else found.at_most
            check = CapitalWords(at_least=found.at_least, at_most=high)
            yield Reading(check=check, claim=found.number)
        elif _SOME.search(text.plain, start, end):
            yield Reading(check=CapitalWords(at_least=1), claim=match.span())


def _counts(text: Text) -> list[Amount]:
    """Return every count that could be one of words in capitals: of words, of times, or at a clause's end."""
    edges = (a for match in _EDGE_COUNT.finditer(text.plain) for a in read_bound(text, match))
    return [*amounts(text, _CAPITAL_UNITS), *times(text, 0, len(text.plain)), *edges]


def _nearest(text: Text, found: list[Amount], span: tuple[int, int]) -> Amount | None:
    """Return the amount that stands nearest to `span`, none from an earlier clause."""
    usable = [
        a
        for a in found
        if a.end > span[0] or not re.search(r",|\band\b", text.plain[a.end : span[0]])
    ]
    return min(usable, key=lambda a: max(a.start - span[1], span[0] - a.end, 0), default=None)


def punctuation(text: Text) -> Iterator[Reading]:
    """Yield punctuation marks that must not occur, and how often others must."""
    for name, characters in _MARKS.items():
        noun = rf"\b(?:{name})\b(?!-separated| separated)"
        if not re.search(noun, text.plain):
            continue
        barred = re.search(
            rf"{_NEGATION}{_BETWEEN}(?P<mark>{noun})|(?P<subject>{noun}){_BARRED}", text.plain
        )
        if barred and not re.search(r"\b(?:more|less|fewer) than\b", barred[0]):
            claim = barred.span(barred.lastgroup or 0)
            yield Reading(check=Without(characters=characters), claim=claim)
        if len(characters) == 1:
            for amount in amounts(text, name):
                check = Letters(
                    letter=characters, at_least=amount.at_least or None, at_most=amount.at_most
                )
                yield Reading(check=check, claim=amount.number)


def quotation(text: Text) -> Iterator[Reading]:
    """Yield that the whole response stands in double quotation marks."""
    for match in _WRAP.finditer(text.plain):
        start, end = text.sentence(match.start())
        sentence = text.plain[start:end]
        part = _WRAP_PART.search(match[0]) and not _WHOLE.search(match[0])
        if part or re.search(
            r"(?:\bnot|n't|\bwithout|\bavoid|\bnever)\b[^,;]{0,20}$", text.before(match.start())
        ):
            continue
        if "single quot" in sentence:
            continue
        yield Reading(check=Quoted(), claim=(match.end() - 1, match.end()))
        return
