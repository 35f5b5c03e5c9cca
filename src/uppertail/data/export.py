"""Finished runs in the formats of others."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from uppertail.data.columns import id_in
from uppertail.data.jsonl import line_rows
from uppertail.data.place import Row, shown
from uppertail.data.preferences import preference_rows
from uppertail.data.prompts import messages_in
from uppertail.data.rows import OutRow, check_text, prompt_value
from uppertail.data.rubrics import rubric_in
from uppertail.data.tables_out import write_csv, write_parquet
from uppertail.data.write import write_json_array, write_jsonl
from uppertail.errors import InputError
from uppertail.types import Criterion, Prompt, Rubric

Format = Literal["hf", "authors", "parquet", "csv", "preferences", "trl"]
TABLES = ("prompts", "responses", "rubrics", "verdicts", "scores", "preferences")
"""The outputs that become tables, where a run has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSummary:
    """What an export wrote."""

    files: tuple[Path, ...]
    rows: int
    """Over all files."""
    left_out: Mapping[str, int]
    """What took no part, by reason; empty where everything did."""


def export(run: Path, to: Path, *, format: Format, margin: float = 0.1) -> ExportSummary:
    """Write the outputs of a finished run in another format; return what was written.

    Args:
        run: the run's folder.
        to: the file to write; for `parquet` and `csv` the folder, which gets a file a table.
        format: `hf` is the authors' data set, `authors` their `final_rubrics.json`, `trl`
            prompts with the rubric as JSON text; see docs/data.md.
        margin: for `preferences`, the least difference of two scores, in [0, 1].

    Raises:
        InputError: the format is unknown, `to` exists, or the run lacks an output.
        MissingExtra: Parquet needs the `data` extra.
        StorageError: `to` cannot be written, or the disk is full.
    """
    if format not in get_args(Format):
        known = ", ".join(get_args(Format))
        raise InputError(f"expected a format out of {known}, found {shown(format)}")
    if not 0 <= margin <= 1:
        raise InputError(f"expected a margin in [0, 1], found {shown(margin)}")
    if to.is_file() or (to.is_dir() and any(to.iterdir())):
        raise InputError("expected a new name; there is something already", file=to)
    if format == "parquet":
        return _tables(run, to, format, write_parquet)
    if format == "csv":
        return _tables(run, to, format, write_csv)
    if format == "preferences":
        left_out: Counter[str] = Counter()
        rows = write_jsonl(to, preference_rows(run, margin=margin, left_out=left_out))
        return ExportSummary(files=(to,), rows=rows, left_out=dict(+left_out))
    return _rubrics(run, to, format)


def _tables(
    run: Path, to: Path, suffix: str, write: Callable[[Path, Iterator[OutRow]], int]
) -> ExportSummary:
    names = [name for name in TABLES if (run / f"{name}.jsonl").is_file()]
    if not names:
        found = ", ".join(f"{name}.jsonl" for name in TABLES)
        raise InputError(f"expected the outputs of a finished run ({found})", file=run)
    files = tuple(to / f"{name}.{suffix}" for name in names)
    rows = 0
    for name, file in zip(names, files, strict=True):
        rows += write(file, (row.fields for row in line_rows(run / f"{name}.jsonl")))
    return ExportSummary(files=files, rows=rows, left_out={})


def _rubrics(run: Path, to: Path, format: Format) -> ExportSummary:
    final = _final_rubrics(run / "rubrics.jsonl")
    if format == "authors":
        rows = write_json_array(to, map(_authors_row, final))
    else:
        rows = write_jsonl(to, map(_hf_row if format == "hf" else _trl_row, final))
    return ExportSummary(files=(to,), rows=rows, left_out={})


class _Final(NamedTuple):
    prompt: Prompt
    rubric: Rubric


def _final_rubrics(path: Path) -> Iterator[_Final]:
    """Yield each prompt with its last rubric."""
    for _, rows in groupby(line_rows(path), _id):
        last = list(rows)[-1]
        rubric = rubric_in(last)
        prompt = Prompt(id=rubric.prompt_id, messages=messages_in(last))
        yield _Final(prompt, rubric)


def _id(row: Row) -> str | None:
    return id_in(row.fields, ("prompt_id",), row.place)


def _hf_row(final: _Final) -> OutRow:
    """Return a row of the published data set. Source: spec of the paper's release (B.6)."""
    return {
        "prompt": prompt_value(final.prompt),
        "rubrics": [_weighted(criterion) for criterion in final.rubric.criteria],
        "number_of_criteria": len(final.rubric.criteria),
        "total_weight": _number(final.rubric.attainable),
    }


def _authors_row(final: _Final) -> OutRow:
    """Return an item of `final_rubrics.json` as the authors' workflow writes it (D.3)."""
    criteria = final.rubric.criteria
    return {
        "id": final.prompt.id,
        "prompt": final.prompt.text,
        "total_criteria": len(criteria),
        "criteria": [
            {**_weighted(criterion), "local_id": f"c{number}"}
            for number, criterion in enumerate(criteria, 1)
        ],
        "total_weight": _number(final.rubric.attainable),
    }


def _trl_row(final: _Final) -> OutRow:
    """Return a row for trainers that hand their columns to a reward function."""
    criteria = [
        {**_weighted(criterion), "kind": criterion.kind, "check": check_text(criterion)}
        for criterion in final.rubric.criteria
    ]
    return {
        "prompt_id": final.prompt.id,
        "prompt": prompt_value(final.prompt),
        "rubric": json.dumps(criteria, ensure_ascii=False),
    }


def _weighted(criterion: Criterion) -> dict[str, object]:
    return {"criterion": criterion.text, "weight": _number(criterion.weight)}


def _number(value: float) -> float:
    """Return a whole number as such: the authors' weights are 1, 2 and 3."""
    return int(value) if value.is_integer() else value
