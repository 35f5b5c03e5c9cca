"""The command `uppertail`: its commands, and what every error becomes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Parameter, UnknownCommandError

from uppertail.errors import InputError, MissingExtra, Stopped, StorageError, UppertailError

EXIT_LOST, EXIT_INPUT, EXIT_STOPPED, EXIT_INTERRUPTED = 1, 2, 3, 130

COMMANDS = {
    "demo": "refine rubrics for a bundled pool: no key, no network, a few seconds",
    "sample": "draw candidate responses to prompts, from one model or many",
    "refine": "write and sharpen a rubric for each prompt, and score its responses",
    "score": "score responses under rubrics that are there already",
    "resume": "go on with a run that stopped, or try again what it lost",
    "report": "write the report of a run as one HTML page",
    "tail": "say how far a reward can be optimised, from scored responses",
    "serve": "give rewards over HTTP, to trainers and to several runs at once",
    "train": "train a policy against a reward, or pick the best of what it says",
    "bench": "measure rewards and judges on benchmarks, with intervals and nothing hidden",
    "winrate": "say how often one policy's answers are preferred to another's",
    "robustness": "say whether a reward keeps its order when nothing that matters changes",
    "agree": "compare a verifier with people, and correct for what it gets wrong",
    "health": "say what each criterion of a pool is worth, and what to do about it",
    "export": "write a run's rubrics or scores in another format",
}

_OVERVIEW = "\n\n".join(f"- `{name}`: {what}" for name, what in COMMANDS.items())

app = App(
    name="uppertail",
    help="Rubric rewards that tell excellent responses from merely great ones.\n\n"
    f"{_OVERVIEW}\n\n"
    "Every command explains itself with `--help`. Exit codes: 0 nothing was lost; 1 the run "
    "ended and something was lost (it says what); 2 the input is wrong, nothing was spent; "
    "3 the run stopped early and can be resumed.",
    usage="Usage: uppertail COMMAND [OPTIONS]",
    result_action="return_value",
    default_parameter=Parameter(negative=()),
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,  # `run` says what an interrupt leaves behind
)
app["--help"].show = app["--version"].show = False
for name in COMMANDS:
    # Not shown: the list above has them, and to list them the library would import them all.
    app.command(f"uppertail.cli.{name}:{name}", name=name, show=False)


def run(arguments: Sequence[str]) -> int:
    """Return the exit code of one invocation; what went wrong stands on standard error."""
    try:
        code = app(list(arguments), exit_on_error=False, print_error=True)
    except CycloptsError as error:  # it has printed what is wrong
        if isinstance(error, UnknownCommandError):
            say(f"The commands are {', '.join(COMMANDS)}.")
        return EXIT_INPUT
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
