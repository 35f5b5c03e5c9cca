"""A criterion that carries a check is decided by the check, whoever the verifier is."""

from __future__ import annotations

from uppertail.checks import Check
from uppertail.types import Decider, Outcome, Unscored, Verdict, Why

VERSION = 1
"""Raised when any check's meaning changes, so that old and new verdicts never mix."""


def decide(check: Check, response: str) -> Outcome:
    """Return whether `check` holds for the response's text, decided by program.

    A check that fails to run gives `Unscored`, never a "no".
    """
    tag = check.__struct_config__.tag
    try:
        met = check.holds(response)
    except Exception as error:  # noqa: BLE001  a fault in one check must not end a run of many prompts
        return Unscored(why=Why.CHECK_FAILED, detail=f"check {tag!r}: {type(error).__name__}")
    return Verdict(met=met, by=Decider(model="offline", protocol=f"{tag}/{VERSION}"))
