"""The table of readers, and how what they find becomes criteria."""

from __future__ import annotations

from msgspec.structs import replace

from uppertail.checks import (
    CapitalWords,
    Case,
    Check,
    Excludes,
    Includes,
    Language,
    Letters,
    Repeats,
)
from uppertail.checks.base import Bounded
from uppertail.propose.requirements import ends, language, length, structure, surface, wording
from uppertail.propose.requirements.reading import Reader, Reading
from uppertail.propose.requirements.text import Text
from uppertail.types import Criterion

WEIGHT = 3.0
"""What the user asked for in so many words outweighs whatever else is found."""

READERS: tuple[Reader, ...] = (
    ends.repeat,
    ends.paragraph_starts,
    ends.ends_with,
    ends.starts_with,
    ends.options,
    surface.capital_words,
    structure.placeholders,
    structure.highlights,
    structure.postscript,
    length.parts,
    length.paragraphs,
    structure.list_items,
    structure.sections,
    structure.title,
    structure.formats,
    wording.letters,
    surface.punctuation,
    wording.named_words,
    wording.quoted_words,
    wording.topics,
    length.sentences,
    length.words,
    surface.case,
    surface.quotation,
    language.language,
)
"""Earlier readers own the words that they claim, so the more special ones come first."""


def read_requirements(prompt_text: str) -> tuple[Criterion, ...]:
    """Return the explicit requirements of a prompt as criteria with exact checks.

    Each has kind "hard_rule", weight 3, and the check's own sentence as its text. What no
    program can decide is left out. The time is linear in the length of the text, and only
    the first and last 8,000 characters of a longer one are read.
    """
    return tuple(as_criterion(check) for check in read_checks(prompt_text))


def as_criterion(check: Check) -> Criterion:
    """Return the hard rule that `check` decides."""
    return Criterion(text=check.sentence(), weight=WEIGHT, kind="hard_rule", check=check)


def read_checks(prompt_text: str) -> tuple[Check, ...]:
    """Return the checks of the requirements, in the order in which the text states them."""
    text = Text.of(prompt_text)
    kept: list[Reading] = []
    for reader in READERS:
        for reading in reader(text):
            if not any(_overlap(reading.claim, other.claim) for other in kept):
                kept.append(reading)
    ordered = sorted(kept, key=lambda reading: reading.claim)
    return _joined(_consistent(tuple(dict.fromkeys(reading.check for reading in ordered))))


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Return whether two spans share a character."""
    return one[0] < other[1] and other[0] < one[1]


def _consistent(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """Return the checks without those that a counted one contradicts or makes idle.

    A letter or word that must occur so many times is not forbidden as well, whatever
    another sentence of the prompt tells about it; and being counted it need not be
    required once more. Where words in capitals are counted, not all words are in capitals.
    """
    capitals = any(isinstance(c, CapitalWords) for c in checks)
    counted = {c.letter for c in checks if isinstance(c, Letters) and c.at_least}
    repeated = {c.word.lower() for c in checks if isinstance(c, Repeats) and c.at_least}
    return tuple(
        c
        for c in checks
        if not any(_implies(other, c) for other in checks)
        and not (isinstance(c, Case) and c.case == "upper" and capitals)
        and not (isinstance(c, Letters) and c.at_most == 0 and c.letter in counted)
        and not (isinstance(c, Excludes | Includes) and {w.lower() for w in c.words} <= repeated)
    )


def _implies(one: Check, other: Check) -> bool:
    """Return whether `one` asks for more of just what `other` sets a lower bound to."""
    if not isinstance(one, Bounded) or not isinstance(other, Bounded) or other.at_most is not None:
        return False
    if type(one) is not type(other) or (one.at_least or 0) <= (other.at_least or 0):
        return False
    return bool(replace(one, at_least=1, at_most=None) == replace(other, at_least=1))


def _joined(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """Return the checks with a case and a language that are both asked for made one."""
    languages = [check for check in checks if isinstance(check, Language)]
    cases = [check for check in checks if isinstance(check, Case)]
    if not languages or not cases:
        return checks
    joined = replace(cases[0], language=languages[0].code)
    return tuple(
        joined if check is cases[0] else check
        for check in checks
        if not isinstance(check, Language)
    )
