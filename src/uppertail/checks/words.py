"""Checks of words, letters, case, language and characters."""

from __future__ import annotations

import re
from typing import Literal

from uppertail.checks.base import (
    Bounded,
    CheckBase,
    listed,
    quote,
    require_text,
    require_texts,
)
from uppertail.checks.language import LANGUAGES, is_in

_TOKEN = re.compile(r"\w[\w.&'’-]*")
NAMED = {",": "commas", ";": "semicolons", "!": "exclamation marks", "?": "question marks"}
"""Characters that have a plural name, with which sentences forbid them."""


def _spaced(phrase: str) -> str:
    """Return a pattern of `phrase` in which any white space stands for any other."""
    return r"\s+".join(map(re.escape, phrase.split()))


def whole_word(phrase: str) -> re.Pattern[str]:
    """Return a pattern of `phrase` that begins and ends where words do, in any case."""
    return re.compile(rf"(?<!\w){_spaced(phrase)}(?!\w)", re.IGNORECASE)


def anywhere(phrase: str) -> re.Pattern[str]:
    """Return a pattern of `phrase`, inside longer words too, in any case."""
    return re.compile(_spaced(phrase), re.IGNORECASE)


class Includes(CheckBase, frozen=True, kw_only=True, tag="includes"):
    """All of the words or phrases occur, in any case; inside longer words too."""

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        require_texts("words", self.words)

    def met_by(self, text: str) -> bool:
        """Return whether every word occurs."""
        return all(anywhere(word).search(text) for word in self.words)

    def sentence(self) -> str:
        """Return the requirement in English."""
        if len(self.words) == 1:
            return f"The response includes the word {quote(self.words[0])}."
        return f"The response includes all of these words: {listed(self.words)}."


class Excludes(CheckBase, frozen=True, kw_only=True, tag="excludes"):
    """None of the words or phrases occurs, in any case; longer words that hold them may."""

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        require_texts("words", self.words)

    def met_by(self, text: str) -> bool:
        """Return whether no word occurs."""
        return not any(whole_word(word).search(text) for word in self.words)

    def sentence(self) -> str:
        """Return the requirement in English."""
        if len(self.words) == 1:
            return f"The response does not include the word {quote(self.words[0])}."
        return f"The response includes none of these words: {listed(self.words)}."


class Repeats(Bounded, frozen=True, kw_only=True, tag="repeats"):
    """How often a word or phrase occurs, in any case; inside longer words too."""

    word: str

    def __post_init__(self) -> None:
        super().__post_init__()
        require_text("word", self.word)

    def met_by(self, text: str) -> bool:
        """Return whether the number of occurrences lies within the bounds."""
        return self.admits(sum(1 for _ in anywhere(self.word).finditer(text)))

    def sentence(self) -> str:
        """Return the requirement in English."""
        times = self.amount("time", "times", none=False)
        return f"The response uses the word {quote(self.word)} {times}."


class Letters(Bounded, frozen=True, kw_only=True, tag="letters"):
    """How often a letter, or any other character, occurs, in any case."""

    letter: str
    """One character."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_text("letter", self.letter)
        if len(self.letter) != 1:
            raise ValueError(f"letter: expected one character, found {self.letter!r}")

    def met_by(self, text: str) -> bool:
        """Return whether the number of occurrences lies within the bounds."""
        return self.admits(text.lower().count(self.letter.lower()))

    def sentence(self) -> str:
        """Return the requirement in English."""
        times = self.amount("time", "times", none=False)
        return f"The response uses the letter {quote(self.letter)} {times}."


class CapitalWords(Bounded, frozen=True, kw_only=True, tag="capital_words"):
    """The number of words whose letters are all capitals, such as NASA or I."""

    def met_by(self, text: str) -> bool:
        """Return whether the number of such words lies within the bounds."""
        return self.admits(sum(1 for m in _TOKEN.finditer(text) if m[0].isupper()))

    def sentence(self) -> str:
        """Return the requirement in English."""
        return f"The response has {self.amount('word', 'words')} in all capital letters."


class Case(CheckBase, frozen=True, kw_only=True, tag="case"):
    """Every letter is a capital, or none is; optionally in a given language too.

    The detector passes over words in capitals, so that a text in capitals is in any language.
    """

    case: Literal["lower", "upper"]
    language: str | None = None
    """An ISO 639-1 code of `LANGUAGES`; None accepts any language."""

    def __post_init__(self) -> None:
        if self.language is not None:
            _require_language("language", self.language)

    def met_by(self, text: str) -> bool:
        """Return whether the letters have the case, and the text the language."""
        cased = text.islower() if self.case == "lower" else text.isupper()
        return cased and (self.language is None or is_in(text, self.language))

    def sentence(self) -> str:
        """Return the requirement in English."""
        letters = "lowercase letters" if self.case == "lower" else "capital letters"
        if self.language is None:
            return f"The response is entirely in {letters}."
        return f"The response is entirely in {LANGUAGES[self.language]} and in {letters}."


class Language(CheckBase, frozen=True, kw_only=True, tag="language"):
    """The response is in one language. A text without letters passes."""

    code: str
    """An ISO 639-1 code of `LANGUAGES`; "zh" accepts both Chinese scripts."""

    def __post_init__(self) -> None:
        _require_language("code", self.code)

    def met_by(self, text: str) -> bool:
        """Return whether the language of the text is the one asked for."""
        return is_in(text, self.code)

    def sentence(self) -> str:
        """Return the requirement in English."""
        return f"The response is entirely in {LANGUAGES[self.code]}."


def _require_language(field: str, code: str) -> None:
    if code not in LANGUAGES:
        raise ValueError(f"{field}: expected one of {', '.join(LANGUAGES)}, found {code!r}")


class Without(CheckBase, frozen=True, kw_only=True, tag="without"):
    """None of the given characters occurs."""

    characters: str
    """Each of them is forbidden; the order does not matter."""

    def __post_init__(self) -> None:
        if not self.characters or len(set(self.characters)) < len(self.characters):
            raise ValueError(
                f"characters: expected one or more different characters, found {self.characters!r}"
            )

    def met_by(self, text: str) -> bool:
        """Return whether no such character occurs."""
        return not any(character in text for character in self.characters)

    def sentence(self) -> str:
        """Return the requirement in English."""
        if self.characters in NAMED:
            return f"The response contains no {NAMED[self.characters]}."
        return f"The response contains none of these characters: {listed(self.characters)}."
