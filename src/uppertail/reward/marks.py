"""Marks of format in a completion: what a policy adds when a judge likes the look of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

MARKS: Mapping[str, tuple[str, re.Pattern[str]]] = {
    "lists": ("", re.compile(r"\n[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]")),
    "headings": ("#", re.compile(r"\n#{1,6}[ \t]")),
    "bold": ("**", re.compile(r"\*\*[^\s*][^*\n]*\*\*")),
    "code": ("```", re.compile(r"\n```")),
}
"""What is counted: list items, headings, bold spans, and fences of code blocks. A pattern is
tried only where its sign occurs: most texts have few signs, and a step has many texts. Lines
begin with the line break before them, which is found many times faster than with `^`."""


def count_marks(text: str) -> dict[str, int]:
    """Return how often each mark stands in `text`; `code` counts blocks, an open one too."""
    lines = f"\n{text}"
    counts = {
        name: len(pattern.findall(lines)) if sign in lines else 0
        for name, (sign, pattern) in MARKS.items()
    }
    counts["code"] = (counts["code"] + 1) // 2
    return counts
