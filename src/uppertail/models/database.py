"""One SQLite file that many processes may write, and clear errors when it cannot be used.

Write-ahead logging with `synchronous=NORMAL`: what is committed survives the death of the
process at any moment, because it is in the operating system's hands; a power cut may lose
the last transactions and never damages the file. Write-ahead logging does not work on
network file systems: a run folder belongs on a local disk.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from uppertail.errors import StorageError

Value = str | int | float | bytes | None
Row = tuple[Value, ...]

APPLICATION = 0x75707431
"""Marks the file as ours ("upt1"), so that another program's database is never written to."""
VERSION = 1
"""Version of the tables. It changes with the columns and with what a key is made of."""
LOCK_SECONDS = 30.0
"""How long a write waits for other processes. Eight writers were seen to stall for 1.5 s."""

TABLES = (
    """CREATE TABLE calls (
        key TEXT PRIMARY KEY,
        model TEXT NOT NULL,
        role TEXT NOT NULL,
        template TEXT NOT NULL,
        sample INTEGER NOT NULL,
        reply TEXT NOT NULL,
        prompt_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL,
        usd REAL,
        seconds REAL NOT NULL,
        created REAL NOT NULL
    )""",
    "CREATE TABLE verdicts (key TEXT PRIMARY KEY, verdict TEXT NOT NULL)",
)

_AGAIN_SECONDS = 0.01

_REFUSED = (sqlite3.Error, OverflowError, UnicodeError)
"""What comes of a value that SQLite cannot hold: an integer of more than 64 bits, a surrogate."""

EXPLAINED = {
    "not a database": "this is not a journal, or it is damaged beyond reading",
    "malformed": "the journal is damaged; move it away to start again, or restore a copy",
    "is full": "the disk is full; make room and run the same command again",
    "disk I/O": "the disk refuses to read or write the journal; it may be full or failing",
    "unable to open": "the journal cannot be opened; its folder must exist and be writable",
    "readonly": "the journal is read-only; a run must be able to write it",
    "locked": f"another process has kept the journal locked for {LOCK_SECONDS:.0f} s",
}
"""What SQLite says, and what it means for a user."""


class Database:
    """The tables `calls` and `verdicts` of one file, made where they do not exist.

    Statements commit by themselves and run on the caller's thread: a look-up takes a few
    microseconds, less than handing it to another thread.

    Raises:
        StorageError: from every method, where the file cannot be used.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = path
        try:
            self._connection = sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None)
        except sqlite3.Error as error:
            raise self._explained(error) from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self.close()
            raise self._explained(error) from error
        except StorageError:
            self.close()
            raise

    def close(self) -> None:
        """Close the file. Closing twice is fine."""
        self._connection.close()

    def rows(self, statement: str, values: Sequence[Value] = ()) -> list[Row]:
        """Return all rows that `statement` gives."""
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def write(self, statement: str, values: Sequence[Value]) -> int:
        """Run and commit `statement`; return how many rows it changed."""
        try:
            return self._connection.execute(statement, values).rowcount
        except _REFUSED as error:
            raise self._explained(error) from error

    def write_many(self, statement: str, rows: Iterable[Sequence[Value]]) -> int:
        """Run `statement` once a row, in one transaction: all of them are stored or none.

        Returns how many rows were changed in all.
        """
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                return self._connection.executemany(statement, rows).rowcount
        except _REFUSED as error:
            raise self._explained(error) from error

    def _prepare(self) -> None:
        """Make the tables, or see that those that stand there are the ones this version knows.

        The lock is taken before anything is looked at, so that of many processes that open
        a new file at once exactly one makes the tables.
        """
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            application, version, tables = self._connection.execute(
                "SELECT (SELECT application_id FROM pragma_application_id),"
                " (SELECT user_version FROM pragma_user_version),"
                " (SELECT count(*) FROM sqlite_master)"
            ).fetchone()
            if tables:
                self._expect(application, version)
            else:
                for table in TABLES:
                    self._connection.execute(table)
                self._connection.execute(f"PRAGMA application_id = {APPLICATION}")
                self._connection.execute(f"PRAGMA user_version = {VERSION}")
        self._write_ahead()
        self._connection.execute("PRAGMA synchronous = NORMAL")

    def _write_ahead(self) -> None:
        """Switch to write-ahead logging, for which SQLite itself does not wait where it must."""
        last = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() >= last:
                    raise
                time.sleep(_AGAIN_SECONDS)
            else:
                return

    def _expect(self, application: int, version: int) -> None:
        if application != APPLICATION:
            raise StorageError(
                f"{self._path}: this is a database of another program, not a journal"
            )
        if version != VERSION:
            raise StorageError(
                f"{self._path}: this journal has format {version}, and this version of uppertail "
                f"reads format {VERSION}; use the version that wrote it, or a new run folder"
            )

    def _explained(self, error: Exception) -> StorageError:
        """Return the sentence that tells a user what is wrong with the file."""
        text = str(error)
        for sign, sentence in EXPLAINED.items():
            if sign in text:
                return StorageError(f"{self._path}: {sentence} ({text})")
        return StorageError(f"{self._path}: the journal cannot be used: {text}")
