"""What the tests of the verifier ask, and judges that answer it."""

import json
import re
from collections.abc import Callable
from typing import Any

from tests.fakes import FakeModel
from uppertail.models.interface import Request
from uppertail.types import Criterion, Outcome, Prompt, Response, Unscored, Verdict, Why
from uppertail.verify.llm import (
    LLMVerifier,
)

PROMPT = Prompt.plain("How do I lower a fever?")
RESPONSE = Response(id="r1", text="Drink water and rest.")
SHOWN = re.compile(r"^- (c\d+): (.*)$", re.MULTILINE)
ASKED = re.compile(r"these ids and no other: (.*?)\.", re.DOTALL)


def asked(request: Request) -> list[str]:
    """The ids that the last message of a request asks for."""
    listed: str = ASKED.findall(request.messages[-1].content)[-1]
    return listed.split(", ")


def truthful(decide: Callable[[str], str]) -> Callable[[Request], str]:
    """A judge that decides each shown criterion by its text, and answers every id asked for."""

    def answer(request: Request) -> str:
        shown = dict(SHOWN.findall(request.messages[0].content))
        return json.dumps({id: decide(shown[id]) for id in asked(request)})

    return answer


def says_yes_to(*words: str) -> Callable[[Request], str]:
    return truthful(lambda text: "yes" if any(word in text for word in words) else "no")


async def run(
    model: FakeModel,
    rubric: tuple[Criterion, ...],
    memory: dict[str, Verdict] | None = None,
    response: Response = RESPONSE,
    **options: Any,
) -> tuple[Outcome, ...]:
    verifier = LLMVerifier(model, **options)
    return await verifier.verify(PROMPT, response, rubric, {} if memory is None else memory)


def met(outcomes: tuple[Outcome, ...]) -> list[bool | Why]:
    return [o.why if isinstance(o, Unscored) else o.met for o in outcomes]
