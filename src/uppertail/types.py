"""The nouns: what every stage takes and gives.

Read from top to bottom: what is asked and answered, what a rubric is, what a
verifier decides, what a score is. Values are frozen; sequences are tuples; ids are
strings that are stable from run to run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import Literal

import msgspec

from uppertail.checks import Check

Role = Literal["system", "user", "assistant"]
Kind = Literal["principle", "hard_rule"]


def content_id(*parts: str) -> str:
    """Return a 16-character hexadecimal id of `parts` (64-bit BLAKE2b).

    The lengths of the parts are hashed too, so ("ab", "c") and ("a", "bc") differ.
    Lone surrogates, which hostile JSON can hold, are hashed as their code points.
    """
    return blake2b(_framed(parts), digest_size=8).hexdigest()


def content_ids(before: Sequence[str], parts: Sequence[str], after: Sequence[str]) -> list[str]:
    """Return `content_id(*before, part, *after)` of each part, what they share read once."""
    begun, end = blake2b(_framed(before), digest_size=8), _framed(after)
    ids = []
    for part in parts:
        whole = begun.copy()
        whole.update(_framed((part,)) + end)
        ids.append(whole.hexdigest())
    return ids


def _framed(parts: Sequence[str]) -> bytes:
    """Return the parts as bytes, each behind its length."""
    pieces: list[bytes] = []
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        pieces += (len(data).to_bytes(8, "little"), data)
    return b"".join(pieces)


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What the policy is asked: plain text is one user message."""

    id: str
    messages: tuple[Message, ...]
    """At least one; the last one is the user's."""

    @classmethod
    def plain(cls, text: str, *, id: str | None = None) -> Prompt:
        """Return a prompt of one user message; its id is a hash of the text unless given."""
        return cls(id=id or content_id(text), messages=(Message(role="user", content=text),))

    @property
    def text(self) -> str:
        """The user's words if that is all there is, else the whole conversation as a transcript."""
        if len(self.messages) == 1 and self.messages[0].role == "user":
            return self.messages[0].content
        return "\n\n".join(f"[{m.role}]\n{m.content}" for m in self.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer to a prompt."""

    id: str
    """Unique within its prompt."""
    text: str
    """The answer as a reader would see it: no reasoning block; never empty in a pool."""
    model: str = ""
    """The model that wrote it; empty where unknown."""
    sample: int = 0
    """Which of that model's samples it is, from 0."""
    on_policy: bool | None = None
    """Whether the policy under training wrote it; None where unknown."""
    reasoning: str = ""
    """Thinking that was stripped from the answer. Never shown to a verifier or proposer."""
    duplicate_of: str | None = None
    """Id of an earlier response of the pool that this one nearly repeats."""
    label: float | None = None
    """A known quality (human or program), higher is better. Never shown to a verifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The candidate responses of one prompt."""

    prompt: Prompt
    responses: tuple[Response, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One binary statement about a response; "yes" means that it holds.

    In a rubric of this package "yes" is good and the weight is positive (1, 2 or 3 in
    the paper). Imported rubrics may hold negative weights: points that a fault costs.
    """

    text: str
    weight: float = 1.0
    """Finite and not zero."""
    kind: Kind = "principle"
    check: Check | None = None
    """A program that decides the criterion exactly; None leaves it to the verifier."""

    @property
    def id(self) -> str:
        """A hash of what is decided: the text and the check, not the weight."""
        return _criterion_id(self.text, self.check)


@lru_cache(maxsize=16_384)  # a rubric's criteria are asked about for every response
def _criterion_id(text: str, check: Check | None) -> str:
    described = "" if check is None else json.dumps(msgspec.to_builtins(check))
    return content_id(text, described)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where a rubric comes from."""

    round: int = 0
    """0 for an initial rubric, k for the rubric that round k wrote."""
    parent: str | None = None
    """Id of the rubric that was refined."""
    pair: tuple[str, str] | None = None
    """Ids of the two responses that were contrasted, in the order in which they were shown."""
    model: str = ""
    """The proposer's name; "import" for a rubric that was read from a file without one."""
    template: str = ""
    """Hash of the proposer's template; empty for a program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """The criteria of one prompt, at least one, and where they come from."""

    prompt_id: str
    criteria: tuple[Criterion, ...]
    lineage: Lineage = Lineage()

    @property
    def id(self) -> str:
        """A hash of the prompt's id and of every criterion with its weight, in order."""
        parts = [f"{c.id}:{float(c.weight)!r}:{c.kind}" for c in self.criteria]
        return content_id(self.prompt_id, *parts)

    @property
    def attainable(self) -> float:
        """The most points that a response can earn: the sum of the positive weights."""
        return sum(c.weight for c in self.criteria if c.weight > 0)


class Why(StrEnum):
    """Why something is unscored."""

    CALL_FAILED = "call_failed"
    """The model did not answer, retries included."""
    UNREADABLE = "unreadable"
    """The model answered with something that holds no verdict at all."""
    MISSING = "missing"
    """The reply answered other criteria and not this one."""
    AMBIGUOUS = "ambiguous"
    """The reply answered this criterion twice, or with neither yes nor no; or votes were tied."""
    TRUNCATED = "truncated"
    """The reply ended at the token limit before it answered."""
    NO_DECIDER = "no_decider"
    """The criterion carries no check, and no model was there to decide it."""
    CHECK_FAILED = "check_failed"
    """The criterion's check could not run on this response."""


class Unscored(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="unscored"):
    """What a verdict is when nobody could decide. It has a reason; it is never a number."""

    why: Why
    detail: str = ""
    """What was seen, for a person; shortened where it quotes a model."""


class Decider(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who decided and how. Verdicts of different deciders never mix silently."""

    model: str
    """The verifier's name, or the name of the check."""
    template: str = ""
    """Hash of the verifier's template; empty for a program."""
    protocol: str = ""
    """Mode, order, votes and version of the way verdicts are asked for and read."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="verdict"):
    """A decided criterion: does it hold for this response?

    `Verdict` and `Unscored` are tagged, so that a stored outcome reads back as what it was.
    """

    met: bool
    by: Decider
    share: float | None = None
    """With several votes, the share that said yes, in [0, 1]."""
    reason: str = ""
    """The verifier's reason, where it was asked for one."""


Outcome = Verdict | Unscored
"""What verifying one criterion of one response gives."""


class Score(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a response earned under a rubric. See `uppertail.score`."""

    value: float | None
    """In [0, 1]; None where the response is unscored."""
    low: float
    """The least that the full set of answers could give, in [0, 1]; equals `value` where it exists."""
    high: float
    """The most that the full set of answers could give, in [0, 1]."""
    answered: float
    """Share of the total absolute weight that was answered, in [0, 1]."""
    why: str = ""
    """Why it is unscored; empty where `value` exists."""
