"""One event loop in a thread of its own, for callers that have none or must not share theirs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import TypeVar

from uppertail.concurrent import new_event_loop

T = TypeVar("T")


class LoopThread:
    """An event loop that runs until `close`. It never keeps the process from ending."""

    def __init__(self) -> None:
        self.loop = new_event_loop()
        self._thread = threading.Thread(target=self._run, name="uppertail-reward", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[object, object, T]) -> Future[T]:
        """Start `work` on the loop and return its future, from any thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def run(self, work: Coroutine[object, object, T]) -> T:
        """Return what `work` gives, waiting for it.

        Raises:
            RuntimeError: the caller is on the loop itself, which would wait for itself.
        """
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("the reward's own event loop cannot wait for itself: await instead")
        future = self.submit(work)
        try:
            return future.result()
        except BaseException:  # also an interrupt: nobody waits for the work any more
            future.cancel()  # of an interrupted wait; a future that has ended stays as it is
            raise

    def close(self) -> None:
        """Cancel what is under way, end the loop and wait for its thread. Twice is fine."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            self._wind_up()

    def _wind_up(self) -> None:
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()
