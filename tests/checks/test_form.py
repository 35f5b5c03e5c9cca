"""Checks of form."""

from collections.abc import Callable

import pytest

from uppertail.checks import (
    Check,
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

JSON, XML = Format(format="json"), Format(format="xml")
TABLE, CODE = Format(format="markdown_table"), Format(format="code_block")

HOLDS = {
    "a title": (Title(), "Hello\n <<A title>> yes"),
    "a postscript": (Postscript(), "Bye\np.s. one more thing"),
    "a postscript with spaces": (Postscript(marker="P.P.S"), "P. P. S more"),
    "JSON": (JSON, ' {"a": [1, 2.5, null]} '),
    "JSON in a fence": (JSON, '```json\n{"a": 1}\n```'),
    "JSON with a very long number": (JSON, "9" * 10_000),
    "XML": (XML, "<a><b/></a>"),
    "XML in a fence": (XML, "```xml\n<a>1</a>\n```"),
    "a table": (TABLE, "text\n| a | b |\n|:--|--:|\n| 1 | 2 |"),
    "a table without outer bars": (TABLE, "a | b\n--- | ---\n1 | 2"),
    "a code block": (CODE, "So:\n```python\nx\n```\n"),
    "quotation marks": (Quoted(), ' "all of it" '),
    "a beginning in another case": (StartsWith(text="Dear Ada"), "\nDEAR ADA, hello"),
    "an end in another case": (EndsWith(text="the end."), "This is The End.\n"),
    "an end in quotation marks": (EndsWith(text="the end."), '"This is the end."'),
    "a paragraph's first word": (ParagraphStarts(paragraph=2, word="But"), 'a\n\n"but, no\n\nc'),
    "a paragraph's first word and their number": (
        ParagraphStarts(paragraph=1, word="a", paragraphs=2),
        "a b\n\n\n\nc",
    ),
    "two parts": (Parts(separator="***", count=2), "one *** two ***"),
    "two parts alike, where they may be": (Parts(separator="#", count=2, different=False), "a#a"),
    "one option": (OneOf(options=("Yes.", "No.")), "I say: No."),
}
FAILS = {
    "no title": (Title(), "Hello"),
    "a title that is never closed": (Title(), "<<title"),
    "a title closed before it opens": (Title(), ">> title <<"),
    "a blank title": (Title(), "<< >>"),
    "a title over two lines": (Title(), "<<a\nb>>"),
    "no postscript": (Postscript(), "PS nothing"),
    "text before JSON": (JSON, 'Sure: {"a": 1}'),
    "JSON that is never closed": (JSON, "[" * 100_000),
    "XML that is never closed": (XML, "<a>"),
    "XML with a document type": (XML, '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
    "XML with a lone surrogate": (XML, "<a>\ud800</a>"),
    "bars but no rule": (TABLE, "| a | b |\n| 1 | 2 |"),
    "a rule without bars": (TABLE, "a | b\n---"),
    "a fence that is never closed": (CODE, "```python\nx"),
    "one quotation mark": (Quoted(), '"'),
    "quotation marks within": (Quoted(), 'He said "no".'),
    "another beginning": (StartsWith(text="Dear Ada"), "Hello. Dear Ada"),
    "another end": (EndsWith(text="the end"), "the end?"),
    "a paragraph that is not there": (ParagraphStarts(paragraph=3, word="a"), "a\n\nb"),
    "one paragraph too many": (ParagraphStarts(paragraph=1, word="a", paragraphs=1), "a\n\nb"),
    "another first word": (ParagraphStarts(paragraph=2, word="b"), "b\n\nbb"),
    "one part": (Parts(separator="***", count=2), "one"),
    "a blank part": (Parts(separator="#", count=2), "a##b"),
    "two parts alike": (Parts(separator="#", count=2), "a#a"),
    "an option in another case": (OneOf(options=("Yes.", "No.")), "no."),
}


@pytest.mark.parametrize(("check", "text"), HOLDS.values(), ids=HOLDS)
def test_it_holds(check: Check, text: str) -> None:
    assert check.holds(text)


@pytest.mark.parametrize(("check", "text"), FAILS.values(), ids=FAILS)
def test_it_does_not_hold(check: Check, text: str) -> None:
    assert not check.holds(text)


REFUSED: dict[str, Callable[[], Check]] = {
    "marker": lambda: Postscript(marker=""),
    "text": lambda: StartsWith(text=" "),
    "text: expected some": lambda: EndsWith(text=""),
    "word": lambda: ParagraphStarts(paragraph=1, word=""),
    "paragraph:": lambda: ParagraphStarts(paragraph=0, word="a"),
    "paragraphs:": lambda: ParagraphStarts(paragraph=2, word="a", paragraphs=1),
    "separator": lambda: Parts(separator="", count=2),
    "count": lambda: Parts(separator="#", count=1),
    "options": lambda: OneOf(options=()),
}


@pytest.mark.parametrize(("message", "build"), REFUSED.items(), ids=REFUSED)
def test_an_impossible_field_is_refused_by_name(message: str, build: Callable[[], Check]) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        build()
