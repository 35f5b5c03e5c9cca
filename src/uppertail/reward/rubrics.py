"""Where the rubric of a rollout comes from: its row, a file or run, or a proposer."""

from __future__ import annotations

import fcntl
import json
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import IO, Protocol

import msgspec

from uppertail.data.columns import PROMPT, pick
from uppertail.data.formats import Source, read_rows
from uppertail.data.place import Place, Row
from uppertail.data.prompts import messages_in, prompt_hash
from uppertail.data.rows import rubric_row
from uppertail.data.rubrics import rubric_in
from uppertail.data.write import json_line
from uppertail.errors import InputError, StorageError
from uppertail.models.flight import Flights
from uppertail.propose.interface import Proposer
from uppertail.score.interface import Rollout
from uppertail.types import Prompt, Rubric

_RECENT = 4096
"""Rubrics that are kept decoded; a step of training has a few hundred prompts."""


class RubricSource(Protocol):
    """Finds the rubric of a rollout."""

    @property
    def name(self) -> str:
        """What it is, in a word."""
        ...

    async def find(self, rollout: Rollout) -> Rubric | None:
        """Return the rubric, or None where there is none.

        Raises:
            Lost: there should be one, and it could not be had.
        """
        ...


class Carried:
    """The rubric that came with the rollout, from a column of the trainer's data set."""

    name = "carried"

    async def find(self, rollout: Rollout) -> Rubric | None:
        """Return the rollout's own rubric."""
        return rollout.rubric


class Stored:
    """Rubrics of a file or a run folder, by the prompt's id, else by its words.

    Where the file says which words belong to an id, a rollout of other words does not get
    the rubric: trainers number their rows anew for every data set. The rubrics lie in a
    temporary database, so that memory does not grow with their number.

    Args:
        source: a file of rubrics in any format that `uppertail score` takes, a run folder,
            or rubrics.

    Raises:
        InputError: the file cannot be read, a rubric is not sound, or a prompt has two.
    """

    def __init__(self, source: Source | Iterable[Rubric]) -> None:
        # An empty name is a temporary database of SQLite's own: on disk when large, gone at
        # the end. It is only read after this, so other threads may read it.
        self._db = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._db.execute("CREATE TABLE rubrics (id TEXT PRIMARY KEY, words TEXT, data TEXT)")
        self._db.execute("CREATE INDEX by_words ON rubrics (words)")
        self._recent: OrderedDict[tuple[str, str], Rubric | None] = OrderedDict()
        where = f"{Path(source).name}, " if isinstance(source, str | Path) else ""
        held = self._fill(source)
        self._name = f"stored ({where}count {len(self)}, hash {held})"

    @property
    def name(self) -> str:
        """The file's name, how many rubrics there are, and a hash of them and their order.

        It is part of a scorer's name: other rubrics of the same file make another scorer.
        """
        return self._name

    def __del__(self) -> None:
        self._db.close()

    def __len__(self) -> int:
        """Return how many rubrics there are."""
        return int(self._db.execute("SELECT count(*) FROM rubrics").fetchone()[0])

    async def find(self, rollout: Rollout) -> Rubric | None:
        """Return the rubric of the rollout's prompt."""
        key = (rollout.prompt.id, prompt_words(rollout.prompt))
        if key in self._recent:
            self._recent.move_to_end(key)
            return self._recent[key]
        found = self._recent[key] = self._look_up(*key)
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
        return found

    def _look_up(self, id: str, words: str) -> Rubric | None:
        """Return the rubric of that id unless its words are known to be others, or by words."""
        row = self._db.execute(
            "SELECT data FROM rubrics WHERE id = ? AND coalesce(words, ?) = ?",
            (json.dumps(id), words, words),
        ).fetchone()
        if row is None:
            query = "SELECT data FROM rubrics WHERE words = ? OR id = ? ORDER BY rowid LIMIT 1"
            row = self._db.execute(query, (words, json.dumps(words))).fetchone()
        return None if row is None else msgspec.convert(json.loads(row[0]), Rubric)

    def _fill(self, source: Source | Iterable[Rubric]) -> str:
        """Take in all rubrics and return a hash of them."""
        held = blake2b(digest_size=4)
        self._db.execute("BEGIN")
        for rubric, words in _rubrics(source):
            row = (json.dumps(rubric.prompt_id), words, json.dumps(msgspec.to_builtins(rubric)))
            try:
                self._db.execute("INSERT INTO rubrics VALUES (?, ?, ?)", row)
            except sqlite3.IntegrityError:
                raise InputError(
                    f"expected one rubric a prompt; {rubric.prompt_id!r} has two",
                    file=source if isinstance(source, str | Path) else None,
                    field="prompt_id",
                ) from None
            held.update(json.dumps(row).encode())
        self._db.execute("COMMIT")
        return held.hexdigest()


