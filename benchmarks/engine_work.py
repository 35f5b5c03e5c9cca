"""The work of the engine benchmark: pools, answers, latencies, and a run of the real pieces.

Answers and latencies are pure functions of what is asked, so that every schedule of the same
run meets the same calls with the same latencies.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from random import Random
from typing import Literal, NamedTuple

from uppertail.models import Journal, Model, ModelSession, VerdictStore
from uppertail.propose.llm import LLMProposer
from uppertail.refine import Settings, refine
from uppertail.refine.result import Refinement
from uppertail.refine.schedule import run_all
from uppertail.types import Criterion, Pool, Prompt, Response, Rubric, Verdict
from uppertail.verify.llm import LLMVerifier
from uppertail.verify.plan import Mode, Order

SIGMA = 0.8
VERIFIER_MEAN = 1.0
PROPOSER_MEAN = 8.0
CRITERIA = 15
KEPT = 9
"""Criteria of a refined rubric that its parent held word for word."""

Asked = Literal["proposer", "verifier"]
_ASKED_IDS = re.compile(r"ids and no other: ([^\n]*)")
_ID = re.compile(r"\bc\d+\b")
_NUMBER = re.compile(r"case (\d+) ")
_ITEM = re.compile(r'\{"criterion": "([^"]+)", "weight": (\d)\}')
WORDS = tuple(f"w{i:03}" for i in range(700))


class Work(NamedTuple):
    """How large one run is, in characters (4 to the token)."""

    prompts: int = 200
    responses: int = 16
    prompt_chars: int = 300
    response_chars: int = 600


def text_of(kind: str, chars: int) -> str:
    """Return `chars` characters of words that follow from `kind`."""
    random = Random(kind)
    return " ".join(random.choices(WORDS, k=chars // 5 + 1))[:chars]


def pools(work: Work) -> list[Pool]:
    """Return the pools, different in every text."""
    return [pool(number, work) for number in range(work.prompts)]


def pool(number: int, work: Work) -> Pool:
    """Return the pool of one prompt."""
    asked = f"Explain case {number} in full. {text_of(f'p{number}', work.prompt_chars)}"
    return Pool(
        prompt=Prompt.plain(asked, id=f"p{number}"),
        responses=tuple(
            Response(id=f"r{k}", model=f"m{k}", text=text_of(f"{number}/{k}", work.response_chars))
            for k in range(work.responses)
        ),
    )


def rubric(pool: Pool, criteria: int) -> Rubric:
    """Return a given rubric of so many criteria, for scoring."""
    items = (Criterion(text=_criterion(f"{pool.prompt.id}/{i}")) for i in range(criteria))
    return Rubric(prompt_id=pool.prompt.id, criteria=tuple(items))


def _criterion(mark: str) -> str:
    return f"States point {blake2b(mark.encode(), digest_size=4).hexdigest()}, {text_of(mark, 58)}"


def said(body: Mapping[str, object]) -> str:
    """Return all messages of a request body as one text."""
    messages = body["messages"]
    assert isinstance(messages, list)
    return "\n".join(str(message["content"]) for message in messages)


def asked_for(text: str) -> Asked:
    """Return which of the two roles a message is meant for."""
    return "verifier" if _ASKED_IDS.search(text) else "proposer"


def number_of(text: str) -> int:
    """Return the number of the prompt that a message is about."""
    found = _NUMBER.search(text)
    assert found is not None, "the message quotes no prompt of this benchmark"
    return int(found[1])


def draw(text: str, salt: str) -> Random:
    """Return the randomness that belongs to a message."""
    return Random(blake2b(f"{salt}\0{text}".encode(), digest_size=8).digest())


def answer(body: Mapping[str, object]) -> str:
    """Return verdicts, or a rubric that keeps most of the one that the message shows."""
    text = said(body)
    random = draw(text, "answer")
    if asked_for(text) == "verifier":
        ids = dict.fromkeys(_ID.findall(_ASKED_IDS.findall(text)[-1]))
        return json.dumps({id: random.choice(("yes", "no")) for id in ids})
    items = [(c, int(w)) for c, w in _ITEM.findall(text)][:KEPT]
    while len(items) < CRITERIA:
        items.append((_criterion(str(random.random())), random.choice((1, 2, 3))))
    return json.dumps([{"criterion": c, "weight": w} for c, w in items])


def latency(text: str) -> float:
    """Return the log-normal latency of a call, in units of a verifier's mean."""
    mean = VERIFIER_MEAN if asked_for(text) == "verifier" else PROPOSER_MEAN
    return draw(text, "latency").lognormvariate(math.log(mean) - SIGMA**2 / 2, SIGMA)


class Forgetful:
    """A memory of verdicts that holds none."""

    def get(self, key: str, /) -> Verdict | None:
        """Return None."""
        return None

    def __setitem__(self, key: str, verdict: Verdict, /) -> None:
        """Forget the verdict."""


async def run(
    all_pools: Iterable[Pool],
    opener: Callable[[ModelSession], Model],
    *,
    settings: Settings,
    start: int = 0,
    mode: Mode = "whole",
    order: Order = "prefix",
    journal: str = ":memory:",
    at_once: int = 256,
    forget: bool = False,
    keep: bool = True,
) -> list[Refinement]:
    """Refine (or score, with `start` criteria given and no rounds) through the real pieces.

    The same as a run of the command line, but for its folder and its display.

    Args:
        all_pools: the prompts and their responses.
        opener: gives the model that plays both roles.
        settings: of the refinement.
        start: criteria of a given rubric; 0 asks the proposer for one.
        mode: criteria of a verifier's call.
        order: of the verifier's template.
        journal: its file.
        at_once: prompts in work at a time.
        forget: ask again for verdicts that are known.
        keep: return the results; where not, they are dropped as they come.
    """
    results: list[Refinement] = []
    with Journal(journal) as store:
        async with ModelSession(store) as session:
            model = opener(session)
            proposer, verifier = LLMProposer(model), LLMVerifier(model, mode=mode, order=order)
            verdicts = VerdictStore(store.database)

            async def work(pool: Pool) -> Refinement:
                known = verdicts.for_prompt()
                ended = await refine(
                    pool,
                    proposer=proposer,
                    verifier=verifier,
                    settings=settings,
                    start=rubric(pool, start) if start else None,
                    memory=Forgetful() if forget else known,
                )
                known.flush()
                return ended

            def finished(_: Pool, ended: Refinement) -> None:
                if keep:
                    results.append(ended)

            await run_all(all_pools, work, finished, at_once=at_once)
    return results
