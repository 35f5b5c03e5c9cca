"""Reads an English criterion into a check, where it plainly states what a program can decide."""

from __future__ import annotations

import re
from functools import cache

from uppertail.checks.forms import FORMS, PASSIVE, PIECES, Form
from uppertail.checks.vocabulary import Check

_LONGEST = 20_000
_SUBJECT = re.compile(
    r"(?:the|your|this) (?:entire |whole )?(?:response|answer|reply|output|text) "
    r"(?:must (?!not)|should (?!not)|shall (?!not))?",
    re.IGNORECASE,
)
_IN_THE_RESPONSE = re.compile(r" in the (?:response|answer|reply|output|text)\.?$", re.IGNORECASE)


def read_check(text: str) -> Check | None:
    """Return the check that `text` states, or None where it does not plainly state one.

    It reads what a check's `sentence` writes (`read_check(check.sentence()) == check`, up
    to 20,000 characters and counts below 10^9) and common ways to say the same. Every word
    must be understood: "at least three examples" states no check. "Fewer than 5" becomes
    at most 4; "4 paragraphs" is exactly 4.
    """
    sentence = text.strip()
    if len(sentence) > _LONGEST:
        return None
    if subject := _SUBJECT.match(sentence):
        return _first(sentence[subject.end() :], FORMS)
    return _first(_IN_THE_RESPONSE.sub("", sentence), PASSIVE)


def _first(text: str, forms: tuple[Form, ...]) -> Check | None:
    for form, build in forms:
        if found := _pattern(form).fullmatch(text):
            try:
                return build(found)
            except ValueError:  # an impossible requirement, such as a word that is given twice
                return None
    return None


@cache
def _pattern(form: str) -> re.Pattern[str]:
    """Return `form` compiled, its pieces put in; a full stop may follow."""
    while (filled := re.sub(r"\{([a-z]+)\}", lambda piece: PIECES[piece[1]], form)) != form:
        form = filled
    return re.compile(rf"(?:{form})\.?", re.IGNORECASE | re.DOTALL)
