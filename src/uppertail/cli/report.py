"""`uppertail report`."""

from __future__ import annotations

from pathlib import Path

from uppertail.cli.publish import write_report
from uppertail.data.run_folder import RunFolder, read_config
from uppertail.errors import InputError
from uppertail.refine.result import Refinement, Task


def report(run: str, /) -> int:
    """Write the report of a run, finished or not, as one HTML page that needs no network.

    Args:
        run: the run folder; the page goes to report.html in it.

    """
    if read_config(Path(run)).command == "sample":
        raise InputError("is a run of `uppertail sample`, which has no rubrics to report", file=run)
    with RunFolder(Path(run), Task, Refinement) as folder:
        write_report(folder)
    print(Path(run) / "report.html")
    return 0
