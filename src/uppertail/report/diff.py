"""What changed from one rubric to the next, criterion by criterion and word by word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

from uppertail.likeness import jaccard, word_runs
from uppertail.types import Criterion

ALIKE: Final = 0.4
"""Least share of common words at which a new criterion counts as an old one reworded."""
TOKEN: Final = re.compile(r"\s+|\w+|[^\w\s]")
MOST_TOKENS: Final = 400
"""Longer texts are not compared word by word: the comparison is quadratic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One criterion in two rubrics; one of the sides is None where it was added or removed."""

    kind: Literal["kept", "reweighted", "reworded", "removed", "added"]
    before: Criterion | None
    after: Criterion | None


def diff(before: Sequence[Criterion], after: Sequence[Criterion]) -> tuple[Change, ...]:
    """Return the criteria of `after` in order, each with what it was, then those that are gone.

    A criterion is the same where text and check are; else the most alike of what is left
    over, by common words, is its former wording.
    """
    left = list(before)
    ids = [criterion.id for criterion in before]
    same = [_take(left, ids, criterion.id) for criterion in after]
    changes = []
    for criterion, twin in zip(after, same, strict=True):
        old = twin or _most_alike(left, criterion)
        changes.append(Change(kind=_kind(old, criterion), before=old, after=criterion))
    return (*changes, *(Change(kind="removed", before=c, after=None) for c in left))


def _take(left: list[Criterion], ids: list[str], wanted: str) -> Criterion | None:
    """Remove the criterion with this id from both lists and return it; None where it is not there."""
    if wanted not in ids:
        return None
    place = ids.index(wanted)
    del ids[place]
    return left.pop(place)


def _most_alike(left: list[Criterion], criterion: Criterion) -> Criterion | None:
    """Remove the most alike criterion from `left` and return it; None where none is alike."""
    words = word_runs(criterion.text)
    alike = [jaccard(words, word_runs(old.text)) for old in left]
    best = max(alike, default=0.0)
    return left.pop(alike.index(best)) if best >= ALIKE else None


def _kind(
    old: Criterion | None, new: Criterion
) -> Literal["kept", "reweighted", "reworded", "added"]:
    if old is None:
        return "added"
    if old.id != new.id:
        return "reworded"
    return "kept" if old.weight == new.weight else "reweighted"


Part = tuple[Literal["same", "out", "in"], str]
"""A stretch of text that both have, only the old one, or only the new one."""


def word_diff(before: str, after: str) -> tuple[Part, ...]:
    """Return the stretches that turn `before` into `after`, in reading order."""
    old, new = TOKEN.findall(before), TOKEN.findall(after)
    if len(old) > MOST_TOKENS or len(new) > MOST_TOKENS:
        return (("out", before), ("in", after))
    parts: list[Part] = []
    for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            parts.append(("same", "".join(old[a:b])))
            continue
        parts.extend(
            part for part in (("out", "".join(old[a:b])), ("in", "".join(new[c:d]))) if part[1]
        )
    return tuple(parts)
