"""The pool of one prompt: one model many times, or many models once each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from uppertail.concurrent import together
from uppertail.errors import InputError, Lost
from uppertail.models.interface import Model, Reply, Request
from uppertail.prompting import split_reasoning
from uppertail.sample.duplicates import mark_duplicates
from uppertail.sample.presets import TEMPERATURE, TOP_P
from uppertail.types import Prompt, Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How responses are drawn. The defaults are the paper's."""

    per_model: int = 1
    """Responses of each model."""
    temperature: float | None = TEMPERATURE
    """None leaves it to the server."""
    top_p: float | None = TOP_P
    max_tokens: int | None = None
    """Most tokens of a reply, reasoning included; None leaves it to the server."""
    on_policy: bool | None = None
    """Whether these models are the policy under training."""

    def __post_init__(self) -> None:
        """Refuse numbers that could not mean anything.

        Raises:
            InputError: a number is out of range.

        """
        if self.per_model < 1:
            raise InputError(f"responses of each model must be 1 or more, not {self.per_model}")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise InputError(f"max tokens must be 1 or more, not {self.max_tokens}")


class NoAnswer(StrEnum):
    """Why a draw gave no response."""

    CALL_FAILED = "call_failed"
    """The model did not answer, retries included; a resumed run asks again."""
    EMPTY = "empty"
    """The reply held no text, or reasoning alone."""
    REFUSED_BY_FILTER = "content_filter"
    """The provider's filter withheld the answer."""
    TRUNCATED = "truncated"
    """The reply ended at the token limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A draw that gave no response: kept apart, so that it never passes for text."""

    model: str
    sample: int
    why: NoAnswer
    detail: str = ""
    """The error, or what there was of the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """What sampling one prompt gave, in the order of models and samples."""

    prompt_id: str
    responses: tuple[Response, ...]
    missing: tuple[Missing, ...]

    @property
    def complete(self) -> bool:
        """Whether every call was answered, whatever the answer was worth."""
        return all(missing.why is not NoAnswer.CALL_FAILED for missing in self.missing)


async def sample(
    prompt: Prompt, models: Sequence[tuple[str, Model]], sampling: Sampling
) -> Sampled:
    """Return the responses of every model to a prompt, near-duplicates marked.

    Args:
        prompt: what is asked; its messages are sent as they are.
        models: the name that each response will carry, and the model.
        sampling: how often each model answers, and how.

    Raises:
        Stopped: the run must stop.

    """
    draws = [(label, model, k) for label, model in models for k in range(sampling.per_model)]
    drawn = await together(_draw(prompt, *draw, sampling) for draw in draws)
    return Sampled(
        prompt_id=prompt.id,
        responses=mark_duplicates([d for d in drawn if isinstance(d, Response)]),
        missing=tuple(d for d in drawn if isinstance(d, Missing)),
    )


async def _draw(
    prompt: Prompt, label: str, model: Model, index: int, sampling: Sampling
) -> Response | Missing:
    request = Request(
        messages=prompt.messages,
        role="sampler",
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        max_tokens=sampling.max_tokens,
        sample=index,
    )
    try:
        reply = await model.complete(request)
    except Lost as error:
        return Missing(model=label, sample=index, why=NoAnswer.CALL_FAILED, detail=str(error))
    return read(reply, label=label, index=index, on_policy=sampling.on_policy)


def read(reply: Reply, *, label: str, index: int, on_policy: bool | None) -> Response | Missing:
    """Return the response in a reply, its reasoning kept apart, or why there is none."""
    text, reasoning = split_reasoning(reply.text)
    why = _no_answer(reply, text)
    if why is not None:
        return Missing(model=label, sample=index, why=why, detail=text[:300])
    return Response(
        id=f"{label}#{index}",
        text=text.strip(),
        model=label,
        sample=index,
        on_policy=on_policy,
        reasoning=reply.reasoning or reasoning,
    )


def _no_answer(reply: Reply, text: str) -> NoAnswer | None:
    if reply.finish == "content_filter":
        return NoAnswer.REFUSED_BY_FILTER
    if reply.finish == "length":
        return NoAnswer.TRUNCATED
    return None if text.strip() else NoAnswer.EMPTY
