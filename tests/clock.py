"""A clock that moves only when somebody sleeps on it."""

from __future__ import annotations

import asyncio


class Clock:
    """Time in seconds from 0. Sleeping moves it on at once and lets others run."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Move the time on."""
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)
