"""The command `uppertail`: its commands, and what every error becomes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App

from uppertail.errors import InputError, MissingExtra, Stopped, StorageError, UppertailError

EXIT_LOST, EXIT_INPUT, EXIT_STOPPED, EXIT_INTERRUPTED = 1, 2, 3, 130

app = App(
    name="uppertail",
    help="Rubric rewards that tell excellent responses from merely great ones.\n\n"
    "Exit codes: 0 nothing was lost; 1 the run ended and something was lost (it says what); "
    "2 the input is wrong, nothing was spent; 3 the run stopped early and can be resumed.",
    help_epilogue="Start with `uppertail demo`. Every command explains itself with --help.",
    result_action="return_value",
    version_flags=["--version"],
)
for name in ("demo", "sample", "refine", "score", "resume", "report", "export"):
    app.command(f"uppertail.cli.{name}:{name}", name=name)


def run(arguments: Sequence[str]) -> int:
    """Return the exit code of one invocation; what went wrong stands on standard error."""
    try:
        code = app(list(arguments), exit_on_error=False, print_error=True)
    except UppertailError as error:
        say(f"uppertail: {error}")
        return exit_code(error)
    except KeyboardInterrupt:
        say("uppertail: interrupted; what is finished is stored, the same command resumes")
        return EXIT_INTERRUPTED
    return code if isinstance(code, int) else 0


def exit_code(error: UppertailError) -> int:
    """Return the exit code that an error becomes."""
    if isinstance(error, InputError | MissingExtra):
        return EXIT_INPUT
    return EXIT_STOPPED if isinstance(error, Stopped | StorageError) else EXIT_LOST


def say(text: str) -> None:
    """Write a line for a person to standard error."""
    sys.stderr.write(text + "\n")
