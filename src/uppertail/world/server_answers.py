"""What the server answers: rubrics and verdicts by hash, or what the simulated world knows."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from uppertail.errors import CallFailed
from uppertail.models.interface import Model, Request
from uppertail.types import Message, content_id
from uppertail.world.nature import World
from uppertail.world.policies import DIVERSE, GOOD, GREAT, HACKER, HIGH, LOW
from uppertail.world.proposer import ProposerKnobs, WorldProposer
from uppertail.world.sampler import WorldSampler
from uppertail.world.verifier import VerifierKnobs, WorldVerifier

Body = Mapping[str, object]
Answer = Callable[[Body], str | Awaitable[str]]
"""Gives the text of the reply to a request; raises `CallFailed` where it has none."""

_ASKED_IDS = re.compile(r"ids and no other: ([^\n]*)")
_ID = re.compile(r"\bc\d+\b")


def messages_of(body: Body) -> tuple[Message, ...]:
    """Return the messages of a request.

    Raises:
        CallFailed: it has none, or one has no text.
    """
    given = body.get("messages")
    if not isinstance(given, list) or not given:
        raise CallFailed("expected a list of messages")
    return tuple(_message(item) for item in given)


def _message(item: object) -> Message:
    if isinstance(item, dict) and isinstance(content := item.get("content"), str):
        role = item.get("role")
        if role == "system" or role == "assistant" or role == "user":
            return Message(role=role, content=content)
    raise CallFailed("expected messages with a role (system, user, assistant) and a text")


def hashed_answer(body: Body) -> str:
    """Return a rubric, verdicts or a short text, whichever the request seems to ask for.

    Verdicts where it lists the ids to answer, as the templates of this package do; a rubric
    where it speaks of the key "criterion". Everything follows from the request's hash, and
    two verdicts of three are yes.
    """
    text = "\n".join(message.content for message in messages_of(body))
    mark = content_id(text)
    asked = _ASKED_IDS.findall(text)
    if asked:
        return _verdicts(mark, _ID.findall(asked[-1]), reasons='"reason"' in text)
    if '"criterion"' in text:
        return _rubric(mark)
    return f"An answer that mentions {mark}."


def _verdicts(mark: str, ids: list[str], *, reasons: bool) -> str:
    answers: dict[str, object] = {}
    for id in dict.fromkeys(ids):
        answer = "yes" if int(content_id(mark, id), 16) % 3 else "no"
        answers[id] = {"reason": "It says so.", "answer": answer} if reasons else answer
    return json.dumps(answers)


def _rubric(mark: str) -> str:
    points = [content_id(mark, str(number)) for number in range(4 + int(mark, 16) % 4)]
    return json.dumps(
        [{"criterion": f"Explains point {p}.", "weight": 1 + int(p, 16) % 3} for p in points]
    )


class WorldAnswers:
    """The models of a world behind the names that a request may give as `model`.

    "proposer" and "verifier", and the policies: "good", "great", "high", "low", "hacker" and
    "diverse-01" to "diverse-16". Asked the same with a temperature above 0, or none, a model
    draws anew each time it answers; at 0 it repeats itself.
    """

    def __init__(
        self,
        world: World,
        *,
        proposer: ProposerKnobs | None = None,
        verifier: VerifierKnobs | None = None,
    ) -> None:
        policies = (GOOD, GREAT, HIGH, LOW, HACKER, *DIVERSE)
        self._models: dict[str, Model] = {p.name: WorldSampler(world, p) for p in policies}
        self._models["proposer"] = WorldProposer(world, proposer)
        self._models["verifier"] = WorldVerifier(world, verifier)
        self._drawn: Counter[str] = Counter()

    async def __call__(self, body: Body) -> str:
        """Return what the model that the request names answers.

        Raises:
            CallFailed: there is no such model, or it cannot answer this.
        """
        model = self._models.get(str(body.get("model")))
        if model is None:
            names = ", ".join(self._models)
            raise CallFailed(f"no model is called {body.get('model')!r}; expected {names}")
        messages = messages_of(body)
        request = Request(messages=messages, role="policy", sample=self._sample(body, messages))
        return (await model.complete(request)).text

    def _sample(self, body: Body, messages: tuple[Message, ...]) -> int:
        if body.get("temperature") == 0:
            return 0
        key = content_id(str(body.get("model")), *(message.content for message in messages))
        self._drawn[key] += 1
        return self._drawn[key] - 1
