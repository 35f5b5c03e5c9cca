"""What a proposer is to the refinement loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from uppertail.types import Outcome, Pool, Prompt, Response, Rubric


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Two responses to tell apart, in the order in which the proposer sees them."""

    first: Response
    second: Response
    preferred: str | None = None
    """Id of the response that is known to be better, where the proposer may be told."""
    outcomes: tuple[Sequence[Outcome], Sequence[Outcome]] | None = None
    """What the current rubric's criteria gave for the two, where the proposer may see it."""


class Proposer(Protocol):
    """Writes and refines rubrics: a model behind templates, or a program."""

    @property
    def name(self) -> str:
        """Identity that travels in a rubric's lineage."""
        ...

    async def initial(self, prompt: Prompt) -> Rubric:
        """Return a rubric written from the prompt alone.

        Raises:
            Lost: no rubric could be had.
        """
        ...

    async def refine(
        self,
        pool: Pool,
        rubric: Rubric,
        contrast: Contrast,
        *,
        round: int,
        refused: str | None = None,
    ) -> Rubric:
        """Return a full replacement of `rubric` that tells the two responses apart.

        Args:
            pool: the prompt and the candidates; the paper's proposer reads the prompt only,
                a program may look at what the better candidates have in common.
            rubric: the current rubric.
            contrast: the two responses.
            round: the round that this is, from 1; it goes into the lineage.
            refused: why the previous proposal of this round was not accepted.

        Raises:
            Lost: no rubric could be had; the caller keeps `rubric`.
        """
        ...
