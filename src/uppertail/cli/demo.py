"""`uppertail demo`."""

from __future__ import annotations

import json
import shutil
from importlib.resources import as_file, files
from pathlib import Path

from uppertail.cli.execute import carry_out
from uppertail.cli.invocation import Invocation
from uppertail.cli.options import MethodOptions, RunOptions, VerifyOptions
from uppertail.errors import InputError


def demo(*, out: str = "runs/demo") -> int:
    """Refine rubrics for the bundled pool with the offline default and show the report.

    A dozen prompts with eight responses each, of clearly different quality. No key, no
    network, a few seconds. What was there from an earlier demo is replaced.

    Args:
        out: run folder.

    """
    folder = Path(out)
    with as_file(files("uppertail.data") / "bundled" / "pools.jsonl") as pools:
        _clear(folder, pools)
        code = carry_out(
            Invocation(
                command="refine",
                source=str(pools),
                method=MethodOptions(),
                verify=VerifyOptions(),
                run=RunOptions(out=out),
            )
        )
    print_example(folder)
    print(f"\nOpen the report: {(folder / 'report.html').resolve()}")
    return code


def _clear(folder: Path, pools: Path) -> None:
    """Remove an earlier demo, and nothing else.

    Raises:
        InputError: the folder holds something that no demo made.

    """
    if not folder.exists():
        return
    try:
        config = json.loads((folder / "config.json").read_text())
        ours = config["options"]["source"] == str(pools)
    except (OSError, ValueError, KeyError):
        ours = False
    if not ours:
        raise InputError("holds something else than a demo; name another --out", file=folder)
    shutil.rmtree(folder)


def print_example(folder: Path) -> None:
    """Print the rubric that grew most, with what refinement added."""
    best: dict[str, object] = {}
    most = 0
    with (folder / "history.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            grown = len(row["rubrics"][-1]["criteria"]) - len(row["rubrics"][0]["criteria"])
            if grown > most:
                best, most = row, grown
    if not best:
        return
    first, last = best["rubrics"][0], best["rubrics"][-1]  # type: ignore[index]
    known = {c["criterion_id"] for c in first["criteria"]}
    print(f"\nFor example, the rubric of {best['prompt_id']!r} (+ marks what refinement added):")
    for criterion in last["criteria"]:
        mark = " " if criterion["criterion_id"] in known else "+"
        print(f"  {mark} {criterion['weight']:g}  {criterion['criterion']}")
