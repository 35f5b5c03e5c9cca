"""Refinement over HTTP while calls go wrong, next to the same refinement undisturbed."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from efficacy_cases import CLEAN, PAPER
from efficacy_trials import Bench, Trial

from uppertail.models import Journal, ModelConfig, ModelSession
from uppertail.propose.llm import LLMProposer
from uppertail.refine.algorithm import refine
from uppertail.refine.result import Refinement
from uppertail.verify.llm import LLMVerifier
from uppertail.world import World
from uppertail.world.server_answers import WorldAnswers
from uppertail.world.server_faults import Faults
from uppertail.world.server_http import WorldServer

AT_ONCE = 8


class Disturbed(NamedTuple):
    """Both trials of each prompt that has a rubric, and how the disturbed prompts ended."""

    quiet: list[Trial]
    faulty: list[Trial]
    statuses: Counter[str]


def run_faulty(seed: int, numbers: Sequence[int], share: float) -> Disturbed:
    """Return trials of the paper preset with `share` of the calls failing, and with none."""
    return asyncio.run(_run(seed, numbers, share))


async def _run(seed: int, numbers: Sequence[int], share: float) -> Disturbed:
    bench = Bench(CLEAN, World(seed=seed), fresh=3)
    refined = await _refined(bench, numbers, share)
    result = Disturbed([], [], Counter(done.status.value for done in refined))
    for number, done in zip(numbers, refined, strict=True):
        if done.rubrics:
            result.quiet.append((await bench.prompt(number, [PAPER]))[PAPER.name])
            grader = bench.grader()
            result.faulty.append(await bench.judged(number, done.rubrics[-1], grader, 0))
    return result


async def _refined(bench: Bench, numbers: Sequence[int], share: float) -> list[Refinement]:
    """Return the refinements through a server of the same world that fails."""
    answers = WorldAnswers(bench.world)
    faults = Faults.evenly(share, seed=bench.world.seed)
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "calls.db") as journal:
        async with WorldServer(answers, faults=faults) as server, ModelSession(journal) as models:
            where = (server.url,)
            proposer = LLMProposer(models.open(ModelConfig(model="proposer", base_urls=where)))
            verifier = LLMVerifier(models.open(ModelConfig(model="verifier", base_urls=where)))
            gate = asyncio.Semaphore(AT_ONCE)

            async def one(number: int) -> Refinement:
                async with gate:
                    bench.pools.clear()
                    return await refine(
                        bench.pool(number, PAPER),
                        proposer=proposer,
                        verifier=verifier,
                        settings=PAPER.settings,
                    )

            return await asyncio.gather(*(one(number) for number in numbers))
