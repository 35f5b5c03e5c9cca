"""Checks of content: which terms a response mentions, and how much of a statement it covers."""

from __future__ import annotations

import re

from uppertail.checks.base import CheckBase, listed, quote, require_text, require_texts
from uppertail.checks.coverage import coverage

PLAIN_SHARE = 0.65
"""The share from which people tend to say that a response makes a statement."""

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


class Mentions(CheckBase, frozen=True, kw_only=True, tag="mentions"):
    """Some or all of the given names, numbers and terms occur as whole words, in any case.

    Commas that group digits are ignored: "12,000" mentions "12000".
    """

    terms: tuple[str, ...]
    at_least: int | None = None
    """How many of them, from 1; None for all."""

    def __post_init__(self) -> None:
        require_texts("terms", self.terms)
        if self.at_least is not None and not 1 <= self.at_least <= len(self.terms):
            raise ValueError(
                f"at_least: expected 1 to {len(self.terms)} (the number of terms), "
                f"found {self.at_least}"
            )

    def met_by(self, text: str) -> bool:
        """Return whether enough of the terms occur."""
        text = _THOUSANDS.sub("", text)
        found = sum(_term(term).search(text) is not None for term in self.terms)
        return found >= (len(self.terms) if self.at_least is None else self.at_least)

    def sentence(self) -> str:
        """Return the requirement in English."""
        if len(self.terms) == 1 and self.at_least is None:
            return f"The response mentions {listed(self.terms)}."
        many = "all" if self.at_least is None else f"at least {self.at_least}"
        return f"The response mentions {many} of these: {listed(self.terms)}."


def _term(term: str) -> re.Pattern[str]:
    """Return a pattern of `term` as whole words; 5 is not found in 2.5 or 5.1."""
    words = r"\s+".join(map(re.escape, _THOUSANDS.sub("", term).split()))
    return re.compile(rf"(?<!\w)(?<!\d[.,]){words}(?!\w|[.,]\d)", re.IGNORECASE)


class Covers(CheckBase, frozen=True, kw_only=True, tag="covers"):
    """The response says what a statement says. Approximate; every other check is exact.

    It holds where `share` of the statement is covered: its content words, longer words,
    numbers and "not" weighing more, must stand near each other in the response, in any
    order. It knows no synonyms. See `uppertail.checks.coverage`.
    """

    statement: str
    share: float = PLAIN_SHARE
    """In (0, 1]."""

    def __post_init__(self) -> None:
        require_text("statement", self.statement)
        if not 0 < self.share <= 1:
            raise ValueError(f"share: expected more than 0 and at most 1, found {self.share}")

    def met_by(self, text: str) -> bool:
        """Return whether enough of the statement is covered."""
        return coverage(self.statement, text) >= self.share

    def sentence(self) -> str:
        """Return the requirement in English."""
        if self.share == PLAIN_SHARE:
            return f"The response says that {quote(self.statement)}."
        return f"The response covers {self.share!r} of the statement {quote(self.statement)}."
