"""A run is one directory: configuration, staged inputs, results, journal, outputs, report.

Inputs are copied into the run when it starts. So every input is checked before anything is
spent, memory stays bounded however the input file is ordered, and a run resumes and
reports without the files that it was made from.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Generic, TypeVar

import msgspec

from uppertail.data.write import replacing
from uppertail.errors import InputError, StorageError

Item = TypeVar("Item")
Result = TypeVar("Result")
Value = TypeVar("Value")

VERSION = 1
"""Of the tables below; a run folder of another version is refused."""

TABLES = """
CREATE TABLE IF NOT EXISTS items (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, data TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS results (
    position INTEGER PRIMARY KEY, complete INTEGER NOT NULL, data TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """What a run was asked to do."""

    command: str
    identity: Mapping[str, object]
    """JSON values that change results; a folder made with others is refused."""
    options: Mapping[str, object]
    """The command's whole invocation as JSON values, for `uppertail resume`."""


class RunFolder(Generic[Item, Result]):
    """The inputs and results of one run, on disk.

    Results are stored as they come and read back in input order. One process at a time
    holds the folder.
    """

    def __init__(self, path: Path, item: type[Item], result: type[Result]) -> None:
        """Open or make the folder and take hold of it.

        Raises:
            StorageError: it cannot be written, holds another version's state, or another
                process holds it.

        """
        self.path = path
        self._item = item
        self._result = result
        with storage(path):
            self._made = not path.exists()
            self._held_run = (path / "config.json").exists()
            path.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(path / ".lock")
            try:
                self._db = _database(path / "state.sqlite")
            except BaseException:  # whatever it is, the lock must not outlive it
                self._lock.close()
                raise

    def __enter__(self) -> RunFolder[Item, Result]:
        """Return the folder itself; it is let go at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the folder; one that was made now and never came to hold a run goes."""
        self._db.close()
        if self._made and not self.configured:
            shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()

    @property
    def journal(self) -> Path:
        """Where the run's calls are journalled."""
        return self.path / "journal.sqlite"

    @property
    def configured(self) -> bool:
        """Whether the folder holds a run; it does once its inputs are staged."""
        return (self.path / "config.json").exists()

    def refuse_other(self, config: RunConfig) -> None:
        """Compare with the configuration that the folder was made by, if it holds a run.

        Raises:
            InputError: they differ; the message shows every difference.

        """
        if not self.configured:
            return
        made = read_config(self.path)
        asked = {"command": config.command, **_plain(config.identity)}
        changes = differences({"command": made.command, **made.identity}, asked)
        if changes:
            raise InputError(
                "this run folder was made by another configuration; use a new folder, or "
                "repeat the command that made it:\n" + "\n".join(changes),
                file=self.path,
            )

    def configure(self, config: RunConfig) -> None:
        """Write down what the run was asked to do.

        Raises:
            StorageError: the folder cannot be written.

        """
        value = {
            "command": config.command,
            "identity": _plain(config.identity),
            "options": _plain(config.options),
        }
        with replacing(self.path / "config.json") as write:
            write(json.dumps(value, indent=2).encode() + b"\n")

    def abandon(self) -> None:
        """Forget a run in which nothing was done, so that the folder takes any other.

        A run that was there before this process came stays.
        """
        if not self._held_run:
            with storage(self.path):
                (self.path / "config.json").unlink(missing_ok=True)

    @property
    def staged(self) -> bool:
        """Whether every input of the run has been checked and copied."""
        return self.configured and self.fact("staged") is not None

    def stage(self, items: Iterable[tuple[str, Item]]) -> int:
        """Copy the inputs into the run, all or none; return how many there are.

        Args:
            items: unique id and value of each input, in order. Whatever it raises leaves
                the run unstaged.

        Raises:
            StorageError: the folder cannot be written.

        """
        with storage(self.path), self._db:
            self._db.execute("DELETE FROM items")
            rows = ((i, json.dumps(id), _pack(item)) for i, (id, item) in enumerate(items))
            self._db.executemany("INSERT INTO items VALUES (?, ?, ?)", rows)
            self._set("staged", "yes")
        return len(self)

    def __len__(self) -> int:
        """Return how many inputs the run has."""
        return int(self._one("SELECT count(*) FROM items"))

    @property
    def finished(self) -> int:
        """How many inputs have a result that lost nothing."""
        return int(self._one("SELECT count(*) FROM results WHERE complete"))

    def pending(self) -> Iterator[tuple[int, Item]]:
        """Yield position and value of every input that has no result, or one that lost something.

        In order. An incomplete result stays until a new one takes its place.
        """
        position = -1
        while row := self._db.execute(
            "SELECT position, data FROM items WHERE position > ? AND NOT EXISTS (SELECT 1 "
            "FROM results WHERE results.position = items.position AND complete) ORDER BY position LIMIT 1",
            (position,),
        ).fetchone():
            position = row[0]
            yield position, _unpack(row[1], self._item)

    def store(self, position: int, result: Result, *, complete: bool) -> None:
        """Store the result of one input; it is on disk when this returns.

        Raises:
            StorageError: the folder cannot be written (a full disk, for one).

        """
        with storage(self.path), self._db:
            self._db.execute(
                "INSERT OR REPLACE INTO results VALUES (?, ?, ?)",
                (position, complete, _pack(result)),
            )

    def results(self) -> Iterator[tuple[Item, Result]]:
        """Yield every input that has a result, with it, in input order."""
        rows = self._db.execute(
            "SELECT items.data, results.data FROM items JOIN results USING (position) "
            "ORDER BY position"
        )
        for item, result in rows:
            yield _unpack(item, self._item), _unpack(result, self._result)

    def fact(self, name: str) -> str | None:
        """Return a fact that was remembered about the run, or None."""
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def remember(self, name: str, value: str) -> None:
        """Remember a fact about the run, such as how many responses were quarantined."""
        with storage(self.path), self._db:
            self._set(name, value)

    def _set(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def _one(self, query: str) -> int:
        return int(self._db.execute(query).fetchone()[0])


def read_config(path: Path) -> RunConfig:
    """Return the configuration of the run in `path`.

    Raises:
        InputError: there is no run, or its configuration cannot be read.

    """
    file = path / "config.json"
    try:
        return _unpack(file.read_text("utf-8"), RunConfig)
    except FileNotFoundError:
        raise InputError("there is no run here (no config.json)", file=path) from None
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read as a run's configuration: {error}", file=file) from error


def differences(made: Mapping[str, object], asked: Mapping[str, object]) -> list[str]:
    """Return one line for each key whose value differs between two configurations."""
    absent = object()
    lines = []
    for key in sorted({*made, *asked}):
        before, now = made.get(key, absent), asked.get(key, absent)
        if before != now:
            shown = ["not set" if v is absent else json.dumps(v) for v in (before, now)]
            lines.append(f"  {key}: made with {shown[0]}, asked for {shown[1]}")
    return lines


@contextmanager
def storage(path: Path) -> Iterator[None]:
    """Translate what goes wrong with a file or database into `StorageError`."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if isinstance(error, OSError) and error.filename not in (None, str(path)):
            raise StorageError(f"{path}: {error.strerror}: {error.filename}") from error
        reason = error.strerror if isinstance(error, OSError) else error
        raise StorageError(f"{path}: cannot be written: {reason}") from error


def _plain(value: Mapping[str, object]) -> dict[str, object]:
    """Return `value` as it will read back from JSON, tuples as lists."""
    return dict(json.loads(json.dumps(value)))


def _pack(value: object) -> str:
    # ASCII escapes carry the lone surrogates that hostile text can hold; UTF-8 does not.
    return json.dumps(msgspec.to_builtins(value), separators=(",", ":"))


def _unpack(data: str, to: type[Value]) -> Value:
    return msgspec.convert(json.loads(data), to)


def _lock(file: Path) -> IO[str]:
    handle = file.open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise StorageError(f"{file.parent}: another process is working on this run") from None
    handle.write(str(os.getpid()))
    handle.flush()
    return handle


def _database(file: Path) -> sqlite3.Connection:
    db = sqlite3.connect(file, timeout=30)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    found = db.execute("PRAGMA user_version").fetchone()[0]
    if found not in (0, VERSION):
        db.close()
        raise StorageError(f"{file}: made by another version of uppertail (state {found})")
    db.executescript(TABLES + f"PRAGMA user_version = {VERSION};")
    return db
