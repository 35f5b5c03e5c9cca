"""Readers of structure: lists, sections, highlights, placeholders, title, postscript, format."""

from __future__ import annotations

import re
from collections.abc import Iterator

from uppertail.checks import (
    Format,
    Highlights,
    ListItems,
    Placeholders,
    Postscript,
    Sections,
    Title,
)
from uppertail.propose.requirements.length import divider_of
from uppertail.propose.requirements.numbers import Amount, amounts, times
from uppertail.propose.requirements.reading import Reading
from uppertail.propose.requirements.text import HIDDEN, Text

_BULLETS = r"(?:bullets?(?: ?-?points?)?(?: items?)?|bulleted (?:items?|points?))"
_NUMBERED = r"(?:numbered (?:items?|points?|steps?)|(?:items?|points?|steps?) in a numbered list)"
_LISTED = re.compile(r"\b(?:list|give|name|provide|suggest|generate|write|create|come up with)\b")
_IN_A_LIST = re.compile(
    r"\b(?:in|as|into|using|with|use|a|an)(?: (?:a|the|an|short|simple|clear|markdown))?"
    r" (?:(?P<bullet>bullet(?:ed)? ?-?(?:points?|lists?|form(?:at)?)|bullets)|(?P<numbered>numbered list))"
)
_NO_LIST = re.compile(
    r"(?:\bno|\bnot|n't|\bwithout|\bavoid)\b[^.;?!\n]{0,30}?\b(?:bullet(?: ?-?points?|s)|bulleted lists?)\b"
)
_MARKER = re.compile(
    r"\b(?P<marker>[A-Za-z][A-Za-z]{2,15})(?: {1,2}[XN]\b| {0,2}(?:\[[XxNn#]\]|<[XxNn]>|\{[XxNn]\}|#(?!\w)))"
)
_MARKED = re.compile(
    r"\b(?:mark|label|not|start|begin|denot|indicat|nam|number|head|titl)\w{0,4} [^.\n]{0,50}?"
    r"(?:with|by|as|using)[^.\n]{0,20}?[\"'*]{0,2}(?P<marker>[a-z]{3,15}) (?:1|one|i)\b"
)
_BEFORE_NUMBERS = re.compile(
    r"\b(?P<marker>[a-z]{3,15})[\"']? followed by (?:the|a|its|their) (?:[a-z]{1,10} )?number\b"
)
_NUMBERED_MARKS = re.compile(
    r"\b(?P<marker>section|part|chapter|day|act|scene) (?:1|one|i)\b[^.\n]{1,20}?\b(?P=marker) (?:2|two|ii)\b"
)
_DIVIDED = re.compile(r"\b(?:sections?|parts?|chapters?|mark|label|separat|divid|split|head)")
_HIGHLIGHT = re.compile(r"\b(?:highlight(?!s (?:of|from|in))|italic|bold(?!er|ly)|emphasi[sz])")
_MARKDOWN = re.compile(
    r"\bmarkdown\b|\basterisks?\b|(?<![\w*])\*{1,2}(?=[^\s*])[^*\n]{1,80}\*{1,2}|with \*|\bitalic|\bbold\b"
)
_REACH = 30
_PASSAGES = (
    r"(?:sections?|parts?|passages?|phrases?|words?|texts?|sentences?|portions?|pieces?|places?"
    r"|points?|terms?|items?|areas?|highlights|lines?|spans?|snippets?|times?|keywords?|titles?)"
)
_BRACKETS = re.compile(r"double[- ]angul?(?:ar|e|le)?[- ]?brackets?|<<[^<>\n]{1,80}>>")
_WRAPPED = re.compile(
    r"\b(?:title|wrap|bracket|enclos|contain|includ|surround|format|name|answer|put|insid)"
)
_POSTSCRIPT = re.compile(
    r"\b(?:postscript|post-script|post script)\b"
    r"|\b(?:an?|with|the|add|include|your|including|by|contain) (?:p\.){1,3} ?s\b"
)
_PS = re.compile(r"\b(?:p\. ?){1,3}s\b\.?|\bp{1,2}s\b(?=:)", re.IGNORECASE)
_JSON = re.compile(
    r"\b(?:in|as|into|to|valid|only|be|using|with|a|an|one|single|raw|of|your)(?: (?:a|an|the|valid|single|proper|raw|pure))?"
    r" (?P<format>json|xml)\b(?= {0,2}(?:$|[^\w\s]|\n|(?:format|formatted|block|output|object|array|string|code|structure|document|only|with|and|or|that|which|please|for|contain\w*|where|like|as|so|in|syntax|data|notation|form|response|of)\b))(?! strings? (?:to|into))"
    r"|\b(?:output|return|respond with|reply with|give|produce|emit)(?: (?:only|just|me)){0,2} (?P<bare>json|xml)\b"
    r"|\b(?P<named>json|xml) (?:format|block|output|object|structure|document)\b"
)
_GIVE = re.compile(
    r"\b(?:wrap|output|respon[ds]|answer|format|return|give|provid|write|repl[yi]|only|entire|whole|"
    r"should|must|creat|produc|generat|present|list|put|use|need|want|make|show|express|in json|as json)"
)
_MD_TABLE = re.compile(
    r"\bmarkdown(?:-formatted)? tables?\b|\btables? (?:in|using|with) markdown\b"
)
_CODE_BLOCK = re.compile(
    r"\b(?:in|inside|within|as|using) (?:a |an? single |one )?(?:fenced |markdown )?code blocks?\b"
)
_HEADINGS = r"(?:(?:sub)?headings|(?:sub)?headers|markdown sections)"


