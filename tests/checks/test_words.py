"""Checks of words, letters, case, language and characters."""

from collections.abc import Callable

import pytest

from uppertail.checks import (
    CapitalWords,
    Case,
    Check,
    Excludes,
    Includes,
    Language,
    Letters,
    Repeats,
    Without,
)

HOLDS = {
    "all words, in any case": (Includes(words=("Ada", "cold frame")), "ADA's cold\nframe"),
    "inside a longer word": (Includes(words=("frame",)), "framework"),
    "a pattern's letters are plain letters": (Includes(words=("a.c",)), "a.c"),
    "none of the words": (Excludes(words=("can", "ride")), "canned bride"),
    "a word with marks at its ends": (Excludes(words=("C++",)), "C and CC++"),
    "often enough": (Repeats(word="sun", at_least=2, at_most=2), "Sunday sun"),
    "letters in any case": (Letters(letter="A", at_least=3, at_most=3), "Abaca"),
    "another character": (Letters(letter="#", at_least=2), "#one #two"),
    "words in capitals": (CapitalWords(at_least=3, at_most=3), "NASA and I, A.B. Nasa 12"),
    "lowercase": (Case(case="lower"), "all small, 12!"),
    "capitals": (Case(case="upper"), "ALL LARGE, 12!"),
    "lowercase and English": (
        Case(case="lower", language="en"),
        "this is plainly an english sentence about the weather",
    ),
    "French": (Language(code="fr"), "Le chat est assis sur la table de la cuisine."),
    "Chinese of either script": (Language(code="zh"), "我今天去图书馆看书，然后回家吃饭。"),
    "nothing to tell a language by": (Language(code="fr"), "12 34 !"),
    "none of the characters": (Without(characters=",;"), "plain text."),
}
FAILS = {
    "one word is missing": (Includes(words=("Ada", "Bob")), "Ada"),
    "a pattern's letters do not stand for others": (Includes(words=("a.c",)), "abc"),
    "a forbidden word": (Excludes(words=("can",)), "Yes we CAN."),
    "a forbidden word with marks at its ends": (Excludes(words=("C++",)), "Use C++."),
    "too seldom": (Repeats(word="sun", at_least=2), "sun"),
    "too many letters": (Letters(letter="a", at_most=2), "Abaca"),
    "one capital too many": (Case(case="lower"), "all small But one"),
    "one small letter too many": (Case(case="upper"), "ALL LARGE BUt"),
    "no letters have no case": (Case(case="upper"), "12"),
    "lowercase, but not English": (
        Case(case="lower", language="en"),
        "le chat est assis sur la table de la cuisine",
    ),
    "English, not French": (Language(code="fr"), "The cat sat on the kitchen table all day."),
    "a forbidden character": (Without(characters=",;"), "one; two"),
}


@pytest.mark.parametrize(("check", "text"), HOLDS.values(), ids=HOLDS)
def test_it_holds(check: Check, text: str) -> None:
    assert check.holds(text)


@pytest.mark.parametrize(("check", "text"), FAILS.values(), ids=FAILS)
def test_it_does_not_hold(check: Check, text: str) -> None:
    assert not check.holds(text)


REFUSED: dict[str, Callable[[], Check]] = {
    "words": lambda: Includes(words=()),
    "words: expected different": lambda: Excludes(words=("a", "a")),
    "words: expected some text": lambda: Excludes(words=("a", " ")),
    "word": lambda: Repeats(word="", at_least=1),
    "letter: expected one": lambda: Letters(letter="ab", at_least=1),
    "letter: expected some": lambda: Letters(letter=" ", at_least=1),
    "language": lambda: Case(case="lower", language="xx"),
    "code": lambda: Language(code="English"),
    "characters": lambda: Without(characters=""),
    "characters: expected one or more different": lambda: Without(characters=",,"),
}


@pytest.mark.parametrize(("message", "build"), REFUSED.items(), ids=REFUSED)
def test_an_impossible_field_is_refused_by_name(message: str, build: Callable[[], Check]) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        build()
