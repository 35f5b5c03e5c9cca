"""A proposer and a verifier that do what a test tells them, through the real interfaces."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from uppertail.errors import CallFailed, Lost
from uppertail.propose.interface import Contrast
from uppertail.types import (
    Criterion,
    Decider,
    Lineage,
    Outcome,
    Pool,
    Prompt,
    Response,
    Rubric,
    Unscored,
    Verdict,
    Why,
)

BY = Decider(model="words")


def pool(*texts: str, labels: Sequence[float | None] = (), prompt: str = "Name fruit.") -> Pool:
    """A pool whose responses are r0, r1, … with the texts given."""
    known = [*labels, *[None] * len(texts)]
    responses = tuple(
        Response(id=f"r{i}", text=text, model=f"m{i}", label=known[i])
        for i, text in enumerate(texts)
    )
    return Pool(prompt=Prompt.plain(prompt, id="p"), responses=responses)


@dataclass
class WordVerifier:
    """A criterion is met where its text is a word of the response; "broken" loses the call."""

    name: str = "words"
    calls: list[tuple[str, str]] = field(default_factory=list)

    async def verify(
        self, prompt: Prompt, response: Response, criteria: Sequence[Criterion], memory: object
    ) -> tuple[Outcome, ...]:
        self.calls.append((prompt.id, response.id))
        if "broken" in response.text:
            return tuple(Unscored(why=Why.CALL_FAILED) for _ in criteria)
        return tuple(Verdict(met=c.text in response.text.split(), by=BY) for c in criteria)


@dataclass
class WordProposer:
    """Starts from "fruit" and adds one word of the first response that the second lacks."""

    name: str = "proposer"
    first_words: tuple[str, ...] = ("fruit",)
    failure: Lost | None = None
    """Raised by every call that is not `initial`."""
    proposals: Callable[[int], Rubric] | None = None
    contrasts: list[Contrast] = field(default_factory=list)
    refused: list[str | None] = field(default_factory=list)

    async def initial(self, prompt: Prompt) -> Rubric:
        if not self.first_words:
            raise CallFailed("no initial rubric today")
        return Rubric(
            prompt_id=prompt.id, criteria=tuple(Criterion(text=word) for word in self.first_words)
        )

    async def refine(
        self,
        pool: Pool,
        rubric: Rubric,
        contrast: Contrast,
        *,
        round: int,
        refused: str | None = None,
    ) -> Rubric:
        self.contrasts.append(contrast)
        self.refused.append(refused)
        if self.failure is not None:
            raise self.failure
        if self.proposals is not None:
            return self.proposals(len(self.contrasts))
        known = {c.text for c in rubric.criteria}
        a, b = contrast.first.text.split(), contrast.second.text.split()
        new = [w for w in [*a, *b] if (w in a) != (w in b) and w not in known]
        return Rubric(
            prompt_id=pool.prompt.id,
            criteria=(*rubric.criteria, *(Criterion(text=word) for word in new[:1])),
            lineage=Lineage(
                round=round,
                parent=rubric.id,
                pair=(contrast.first.id, contrast.second.id),
                model=self.name,
            ),
        )
