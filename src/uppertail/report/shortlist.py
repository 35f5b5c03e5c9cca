"""Which prompts are shown in full: a bounded, seeded choice made while the run streams by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from uppertail.refine.result import Refinement, Status
from uppertail.report.aggregate import Standing, ranked, standing, steps, top_gap
from uppertail.report.best import Best, Key
from uppertail.types import content_id

T = TypeVar("T")

GROUPS: Final = {
    "failed": ("Failed", 6),
    "partial": ("Lost something", 5),
    "regressed": ("Became tied", 5),
    "gained": ("Became separated", 8),
    "tied": ("Still tied", 8),
    "sample": ("Random sample", 40),
}
"""Every reason to show a prompt, most interesting first: its name on the page and its room."""
MOST_PROMPTS: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """Why a prompt may be worth reading."""

    group: str
    """A key of `GROUPS`; "sample" where nothing in particular stands out."""
    size: float
    """How much of it, within the group; larger is more."""
    before: float | None
    """Difference of the two best scores under the initial rubric; None where undecided."""
    after: float | None
    """The same under the final rubric."""


def interest(refinement: Refinement) -> Interest:
    """Return the first group of `GROUPS` that a prompt belongs to."""
    looks = [ranked(step.values()) for step in steps(refinement)]
    last = looks[-1]
    before = top_gap(looks[0]) if len(looks) > 1 else None
    group, size = _group(refinement, before, last)
    return Interest(group=group, size=size, before=before, after=top_gap(last))


def _group(
    refinement: Refinement, before: float | None, last: tuple[float, ...]
) -> tuple[str, float]:
    if refinement.status is Status.FAILED:
        return "failed", float(len(refinement.losses))
    if refinement.status is Status.PARTIAL:
        return "partial", float(len(refinement.losses))
    after = standing(last)
    if after is Standing.TIED:
        return ("regressed", before) if before else ("tied", float(last.count(last[0])))
    if after is Standing.SEPARATED and before == 0:
        return "gained", last[0] - last[1]
    return "sample", 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen(Generic[T]):
    """A prompt that is shown in full."""

    position: int
    """Its place in the input, from 1."""
    interest: Interest
    detail: T


class Shortlist(Generic[T]):
    """Prompts to show in full: the most telling of each group, and a random sample of all."""

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self._groups: dict[str, Best[Chosen[T]]] = {
            name: Best(room) for name, (_, room) in GROUPS.items()
        }

    def offer(self, position: int, refinement: Refinement, build: Callable[[Interest], T]) -> None:
        """Keep a prompt where it is wanted; only then is its detail built."""
        about = interest(refinement)
        draw = content_id(str(self._seed), refinement.prompt_id)
        keys: dict[str, Key] = {"sample": (0.0, draw, position)}
        keys[about.group] = (about.size, draw, position)
        wanted = {name: key for name, key in keys.items() if self._groups[name].wants(key)}
        if wanted:
            chosen = Chosen(position=position, interest=about, detail=build(about))
            for name, key in wanted.items():
                self._groups[name].put(key, chosen)

    def choose(self, *, room: int, size: Callable[[T], int]) -> tuple[Chosen[T], ...]:
        """Return what fits into `room`, group by group, the most telling first in each.

        Groups take turns while there is room, so that none crowds out the others.
        """
        waiting = {name: list(group) for name, group in self._groups.items()}
        taken: dict[int, Chosen[T]] = {}
        while any(waiting.values()) and len(taken) < MOST_PROMPTS:
            for queue in waiting.values():
                if queue and len(taken) < MOST_PROMPTS:
                    chosen = queue.pop(0)
                    cost = 0 if chosen.position in taken else size(chosen.detail)
                    if cost <= room:
                        room -= cost
                        taken[chosen.position] = chosen
        order = list(GROUPS)
        return tuple(
            sorted(
                taken.values(),
                key=lambda c: (order.index(c.interest.group), -c.interest.size, c.position),
            )
        )
