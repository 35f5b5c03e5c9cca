"""What a verifier is to the refinement loop, to scoring and to rewards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from uppertail.types import Criterion, Outcome, Prompt, Response, Verdict


class VerdictMemory(Protocol):
    """Verdicts that are already known, by key. `dict[str, Verdict]` is one."""

    def get(self, key: str, /) -> Verdict | None:
        """Return the verdict stored under `key`, or None."""
        ...

    def __setitem__(self, key: str, verdict: Verdict, /) -> None:
        """Remember `verdict`. Unscored outcomes are never remembered."""
        ...


class Verifier(Protocol):
    """Decides the criteria of a rubric for one response: a model behind templates, or programs."""

    @property
    def name(self) -> str:
        """Identity that travels with scores."""
        ...

    async def verify(
        self,
        prompt: Prompt,
        response: Response,
        criteria: Sequence[Criterion],
        memory: VerdictMemory,
    ) -> tuple[Outcome, ...]:
        """Return one outcome a criterion, in the same order.

        A call that is lost gives `Unscored` outcomes; it raises nothing. `Stopped` errors
        go through.
        """
        ...
