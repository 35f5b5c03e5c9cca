"""Readers of wording: words and phrases to use, to avoid or to repeat, and letters to count."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from uppertail.checks import Excludes, Includes, Letters, Repeats
from uppertail.propose.requirements.numbers import NUMBER, Amount, times
from uppertail.propose.requirements.reading import Reading
from uppertail.propose.requirements.terms import Terms, terms_at
from uppertail.propose.requirements.text import QUOTED, Text

_NOUN = re.compile(
    r"\b(?P<noun>key ?-?words?(?: phrases?)?|words?|phrases?|terms?|expressions?)\b"
    r"(?! (?:count|limit|length|for word|doc(?:ument)?s?|files?|processors?|problems?|clouds?|games?|search|choice|order|play|lists?)\b)"
)
_USE = (
    r"(?:us(?:e|ing|es)|includ(?:e|es|ing)|contain(?:s|ing)?|mention(?:s|ing)?|incorporat(?:e|es|ing)"
    r"|featur(?:e|es|ing)|insert(?:ing)?|add(?:ing)?|say(?:ing)?|ha(?:ve|s)|writ(?:e|ing)|with"
    r"|employ(?:ing)?|weav(?:e|ing)|work(?:ing)?|utter(?:ing)?|put(?:ting)?|appear(?:ance)?|repeat(?:ing)?|utiliz(?:e|ing))"
)
_NOT = r"(?:do not|don't|doesn't|does not|not|n't|never|without|avoid(?:s|ing)?|refrain(?:s|ing)?|cannot|no)"
_SHUN = r"(?:without|avoid(?:s|ing)?|exclud(?:e|es|ing)|omit(?:s|ting)?|ban(?:ned)?|forbidden|forbid|prohibited|skip(?:ping)?|free of|leave out|leaving out|no|any of|none of|instead of)"
_VERB = re.compile(
    rf"(?P<no>\b{_NOT}\b(?: (?!and\b|but\b)[\w'-]{{1,15}}){{0,4}} {{1,2}}|n't (?:[\w'-]{{1,15}} ){{0,3}})?\b(?P<use>{_USE})\b"
    rf"|(?P<shun>\b{_SHUN}\b(?! more| less| fewer))"
)
_AFTER_NO = re.compile(
    r"^(?:(?!\band\b|,)[^.;\n]){0,60}?(?:(?:should|must|shall|may|can|could|do|does|will|is|are|need)(?: not|n't)|cannot|never)\b"
    r"|^(?:(?!\band\b|,)[^.;\n]){0,40}?\b(?:forbidden|prohibited|banned|disallowed|off[- ]limits|excluded|avoided|omitted)\b"
)
_AFTER_YES = re.compile(
    r"^(?:(?!\band\b|,)[^.;\n]){0,30}?\b(?:should|must|shall|needs?|has|have|ought)\b(?! not|n't)[^.;\n]{0,30}?"
    r"\b(?:appear|be|used?|includ|present|occur|show|contain|feature)"
    r"|^ {0,2}(?:both |all |each )?(?:to (?:be|appear|show|appear)|appears?|occurs?|shows? up|(?:is|are) (?:in|present|mentioned|somewhere)|is used|are used|is included|are included)\b"
)
_COUNT = re.compile(rf"(?:{NUMBER}\+?[ -]?|number of |count of )$")
_USING = re.compile(
    r"\b(?:includ(?:e|ing)|us(?:e|ing)|mention(?:ing)?|say(?:ing)?|contain(?:ing)?|avoid(?:ing)?) $"
)
_THE = re.compile(
    r"(?:\b(?:the|these|this|following|or|and|any|certain)|[:,]) (?:following |specific |exact |key )?$"
)
_LETTER = re.compile(
    rf"\b(?:letters?|characters?|symbols?):? {{1,2}}(?P<letter>{QUOTED})"
    r"|\b(?:letter|character|symbol):? {1,2}(?P<bare>[a-z0-9#@!?*&%$+=~](?![\w']))"
)
_QUOTED_OBJECT = re.compile(
    rf"(?:(?P<neg>(?:\b{_NOT}|n't)(?: [\w'-]{{1,15}}){{0,3}} {{1,2}})?\b(?P<verb>includ(?:e|es|ing)|mention(?:s|ing)?|us(?:e|ing)|say(?:ing)?|contain(?:s|ing)?|incorporat(?:e|ing)|writ(?:e|ing))"
    rf"|\b(?P<shun>avoid(?:ing)?|without|exclud(?:e|ing)))(?: the)? {{1,2}}(?={QUOTED})"
)
_AT_AN_EDGE = re.compile(
    r"\b(?:start|begin|open|end|finish|conclud|clos)\w{0,4}\b[^,;]{0,20} with [^,;]{0,20}$"
)
_PLACED = re.compile(
    r"\b(?:start|begin|end|finish|conclud|clos|open|first|last|replac|instead|mean|defin|translat|rhym|titl|choos|one of the following|separat)"
)

_NOT_MENTION = re.compile(
    rf"(?:\b{_NOT}|n't) (?:[\w'-]{{1,15}} ){{0,2}}?(?:mention|mentioning|say|saying)(?= )"
)
_NEXT = re.compile(r"\b(?:key ?-?words?|words?|phrases?|letters?) ")
_JOINED = re.compile(
    r"(?: {0,2},)?(?: (?:use|include|mention|of))?(?: (?:the|keyword|word|letter)){0,2} {0,2}"
)
_BETWEEN_YES = re.compile(
    r"\bto (?:include|use|mention|incorporate)|\b(?:must|should|have to|need to) (?:be|appear)(?! not)"
)
_BETWEEN_NO = re.compile(r"\bto (?:avoid|exclude|omit|leave out|not use)|\b(?:not|never|n't)\b")
_ASKED = re.compile(r"\bcount\b|\bhow (?:many|often)\b")
_NONE = re.compile(r"\b(?:none|neither|not one) of (?:the|these)? {0,2}$")
_UNRELATED = re.compile(
    r"\b(?:relat|about|mean|defin|describ|translat|instead|replac|rhym|explain|count\b|how many|after\b|before\b)"
)

Tone = Literal["use", "avoid"]


def letters(text: Text) -> Iterator[Reading]:
    """Yield how often letters, or other characters, must occur."""
    for match in _LETTER.finditer(text.plain):
        start, end = match.span("letter" if match["letter"] else "bare")
        letter = text.original[start:end].strip("\"'“”‘’`")
        if len(letter) != 1 or letter.isspace():
            continue
        counted = _times(text, match.start(), match.end())
        tone = _tone(text, match.start(), match.end())
        if counted is not None:
            yield Reading(check=_counted_letter(letter, counted), claim=counted.number)
        elif tone == "avoid":
            yield Reading(check=Letters(letter=letter, at_most=0), claim=(start, end))
        elif tone == "use" and not _placed(text, match.start(), tone):
            yield Reading(check=Letters(letter=letter, at_least=1), claim=(start, end))


def _counted_letter(letter: str, counted: Amount) -> Letters:
    return Letters(letter=letter, at_least=counted.at_least or None, at_most=counted.at_most)


def named_words(text: Text) -> Iterator[Reading]:
    """Yield words and phrases that are named as such: "the keywords …", "the word …"."""
    for match in _NOUN.finditer(text.plain):
        many = match["noun"].endswith("s")
        terms = terms_at(text, match.end(), bare=match["noun"] != "term", many=many)
        if terms is None or not (terms.marked or _names_words(text, match, terms)):
            continue
        counted = _times(text, match.start(), terms.end)
        tone = _announced(text, match, terms) or _tone(text, match.start(), terms.end)
        if counted is not None and (tone or _AFTER_YES.match(text.after(terms.end))):
            yield from _repeats(terms, counted, tone)
        elif tone and not _placed(text, match.start(), tone):
            yield _reading(terms, tone)


def _names_words(text: Text, noun: re.Match[str], terms: Terms) -> bool:
    """Return whether words without quotation marks can be what follows "words" here.

    "Use the words war and peace" names them; "300 words", "has words missing" and "the
    number of words" do not.
    """
    before = text.before(noun.start())
    if _USING.search(before) and len(terms.words) > 1:
        return True
    return not _COUNT.search(before) and (
        noun["noun"].startswith("key") or _THE.search(before) is not None
    )


def topics(text: Text) -> Iterator[Reading]:
    """Yield words without quotation marks that must not be mentioned, if the text names them elsewhere."""
    for match in _NOT_MENTION.finditer(text.plain):
        terms = terms_at(text, match.end())
        if terms is None:
            continue
        rest = text.plain[: match.start()] + text.plain[terms.end :]
        if all(re.search(rf"\b{re.escape(word.lower())}\b", rest) for word in terms.words):
            yield _reading(terms, "avoid")


def quoted_words(text: Text) -> Iterator[Reading]:
    """Yield quotations that a verb names directly: do not use "heute"."""
    for match in _QUOTED_OBJECT.finditer(text.plain):
        terms = terms_at(text, match.end(), bare=False)
        if terms is None:
            continue
        avoid = bool(match["neg"] or match["shun"])
        counted = _times(text, match.start(), terms.end)
        if counted is not None:
            yield from _repeats(terms, counted, "avoid" if avoid else "use")
        elif avoid:
            yield _reading(terms, "avoid")
        elif match["verb"].startswith(("inc", "men", "con")) and not _placed(
            text, match.start(), "use"
        ):
            yield _reading(terms, "use")


def _repeats(terms: Terms, counted: Amount, tone: Tone | None) -> Iterator[Reading]:
    """Yield one requirement for each counted word."""
    low, high = counted.at_least or None, counted.at_most
    if tone == "avoid" and high is None and low:
        high, low = low - 1, None  # "do not use X 3 times or more" leaves 2
    for index, word in enumerate(terms.words):
        # The number is claimed once; the others claim an empty place after it, in order.
        claim = (
            counted.number if index == 0 else (counted.number[1] + index, counted.number[1] + index)
        )
        yield Reading(check=Repeats(word=word, at_least=low, at_most=high), claim=claim)


def _reading(terms: Terms, tone: Tone) -> Reading:
    """Return the words to use or to avoid as one requirement."""
    check = Includes(words=terms.words) if tone == "use" else Excludes(words=terms.words)
    return Reading(check=check, claim=(terms.start, terms.end))


def _tone(text: Text, start: int, end: int) -> Tone | None:
    """Return whether the words of this span are to be used or avoided, or None if neither is said."""
    after = text.after(end)
    if _ASKED.search(text.before(start)):
        return None
    if _NONE.search(text.before(start)):
        return "avoid"
    if _AFTER_NO.match(after):
        return "avoid"
    if _AFTER_YES.match(after):
        return "use"
    before = text.before(start, most=140)
    last = max(_VERB.finditer(before), key=lambda match: match.start(), default=None)
    if last is None or _UNRELATED.search(before, last.end()):
        return None
    if last["shun"] or last["no"]:
        return "avoid"
    return None if last["use"].startswith("writ") else "use"


def _announced(text: Text, noun: re.Match[str], terms: Terms) -> Tone | None:
    """Return the tone that stands between noun and list: "words to avoid: …", "keywords: …"."""
    between = text.plain[noun.end() : terms.start]
    if _BETWEEN_NO.search(between):
        return "avoid"
    alone = noun["noun"].startswith("key") and ":" in between
    if _BETWEEN_YES.search(between) or (alone and not text.before(noun.start()).strip(" *#-")):
        return "use"
    return None


def _placed(text: Text, position: int, tone: Tone) -> bool:
    """Return whether the sentence gives the words a place or another job than being used."""
    clause = re.split(r",|\band\b", text.before(position, most=60))[-1]
    return (_PLACED if tone == "use" else _AT_AN_EDGE).search(clause) is not None


def _times(text: Text, start: int, end: int) -> Amount | None:
    """Return how many times what stands at this span must occur, or None if that is not said."""
    _, stop = text.sentence(max(start, end - 1))
    stop = min(stop, end + 90)
    other = _NEXT.search(text.plain, end, stop)
    behind = next(times(text, end, other.start() if other else stop), None)
    if behind is not None:
        return behind
    first, _ = text.sentence(start)
    ahead = times(text, max(first, start - 60), start)
    return next((a for a in ahead if _JOINED.fullmatch(text.plain, a.end, start)), None)
