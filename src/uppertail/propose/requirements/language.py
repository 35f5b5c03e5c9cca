"""Reader of the language that the response must be in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from uppertail.checks import LANGUAGES, Language
from uppertail.propose.requirements.reading import Reading
from uppertail.propose.requirements.text import Text

_CODES = {name.lower(): code for code, name in LANGUAGES.items()} | {
    "farsi": "fa",
    "mandarin": "zh",
    "bangla": "bn",
    "filipino": "tl",
    "brazilian portuguese": "pt",
    "castilian": "es",
    "kiswahili": "sw",
}
_NAME = "|".join(sorted(_CODES, key=len, reverse=True))
_NOT_A_NOUN = (
    r"(?=\W*$|[^\w\s]|\n| (?:language|only|alone|and|or|but|about|that|which|who|why|how|what|when"
    r"|where|to|with|for|on|of|as|without|using|in|please|no|at|by|because|so|is|are|explain\w*"
    r"|describ\w*|throughout|entirely|exclusively|letters?|capital|lower\w*|upper\w*|all)\b)"
)
"""What follows a language that is not the adjective of something: "in Greek", not "in Greek art"."""
_ONLY = r"(?:entirely|only|completely|exclusively|solely|fully|wholly|purely|totally)"
_STRONG = re.compile(
    rf"\b(?:{_ONLY} (?:in |use |using |be in )?(?:the )?|in {_ONLY} (?:the )?|(?:use|using|in|with|speak) (?:only )?(?:the )?{_ONLY} (?:the )?)(?P<a>{_NAME})\b"
    rf"|\b(?P<b>{_NAME}) (?:language )?(?:only|alone)\b"
    rf"|\b(?:be|is|are|it's|it) (?:written )?in (?:the |only )?(?P<g>{_NAME})\b{_NOT_A_NOUN}"
    rf"|\b(?:in|use|using)(?: [\w'-]{{1,15}}){{0,2}} (?P<f>{_NAME}) language\b"
    rf"|\b(?:respon[ds]\w{{0,4}}|answers?|repl(?:y|ies)|output|results?|everything)\b[^.;\n]{{0,60}}?\bin (?:the |only |full |proper |plain |simple )?(?P<c>{_NAME})\b{_NOT_A_NOUN}"
    rf"|\b(?:in|use|using) (?:the |proper |only )?(?P<d>{_NAME})\b(?: (?:language|only|alone|exclusively|entirely|throughout)|[^.\n]{{0,60}}\bno other language)"
    rf"|^\W{{0,3}}(?:please )?(?:write|explain|describe|give|tell|create|compose|list|summarize|discuss)[^.:\n]{{0,80}}?\bin (?P<e>{_NAME})\b{_NOT_A_NOUN}"
)
_NAMED_CASE = re.compile(
    rf"\b(?:lower-? ?case|upper-? ?case|capital(?: letters?)?|caps),? (?P<name>{_NAME})\b|\b(?P<other>{_NAME}) (?:in )?(?:all )?(?:lower-? ?case|upper-? ?case|capital letters)\b"
)
_NO_OTHER = re.compile(
    r"\bno other language|\bother languages? (?:is|are) not|\bnot use any other language"
)
_ANY = re.compile(rf"\b(?P<name>{_NAME})\b")
_ABOUT = re.compile(
    r"\b(?:translat|not|n't|never|without|avoid|learn|teach|speak|original|what does|mean|passage|following|below|movie|book|film|given)"
)


def language(text: Text) -> Iterator[Reading]:
    """Yield the language of the whole response, where the text asks for one plainly."""
    for match in _STRONG.finditer(text.plain):
        group = match.lastgroup or "a"
        if (
            _ABOUT.search(re.split(r"[,;]", text.before(match.start(), most=40))[-1])
            or "translat" in match[0]
        ):
            continue
        yield Reading(check=Language(code=_CODES[match[group]]), claim=match.span(group))
        return
    named = _NAMED_CASE.search(text.plain)
    if named is None and _NO_OTHER.search(text.plain):
        named = _ANY.search(text.plain)
    if named:
        group = named.lastgroup or "name"
        yield Reading(check=Language(code=_CODES[named[group]]), claim=named.span(group))
