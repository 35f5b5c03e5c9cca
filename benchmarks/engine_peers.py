"""One other client grading 500 responses by 8 criteria; runs inside that client's environment.

    python engine_peers.py NAME MODE URL CONCURRENCY CALLS

Prints one JSON object: wall and CPU seconds of the grading alone (after one graded response
to warm up), and how many gradings gave a result.
"""

# mypy: ignore-errors
# It runs where the other clients are installed, and this package is not.

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time

CRITERIA = 8
WORDS = [f"w{i:03}" for i in range(700)]


def text(kind: str, chars: int) -> str:
    """Return the same text as the benchmark's own pools hold."""
    return " ".join(random.Random(kind).choices(WORDS, k=chars // 5 + 1))[:chars]


def items(count: int):
    """Return prompt, response and criteria of each response: ten responses a prompt."""
    for number in range(count // 10 or 1):
        prompt = text(f"p{number}", 300)
        criteria = [text(f"p{number}/{i}", 100) for i in range(CRITERIA)]
        for k in range(10):
            yield prompt, text(f"{number}/{k}", 1500), criteria


def message(prompt: str, response: str, criteria: list[str]) -> str:
    """Return the message of a plain client."""
    lines = "\n".join(f"- c{i}: {c}" for i, c in enumerate(criteria, start=1))
    return f"Answer yes or no, as JSON.\n\n{prompt}\n\n{lines}\n\n{response}"


def openai(mode: str, url: str, concurrency: int):
    """The official SDK: a plain completion, its JSON read, nothing else."""
    import httpx2
    from openai import AsyncOpenAI

    limits = httpx2.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    client = AsyncOpenAI(
        base_url=url,
        api_key="none",
        max_retries=2,
        http_client=httpx2.AsyncClient(limits=limits, timeout=600),
    )

    async def grade(prompt, response, criteria):
        reply = await client.chat.completions.create(
            model=f"openai-{mode}",
            temperature=0,
            messages=[{"role": "user", "content": message(prompt, response, criteria)}],
        )
        return json.loads(reply.choices[0].message.content)

    return grade


def litellm(mode: str, url: str, concurrency: int):  # noqa: ARG001 - as its siblings
    """Litellm's completion, its JSON read."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm as module

    module.suppress_debug_info = True

    async def grade(prompt, response, criteria):
        reply = await module.acompletion(
            model=f"openai/litellm-{mode}",
            api_base=url,
            api_key="none",
            temperature=0,
            messages=[{"role": "user", "content": message(prompt, response, criteria)}],
        )
        return json.loads(reply.choices[0].message.content)

    return grade


def rubric(mode: str, url: str, concurrency: int):  # noqa: ARG001 - as its siblings
    """`rubric` with one shared SDK client, which its users have to write themselves."""
    from openai import AsyncOpenAI
    from rubric import Criterion, OneShotOutput, PerCriterionOutput, Rubric
    from rubric.autograders import PerCriterionGrader, PerCriterionOneShotGrader

    client = AsyncOpenAI(base_url=url, api_key="none")
    shape, grader = (
        (OneShotOutput, PerCriterionOneShotGrader)
        if mode == "calls"
        else (PerCriterionOutput, PerCriterionGrader)
    )

    async def generate(system_prompt, user_prompt, **_):
        reply = await client.chat.completions.create(
            model=f"rubric-{mode}",
            temperature=0,
            messages=[
                {"role": "system", "content": system_prompt},
                {"role": "user", "content": user_prompt},
            ],
        )
        return shape.model_validate_json(reply.choices[0].message.content)

    judge = grader(generate_fn=generate)

    async def grade(prompt, response, criteria):
        rubric = Rubric([Criterion(weight=1.0, requirement=c) for c in criteria])
        return (await rubric.grade(response, autograder=judge, query=prompt)).score

    return grade


def autorubric(mode: str, url: str, concurrency: int):
    """`autorubric` with its own limit on calls in flight."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    from autorubric import LLMConfig, Rubric
    from autorubric.graders import CriterionGrader

    config = LLMConfig(
        model=f"openai/autorubric-{mode}",
        api_base=url,
        api_key="none",
        max_parallel_requests=concurrency,
    )
    per = "per_item" if mode == "calls" else "per_criterion"
    judge = CriterionGrader(judge_model_config=config, llm_calls=per)

    async def grade(prompt, response, criteria):
        rubric = Rubric.from_dict([{"weight": 1.0, "requirement": c} for c in criteria])
        report = await rubric.grade(to_grade=response, grader=judge, query=prompt)
        return report.score

    return grade


def openjudge(mode: str, url: str, concurrency: int):  # noqa: ARG001 - as its siblings
    """`py-openjudge`'s LLMGrader: one scalar for the joined criteria, or one a criterion."""
    from openjudge.graders.llm_grader import LLMGrader
    from openjudge.models.openai_chat_model import OpenAIChatModel

    model = OpenAIChatModel(model=f"openjudge-{mode}", base_url=url, api_key="none")
    template = "Prompt: {query}\n\nResponse: {response}\n\nCriteria: {criteria}\n\nReply in JSON."
    judge = LLMGrader(model=model, name="judge", template=template)

    async def one(prompt, response, criteria):
        result = await judge.aevaluate(query=prompt, response=response, criteria=criteria)
        return getattr(result, "score", None)

    async def grade(prompt, response, criteria):
        if mode == "calls":
            return await one(prompt, response, "\n".join(criteria))
        scores = await asyncio.gather(*(one(prompt, response, c) for c in criteria))
        return None if None in scores else sum(scores)

    return grade


CLIENTS = {
    "openai": openai,
    "litellm": litellm,
    "rubric": rubric,
    "autorubric": autorubric,
    "py-openjudge": openjudge,
}


async def measure(name: str, mode: str, url: str, concurrency: int, calls: int) -> dict:
    """Grade so many responses, `concurrency` calls at a time."""
    grade = CLIENTS[name](mode, url, concurrency)
    work = list(items(calls))
    await grade(*work[0])
    # A response is eight calls where each criterion is its own.
    places = asyncio.Semaphore(concurrency if mode == "calls" else max(1, concurrency // CRITERIA))

    async def one(item):
        async with places:
            try:
                return await grade(*item)
            except Exception as error:  # noqa: BLE001 - whatever a peer raises is its own way to fail
                print(f"{name}: {error!r}"[:300], file=sys.stderr)
                return None

    wall, cpu = time.perf_counter(), time.process_time()
    results = await asyncio.gather(*(one(item) for item in work))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall": wall, "cpu": cpu, "graded": sum(r is not None for r in results)}


if __name__ == "__main__":
    name, mode, url, concurrency, calls = sys.argv[1:]
    print(json.dumps(asyncio.run(measure(name, mode, url, int(concurrency), int(calls)))))
