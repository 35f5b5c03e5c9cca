"""One step of training: 512 prompts, 16 completions each, 8 criteria each, a judge of 50 ms.

    python benchmarks/reward_step.py                  # a minute or two
    python benchmarks/reward_step.py --prompts 64     # smaller

The bound is the larger of slot time (calls / slots * latency) and what a bare aiohttp client
needs to post the very same bodies to the same server. The judge is a server that costs next
to nothing, or with `--judge world` the simulated world's, which reads what it is asked. Everything runs in processes of its
own, in turns, and the best of the rounds counts for both sides.

wall_over_bound: a step with all criteria in one call a completion, journal on disk.
cached_speedup: the same step again from the journal, in a new process.
served_wall_over_bound, served_cached_speedup: the same through `uppertail serve` on this
    machine, with as many workers as there are cores: one process is bound by one core.
single_wall_over_bound: one call a criterion, with --single.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import NamedTuple

from engine_client import server as world
from reward_server_load import server
from reward_step_judge import bare, judge

from uppertail.cli.options import VerifyOptions
from uppertail.cli.rewards import RewardOptions, opened
from uppertail.concurrent import run
from uppertail.models.interface import Reply, Request
from uppertail.models.wire import Dialect, encode
from uppertail.reward import Carried, RewardFunction, Rollout, RubricScorer
from uppertail.reward.client import RemoteScorer
from uppertail.types import Criterion, Prompt, Rubric
from uppertail.verify.llm import LLMVerifier
from uppertail.verify.plan import Mode

WORDS = [f"w{i:03}" for i in range(700)]
COMPLETIONS, CRITERIA, SECONDS = 16, 8, 0.05


class Step(NamedTuple):
    """What one step took."""

    wall: float
    cpu: float
    scored: int


def text(mark: str, chars: int) -> str:
    """Return so many characters of words that follow from `mark`."""
    return " ".join(Random(mark).choices(WORDS, k=chars // 5 + 1))[:chars]


def rollouts(prompts: int) -> list[Rollout]:
    """Return a step: prompts of 300 characters, completions of 1,500, criteria of 100."""
    step = []
    for number in range(prompts):
        prompt = Prompt.plain(f"Case {number}. {text(f'p{number}', 300)}")
        criteria = (Criterion(text=text(f"c{number}/{i}", 100)) for i in range(CRITERIA))
        rubric = Rubric(prompt_id=prompt.id, criteria=tuple(criteria))
        step += [
            Rollout(prompt=prompt, completion=text(f"{number}/{k}", 1500), rubric=rubric)
            for k in range(COMPLETIONS)
        ]
    return step


class Recorder:
    """A model that answers nothing and keeps what it is asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.bodies: list[bytes] = []

    async def complete(self, request: Request) -> Reply:
        """Return an answer without verdicts."""
        if len(request.messages) == 1:  # else it asks again for what was not answered
            self.bodies.append(encode(self.name, request, Dialect(), {}))
        return Reply(text="")


async def bodies(prompts: int, mode: Mode) -> list[bytes]:
    """Return the very bodies that a step sends."""
    recorder = Recorder(_model(mode))
    await RubricScorer(LLMVerifier(recorder, mode=mode), Carried()).score(rollouts(prompts))
    return recorder.bodies


def _model(mode: Mode) -> str:
    """Return the name that the quick judge knows the mode by; the world answers to "m" alone."""
    return {"whole": "m", "single": "m1"}[mode]


async def step(url: str, prompts: int, mode: Mode, slots: int, journal: str) -> Step:
    """Return what a step took, opening the reward included."""
    work = rollouts(prompts)
    verify = VerifyOptions(verifier=f"{_model(mode)}@{url}", verifier_mode=mode)
    options = RewardOptions(journal=journal, concurrency=slots)
    wall, cpu = time.perf_counter(), time.process_time()
    async with AsyncExitStack() as stack:
        reward = await opened(stack, options, verify)
        batch = await reward(work)
        batch.metrics()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Step(wall, cpu, sum(value is not None for value in batch.values))


async def remote_step(url: str, prompts: int) -> Step:
    """Return what a step took that a reward server scores; its own CPU is not counted."""
    work = rollouts(prompts)
    wall, cpu = time.perf_counter(), time.process_time()
    async with RemoteScorer(url) as scorer:
        batch = await RewardFunction(scorer)(work)
        batch.metrics()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Step(wall, cpu, sum(value is not None for value in batch.values))


