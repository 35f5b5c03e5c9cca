"""How long a tail report of many rows takes, and how much memory.

Figures: rows, seconds (reading a Parquet file of reward, gold and length, and making the
report with intervals and page), cpu_seconds, rss_mb (peak resident set of that process).

    python benchmarks/tail_scale.py [--rows 1000000] [--size 16]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MB = 1024
"""KiB in one: ru_maxrss counts KiB on Linux."""


def main() -> int:
    """Print the figures; return non-zero when they cannot be measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--size", type=int, default=16, help="responses a prompt")
    parser.add_argument("--child", metavar="FILE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        return report(Path(arguments.child))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        write(path, arguments.rows, arguments.size)
        # A process of its own, so that making the rows does not count.
        done = subprocess.run([sys.executable, __file__, "--child", str(path)], check=False)
    return done.returncode


def write(path: Path, rows: int, size: int) -> None:
    """Write responses whose reward is right but for its best tenth, ties included."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    draw = np.random.default_rng(0)
    gold = draw.random(rows)
    reward = np.round(np.where(gold < 0.9, gold, 1.9 - gold) + draw.normal(0, 0.1, rows), 3)
    columns = {
        "prompt_id": pa.array(np.char.add("prompt-", (np.arange(rows) // size).astype(str))),
        "reward": reward,
        "gold": gold,
        "length": draw.integers(50, 4000, rows),
    }
    pq.write_table(pa.table(columns), path)


def report(path: Path) -> int:
    """Make the report in this process and print what it took."""
    start = time.perf_counter()
    from uppertail.evaluate.tail import Columns, read_table, tail_report
    from uppertail.evaluate.tail.page import page

    table = read_table(path, Columns(length="length"))
    page(tail_report(table))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"rows: {len(table.prompt)}")
    print(f"seconds: {time.perf_counter() - start:.2f}")
    print(f"cpu_seconds: {used.ru_utime + used.ru_stime:.2f}")
    print(f"rss_mb: {used.ru_maxrss / MB:.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
