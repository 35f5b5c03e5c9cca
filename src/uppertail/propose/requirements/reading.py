"""What a reader of one kind of requirement gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from uppertail.checks import Check
from uppertail.propose.requirements.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One requirement found in a text."""

    check: Check
    claim: tuple[int, int]
    """Span of the words that only one requirement can own: a number, or a quoted argument."""


Reader = Callable[[Text], Iterable[Reading]]
"""Finds the requirements of one kind. Earlier readers of the table own what they claim."""
