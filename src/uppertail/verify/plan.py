"""Which criteria are asked in which call, and what that costs. Pure; also used by the dry run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeVar

from uppertail.errors import InputError
from uppertail.types import Decider, Prompt, content_id, content_ids

T = TypeVar("T")
Mode = Literal["whole", "chunks", "single"]
Order = Literal["prefix", "paper"]

PROTOCOL = "v2"
"""Raised when rendering or reading changes in a way that can change a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How verdicts are asked for.

    Raises:
        InputError: a setting is not what it must be.
    """

    mode: Mode = "whole"
    """All criteria in one call (the paper), `chunk` of them in a call, or one."""
    chunk: int = 5
    """Criteria in a call; at least 1. Only `chunks` reads it."""
    order: Order = "prefix"
    """What the calls that follow each other share comes first, or the paper's order."""
    votes: int = 1
    """Independent answers to each call; at least 1."""
    reasons: bool = False
    """Whether a reason is asked for before each answer."""
    temperature: float | None = 0.0
    """Of every call; above 0 if there are several votes. None leaves it to the server."""

    def __post_init__(self) -> None:
        _one_of("mode", self.mode, ("whole", "chunks", "single"))
        _one_of("order", self.order, ("prefix", "paper"))
        _at_least_one("chunk", self.chunk)
        _at_least_one("votes", self.votes)
        if self.votes > 1 and not (self.temperature or 0.0) > 0.0:
            problem = f"expected more than 0 where there are {self.votes} votes, found"
            raise InputError(f"{problem} {self.temperature}", field="temperature")

    @property
    def reuses(self) -> bool:
        """Whether known verdicts are reused; the whole rubric is always asked again (the paper)."""
        return self.mode != "whole"

    @property
    def criteria_per_call(self) -> int | None:
        """The most criteria that a call holds; None for all."""
        return {"whole": None, "chunks": self.chunk, "single": 1}[self.mode]

    @property
    def protocol(self) -> str:
        """Everything here that can change a verdict, in words that travel with it."""
        mode = f"chunks{self.chunk}" if self.mode == "chunks" else self.mode
        heat = "" if self.temperature is None else f"t{self.temperature:g}"
        reasons = "reasons" if self.reasons else ""
        votes = f"{self.votes}votes" if self.votes > 1 else ""
        return "/".join(filter(None, (mode, self.order, reasons, votes, heat, PROTOCOL)))

    def calls(self, criteria: Sequence[T]) -> tuple[tuple[T, ...], ...]:
        """Return the criteria of each call, consecutive and in the order given."""
        if not criteria:
            return ()
        size = self.criteria_per_call or len(criteria)
        return tuple(
            tuple(criteria[first : first + size]) for first in range(0, len(criteria), size)
        )

    @property
    def material(self) -> tuple[str, ...]:
        """The slots of a call's material, in order.

        What varies most among the calls that follow each other comes last. A whole rubric
        is followed by the same rubric for the next response; a chunk is followed by the
        next chunk for the same response. The paper's order is the second one.
        """
        if self.mode == "whole" and self.order == "prefix":
            return ("prompt", "criteria", "response")
        return ("prompt", "response", "criteria")

    @property
    def varying(self) -> str:
        """The slot in which the calls that follow each other differ."""
        return "response" if self.mode == "whole" else "criteria"


def criteria_lines(texts: Mapping[str, str]) -> str:
    """Return the criteria as the verifier sees them: one line each, no weights.

    White space within a criterion becomes single spaces, so that no criterion can open a
    line that looks like another one.

    Args:
        texts: the criteria by the ids that the reply must use.
    """
    return "\n".join([f"- {id}: {_one_line(text)}" for id, text in texts.items()])


@lru_cache(maxsize=4096)  # a rubric's criteria are shown again for every response
def _one_line(text: str) -> str:
    return " ".join(text.split())


def verdict_keys(
    prompt: Prompt, response_text: str, criterion_ids: Sequence[str], by: Decider
) -> list[str]:
    """Return the keys under which verdicts may be reused: everything that can change them.

    The prompt's id is in it, so that two prompts of the same words never see each other's
    verdicts: which of them ended first would change what the other one asks.

    `by` holds the model, the templates' hash and the protocol, which names mode, order,
    votes and temperature. A stored verdict's own `by` therefore gives its key again.
    """
    turns = [part for message in prompt.messages for part in (message.role, message.content)]
    shown = (prompt.id, content_id(*turns), response_text)
    return content_ids(shown, criterion_ids, (by.model, by.template, by.protocol))


def _one_of(field: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(f"expected one of {', '.join(allowed)}, found {value!r}", field=field)


def _at_least_one(field: str, value: int) -> None:
    if value < 1:
        raise InputError(f"expected 1 or more, found {value}", field=field)
