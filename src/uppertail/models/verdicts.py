"""Verdicts that earlier prompts and earlier runs paid for, by key.

What a prompt decides becomes visible to others only when the prompt has ended. Until then
its verdicts stay in its own memory, which dies with the process. So a prompt that was
killed half way starts again with what it saw the first time, asks for the same chunks of
criteria, finds every call it made in the journal, and ends with the same result. Were its
verdicts stored one by one, the second attempt would find some of them, put other criteria
together, and pay for calls that nobody had made.
"""

from __future__ import annotations

from uppertail.models.database import Database
from uppertail.models.encoding import from_json, to_json
from uppertail.types import Verdict


class VerdictStore:
    """The table `verdicts` of a run's journal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def for_prompt(self) -> PromptVerdicts:
        """Return the memory of one prompt. Nothing is stored before its `flush`."""
        return PromptVerdicts(self._database)


class PromptVerdicts:
    """What one prompt may know: its own verdicts, and those of prompts that have ended.

    Raises:
        StorageError: from `get` and `flush`, where the file cannot be used.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._own: dict[str, Verdict] = {}

    def get(self, key: str, /) -> Verdict | None:
        """Return the verdict known under `key`, or None."""
        own = self._own.get(key)
        if own is not None:
            return own
        rows = self._database.rows("SELECT verdict FROM verdicts WHERE key = ?", (key,))
        return from_json(str(rows[0][0]), Verdict) if rows else None

    def __setitem__(self, key: str, verdict: Verdict, /) -> None:
        self._own[key] = verdict

    def flush(self) -> None:
        """Store this prompt's verdicts, all or none. Call it when the prompt's result is stored.

        A verdict that another prompt stored first stays as it is.
        """
        if not self._own:
            return
        rows = [(key, to_json(v)) for key, v in self._own.items()]
        self._database.write_many(
            "INSERT INTO verdicts VALUES (?, ?) ON CONFLICT (key) DO NOTHING", rows
        )
        self._own.clear()
