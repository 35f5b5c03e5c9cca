"""The command line: the only argument parsing, printing and `asyncio.run`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command `uppertail` with the process's arguments and exit."""
    from uppertail.cli.app import run

    sys.exit(run(sys.argv[1:]))