class Written:
    """Rubrics that a proposer writes when a prompt is first seen, kept in a file.

    Rollouts of one prompt wait for the same proposal. What was written is read back after a
    restart, and by other processes that write to the same file; a prompt is known by its
    words. A line that a killed process left unfinished is cut off.

    Args:
        proposer: writes the rubrics.
        path: a file of JSON Lines in the columns of `rubrics.jsonl`; made where missing.

    Raises:
        InputError: the file holds something else.
        StorageError: it cannot be read or written; also from `find`.
    """

    name = "written"

    def __init__(self, proposer: Proposer, path: Path | str) -> None:
        self._proposer = proposer
        self._path = Path(path)
        self._known: dict[str, Rubric] = {}
        self._read = self._lines = 0
        self._flights: Flights[Rubric] = Flights()
        with self._held() as file:
            self._catch_up(file)

    async def find(self, rollout: Rollout) -> Rubric | None:
        """Return the rubric of the rollout's prompt, written now if there is none.

        Raises:
            Lost: the proposer could not write one; the next rollout asks again.
        """
        words = prompt_words(rollout.prompt)
        known = self._known.get(words)
        if known is None:
            known, _ = await self._flights.join(words, partial(self._write, rollout.prompt, words))
        return known

    async def _write(self, prompt: Prompt, words: str) -> Rubric:
        rubric = await self._proposer.initial(prompt)
        with self._held() as file:
            self._catch_up(file)
            if words not in self._known:  # else another process was first, and its rubric stands
                line = json_line(rubric_row(rubric, prompt))
                file.write(line)
                file.flush()
                self._read += len(line)
                self._lines += 1
                self._known[words] = rubric
        return self._known[words]

    def _held(self) -> _HeldFile:
        return _HeldFile(self._path)

    def _catch_up(self, file: IO[bytes]) -> None:
        """Take in what the file holds beyond what was read; cut an unfinished last line."""
        file.seek(self._read)
        added = file.read()
        whole = added[: added.rfind(b"\n") + 1]
        if len(whole) < len(added):
            file.truncate(self._read + len(whole))
        for line in whole.splitlines():
            self._lines += 1
            row = Row(fields=self._fields(line), place=self._place())
            rubric = rubric_in(row)
            self._known.setdefault(_words(row) or rubric.prompt_id, rubric)
        self._read += len(whole)
        file.seek(self._read)

    def _fields(self, line: bytes) -> Mapping[str, object]:
        try:
            fields = json.loads(line)
        except ValueError as error:
            raise self._place().error(f"not JSON: {error}") from None
        if not isinstance(fields, dict):
            raise self._place().error("expected an object")
        return fields

    def _place(self) -> Place:
        return Place(file=str(self._path), line=self._lines)


class _HeldFile:
    """A file that this process alone may change for as long as the block runs."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> IO[bytes]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch()
            self._file = self._path.open("r+b")
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except OSError as error:
            raise StorageError(f"{self._path}: {error.strerror}") from error
        return self._file

    def __exit__(self, *_: object) -> None:
        self._file.close()


class FirstOf:
    """The first rubric that one of several sources has."""

    def __init__(self, *sources: RubricSource) -> None:
        self._sources = sources

    @property
    def name(self) -> str:
        """The sources, in order."""
        return ", else ".join(source.name for source in self._sources)

    async def find(self, rollout: Rollout) -> Rubric | None:
        """Return the first rubric found.

        Raises:
            Lost: a source raised it; later ones are not asked.
        """
        for source in self._sources:
            if (rubric := await source.find(rollout)) is not None:
                return rubric
        return None


def prompt_words(prompt: Prompt) -> str:
    """Return the id that a prompt of the same messages has where it is given none."""
    return prompt_hash(prompt.messages)


def _rubrics(source: Source | Iterable[Rubric]) -> Iterator[tuple[Rubric, str | None]]:
    """Yield each rubric, and the words of its prompt where the row holds them."""
    if not isinstance(source, str | Path):
        yield from ((rubric, None) for rubric in source)
        return
    folder = Path(source)
    for row in read_rows(folder / "rubrics.jsonl" if folder.is_dir() else source):
        yield rubric_in(row), _words(row)


def _words(row: Row) -> str | None:
    _, value = pick(row.fields, PROMPT)
    return None if value is None else prompt_hash(messages_in(row))
