"""The verifier that asks a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from uppertail.concurrent import Turns, together
from uppertail.errors import Lost
from uppertail.models.interface import Model, Request
from uppertail.prompting import (
    Conversation,
    Template,
    converse,
    delimit,
    encodable,
    follow_up,
    parse,
    read_user_template,
    shipped,
    version_of,
)
from uppertail.types import (
    Criterion,
    Decider,
    Message,
    Outcome,
    Prompt,
    Response,
    Unscored,
    Verdict,
    Why,
    content_id,
)
from uppertail.verify.checked import decide
from uppertail.verify.interface import VerdictMemory
from uppertail.verify.plan import Asking, Mode, Order, criteria_lines, verdict_keys
from uppertail.verify.read import Answer, read_verdicts

_PACKAGE = "uppertail.verify"
_MATERIAL = ("prompt", "response", "criteria")
_TITLES = {"prompt": "The prompt", "response": "The response", "criteria": "The criteria"}


class LLMVerifier:
    """Decides criteria by asking `model`; a criterion that carries a check is decided by it.

    Weights are not shown to the model. See `Asking` for the settings, docs/templates.md
    for which to use when.
    """

    def __init__(
        self,
        model: Model,
        *,
        mode: Mode = "whole",
        chunk: int = 5,
        order: Order = "prefix",
        votes: int = 1,
        reasons: bool = False,
        temperature: float | None = 0.0,
        max_tokens: int | None = None,
        template: str | Path | None = None,
        seed: int = 0,
    ) -> None:
        self._model = model
        self._asking = Asking(
            mode=mode,
            chunk=chunk,
            order=order,
            votes=votes,
            reasons=reasons,
            temperature=temperature,
        )
        self._template = verifier_template(self._asking, template)
        self._reask = _reask_template()
        self._max_tokens = max_tokens
        self._seed = seed
        self._turns = Turns()
        self._by = Decider(
            model=model.name,
            template=version_of(self._template.text, self._reask.text),
            protocol=self._asking.protocol,
        )

    @property
    def name(self) -> str:
        """The model, the protocol and the hash of the templates."""
        return f"{self._by.model} ({self._by.protocol}, template {self._by.template})"

    @property
    def decider(self) -> Decider:
        """What every verdict of the model carries."""
        return self._by

    async def verify(
        self,
        prompt: Prompt,
        response: Response,
        criteria: Sequence[Criterion],
        memory: VerdictMemory,
    ) -> tuple[Outcome, ...]:
        """Return one outcome a criterion, in the same order.

        In the modes `chunks` and `single` a verdict that `memory` knows is not asked for
        again, and new ones are remembered. A criterion that stands there twice is asked
        once.

        Raises:
            Stopped: the model raised it.
        """
        ids = [criterion.id for criterion in criteria]  # each one is a hash, made here once
        checked: dict[str, Outcome] = {}
        numbered: dict[str, tuple[int, str]] = {}
        for place, (id, criterion) in enumerate(zip(ids, criteria, strict=True), start=1):
            if criterion.check is not None:
                checked[id] = decide(criterion.check, response.text)
            numbered.setdefault(id, (place, criterion.text))
        left = [id for id in dict.fromkeys(ids) if id not in checked]
        keys = self._keys(prompt, response, left)
        known = {id: verdict for id, key in keys.items() if (verdict := memory.get(key))}
        calls = self._asking.calls([id for id in left if id not in known])
        siblings = len(calls) * self._asking.votes > 1 or self._asking.mode == "whole"
        answered = await together(
            self._call(prompt, response, {id: numbered[id] for id in call}, siblings)
            for call in calls
        )
        fresh = {id: outcome for call in answered for id, outcome in call.items()}
        for id, key in keys.items():
            if isinstance(outcome := fresh.get(id), Verdict):
                memory[key] = outcome
        outcomes: dict[str, Outcome] = {**checked, **known, **fresh}
        return tuple(outcomes[id] for id in ids)

    def _keys(self, prompt: Prompt, response: Response, ids: Sequence[str]) -> dict[str, str]:
        """Return the keys of the verdicts that may be reused, by criterion id."""
        if not self._asking.reuses:
            return {}
        keys = verdict_keys(prompt, response.text, ids, self._by)
        return dict(zip(ids, keys, strict=True))

    async def _call(
        self,
        prompt: Prompt,
        response: Response,
        numbered: Mapping[str, tuple[int, str]],
        siblings: bool,
    ) -> dict[str, Outcome]:
        """Return the outcomes of one call's criteria, by criterion id.

        The ids in the message are positions: in the rubric where it is shown whole, in the
        call otherwise, so that equal calls are equal messages.
        """
        await self._turns.take()
        shown, texts = _labelled(tuple(numbered.items()), self._asking.mode == "whole")
        page = render(
            self._template,
            prompt=prompt.text,
            response=response.text,
            criteria=texts,
            varying=self._asking.varying,
            seed=self._seed,
        )
        requests = [self._request(page, sample, siblings) for sample in range(self._asking.votes)]
        sheets = await together(
            converse(self._model, ballot(request, tuple(shown), self._reask))
            for request in requests
        )
        return {
            id: tally([sheet[label] for sheet in sheets], self._by) for label, id in shown.items()
        }

    def _request(self, page: Page, sample: int, siblings: bool) -> Request:
        return Request(
            messages=(Message(role="user", content=page.text),),
            role="verifier",
            template=self._by.template,
            temperature=self._asking.temperature,
            max_tokens=self._max_tokens,
            sample=sample,
            prefix=page.prefix if siblings else "",
        )


@lru_cache(maxsize=256)  # a whole rubric is shown again for every response
def _labelled(
    numbered: tuple[tuple[str, tuple[int, str]], ...], whole: bool
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return a call's criteria, their ids and their texts, by the label that the reply must use."""
    shown = {
        f"c{position if whole else place}": id
        for place, (id, (position, _)) in enumerate(numbered, start=1)
    }
    return shown, {label: text for label, (_, (_, text)) in zip(shown, numbered, strict=True)}


