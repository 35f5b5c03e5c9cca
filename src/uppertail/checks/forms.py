"""The sentence forms that `read_check` understands, and what each of them means.

A form is a pattern of the sentence after "The response"; {…} stands for a piece.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TypedDict

from uppertail.checks.content import Covers, Mentions
from uppertail.checks.form import (
    EndsWith,
    Format,
    OneOf,
    ParagraphStarts,
    Parts,
    Postscript,
    Quoted,
    StartsWith,
    Title,
)
from uppertail.checks.language import LANGUAGES
from uppertail.checks.lengths import (
    Highlights,
    ListItems,
    Paragraphs,
    Placeholders,
    Sections,
    Sentences,
    Words,
)
from uppertail.checks.vocabulary import Check
from uppertail.checks.words import (
    NAMED,
    CapitalWords,
    Case,
    Excludes,
    Includes,
    Language,
    Letters,
    Repeats,
    Without,
)

Found = re.Match[str]
Form = tuple[str, Callable[[Found], Check]]

_NUMBERS = [
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
]
_CODES = {name.lower(): code for code, name in LANGUAGES.items()}
_MARKS = {name: character for character, name in NAMED.items()}
_FORBIDS = "does not|doesn't|do not|must not|should not|never"

# Later pieces may hold earlier ones. A quoted text reads up to its closing mark in one
# pass, and no piece can match the same characters in two ways, so that reading is linear.
PIECES = {
    "n": rf"(?:[0-9]{{1,9}}|{'|'.join(_NUMBERS)})",
    "q": r"""(?:"(?:[^"\\]|\\.)*"|“[^”]*”|'[^']*')""",
    "has": r"(?:has|have|contains?|includes?|uses?|consists? of)",
    "lacks": rf"(?:{_FORBIDS}) (?:contains?|includes?|uses?|mentions?|have)",
    "text": r"(?P<text>{q})",
    "texts": r"(?P<texts>{q}(?:,? (?:and |or )?{q}|,{q})*|[\w'-]+(?:, [\w'-]+)*)",
    "times": r"{amount} times?",
    "amount": r"(?:(?:(?P<relation>at least|at most|exactly|no more than|no fewer than"
    r"|no less than|more than|less than|fewer than|up to|a minimum of|a maximum of) )?"
    r"(?P<count>{n})(?P<more> or more)?|between (?P<low>{n}) and (?P<high>{n})|(?P<none>no))",
    "language": rf"(?P<language>{'|'.join(map(re.escape, _CODES))})",
    "mark": rf"(?P<mark>{'|'.join(_MARKS)})",
    "letters": r"(?:all )?(?P<letters>lowercase|lower case|uppercase|upper case|capital)(?: letters)?",
}


def unquote(text: str) -> str:
    """Return what stands between the quotation marks, JSON's escapes undone."""
    if text[0] != '"':
        return text[1:-1]
    try:
        return str(json.loads(text, strict=False))
    except ValueError:  # a person's backslash, not an escape
        return text[1:-1]


def number(text: str) -> int:
    """Return the value of a number in digits or words."""
    return int(text) if text.isdigit() else _NUMBERS.index(text.lower())


class Bounds(TypedDict, total=False):
    """Inclusive bounds, as every counting check takes them."""

    at_least: int
    at_most: int


def bounds(found: Found) -> Bounds:
    """Return the inclusive bounds that the amount in `found` stands for."""
    if found["none"]:
        return {"at_most": 0}
    if found["low"]:
        return {"at_least": number(found["low"]), "at_most": number(found["high"])}
    count, relation = number(found["count"]), (found["relation"] or "exactly").lower()
    if found["more"] or relation in {"at least", "no fewer than", "no less than", "a minimum of"}:
        return {"at_least": count}
    if relation in {"at most", "no more than", "up to", "a maximum of"}:
        return {"at_most": count}
    if relation == "more than":
        return {"at_least": count + 1}
    if relation == "exactly":
        return {"at_least": count, "at_most": count} if count else {"at_most": 0}
    return {"at_most": count - 1}


def _text(found: Found) -> str:
    return unquote(found["text"])


def _texts(found: Found) -> tuple[str, ...]:
    quoted = re.findall(PIECES["q"], found["texts"], re.DOTALL)
    return tuple(map(unquote, quoted)) if quoted else tuple(found["texts"].split(", "))


def _case(found: Found) -> Check:
    language = found.groupdict().get("language")
    return Case(
        case="lower" if found["letters"].lower().startswith("lower") else "upper",
        language=_CODES[language.lower()] if language else None,
    )


def _list_items(found: Found) -> Check:
    style = (found["style"] or "").lower()
    if style.startswith("bullet"):
        return ListItems(style="bullet", **bounds(found))
    return ListItems(style="numbered" if style else "any", **bounds(found))


def _paragraph_starts(found: Found) -> Check:
    return ParagraphStarts(
        paragraph=number(found["paragraph"]),
        word=_text(found),
        paragraphs=number(found["total"]) if found["total"] else None,
    )


def _sections(found: Found) -> Check:
    marker = unquote(found["text"]) if found["text"] else found["bare"]
    return Sections(marker=marker, **bounds(found))


def _parts(found: Found) -> Check:
    return Parts(
        count=number(found["count"]),
        separator=_text(found),
        different=found["different"] is not None,
    )


def _mentions(found: Found) -> Check:
    count = found["count"]
    return Mentions(terms=_texts(found), at_least=number(count) if count else None)


def _covers(found: Found) -> Check:
    return Covers(statement=_text(found), share=float(found["share"]))


