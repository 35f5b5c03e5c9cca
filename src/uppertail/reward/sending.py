"""A batch on its way to a reward server: what stands in which request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from uppertail.score.interface import Rollout
from uppertail.text import encodable
from uppertail.types import Rubric


@dataclass(slots=True, kw_only=True)
class Sending:
    """One batch on its way."""

    deadline: float
    told: bool
    """Whether the server is told of the deadline: it is the caller's, not our own patience."""
    places: asyncio.Semaphore
    _rubrics: dict[int, msgspec.Raw] = field(default_factory=dict)
    """Written out once an object: the completions of a group carry the same one."""

    def item(self, rollout: Rollout) -> dict[str, object]:
        """Return a rollout as it travels."""
        turns = [{"role": m.role, "content": encodable(m.content)} for m in rollout.prompt.messages]
        item: dict[str, object] = {
            "prompt": turns,
            "prompt_id": encodable(rollout.prompt.id),
            "completion": encodable(rollout.completion),
            "group": encodable(rollout.group),
        }
        if rollout.rubric is not None:
            item["rubric"] = self._rubric(rollout.rubric)
        return item

    def _rubric(self, rubric: Rubric) -> msgspec.Raw:
        written = self._rubrics.get(id(rubric))
        if written is None:
            criteria = [
                {
                    "criterion": encodable(c.text),
                    "weight": c.weight,
                    "kind": c.kind,
                    "check": c.check,
                }
                for c in rubric.criteria
            ]
            written = msgspec.Raw(msgspec.json.encode({"criteria": criteria}))
            self._rubrics[id(rubric)] = written
        return written


def parts_of(rollouts: Sequence[Rollout], most: int) -> Iterator[Sequence[Rollout]]:
    """Yield the requests of a batch: neighbours, whole groups, at most `most` where that can be."""
    begin = end = 0
    for start, stop in _groups(rollouts):
        if stop - begin > most and start > begin:
            yield rollouts[begin:start]
            begin = start
        end = stop
    if end > begin:
        yield rollouts[begin:end]


def _groups(rollouts: Sequence[Rollout]) -> Iterator[tuple[int, int]]:
    """Yield where each run of neighbours of one group begins and ends."""
    begin = 0
    for place in range(1, len(rollouts) + 1):
        if place == len(rollouts) or _group(rollouts[place]) != _group(rollouts[begin]):
            yield begin, place
            begin = place


def _group(rollout: Rollout) -> str:
    return rollout.group or rollout.prompt.id
