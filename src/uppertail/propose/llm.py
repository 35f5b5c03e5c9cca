"""The proposer that asks a model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec

from uppertail.errors import InputError, ReplyUnreadable
from uppertail.models.interface import Model, Reply, Request
from uppertail.prompting import (
    Conversation,
    Template,
    converse,
    delimit,
    describe_checks,
    follow_up,
    include,
    parse,
    read_user_template,
    shipped,
    version_of,
)
from uppertail.propose.interface import Contrast
from uppertail.propose.read import normal, read_rubric
from uppertail.types import (
    Criterion,
    Lineage,
    Message,
    Outcome,
    Pool,
    Prompt,
    Rubric,
    Unscored,
)

_PACKAGE = "uppertail.propose"
_PAIR = ("response1", "response2")
WEIGHTS = (1, 2, 3)
"""The weights of the paper (arXiv 2509.21500, appendix B)."""


class LLMProposer:
    """Writes rubrics with `model`: from the prompt alone, and by contrast (RTD).

    A reply that cannot be used is shown to the model once, with what is wrong with it.

    Source:
        Chasing the Tail (arXiv 2509.21500), section 4.1 and Algorithm 1. The paper's
        proposer sees neither verdicts nor which response is better, which is the default;
        offering exact checks is ours.
    """

    def __init__(
        self,
        model: Model,
        *,
        allowed_weights: Sequence[float] = WEIGHTS,
        checks: bool = True,
        show_verdicts: bool = False,
        tell_preference: bool = False,
        temperature: float | None = 0.0,
        max_tokens: int | None = None,
        initial_template: str | Path | None = None,
        rtd_template: str | Path | None = None,
        seed: int = 0,
    ) -> None:
        """Prepare the proposer.

        Args:
            model: who writes.
            allowed_weights: the weights that a criterion may have; all above 0.
            checks: offer the vocabulary of exact checks for rules about form.
            show_verdicts: show what the current rubric's criteria gave for the two responses.
            tell_preference: tell which response is better, where the contrast knows it.
            temperature: of every call; None leaves it to the server.
            max_tokens: of every reply; None leaves it to the server.
            initial_template: a file to use for initial rubrics, not the shipped one.
            rtd_template: a file to use for contrasts, not the shipped one.
            seed: keys the delimiters.

        Raises:
            InputError: no weight is allowed, or one is not above 0; a template cannot be
                read, or has a missing or unknown slot.
        """
        if not allowed_weights or not all(weight > 0 for weight in allowed_weights):
            raise InputError(
                f"expected weights above 0, found {allowed_weights!r}", field="weights"
            )
        self._model = model
        self._weights = tuple(allowed_weights)
        self._initial = initial_rubric_template(initial_template, self._weights, checks=checks)
        self._rtd = refinement_template(rtd_template, self._weights, checks=checks)
        self._reask = parse("reask.md", shipped(_PACKAGE, "reask.md"), required=("problem",))
        self._show_verdicts = show_verdicts
        self._tell_preference = tell_preference
        self._temperature = temperature
        self._max_tokens = max_tokens
        self._seed = seed

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def templates(self) -> tuple[str, str]:
        """Hashes of the templates for initial rubrics and for contrasts."""
        return self._version(self._initial), self._version(self._rtd)

    async def initial(self, prompt: Prompt) -> Rubric:
        """Return a rubric written from the prompt alone.

        Raises:
            Lost: the call was lost, or the reply unusable twice.
            Stopped: the model raised it.
        """
        text = _fill(self._initial, {"prompt": prompt.text}, seed=self._seed)
        version = self._version(self._initial)
        criteria = await self._ask(text, version)
        lineage = Lineage(model=self.name, template=version)
        return Rubric(prompt_id=prompt.id, criteria=criteria, lineage=lineage)

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

        Of the pool only the prompt is read. A criterion that is kept word for word keeps
        its kind, and its check unless the proposer gives another.

        Raises:
            Lost: the call was lost, or the reply unusable twice.
            Stopped: the model raised it.
        """
        first, second = contrast.first, contrast.second
        contents = {
            "prompt": pool.prompt.text,
            "rubric": rubric_json(rubric.criteria),
            "response1": first.text,
            "response2": second.text,
        }
        if refused is not None:
            contents["refusal"] = refused
        notes = self._notes(contrast)
        text = _fill(self._rtd, contents, notes=notes, seed=self._seed)
        version = self._version(self._rtd)
        criteria = await self._ask(text, version, rubric.criteria)
        lineage = Lineage(
            round=round,
            parent=rubric.id,
            pair=(first.id, second.id),
            model=self.name,
            template=version,
        )
        kept = inherit(criteria, rubric.criteria)
        return Rubric(prompt_id=rubric.prompt_id, criteria=kept, lineage=lineage)

    def _version(self, template: Template) -> str:
        return version_of(template.text, self._reask.text)

    def _notes(self, contrast: Contrast) -> list[str]:
        notes = []
        if self._show_verdicts and contrast.outcomes is not None:
            notes.append(verdict_note(*contrast.outcomes))
        if self._tell_preference and contrast.preferred is not None:
            better = {contrast.first.id: 1, contrast.second.id: 2}[contrast.preferred]
            notes.append(
                f"Response {better} is known to be the better one. The revised rubric should"
                " place it above the other, by what makes it better."
            )
        return notes

    async def _ask(
        self, text: str, version: str, parent: Sequence[Criterion] = ()
    ) -> tuple[Criterion, ...]:
        request = Request(
            messages=(Message(role="user", content=text),),
            role="proposer",
            template=version,
            temperature=self._temperature,
            max_tokens=self._max_tokens,
        )
        return await converse(self._model, proposal(request, self._weights, self._reask, parent))