FORMS: tuple[Form, ...] = (
    (r"{has} {amount} words?", lambda m: Words(**bounds(m))),
    (r"{has} {amount} sentences?", lambda m: Sentences(**bounds(m))),
    (
        r"{has} {amount} paragraphs?(?:,? separated by (?:blank lines|two newlines))?",
        lambda m: Paragraphs(**bounds(m)),
    ),
    (
        r'{has} {amount} paragraphs?,? separated by the (?:markdown )?divider "?\*\*\*"?',
        lambda m: Paragraphs(divider="***", **bounds(m)),
    ),
    (r"{has} {amount} (?:markdown )?(?P<style>bullet) points?", _list_items),
    (r"{has} {amount} (?:(?P<style>numbered) )?list items?", _list_items),
    (r"{has} {amount} (?:markdown )?headings?", lambda m: Sections(**bounds(m))),
    (
        (
            r"{has} {amount} sections?,? (?:that begin|that starts?|each beginning|each starting) with "
            r"(?:{text}|(?P<bare>\w+))(?: and a number| X)"
        ),
        _sections,
    ),
    (
        (
            r"{has} {amount} (?:passages?|sections?|parts?) highlighted with "
            r"(?:asterisks|markdown)(?:, \*like this\*)?"
        ),
        lambda m: Highlights(**bounds(m)),
    ),
    (
        r"{has} {amount} placeholders?(?: in square brackets)?(?:,? (?:\[like this\]|such as \[\w+\]))?",
        lambda m: Placeholders(**bounds(m)),
    ),
    (r"{has} {amount} words? in {letters}", lambda m: CapitalWords(**bounds(m))),
    (r"{has} the (?:key)?(?:word|phrase) {text}", lambda m: Includes(words=(_text(m),))),
    (
        r"(?:includes?|contains?|uses?) all of (?:these|the following) (?:key)?words: {texts}",
        lambda m: Includes(words=_texts(m)),
    ),
    (r"{lacks} the (?:key)?(?:word|phrase) {text}", lambda m: Excludes(words=(_text(m),))),
    (
        r"(?:{has} none|{lacks} any) of (?:these|the following) (?:key)?words: {texts}",
        lambda m: Excludes(words=_texts(m)),
    ),
    (r"{has} the (?:key)?word {text} {times}", lambda m: Repeats(word=_text(m), **bounds(m))),
    (r"{has} the letter {text} {times}", lambda m: Letters(letter=_text(m), **bounds(m))),
    (r"is (?:entirely |all |written )?in {letters}(?: \(no capital letters\))?", _case),
    (
        r"is (?:entirely |written )?in {language} and in {letters}(?: \(no capital letters\))?",
        _case,
    ),
    (
        r"is (?:entirely |written )?in {language}",
        lambda m: Language(code=_CODES[m["language"].lower()]),
    ),
    (
        r"(?:{has} no|{lacks}(?: any)?) {mark}",
        lambda m: Without(characters=_MARKS[m["mark"].lower()]),
    ),
    (
        r"{has} none of these characters: {texts}",
        lambda m: Without(characters="".join(_texts(m))),
    ),
    (
        r"{has} a title (?:wrapped )?in double ang(?:le|ular) brackets(?:, (?:such as )?<<[\w ]+>>)?",
        lambda _: Title(),
    ),
    (
        r"(?:{has}|ends with) a postscript (?:that begins|starting|beginning) with {text}",
        lambda m: Postscript(marker=_text(m)),
    ),
    (r"is (?:valid JSON|(?:wrapped )?in JSON format)", lambda _: Format(format="json")),
    (r"is (?:well-formed XML|in XML format)", lambda _: Format(format="xml")),
    (r"{has} a markdown table", lambda _: Format(format="markdown_table")),
    (r"{has} a fenced code block", lambda _: Format(format="code_block")),
    (r"is wrapped in double quot(?:ation marks|es)", lambda _: Quoted()),
    (
        r"(?:starts?|begins?) with(?: the(?: exact)? (?:text|phrase|words?))? {text}",
        lambda m: StartsWith(text=_text(m)),
    ),
    (
        (
            r"ends? with(?: the(?: exact)? (?:text|phrase|words?))? {text}"
            r"(?: and no words follow it)?"
        ),
        lambda m: EndsWith(text=_text(m)),
    ),
    (
        (
            r"(?:{has} (?:exactly )?(?P<total>{n}) paragraphs?(?: separated by two newlines)?, and )?"
            r"(?:is such that )?paragraph (?P<paragraph>{n}) starts with the word {text}"
        ),
        _paragraph_starts,
    ),
    (
        r"{has} exactly (?P<count>{n}) (?P<different>different )?parts separated by {text}",
        _parts,
    ),
    (
        r"{has} one of (?:these|the following|the allowed) options: {texts}",
        lambda m: OneOf(options=_texts(m)),
    ),
    (
        r"mentions? (?:(?:all|at least (?P<count>{n})) of (?:these|the following): )?{texts}",
        _mentions,
    ),
    (r"(?:says|states) that {text}", lambda m: Covers(statement=_text(m))),
    (r"covers (?P<share>[0-9.e-]{1,30}) of the statement {text}", _covers),
)
"""Sentences about the response, after "The response"."""

PASSIVE: tuple[Form, ...] = (
    (r"the (?:key)?word {text} appears {times}", lambda m: Repeats(word=_text(m), **bounds(m))),
    (r"the letter {text} appears {times}", lambda m: Letters(letter=_text(m), **bounds(m))),
    (r"words in {letters} appear {times}", lambda m: CapitalWords(**bounds(m))),
    (
        (
            r"{amount} (?:sections?|passages?|parts?) of the response (?:is|are) highlighted with "
            r"(?:asterisks|markdown)(?: \(\*[\w ]+\*\))?"
        ),
        lambda m: Highlights(**bounds(m)),
    ),
)
"""Whole sentences, without "in the response" at their end."""
