"""What the journal costs, what a finished run costs to replay, and what memory a run takes."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from engine_work import Work, answer, pool, pools, run

from uppertail.models import Journal, ModelSession, Scripted
from uppertail.models.interface import Model, Reply, Request, Usage
from uppertail.models.journal import Answer, call_key
from uppertail.refine import Settings
from uppertail.types import Message

ITEMS = 100_000
PART = 10_000
VERDICTS = json.dumps({f"c{i}": "yes" for i in range(1, 9)})
PROMPTS = (200, 800, 3200)


def journal_figures() -> Iterator[tuple[str, float]]:
    """Yield the milliseconds to store a reply, for the first and the last tenth of 100,000."""
    with tempfile.TemporaryDirectory() as folder:
        parts = asyncio.run(_store(Path(folder) / "calls.sqlite"))
    yield "journal_ms_per_item", 1000 * sum(parts) / ITEMS
    yield "journal_ms_per_item_at_100000", 1000 * parts[-1] / PART
    yield "journal_growth", parts[-1] / parts[0]


async def _store(path: Path) -> list[float]:
    """Return the CPU seconds of storing each tenth, keys and look-ups included."""
    parts = []
    page = "word " * 500
    with Journal(path) as journal:
        for start in range(0, ITEMS, PART):
            began = time.process_time()
            for number in range(start, start + PART):
                text = f"{number} {page}"
                asked = Request(messages=(Message(role="user", content=text),), role="verifier")
                key = call_key("m", asked)
                assert await journal.get(key) is None
                reply = Reply(text=VERDICTS, usage=Usage(prompt_tokens=700, completion_tokens=40))
                await journal.put(key, Answer(reply=reply, usd=None), model="m", request=asked)
            parts.append(time.process_time() - began)
    return parts


def replay_figures() -> Iterator[tuple[str, float]]:
    """Yield the seconds to score 500 responses whose calls are all journalled, and their calls."""
    work = pools(Work(prompts=50, responses=10, response_chars=1500))
    asked: list[Request] = []

    def reply(request: Request) -> str:
        asked.append(request)
        return answer({"messages": [{"content": m.content} for m in request.messages]})

    def opener(session: ModelSession) -> Model:
        return session.open(Scripted(reply, name="m"))

    with tempfile.TemporaryDirectory() as folder:
        seconds = []
        for _ in range(4):
            done = run(
                work, opener, settings=Settings(rounds=0), start=8, journal=f"{folder}/calls.sqlite"
            )
            began = time.perf_counter()
            asyncio.run(done)
            seconds.append(time.perf_counter() - began)
    yield "warm_replay_seconds", min(seconds[1:])
    yield "warm_replay_calls", len(asked) - 500


def memory_figures() -> Iterator[tuple[str, float]]:
    """Yield the peak resident set in MB of whole four-round runs, and how it grows."""
    peaks = {}
    for prompts in PROMPTS:
        engine = str(Path(__file__).parent / "engine.py")
        command = [sys.executable, engine, "--child", "memory", str(prompts)]
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks[prompts] = float(ended.stdout)
        yield f"rss_mb_at_{prompts}", peaks[prompts]
    yield "rss_growth", peaks[PROMPTS[-1]] / peaks[PROMPTS[0]]


def peak(prompts: int) -> float:
    """Return this process's peak after a run of so many prompts, pools made as they are needed."""
    work = Work(prompts=prompts, responses=4)

    def reply(request: Request) -> str:
        return answer({"messages": [{"content": m.content} for m in request.messages]})

    def opener(session: ModelSession) -> Model:
        return session.open(Scripted(reply, name="m"))

    with tempfile.TemporaryDirectory() as folder:
        made = (pool(number, work) for number in range(prompts))
        journal = f"{folder}/calls.sqlite"
        asyncio.run(run(made, opener, settings=Settings(), journal=journal, at_once=64, keep=False))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
