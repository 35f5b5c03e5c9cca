"""`uppertail export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from uppertail.data.export import Format
from uppertail.data.export import export as write_export


def export(
    run: str,
    to: str,
    /,
    *,
    format: Annotated[Format, Parameter(name=["--format", "-f"])] = "hf",
    margin: float = 0.1,
) -> int:
    """Write a finished run's rubrics or scores in another format.

    Formats: `hf` the paper's data set (JSON Lines); `authors` their final_rubrics.json; `trl`
    prompts with the rubric as JSON text, a column that GRPO rewards can read; `preferences`
    chosen and rejected pairs whose scores differ by `--margin`; `parquet` and `csv` every
    table of the run.

    For example:

    - `uppertail export runs/refine-pools rubrics.jsonl --format hf`

    - `uppertail export runs/refine-pools pairs.jsonl --format preferences --margin 0.2`

    Args:
        run: folder of a finished run.
        to: file to write, or folder for `parquet` and `csv`; never overwritten.
        format: what to write.
        margin: least difference of two scores, in [0, 1], for `preferences`.

    """
    summary = write_export(Path(run), Path(to), format=format, margin=margin)
    for file in summary.files:
        print(file)
    left_out = ", ".join(f"{count} {why}" for why, count in summary.left_out.items())
    print(f"{summary.rows} rows" + (f"; left out: {left_out}" if left_out else ""))
    return 0
