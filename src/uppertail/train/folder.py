"""A training run is one folder: what was asked, the log, checkpoints, the model.

The same command goes on from the last checkpoint that is whole; a folder in which another command
trained, or paid for, anything is refused.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from uppertail.data.run_folder import differences, read_config
from uppertail.data.write import json_line, replacing, storing, write_jsonl
from uppertail.errors import InputError, StorageError

_CHECKPOINT: Final = re.compile(r"checkpoint-(\d+)")
_WHOLE: Final = "trainer_state.json"
"""The last file that a trainer writes into a checkpoint."""
_LOCK: Final = ".lock"
_JOURNAL: Final = "journal.sqlite"

Logged = Mapping[str, Any]
"""A row of a trainer's log: numbers by name, and the step."""


class TrainFolder:
    """The files of one training run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / "log.jsonl"
        self.model = path / "model"
        self.adapter = path / "adapter"
        self._config = path / "config.json"
        self._summary = path / "summary.json"

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end and its model is there."""
        return self._summary.is_file()

    @contextmanager
    def claimed(self, command: str, identity: Mapping[str, object]) -> Iterator[None]:
        """Hold the folder for this run while the block runs; make it where it is missing.

        A folder of another command is refused, unless that command ended before it had trained
        or paid for anything. Only the first process of a distributed run writes and holds.

        Raises:
            InputError: the folder holds another run, or files that are no run's.
            StorageError: it cannot be written, or another process is at work in it.
        """
        self._refuse_other(command, identity)
        if not first_process():
            yield
            return
        with storing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / _LOCK).open("w")
        with lock:
            _hold(lock, self.path)
            self._refuse_other(command, identity)  # what the process that held it came to
            value = {"command": command, "identity": dict(identity), "options": {}}
            with replacing(self._config) as write:
                write(json.dumps(value, indent=2).encode() + b"\n")
            yield

    def _refuse_other(self, command: str, identity: Mapping[str, object]) -> None:
        if not self._config.is_file():
            strange = self.path.exists() and {entry.name for entry in self.path.iterdir()}
            if strange and strange != {_LOCK} and first_process():
                raise InputError("expected a new folder, or one of a training run", file=self.path)
            return
        made = read_config(self.path)
        asked = {"command": command, **json.loads(json.dumps(identity))}
        changes = differences({"command": made.command, **made.identity}, asked)
        if changes and self.begun:
            raise InputError(
                "this folder was made by another command; use a new folder, or repeat the "
                "command that made it:\n" + "\n".join(changes),
                file=self.path,
            )

    @property
    def begun(self) -> bool:
        """Whether anything was trained or paid for: the folder has a file that says something.

        Its configuration says nothing of the kind, nor does a journal without a call.
        """
        journal = self.path / _JOURNAL
        said = (
            entry.stat().st_size
            for entry in self.path.rglob("*")
            if entry.is_file() and entry != self._config and not entry.name.startswith(_JOURNAL)
        )
        return any(said) or (journal.is_file() and _has_calls(journal))

    def checkpoint(self) -> Path | None:
        """Return the newest checkpoint that is whole, or None.

        A process that is killed while it saves leaves one without its last file.
        """
        found = [
            (int(match[1]), entry)
            for entry in self.path.glob("checkpoint-*")
            if (match := _CHECKPOINT.fullmatch(entry.name)) and (entry / _WHOLE).is_file()
        ]
        return max(found)[1] if found else None

    def start_log(self, rows: Iterable[Logged]) -> None:
        """Write the log anew: what the checkpoint knew, and nothing that came after it."""
        write_jsonl(self.log, map(numbers, rows))

    def add_log(self, row: Logged) -> None:
        """Append one row to the log."""
        with storing(self.log), self.log.open("ab") as stream:
            stream.write(json_line(numbers(row)))

    def read_log(self) -> tuple[dict[str, Any], ...]:
        """Return the rows of the log so far."""
        if not self.log.is_file():
            return ()
        lines = self.log.read_text("utf-8").splitlines()
        return tuple(json.loads(line) for line in lines)

    def finish(self, summary: Mapping[str, object]) -> None:
        """Write down that the run has ended, and with what.

        Raises:
            StorageError: the folder cannot be written.
        """
        with replacing(self._summary) as write:
            write(json.dumps(summary, indent=2).encode() + b"\n")

    def summary(self) -> dict[str, Any]:
        """Return what `finish` wrote."""
        return dict(json.loads(self._summary.read_text("utf-8")))


def _hold(lock: IO[str], folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StorageError(f"{folder}: another process is working on this run") from None


def _has_calls(file: Path) -> bool:
    from uppertail.models import Journal

    with Journal(file) as journal:
        return bool(journal.roles())


def numbers(row: Logged) -> dict[str, object]:
    """Return a row with the step first, and null for what is not finite: JSON has no NaN."""
    plain = {name: _plain(value) for name, value in row.items()}
    return {"step": plain.pop("step", None), **plain}


def _plain(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, int | float | str | None) else str(value)


def series(log: Sequence[Logged], name: str) -> tuple[tuple[float, float], ...]:
    """Return (step, value) of a name wherever the log has a number for it."""
    return tuple(
        (float(row["step"]), float(row[name]))
        for row in log
        if isinstance(row.get(name), int | float)
    )


def first_process() -> bool:
    """Return whether this is the process of a distributed run that writes files."""
    return os.environ.get("RANK", "0") == "0"


def processes() -> int:
    """Return how many processes, one a device, the launcher started; 1 without a launcher."""
    return int(os.environ.get("WORLD_SIZE", "1"))