def _floor(amount: Amount) -> tuple[int | None, int | None]:
    """Return the bounds, a plain number being read as "at least".

    The counted marks may well be used once more, in passing: "3 highlighted parts" is
    seldom broken by a fourth.
    """
    if amount.manner in {"plain", "about"} and amount.at_least:
        return amount.at_least, None
    return amount.at_least, amount.at_most


def list_items(text: Text) -> Iterator[Reading]:
    """Yield the numbers of bullet points or numbered items."""
    found = False
    for unit, style in ((_BULLETS, "bullet"), (_NUMBERED, "numbered")):
        for amount in amounts(text, unit):
            found = True
            check = ListItems(
                at_least=amount.at_least or None,
                at_most=amount.at_most,
                style="bullet" if style == "bullet" else "numbered",
            )
            yield Reading(check=check, claim=amount.number)
    forbidden = _NO_LIST.search(text.plain)
    if forbidden:
        yield Reading(
            check=ListItems(at_most=0, style="bullet"), claim=(forbidden.end() - 1, forbidden.end())
        )
    elif not found:
        yield from _asked_list(text)


def _asked_list(text: Text) -> Iterator[Reading]:
    """Yield a list that is asked for without its number, or with it elsewhere in the text."""
    asked = _IN_A_LIST.search(text.plain)
    if asked is None:
        return
    check = ListItems(at_least=2, style="bullet" if asked["bullet"] else "numbered")
    claim = asked.span()
    for amount in amounts(text, r"[a-z]{2,20}s", gap=r"(?:[\w'-]{1,20} ){0,2}?"):
        lead = text.before(amount.start)
        if (
            amount.at_least
            and _LISTED.search(lead)
            and not re.search(r"words|sent|para", text.plain[amount.start : amount.end])
        ):
            check = ListItems(at_least=amount.at_least, at_most=amount.at_most, style=check.style)
            claim = amount.number
            break
    yield Reading(check=check, claim=claim)


def sections(text: Text) -> Iterator[Reading]:
    """Yield the numbers of sections with a marker ("Section X"), or of headings."""
    for amount in amounts(text, _HEADINGS):
        low, high = _floor(amount)
        yield Reading(check=Sections(at_least=low, at_most=high), claim=amount.number)
    marked = _MARKER.search(text.original) or _MARKED.search(text.folded)
    if marked is None and divider_of(text) is None:
        marked = _NUMBERED_MARKS.search(text.folded) or _BEFORE_NUMBERS.search(text.folded)
    if marked is None or not _DIVIDED.search(text.plain):
        return
    start, end = marked.span("marker")
    marker = text.original[start:end]
    noun = re.escape(marker.lower().removesuffix("s"))
    found = list(amounts(text, rf"(?:sections?|parts?|{noun}s?)"))
    # The count mostly stands before the marker: "4 sections marked with SECTION X".
    ahead = [amount for amount in found if amount.start < start]
    stated = ahead[-1] if ahead else next(iter(found), None)
    low, high = _floor(stated) if stated else (2, None)
    claim = stated.number if stated else (start, end)
    yield Reading(check=Sections(at_least=low, at_most=high, marker=marker), claim=claim)


