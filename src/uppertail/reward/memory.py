"""Verdicts that earlier batches and runs paid for, a rollout at a time.

A call journal alone makes a rerun free but not fast: every message would be rendered and
every reply read again. Here the verdicts of a whole rollout, a sheet, stand under one key.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Annotated

import msgspec

from uppertail.errors import StorageError
from uppertail.models.database import Database
from uppertail.models.encoding import from_json, to_json
from uppertail.models.verdicts import PromptVerdicts
from uppertail.types import Decider, Verdict

Sheet = tuple[Verdict, ...]
"""The verdicts of one rollout, in the order of its rubric's criteria."""

_TABLE = "CREATE TABLE IF NOT EXISTS sheet_rows (key TEXT PRIMARY KEY, verdicts TEXT NOT NULL)"


class RewardMemory:
    """Sheets by key: the latest in memory, and all of them in a journal's file if there is one.

    Several processes may share the file.

    Args:
        database: `journal.database`; None keeps nothing beyond this object.
        recent: sheets held in memory.

    Raises:
        StorageError: from every method, where the file cannot be used.
    """

    def __init__(self, database: Database | None = None, *, recent: int = 16384) -> None:
        self._database = database
        self._limit = recent
        self._recent: OrderedDict[str, Sheet] = OrderedDict()
        if database is not None:
            database.write(_TABLE, ())

    def batch(self) -> BatchMemory:
        """Return the memory of one batch. Nothing is stored before its `flush`."""
        return BatchMemory(self, self._database)

    def get(self, key: str) -> Sheet | None:
        """Return the sheet stored under `key`, or None."""
        sheet = self._recent.get(key)
        if sheet is not None:
            self._recent.move_to_end(key)
            return sheet
        if self._database is None:
            return None
        rows = self._database.rows("SELECT verdicts FROM sheet_rows WHERE key = ?", (key,))
        if not rows:
            return None
        sheet = _sheet(from_json(str(rows[0][0]), Row))
        self._hold(key, sheet)
        return sheet

    def keep(self, sheets: dict[str, Sheet]) -> None:
        """Store new sheets, all or none. One that another process stored first stays."""
        for key, sheet in sheets.items():
            self._hold(key, sheet)
        if self._database is not None and sheets:
            self._database.write_many(
                "INSERT INTO sheet_rows VALUES (?, ?) ON CONFLICT (key) DO NOTHING",
                [(key, to_json(_stored(sheet))) for key, sheet in sheets.items()],
            )

    def _hold(self, key: str, sheet: Sheet) -> None:
        self._recent[key] = sheet
        if len(self._recent) > self._limit:
            self._recent.popitem(last=False)


class BatchMemory:
    """What one batch may know: sheets, and single verdicts for verifiers that reuse them."""

    def __init__(self, memory: RewardMemory, database: Database | None) -> None:
        self._memory = memory
        self._fresh: dict[str, Sheet] = {}
        self._stored = None if database is None else PromptVerdicts(database)
        self._single: PromptVerdicts | dict[str, Verdict] = self._stored or {}

    def get(self, key: str, /) -> Verdict | None:
        """Return the single verdict known under `key`, or None."""
        return self._single.get(key)

    def __setitem__(self, key: str, verdict: Verdict, /) -> None:
        self._single[key] = verdict

    def sheet(self, key: str) -> Sheet | None:
        """Return the sheet known under `key`, or None."""
        return self._fresh.get(key) or self._memory.get(key)

    def keep(self, key: str, sheet: Sheet) -> None:
        """Remember a sheet for this batch, and after `flush` for all."""
        self._fresh[key] = sheet

    def flush(self) -> None:
        """Store what this batch has decided."""
        self._memory.keep(self._fresh)
        self._fresh = {}
        if self._stored is not None:
            self._stored.flush()


class _Line(msgspec.Struct, array_like=True, gc=False):
    """A verdict without what it shares with others."""

    met: bool
    by: Annotated[int, msgspec.Meta(ge=0)]
    """Which of the deciders."""
    share: float | None
    reason: str


class Row(msgspec.Struct, array_like=True):
    """A sheet as it is written: a training run keeps millions, and mostly one decided it all."""

    by: list[Decider]
    lines: list[_Line]


def _stored(sheet: Sheet) -> Row:
    places: dict[Decider, int] = {}
    lines = [
        _Line(
            verdict.met, places.setdefault(verdict.by, len(places)), verdict.share, verdict.reason
        )
        for verdict in sheet
    ]
    return Row(list(places), lines)


def _sheet(row: Row) -> Sheet:
    by = row.by
    try:
        return tuple(
            [
                Verdict(met=line.met, by=by[line.by], share=line.share, reason=line.reason)
                for line in row.lines
            ]
        )
    except IndexError:
        raise StorageError("a stored row is damaged: it names a decider that it lacks") from None
