"""Checks that count."""

import pytest

from uppertail.checks import (
    Check,
    Highlights,
    ListItems,
    Paragraphs,
    Placeholders,
    Sections,
    Sentences,
    Words,
)

HOLDS = {
    "words at the lower bound": (Words(at_least=3), "one two three"),
    "words at the upper bound": (Words(at_most=3), "one two three"),
    "an apostrophe divides a word": (Words(at_least=2, at_most=2), "don't"),
    "sentences over line breaks": (Sentences(at_least=2, at_most=2), "One\nand one.\n\nTwo!"),
    "paragraphs between blank lines": (Paragraphs(at_least=2, at_most=2), "a\nb\n \n\nc\n\n"),
    "paragraphs between dividers": (
        Paragraphs(at_least=2, at_most=2, divider="***"),
        "***\na\n\nb\n***\nc\n***",
    ),
    "bullets of both kinds": (ListItems(style="bullet", at_least=2, at_most=2), "* a\n  - b\n1. c"),
    "a bold line is no bullet": (ListItems(style="bullet", at_most=0), "**bold**\ntext"),
    "numbers with dot or bracket": (ListItems(style="numbered", at_least=2), "1. a\n2) b\n- c"),
    "any list item": (ListItems(at_least=3, at_most=3), "1. a\n* b\n- c\nd"),
    "a year is no list item": (ListItems(at_most=0), "1984 was\n3.5 too"),
    "sections by marker": (
        Sections(marker="Part", at_least=2, at_most=2),
        "Part 1\na\nPart 2\nParted",
    ),
    "sections by heading": (Sections(at_least=2, at_most=2), "# a\ntext\n### b\n#tag"),
    "highlights": (Highlights(at_least=2, at_most=2), "*a* b *c d*"),
    "placeholders": (Placeholders(at_least=2, at_most=2), "[a] [b [c] d ["),
}
FAILS = {
    "too few words": (Words(at_least=4), "one two three"),
    "too many words": (Words(at_most=2), "one two three"),
    "too many sentences": (Sentences(at_most=1), "One. Two."),
    "a blank part between dividers": (
        Paragraphs(at_least=2, at_most=2, divider="***"),
        "a\n***\n\n***\nb",
    ),
    "a marker without a number": (Sections(marker="Part", at_least=1), "Part one"),
    "a marker in another case": (Sections(marker="Part", at_least=1), "PART 1"),
    "blank highlights": (Highlights(at_least=1), "* * ** ** a"),
    "a placeholder over two lines": (Placeholders(at_least=1), "[a\nb]"),
}


@pytest.mark.parametrize(("check", "text"), HOLDS.values(), ids=HOLDS)
def test_it_holds(check: Check, text: str) -> None:
    assert check.holds(text)


@pytest.mark.parametrize(("check", "text"), FAILS.values(), ids=FAILS)
def test_it_does_not_hold(check: Check, text: str) -> None:
    assert not check.holds(text)


@pytest.mark.parametrize(
    ("least", "most", "field"),
    [(None, None, "at_least"), (0, None, "at_least"), (None, -1, "at_most"), (3, 2, "at_most")],
)
def test_impossible_bounds_are_refused(least: int | None, most: int | None, field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field}"):
        Words(at_least=least, at_most=most)


def test_a_blank_marker_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^marker"):
        Sections(marker=" ", at_least=1)


SENTENCES = {
    "The response has at least 300 words.": Words(at_least=300),
    "The response has at most 1 word.": Words(at_most=1),
    "The response has exactly 1 word.": Words(at_least=1, at_most=1),
    "The response has between 2 and 4 words.": Words(at_least=2, at_most=4),
    "The response has no words.": Words(at_most=0),
}


@pytest.mark.parametrize(("sentence", "check"), SENTENCES.items(), ids=SENTENCES)
def test_bounds_are_put_in_words(sentence: str, check: Check) -> None:
    assert check.sentence() == sentence