def highlights(text: Text) -> Iterator[Reading]:
    """Yield the numbers of passages that must be highlighted with asterisks."""
    for match in _HIGHLIGHT.finditer(text.plain):
        nearest = _marked_count(text, match)
        if nearest is not None:
            low, high = _floor(nearest)
            yield Reading(check=Highlights(at_least=low, at_most=high), claim=nearest.number)
        elif _wrapped_in_asterisks(text, match):
            yield Reading(check=Highlights(at_least=1), claim=match.span())


def _marked_count(text: Text, verb: re.Match[str]) -> Amount | None:
    """Return the count that belongs to "highlight": just behind it, else around or before it."""
    start, end = text.sentence(verb.start())
    found = [a for a in amounts(text, _PASSAGES) if start <= a.start < end]
    found += times(text, start, end)
    if text.plain[verb.start() - 1 : verb.start()] == "*":  # an example: *highlighted text*
        found = [a for a in found if a.start < verb.start() < a.end]
    behind = [a for a in found if 0 <= a.start - verb.end() <= _REACH]
    around = [a for a in found if a.start < verb.start() and verb.start() - a.end <= _REACH]
    return min(
        behind, key=lambda a: a.start, default=max(around, key=lambda a: a.end, default=None)
    )


def _wrapped_in_asterisks(text: Text, verb: re.Match[str]) -> bool:
    """Return whether a highlight without a number is plainly one of markdown."""
    if text.plain[verb.start() - 1 : verb.start()] == "*":
        return False
    start, end = text.sentence(verb.start())
    return _MARKDOWN.search(text.folded, start, min(end + 60, len(text.folded))) is not None


def placeholders(text: Text) -> Iterator[Reading]:
    """Yield the numbers of placeholders in square brackets."""
    found = False
    for amount in amounts(text, "placeholders?"):
        found = True
        low, high = _floor(amount)
        yield Reading(check=Placeholders(at_least=low, at_most=high), claim=amount.number)
    mention = re.search(r"\bplaceholders?\b", text.plain)
    if mention is None or found:
        return
    if re.search(r"\b(?:no|not|without|avoid|never)\b|n't", text.before(mention.start())):
        yield Reading(check=Placeholders(at_most=0), claim=mention.span())
    elif re.search(r"\b(?:bracket|use|includ|contain|with|add|have)", text.around(mention.start())):
        yield Reading(check=Placeholders(at_least=1), claim=mention.span())


def title(text: Text) -> Iterator[Reading]:
    """Yield a title in double angle brackets."""
    for match in _BRACKETS.finditer(text.folded):
        start, end = text.sentence(match.start())
        if _WRAPPED.search(text.folded, max(start, match.start() - 160), end):
            yield Reading(check=Title(), claim=match.span())
            return


def postscript(text: Text) -> Iterator[Reading]:
    """Yield a postscript with its marker."""
    asked = _POSTSCRIPT.search(text.plain)
    if asked is None:
        return
    start, end = text.sentence(asked.start())
    named = _PS.search(text.original, start, min(len(text.original), end + 40))
    marker = named[0].replace(" ", "") if named else "P.S."
    span = named.span() if named else asked.span()
    yield Reading(check=Postscript(marker=marker), claim=span)


def formats(text: Text) -> Iterator[Reading]:
    """Yield a format that the whole response must have (JSON, XML), or that it must hold."""
    for match in _JSON.finditer(text.plain):
        sentence = text.around(match.start())
        if not _GIVE.search(sentence) or re.search(
            r"\b(?:convert|parse|read|explain|what is|from(?: a| the)?|given|below|following|analyz\w*|examine|review|evaluate|dataset|presented|stored)\b[^,]{0,25}$",
            text.before(match.start()),
        ):
            continue
        name = match["format"] or match["bare"] or match["named"]
        yield Reading(check=Format(format="json" if name == "json" else "xml"), claim=match.span())
    for pattern, check in (
        (_MD_TABLE, Format(format="markdown_table")),
        (_CODE_BLOCK, Format(format="code_block")),
    ):
        found = pattern.search(text.plain)
        if found and HIDDEN not in found[0]:
            yield Reading(check=check, claim=found.span())
