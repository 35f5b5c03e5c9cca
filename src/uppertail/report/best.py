"""The most wanted things of a stream, in bounded memory."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

Key = tuple[float, str, int]
"""How much a thing is wanted: larger first; then a seeded draw; then a number of its own."""


class Best(Generic[T]):
    """The things with the largest keys, at most `room` of them."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._heap: list[tuple[Key, T]] = []

    def wants(self, key: Key) -> bool:
        """Return whether a thing with this key would be kept now."""
        return len(self._heap) < self._room or key > self._heap[0][0]

    def put(self, key: Key, thing: T) -> None:
        """Keep a thing; drop the least wanted where there is no room. Keys are never equal."""
        if len(self._heap) < self._room:
            heapq.heappush(self._heap, (key, thing))
        elif key > self._heap[0][0]:
            heapq.heapreplace(self._heap, (key, thing))

    def __iter__(self) -> Iterator[T]:
        """Yield what is kept, most wanted first."""
        return iter([thing for _, thing in sorted(self._heap, reverse=True)])