def proposal(
    request: Request,
    allowed_weights: Sequence[float],
    reask: Template,
    parent: Sequence[Criterion] = (),
) -> Conversation[tuple[Criterion, ...]]:
    """Ask for a rubric, once more with the error if it is unusable, and return its criteria.

    Raises:
        ReplyUnreadable: both replies are unusable; the message is about the second.
        Lost: a call was lost.
    """
    read = partial(_read, allowed_weights=allowed_weights, parent=parent)
    reply = yield request
    try:
        return read(reply)
    except ReplyUnreadable as problem:
        correction = reask.fill({"problem": str(problem)})
    reply = yield follow_up(request, reply, correction)
    return read(reply)


def _read(
    reply: Reply, *, allowed_weights: Sequence[float], parent: Sequence[Criterion]
) -> tuple[Criterion, ...]:
    return read_rubric(
        reply.text, allowed_weights=allowed_weights, parent=parent, finish=reply.finish
    )


def initial_rubric_template(
    path: str | Path | None, allowed_weights: Sequence[float] = WEIGHTS, *, checks: bool = True
) -> Template:
    """Return the template for initial rubrics, the shipped one if `path` is None.

    Raises:
        InputError: the user's template cannot be read, or a slot is missing or unknown.
    """
    parts = _parts(allowed_weights, checks=checks)
    return _template("initial.md", path, ("prompt",), (), parts)


def refinement_template(
    path: str | Path | None, allowed_weights: Sequence[float] = WEIGHTS, *, checks: bool = True
) -> Template:
    """Return the template for contrasts, the shipped one if `path` is None.

    Raises:
        InputError: the user's template cannot be read, or a slot is missing or unknown.
    """
    parts = _parts(allowed_weights, checks=checks)
    return _template("rtd.md", path, ("prompt", "rubric", *_PAIR), ("notes",), parts)


def overhead_chars(template: Template) -> int:
    """Return the characters of a call that are neither prompt, rubric nor responses."""
    contents = {slot: "" for slot in template.slots if slot != "notes"}
    return len(_fill(template, contents, seed=0))


def rubric_json(criteria: Sequence[Criterion]) -> str:
    """Return the criteria as the proposer sees them and is to write them: a line each."""
    return "[\n" + ",\n".join(_item(criterion) for criterion in criteria) + "\n]"


def inherit(criteria: Sequence[Criterion], parent: Sequence[Criterion]) -> tuple[Criterion, ...]:
    """Return `criteria`, where those that stand in `parent` keep its kind and check.

    A check that the proposer gave stays. White space and case do not count; the parent's
    spelling is kept, so that known verdicts of the criterion stay valid.
    """
    known = {normal(criterion.text): criterion for criterion in parent}
    return tuple(_inherited(criterion, known) for criterion in criteria)


def _inherited(criterion: Criterion, known: Mapping[str, Criterion]) -> Criterion:
    old = known.get(normal(criterion.text))
    if old is None:
        return criterion
    if criterion.check is not None:
        return replace(criterion, text=old.text)
    return replace(criterion, text=old.text, kind=old.kind, check=old.check)


def verdict_note(first: Sequence[Outcome], second: Sequence[Outcome]) -> str:
    """Return what the current rubric gave for the two responses, a line each criterion."""
    lines = [
        f"- criterion {number}: response 1 {_word(one)}, response 2 {_word(two)}"
        for number, (one, two) in enumerate(zip(first, second, strict=True), start=1)
    ]
    return "\n".join(["The grader's answers under the current rubric, in its order:", "", *lines])


def _word(outcome: Outcome) -> str:
    if isinstance(outcome, Unscored):
        return "undecided"
    return "yes" if outcome.met else "no"


def _item(criterion: Criterion) -> str:
    weight = criterion.weight
    fields: dict[str, object] = {
        "criterion": criterion.text,
        "weight": int(weight) if float(weight).is_integer() else weight,
    }
    if criterion.check is not None:
        fields["check"] = msgspec.to_builtins(criterion.check)
    return json.dumps(fields, ensure_ascii=False)


def _parts(allowed_weights: Sequence[float], *, checks: bool) -> dict[str, str]:
    """Return the texts that a template may include."""
    *others, last = [f"{weight:g}" for weight in allowed_weights]
    weights = {"weights": f"{', '.join(others)} or {last}" if others else last}
    vocabulary = {"vocabulary": describe_checks()}
    offer = include(shipped(_PACKAGE, "checks.md"), vocabulary) if checks else ""
    values = {**weights, "checks": offer}
    rules = include(shipped(_PACKAGE, "rules.md"), values).strip()
    output = include(shipped(_PACKAGE, "output.md"), values)
    return {**values, "rules": rules, "output": output}


def _template(
    name: str,
    path: str | Path | None,
    required: tuple[str, ...],
    optional: tuple[str, ...],
    parts: Mapping[str, str],
) -> Template:
    if path is None:
        text, place = shipped(_PACKAGE, name), name
    else:
        text, place = read_user_template(path), str(path)
    return parse(place, text, required=required, optional=optional, parts=parts)


def _fill(
    template: Template, contents: Mapping[str, str], *, seed: int, notes: Sequence[str] = ()
) -> str:
    """Return the message: each text in its block, the notes in their slot or at the end."""
    around = "\n".join((template.text, *notes))
    blocks = {k: block.text for k, block in delimit(contents, seed=seed, around=around).items()}
    told = list(notes)
    if "refusal" in blocks:
        told.append(
            "Your previous revision was not accepted, for this reason; avoid it this time:"
            f"\n\n{blocks['refusal']}"
        )
    text = template.fill({**blocks, "notes": "\n\n".join(told)})
    if told and "notes" not in template.slots:
        text = "\n\n".join((text, *told))
    return text
