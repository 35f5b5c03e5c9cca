"""Algorithm 1 of "Chasing the Tail" (arXiv 2509.21500) for one prompt.

Each round scores the candidates under the current rubric, contrasts the two best, and
takes the proposer's full replacement. What is lost on the way is written down; the last
good rubric stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from uppertail.concurrent import together
from uppertail.errors import Lost
from uppertail.propose.interface import Contrast, Proposer
from uppertail.refine import accept
from uppertail.refine.result import Loss, Refinement, Round, RoundOutcome, Scored, Status
from uppertail.refine.select import candidates, choose_pair, draw
from uppertail.refine.settings import Settings
from uppertail.score import score
from uppertail.types import Pool, Response, Rubric, Unscored
from uppertail.verify.interface import VerdictMemory, Verifier


async def refine(
    pool: Pool,
    *,
    proposer: Proposer,
    verifier: Verifier,
    settings: Settings,
    start: Rubric | None = None,
    memory: VerdictMemory | None = None,
) -> Refinement:
    """Return the refined rubric of one prompt, its history, and the scores of its responses.

    Args:
        pool: the prompt and its candidate responses.
        proposer: writes the initial rubric and refines it.
        verifier: decides criteria.
        settings: rounds, choice of pairs, acceptance, aggregation.
        start: a rubric to start from instead of asking the proposer for one.
        memory: verdicts known from other rounds and runs; they are not asked for again.

    Raises:
        Stopped: the run must stop; nothing of this prompt is lost that the journal holds.

    """
    work = _Work(pool, proposer, verifier, settings, {} if memory is None else memory)
    rubric = start or await work.initial()
    if rubric is None:
        return work.result(())
    work.rubrics.append(rubric)
    responses = candidates(pool, settings)
    for number in range(1, settings.rounds + 1):
        responses = await work.round(number, responses)
    if not settings.final_scores:
        return work.result(())
    return work.result(await work.score(pool.responses, work.rubrics[-1], settings.rounds + 1))


@dataclass
class _Work:
    """What is known so far of one prompt."""

    pool: Pool
    proposer: Proposer
    verifier: Verifier
    settings: Settings
    memory: VerdictMemory
    rubrics: list[Rubric] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)

    async def initial(self) -> Rubric | None:
        try:
            return await self.proposer.initial(self.pool.prompt)
        except Lost as error:
            self.losses.append(Loss(stage="propose", round=0, why=str(error)))
            return None

    async def round(self, number: int, responses: tuple[Response, ...]) -> tuple[Response, ...]:
        """Run one round and return the candidates of the next."""
        rubric = self.rubrics[-1]
        scored: Sequence[Scored] = ()
        if len(responses) > 2 or self.settings.show_verdicts:
            scored = await self.score(responses, rubric, number)
        contrast = self._contrast(number, responses, scored)
        if contrast is None:
            reason = f"{len(responses)} candidates, fewer than two of them scored"
            self._note(number, rubric, scored, None, "skipped", reason)
            return responses
        await self._improve(number, rubric, responses, scored, contrast)
        used = {contrast.first.id, contrast.second.id} if self.settings.exclude_used else set()
        return tuple(response for response in responses if response.id not in used)

    def _contrast(
        self, number: int, responses: Sequence[Response], scored: Sequence[Scored]
    ) -> Contrast | None:
        """Return the pair as the proposer will see it, or None where there is none."""
        by_id = {item.response_id: item for item in scored}
        values = {r: s.score.value for r, s in by_id.items() if s.score.value is not None}
        if not scored:  # two candidates are the pair, whatever their scores
            values = {response.id: 0.0 for response in responses}
        random = draw(self.settings.seed, self.pool.prompt.id, number)
        pair = choose_pair(responses, values, prefer=self.settings.prefer, random=random)
        if pair is None:
            return None
        first, second = pair
        if self.settings.shuffle_pair and random.random() < 0.5:
            first, second = second, first
        shown = self.settings.show_verdicts and (
            by_id[first.id].outcomes,
            by_id[second.id].outcomes,
        )
        preferred = better(first, second) if self.settings.tell_preference else None
        return Contrast(first=first, second=second, preferred=preferred, outcomes=shown or None)

    async def _improve(
        self,
        number: int,
        rubric: Rubric,
        responses: Sequence[Response],
        scored: Sequence[Scored],
        contrast: Contrast,
    ) -> None:
        """Ask for a better rubric and keep it if it may replace the current one."""
        pair = (contrast.first.id, contrast.second.id)
        rules = self.settings.accept
        objection: str | None = None
        for _ in range(1 + (rules.retries if rules else 0)):
            try:
                child = await self.proposer.refine(
                    self.pool, rubric, contrast, round=number, refused=objection
                )
            except Lost as error:
                self.losses.append(Loss(stage="propose", round=number, why=str(error)))
                self._note(number, rubric, scored, pair, "lost", str(error))
                return
            objection = await self._objection(number, rubric, child, responses, scored, pair)
            if objection is None:
                self._take(number, rubric, child, scored, pair)
                return
        self._note(number, rubric, scored, pair, "refused", objection or "")

    def _take(
        self,
        number: int,
        parent: Rubric,
        child: Rubric,
        scored: Sequence[Scored],
        pair: tuple[str, str],
    ) -> None:
        """Put the child in its parent's place, unless it is the same."""
        if child.id == parent.id:
            self._note(number, parent, scored, pair, "unchanged", "")
            return
        self.rubrics.append(child)
        self._note(number, parent, scored, pair, "accepted", "")

    async def _objection(
        self,
        number: int,
        parent: Rubric,
        child: Rubric,
        responses: Sequence[Response],
        scored: Sequence[Scored],
        pair: tuple[str, str],
    ) -> str | None:
        """Return why the child may not replace its parent, or None."""
        rules = self.settings.accept
        if rules is None:
            return None
        objection = accept.size_objection(child, rules)
        if objection or not (rules.separate or rules.respect_labels):
            return objection
        judged = [r for r in responses if r.id in pair or r.label is not None]
        after = _values(await self.score(judged, child, number))
        if rules.separate:
            objection = accept.separation_objection(pair, after)
        if objection is None and rules.respect_labels:
            before = _values(scored or await self.score(judged, parent, number))
            objection = accept.label_objection(judged, before, after)
        return objection

    async def score(
        self, responses: Sequence[Response], rubric: Rubric, number: int
    ) -> tuple[Scored, ...]:
        """Return the responses under a rubric, in their order; note what nobody could decide."""
        scored = await together(self._score_one(response, rubric) for response in responses)
        for item in scored:
            whys = [o.why.value for o in item.outcomes if isinstance(o, Unscored)]
            if whys:
                why = ", ".join(dict.fromkeys(whys))
                loss = Loss(stage="verify", round=number, why=why, response_id=item.response_id)
                self.losses.append(loss)
        return tuple(scored)

    async def _score_one(self, response: Response, rubric: Rubric) -> Scored:
        outcomes = await self.verifier.verify(
            self.pool.prompt, response, rubric.criteria, self.memory
        )
        value = score(
            rubric.criteria,
            outcomes,
            aggregation=self.settings.aggregation,
            min_answered=self.settings.min_answered,
        )
        return Scored(response_id=response.id, score=value, outcomes=outcomes)

    def _note(
        self,
        number: int,
        rubric: Rubric,
        scored: Sequence[Scored],
        pair: tuple[str, str] | None,
        outcome: RoundOutcome,
        note: str,
    ) -> None:
        scores = {item.response_id: item.score for item in scored}
        self.rounds.append(
            Round(
                number=number,
                rubric_id=rubric.id,
                scores=scores,
                pair=pair,
                outcome=outcome,
                note=note,
            )
        )

    def result(self, scored: tuple[Scored, ...]) -> Refinement:
        status = Status.PARTIAL if self.losses else Status.DONE
        return Refinement(
            prompt_id=self.pool.prompt.id,
            status=status if self.rubrics else Status.FAILED,
            rubrics=tuple(self.rubrics),
            rounds=tuple(self.rounds),
            scored=scored,
            losses=tuple(self.losses),
        )


def better(first: Response, second: Response) -> str | None:
    """Return the id of the response with the higher label; None where labels do not say."""
    if first.label is None or second.label is None or first.label == second.label:
        return None
    return first.id if first.label > second.label else second.id


def _values(scored: Sequence[Scored]) -> dict[str, float | None]:
    return {item.response_id: item.score.value for item in scored}
