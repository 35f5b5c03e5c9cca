"""What all checks share: bounds on a count, validation of fields, and wording."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

import msgspec


class Requirement(Protocol):
    """What each check adds to `CheckBase`."""

    def met_by(self, text: str) -> bool:
        """Return whether `text`, which is not blank, meets the requirement."""
        ...

    def sentence(self) -> str:
        """Return the requirement as one English sentence that begins "The response"."""
        ...


class CheckBase(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="check",
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    """The settings of every check: frozen, keyword-only, its name stored under the key `check`.

    Every check is a `Requirement`.
    """

    def holds(self: Requirement, text: str) -> bool:
        """Return whether `text` meets the requirement. A blank text meets none, not even "no commas"."""
        return bool(text.strip()) and self.met_by(text)


class Bounded(CheckBase, frozen=True, kw_only=True):
    """A check on a count, with inclusive bounds; both equal mean "exactly"."""

    at_least: int | None = None
    """1 or more; None for no lower bound."""
    at_most: int | None = None
    """0 or more, not below `at_least`; None for no upper bound."""

    def __post_init__(self) -> None:
        low, high = self.at_least, self.at_most
        if low is None and high is None:
            raise ValueError("at_least or at_most: expected one of them or both, found neither")
        if low is not None and low < 1:
            raise ValueError(f"at_least: expected 1 or more (leave it out for none), found {low}")
        if high is not None and high < (low or 0):
            raise ValueError(f"at_most: expected {low or 0} or more, found {high}")

    def admits(self, count: int) -> bool:
        """Return whether `count` lies within the bounds."""
        return (self.at_least is None or count >= self.at_least) and (
            self.at_most is None or count <= self.at_most
        )

    def amount(self, one: str, many: str, *, none: bool = True) -> str:
        """Return the bounds in words, such as "at least 3 sentences".

        Args:
            one: the noun for exactly 1.
            many: the noun for every other count.
            none: say "no words" for at most 0, not "at most 0 words".
        """
        low, high = self.at_least, self.at_most
        if high == 0 and none:
            return f"no {many}"
        if low == high:
            return f"exactly {low} {one if low == 1 else many}"
        if high is None:
            return f"at least {low} {one if low == 1 else many}"
        if low is None:
            return f"at most {high} {one if high == 1 else many}"
        return f"between {low} and {high} {many}"


def quote(text: str) -> str:
    """Return `text` in double quotation marks on one line, escaped as in JSON."""
    return json.dumps(text, ensure_ascii=False)


def listed(texts: Sequence[str]) -> str:
    """Return the quoted texts, separated by commas."""
    return ", ".join(quote(text) for text in texts)


def require_text(field: str, value: str) -> None:
    """Refuse a text that is empty or blank.

    Raises:
        ValueError: it is; the message names `field`.
    """
    if not value.strip():
        raise ValueError(f"{field}: expected some text, found {value!r}")


def require_texts(field: str, values: Sequence[str]) -> None:
    """Refuse a list that is empty, holds a blank text, or holds a text twice.

    Raises:
        ValueError: it does; the message names `field`.
    """
    if not values:
        raise ValueError(f"{field}: expected at least one text, found none")
    for value in values:
        require_text(field, value)
    if len(set(values)) < len(values):
        raise ValueError(f"{field}: expected different texts, found one of them twice")
