"""Rubrics by prompt id, on disk, so that memory does not grow with their number."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from uppertail.errors import StorageError
from uppertail.types import Rubric


class RubricIndex:
    """Rubrics by the id of their prompt, each to be taken once."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database
        database.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE rubrics (prompt_id TEXT PRIMARY KEY, data TEXT);"
        )

    def fill(self, rubrics: Iterable[Rubric]) -> None:
        """Store every rubric; readers have seen to it that no prompt has two."""
        rows = ((json.dumps(r.prompt_id), json.dumps(msgspec.to_builtins(r))) for r in rubrics)
        self._db.executemany("INSERT INTO rubrics VALUES (?, ?)", rows)

    def take(self, prompt_id: str) -> Rubric | None:
        """Return the rubric of a prompt and drop it from the index; None if there is none."""
        query = "DELETE FROM rubrics WHERE prompt_id = ? RETURNING data"
        row = self._db.execute(query, (json.dumps(prompt_id),)).fetchone()
        return None if row is None else msgspec.convert(json.loads(row[0]), Rubric)

    def left(self) -> int:
        """Return how many rubrics no prompt has taken."""
        return int(self._db.execute("SELECT count(*) FROM rubrics").fetchone()[0])


@contextmanager
def rubric_index(
    rubrics: Iterable[Rubric], *, scratch: Path | None = None
) -> Iterator[RubricIndex]:
    """Give an index of `rubrics` in a temporary file, which goes when the block ends.

    Args:
        rubrics: read once; what they raise goes through.
        scratch: folder for the temporary file; None for the system's.

    Raises:
        StorageError: the temporary file cannot be written.

    """
    with tempfile.TemporaryDirectory(dir=scratch, prefix="uppertail-") as folder:
        database = sqlite3.connect(Path(folder) / "rubrics.sqlite")
        try:
            index = RubricIndex(database)
            index.fill(rubrics)
            yield index
        except sqlite3.Error as error:
            raise StorageError(f"{folder}: cannot be written: {error}") from error
        finally:
            database.close()
