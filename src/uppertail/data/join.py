"""Responses that stand apart from their prompts, brought together on disk.

A flat file holds a response a row, in any order. Its rows go through a temporary SQLite
database, so that memory does not grow with them: not with the prompts, not with the texts.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from uppertail.data import columns
from uppertail.data.columns import id_in, pick
from uppertail.data.formats import Source, read_rows
from uppertail.data.place import Place, Row, shown
from uppertail.data.prompts import messages_in, prompt_hash, prompt_in, twice
from uppertail.data.responses import Draft, drafts_in
from uppertail.errors import StorageError
from uppertail.types import Message, Prompt

_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -16384;
CREATE TABLE prompts (
    position INTEGER PRIMARY KEY, id TEXT UNIQUE, messages TEXT, line INTEGER, unit TEXT);
CREATE TABLE responses (position INTEGER, draft TEXT);
"""
"""Texts are stored as ASCII JSON, which holds lone surrogates where SQLite texts cannot."""


class Joined(NamedTuple):
    """A prompt with all its responses."""

    prompt: Prompt
    place: Place
    drafts: tuple[Draft, ...]


class Join:
    """Prompts in input order and the responses of each, in input order too. Read many times."""

    def __init__(self, database: sqlite3.Connection, source: Source) -> None:
        self._database = database
        self._source = str(source)
        database.executescript(_SCHEMA)

    def add_prompt(self, prompt: Prompt, place: Place) -> int:
        """Store a prompt; return its position.

        Raises:
            InputError: its id is there already.
        """
        known = self._known(prompt.id)
        if known is not None:
            raise twice(prompt.id, place, known.place)
        messages = json.dumps([[m.role, m.content] for m in prompt.messages])
        row = (json.dumps(prompt.id), messages, place.line, place.unit)
        sql = "INSERT INTO prompts (id, messages, line, unit) VALUES (?, ?, ?, ?)"
        return int(self._database.execute(sql, row).lastrowid or 0)

    def add_responses(self, row: Row) -> None:
        """Store the responses of a row of a file that stands beside the prompts' file.

        Raises:
            InputError: the row names no prompt, or an unknown one, or holds no response.
        """
        id = id_in(row.fields, columns.PROMPT_ID, row.place)
        if id is None:
            id = prompt_hash(messages_in(row))
        position = self._position(id)
        if position is None:
            problem = f"expected the id of a prompt in {self._source}, found {shown(id)}"
            raise row.place.error(problem, field="prompt_id")
        drafts = drafts_in(row)
        if not drafts:
            names = ", ".join(columns.FLAT)
            raise row.place.error(f"expected a response under one of {names}", field="response")
        self._store(position, drafts)

    def add_flat(self, row: Row) -> None:
        """Store a row that holds a response and its prompt; the prompt comes with the first.

        Raises:
            InputError: the prompt is missing, or differs from the one of the same id before.
        """
        id = id_in(row.fields, columns.PROMPT_ID, row.place)
        bare = pick(row.fields, columns.PROMPT)[1] is None
        position = self._position(id) if bare and id is not None else None
        if position is None:
            position = self._same_or_new(row, id)
        self._store(position, drafts_in(row))

    def _same_or_new(self, row: Row, id: str | None) -> int:
        messages = messages_in(row)
        prompt = Prompt(id=id or prompt_hash(messages), messages=messages)
        known = self._known(prompt.id)
        if known is None:
            return self.add_prompt(prompt, row.place)
        if known.prompt.messages != messages:
            problem = (
                f"another prompt has the id {shown(prompt.id)}: "
                f"first on {known.place.unit} {known.place.line}"
            )
            raise row.place.error(problem, field="prompt_id")
        return known.position

    def _store(self, position: int, drafts: tuple[Draft, ...]) -> None:
        rows = [(position, _packed(draft)) for draft in drafts]
        self._database.executemany("INSERT INTO responses VALUES (?, ?)", rows)

    def _position(self, id: str) -> int | None:
        sql = "SELECT position FROM prompts WHERE id = ?"
        row = self._database.execute(sql, (json.dumps(id),)).fetchone()
        return row[0] if row else None

    def _known(self, id: str) -> _Known | None:
        sql = "SELECT position, id, messages, line, unit FROM prompts WHERE id = ?"
        row = self._database.execute(sql, (json.dumps(id),)).fetchone()
        return self._prompt(row) if row else None

    def _prompt(self, row: tuple[int, str, str, int, str]) -> _Known:
        position, id, messages, line, unit = row
        turns = tuple(Message(role=role, content=text) for role, text in json.loads(messages))
        place = Place(file=self._source, line=line, unit="row" if unit == "row" else "line")
        return _Known(position, Prompt(id=json.loads(id), messages=turns), place)

    def finish(self) -> None:
        """Make the responses of a prompt quick to find; nothing is added afterwards."""
        self._database.execute("CREATE INDEX by_prompt ON responses (position)")
        self._database.commit()

    def __iter__(self) -> Iterator[Joined]:
        """Yield every prompt with its responses."""
        sql = "SELECT position, id, messages, line, unit FROM prompts ORDER BY position"
        of_prompt = "SELECT draft FROM responses WHERE position = ? ORDER BY rowid"
        for row in self._database.execute(sql):
            known = self._prompt(row)
            stored = self._database.execute(of_prompt, (known.position,))
            drafts = tuple(Draft(**json.loads(draft)) for (draft,) in stored)
            yield Joined(known.prompt, known.place, drafts)


def _packed(draft: Draft) -> str:
    """Return a draft as JSON; faster than `asdict`, which copies every text."""
    return json.dumps({name: getattr(draft, name) for name in Draft.__slots__})


class _Known(NamedTuple):
    position: int
    prompt: Prompt
    place: Place


@contextmanager
def joined(source: Source, responses: Source | None, scratch: Path | None) -> Iterator[Join]:
    """Join `responses` to the prompts of `source`, or a flat `source` to itself.

    Args:
        source: prompts; or prompts and responses, one response a row.
        responses: responses that name their prompts; None where they are in `source`.
        scratch: folder for the temporary database, which takes about as much space as the
            inputs; None for the system's.

    Raises:
        InputError: an input is not what it must be.
        StorageError: the folder cannot be written, or is full.
    """
    with _database(scratch) as database:
        join = Join(database, source)
        for row in read_rows(source):
            if responses is None:
                join.add_flat(row)
            else:
                _add_bare_prompt(join, row)
        if responses is not None:
            for row in read_rows(responses):
                join.add_responses(row)
        join.finish()
        yield join


def _add_bare_prompt(join: Join, row: Row) -> None:
    name, value = pick(row.fields, columns.RESPONSES)
    if value is not None:
        problem = "expected prompts alone, since the responses come from another file"
        raise row.place.error(problem, field=name)
    join.add_prompt(prompt_in(row), row.place)


@contextmanager
def _database(scratch: Path | None) -> Iterator[sqlite3.Connection]:
    try:
        with tempfile.TemporaryDirectory(prefix="join-", dir=scratch) as folder:
            database = sqlite3.connect(Path(folder) / "join.sqlite")
            try:
                yield database
            finally:
                database.close()
    except (OSError, sqlite3.OperationalError) as error:
        where = scratch or tempfile.gettempdir()
        raise StorageError(f"{where}: the responses cannot be joined there: {error}") from error
