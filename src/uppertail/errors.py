"""Every error that `uppertail` raises on purpose.

UppertailError
├── InputError         a file, field or option is not what it must be; nothing was spent
├── MissingExtra       an optional package is needed and not installed
├── StorageError       a run folder cannot be read or written
├── Stopped            the run must stop now and can be resumed
│   ├── ModelUnusable    no call to this model can succeed: wrong key, unknown model, server down
│   └── BudgetExhausted  the next call could pass the money limit
└── Lost               one answer is lost; its prompt says so and the run goes on
    ├── CallFailed       the model did not answer, retries included
    └── ReplyUnreadable  the model answered, and the answer is not what was asked for

Anything else that escapes is a bug.
"""

from __future__ import annotations


class UppertailError(Exception):
    """The base of every error below; its text is one sentence for the user."""


class InputError(UppertailError):
    """A file, field or option is not what it must be.

    The message names the place (file, line, field) and what was expected.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: object | None = None,
        line: int | None = None,
        field: str | None = None,
    ) -> None:
        place = [str(file)] if file is not None else []
        if line is not None:
            place.append(f"line {line}")
        if field is not None:
            place.append(f"field {field!r}")
        super().__init__(": ".join([", ".join(place), problem] if place else [problem]))


class MissingExtra(UppertailError):
    """An optional package is needed; the message names the extra to install."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an extra package: pip install 'uppertail[{extra}]'")


class StorageError(UppertailError):
    """A run folder cannot be read or written (permissions, full disk, another process)."""


class Stopped(UppertailError):
    """The run must stop now; what is finished is stored and the same command resumes it."""


class ModelUnusable(Stopped):
    """No call to this model can succeed: wrong key, unknown model, or no server there."""


class BudgetExhausted(Stopped):
    """The next call could take the run past its money limit."""


class Lost(UppertailError):
    """One answer is lost. It becomes *unscored* or *kept*, never a number."""


class CallFailed(Lost):
    """The model did not answer this call, retries included."""


class ReplyUnreadable(Lost):
    """The model answered, and the answer is not what was asked for, re-ask included."""