class Page(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A rendered message."""

    text: str
    prefix: str
    """Id of the beginning that it shares with the calls that follow it; empty for none."""


def verifier_template(asking: Asking, path: str | Path | None = None) -> Template:
    """Return the template for `asking`: the shipped one, or the user's at `path`.

    Raises:
        InputError: the user's template cannot be read, or a slot is missing or unknown.
    """
    answer = shipped(_PACKAGE, "answer_reasons.md" if asking.reasons else "answer.md")
    name = "verifier.md" if path is None else str(path)
    text = shipped(_PACKAGE, "verifier.md") if path is None else read_user_template(path)
    material = "\n\n".join(f"{_TITLES[slot]}:\n\n{{{{{slot}}}}}" for slot in asking.material)
    parts = {"answer": answer, "material": material}
    return parse(name, text, required=_MATERIAL, optional=("ids",), parts=parts)


def render(
    template: Template,
    *,
    prompt: str,
    response: str,
    criteria: Mapping[str, str],
    varying: str,
    seed: int,
) -> Page:
    """Return the message that asks for `criteria` of one response.

    Args:
        template: from `verifier_template`.
        prompt: what was asked.
        response: the answer to grade.
        criteria: the criteria by the ids that the reply must use.
        varying: the slot in which the calls that follow this one differ. If all other
            material stands before it, the beginning up to there is a prefix to share.
        seed: keys the delimiters.
    """
    contents = {"prompt": prompt, "response": response, "criteria": criteria_lines(criteria)}
    blocks = delimit(contents, seed=seed, around=template.text)
    values = {label: block.text for label, block in blocks.items()}
    text = template.fill({**values, "ids": ", ".join(criteria)})
    beginning = text.partition(blocks[varying].opening)[0]
    others = [block for label, block in blocks.items() if label != varying]
    shared = all(block.closing in beginning for block in others)
    return Page(text=text, prefix=_prefix_id(beginning) if shared else "")


_prefix_id = lru_cache(maxsize=256)(content_id)  # what siblings share is hashed once


def overhead_chars(template: Template) -> int:
    """Return the characters of a call that are neither prompt, response nor criteria.

    Each criterion adds its text and about 8 more.
    """
    empty = render(template, prompt="", response="", criteria={}, varying="response", seed=0)
    return len(empty.text)


def ballot(
    request: Request, ids: Sequence[str], reask: Template
) -> Conversation[dict[str, Answer | Unscored]]:
    """Ask once, ask again for what was not answered, and return what came of each id.

    A lost first call leaves every id unscored; if the second is lost, the first reply's
    reasons stand. Answers of the first reply are never changed by the second.
    """
    try:
        reply = yield request
    except Lost as error:
        lost = Unscored(why=Why.CALL_FAILED, detail=encodable(str(error))[:300])
        return dict.fromkeys(ids, lost)
    answers = read_verdicts(reply.text, ids, finish=reply.finish)
    left = {id: answer for id, answer in answers.items() if isinstance(answer, Unscored)}
    if not left:
        return answers
    problems = "\n".join(f"- {id}: {unscored.detail}" for id, unscored in left.items())
    correction = reask.fill({"problems": problems, "ids": ", ".join(left)})
    try:
        second = yield follow_up(request, reply, correction)
    except Lost:
        return answers
    return {**answers, **read_verdicts(second.text, tuple(left), finish=second.finish)}


def tally(votes: Sequence[Answer | Unscored], by: Decider) -> Outcome:
    """Return the verdict of more than half of `votes`, or why there is none.

    More than half of all votes, not of those that could be read: a vote that failed could
    have gone either way, so that no failure can turn a verdict round or bring one about.
    """
    answers = [vote for vote in votes if isinstance(vote, Answer)]
    if len(votes) == 1 and answers:
        return Verdict(met=answers[0].met, by=by, reason=answers[0].reason)
    yes = sum(answer.met for answer in answers)
    no = len(answers) - yes
    if 2 * max(yes, no) > len(votes):
        met = yes > no
        reason = next(answer.reason for answer in answers if answer.met == met)
        return Verdict(met=met, by=by, share=yes / len(answers), reason=reason)
    failures = [vote for vote in votes if isinstance(vote, Unscored)]
    if len(votes) == 1:
        return failures[0]
    count = f"of {len(votes)} votes {yes} said yes and {no} said no"
    if not failures:
        return Unscored(why=Why.AMBIGUOUS, detail=count)
    why = Counter(vote.why for vote in failures).most_common(1)[0][0]
    detail = next(vote.detail for vote in failures if vote.why == why)
    return Unscored(why=why, detail=f"{count}; of the others: {detail}")


def _reask_template() -> Template:
    text = shipped(_PACKAGE, "reask.md")
    return parse("reask.md", text, required=("problems", "ids"))
