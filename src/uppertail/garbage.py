"""Fewer garbage collections while much is in work.

A batch or a run holds some hundred thousand objects that all live until it ends. Python's
collector looks through them again and again and finds nothing, which took a third of a large
step of training, and a seventh of a run.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

SELDOM: Final = (100_000, 50, 100)
"""Thresholds of `gc.set_threshold` while much is in work."""
_CHOSEN: Final = 10_000
"""A first threshold from here on is somebody's choice: Python's own is 700 to 2,000."""


class Collections:
    """The collector of this process: seldom while anybody wants it so, then as it was."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._wanted = 0
        self._usual = gc.get_threshold()

    @contextmanager
    def seldom(self) -> Iterator[None]:
        """Collect seldom for as long as the block runs.

        A collector that is off, or that somebody has made seldom already, stays as it is.
        """
        with self._lock:
            if not self._wanted:
                self._usual = gc.get_threshold()
                if 0 < self._usual[0] < _CHOSEN:
                    gc.set_threshold(*SELDOM)
            self._wanted += 1
        try:
            yield
        finally:
            with self._lock:
                self._wanted -= 1
                if not self._wanted:
                    gc.set_threshold(*self._usual)


OF_THIS_PROCESS: Final = Collections()
