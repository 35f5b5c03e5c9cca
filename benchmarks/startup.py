"""How fast `uppertail` starts and how much its core installs.

Figures: import_seconds, help_seconds (medians of whole processes), core_distributions and
core_mb (a fresh virtual environment with the core and nothing else, pip left out).

    python benchmarks/startup.py
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
RUNS = 9


def main() -> int:
    """Print the figures; return non-zero when one cannot be measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        python = fresh(Path(folder))
        empty = seconds([str(python), "-c", "pass"])
        imported = seconds([str(python), "-c", "import uppertail"])
        helped = seconds([str(python.parent / "uppertail"), "--help"])
        print(f"python_seconds: {empty:.3f}")
        print(f"import_seconds: {imported - empty:.3f}")
        print(f"help_seconds: {helped:.3f}")
        distributions, megabytes = installed(Path(folder))
        print(f"core_distributions: {distributions}")
        print(f"core_mb: {megabytes:.1f}")
    return 0


def fresh(folder: Path) -> Path:
    """Return the interpreter of a new environment that holds the core alone."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", str(ROOT)]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return python


def seconds(command: Sequence[str]) -> float:
    """Return the median wall time of a command in seconds, after one warm-up."""
    times = []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def installed(folder: Path) -> tuple[int, float]:
    """Return how many distributions an environment holds, and their size in MB."""
    packages = next(folder.glob("lib/python*/site-packages"))
    own = {"pip", "setuptools"}
    infos = [p for p in packages.glob("*.dist-info") if p.name.split("-")[0] not in own]
    files = [f for f in packages.rglob("*") if f.is_file()]
    kept = [f for f in files if f.relative_to(packages).parts[0].split("-")[0] not in own]
    return len(infos), sum(f.stat().st_size for f in kept) / 1e6


if __name__ == "__main__":
    sys.exit(main())