def served(url: str, prompts: int, mode: Mode, slots: int, journal: str) -> Step:
    """Return what a step takes through a reward server of its own, started before it."""
    workers = os.cpu_count() or 1
    words = ("--verifier", f"{_model(mode)}@{url}", "--verifier-mode", mode)
    share = ("--workers", str(workers), "--concurrency", str(-(-slots // workers)))
    with server(*words, *share, journal=Path(journal)) as reward:
        took = measured("remote", reward.url, prompts, mode, slots)
        reward.process.terminate()  # so that its workers end too
        reward.process.wait()
    return took


def child(what: str, url: str, prompts: int, mode: Mode, slots: int, journal: str) -> Step:
    """Do one thing in this process."""
    if what == "ours":
        return run(step(url, prompts, mode, slots, journal))
    if what == "remote":
        return run(remote_step(url, prompts))
    sent = asyncio.run(bodies(prompts, mode))
    cpu = time.process_time()
    seconds = asyncio.run(bare(url, sent, slots))
    return Step(seconds, time.process_time() - cpu, len(sent))


def measured(what: str, url: str, prompts: int, mode: Mode, slots: int, journal: str = "-") -> Step:
    """Do one thing in a fresh process."""
    words = [what, url, str(prompts), mode, str(slots), journal]
    command = [sys.executable, __file__, "--child", *words]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    if ended.returncode:
        raise RuntimeError(ended.stderr.strip()[-2000:])
    return Step(*json.loads(ended.stdout.strip().splitlines()[-1]))


def compare(options: argparse.Namespace, mode: Mode, prefix: str) -> bool:
    """Print the figures of one mode; return whether everything was scored."""
    calls = options.prompts * COMPLETIONS * (1 if mode == "whole" else CRITERIA)
    took: dict[str, list[Step]] = {
        name: [] for name in ("plain", "ours", "again", "served", "served_again")
    }
    settings = (options.prompts, mode, options.slots)
    serving = judge(options.slots, SECONDS)
    if options.judge == "world":
        serving = world(fixed=SECONDS, slots=options.slots)
    with serving as url, tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds):
            own, shared = (str(Path(folder) / f"{number}{name}.sqlite") for name in "os")
            took["plain"].append(measured("bare", url, *settings))
            took["ours"].append(measured("ours", url, *settings, own))
            took["again"].append(measured("ours", url, *settings, own))
            took["served"].append(served(url, *settings, shared))
            took["served_again"].append(served(url, *settings, shared))
    figures(calls, options.slots, {name: min(steps) for name, steps in took.items()}, prefix)
    expected = options.prompts * COMPLETIONS
    scored = (one.scored for name, steps in took.items() if name != "plain" for one in steps)
    return all(one == expected for one in scored)


def figures(calls: int, slots: int, best: Mapping[str, Step], prefix: str) -> None:
    """Print the figures of one mode."""
    slot_time = -(-calls // slots) * SECONDS
    bound = max(slot_time, best["plain"].wall)
    show(f"{prefix}calls", calls, 0)
    show(f"{prefix}slot_seconds", slot_time)
    show(f"{prefix}bare_seconds", best["plain"].wall)
    show(f"{prefix}bare_cpu_seconds", best["plain"].cpu)
    show(f"{prefix}wall_seconds", best["ours"].wall)
    show(f"{prefix}cpu_seconds", best["ours"].cpu)
    show(f"{prefix}cached_seconds", best["again"].wall)
    show(f"{prefix}wall_over_bound", best["ours"].wall / bound)
    show(f"{prefix}cached_speedup", best["ours"].wall / best["again"].wall)
    show(f"{prefix}served_wall_seconds", best["served"].wall)
    show(f"{prefix}served_wall_over_bound", best["served"].wall / bound)
    show(f"{prefix}served_cached_speedup", best["served"].wall / best["served_again"].wall)


def show(name: str, value: float, digits: int = 3) -> None:
    """Print one figure."""
    print(f"{name}: {value:.{digits}f}", flush=True)


def main() -> int:
    """Print the figures; return non-zero when one cannot be measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--prompts", type=int, default=512)
    parser.add_argument("--slots", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--judge", choices=("quick", "world"), default="quick")
    parser.add_argument("--single", action="store_true", help="also one call a criterion")
    parser.add_argument("--child", nargs=6, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        what, url, prompts, mode, slots, journal = options.child
        print(json.dumps(child(what, url, int(prompts), mode, int(slots), journal)))
        return 0
    complete = compare(options, "whole", "")
    if options.single:
        complete &= compare(options, "single", "single_")
    if not complete:
        print("some rollouts were not scored: the figures mean nothing", file=sys.stderr)
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
