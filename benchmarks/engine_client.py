"""What the client costs: ours in a process of its own, and other clients beside it.

Everybody grades the same 500 responses (50 prompts, 10 each, 1,500 characters) by 8 criteria
of 100 characters, in one call a response ("calls") or one call a criterion ("items").
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

from engine_work import Work, answer, latency, pools, run

from uppertail.models import ModelConfig, ModelSession
from uppertail.models.interface import Model
from uppertail.refine import Settings
from uppertail.verify.plan import Mode
from uppertail.world.server_faults import Times
from uppertail.world.server_http import Asked, WorldServer

HERE = Path(__file__).parent
GRADING = Work(prompts=50, responses=10, prompt_chars=300, response_chars=1500)
CRITERIA = 8
PEERS = ("rubric", "autorubric", "py-openjudge")
CLIENTS = ("openai", "litellm")


class Cost(NamedTuple):
    """What one grading took."""

    wall: float
    cpu: float
    graded: int
    rss_mb: float = 0.0

    def cpu_per_1000(self, calls: int) -> float:
        """Return CPU seconds for 1,000 calls."""
        return 1000 * self.cpu / calls


def canned(body: Mapping[str, object]) -> str:
    """Return what the client that `model` names wants to read; our own model is asked "m"."""
    name = str(body["model"])
    if name == "m":
        return answer(body)
    met = {"criterion_status": "MET", "explanation": "It says so."}
    if name == "rubric-calls":
        met_all = [{"criterion_number": i + 1, **met} for i in range(CRITERIA)]
        return json.dumps({"criteria_evaluations": met_all})
    if name == "autorubric-calls":
        judged = [{"criterion_id": f"c{i}", **met} for i in range(CRITERIA)]
        return json.dumps({"judgments": judged})
    if name.startswith(("rubric", "autorubric")):
        return json.dumps(met)
    if name.startswith("openjudge"):
        return json.dumps({"score": 1, "reason": "It says so."})
    return json.dumps({f"c{i + 1}": "yes" for i in range(CRITERIA)})


async def serve(unit: float, fixed: float, slots: int, queue: int, blocks: int) -> None:
    """Serve until killed: log-normal latencies in `unit` seconds, or the same for all calls."""

    def times(asked: Asked) -> Times:
        return Times(0.0, unit * latency(asked.text) if unit else fixed)

    server = WorldServer(
        canned,
        latency=times,
        slots=slots or None,
        queue=None if queue < 0 else queue,
        cache_blocks=blocks,
    )
    async with server:
        print(server.url, flush=True)
        await asyncio.Event().wait()


@contextmanager
def server(
    *, unit: float = 0.0, fixed: float = 0.0, slots: int = 0, queue: int = -1, blocks: int = 0
) -> Iterator[str]:
    """Serve in another process for as long as the block runs; gives the base URL."""
    numbers = [str(value) for value in (unit, fixed, slots, queue, blocks)]
    command = [sys.executable, str(HERE / "engine.py"), "--child", "serve", *numbers]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def counters(url: str) -> Mapping[str, float]:
    """Return what the server has counted."""
    with urlopen(f"{url.removesuffix('/v1')}/counters") as reply:
        counted = json.load(reply)
    return {name: value for name, value in counted.items() if name != "faults"}


def opener(url: str, concurrency: int) -> Callable[[ModelSession], Model]:
    """Return what opens the model behind `url` in a session."""

    def opened(session: ModelSession) -> Model:
        return session.open(ModelConfig(model="m", base_urls=(url,), concurrency=concurrency))

    return opened


async def grade(url: str, mode: str, concurrency: int, journal: str) -> Cost:
    """Grade through the real pieces, journal, reading and verdict store included."""
    settings = Settings(rounds=0)
    asked: Mode = "whole" if mode == "calls" else "single"
    warm_up = pools(GRADING._replace(prompts=1, responses=1, prompt_chars=50))
    open_model = opener(url, concurrency)
    await run(warm_up, open_model, settings=settings, start=1)
    work = pools(GRADING)
    wall, cpu = time.perf_counter(), time.process_time()
    ended = await run(
        work, open_model, settings=settings, start=CRITERIA, mode=asked, journal=journal
    )
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    scored = sum(item.score.value is not None for one in ended for item in one.scored)
    return Cost(wall, cpu, scored, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def ours(url: str, mode: str, concurrency: int, journal: str = ":memory:") -> Cost:
    """Return our cost, measured in a fresh process."""
    words = ["--child", "grade", url, mode, str(concurrency), journal]
    return _cost([sys.executable, str(HERE / "engine.py"), *words])


def theirs(python: Path, name: str, mode: str, url: str, concurrency: int, calls: int) -> Cost:
    """Return another client's cost, measured in its own environment."""
    words = [name, mode, url, str(concurrency), str(calls)]
    return _cost([str(python), str(HERE / "engine_peers.py"), *words])


def _cost(command: list[str]) -> Cost:
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if ended.returncode or not ended.stdout.strip():
        raise RuntimeError((ended.stderr.strip().splitlines() or ["no output"])[-1])
    return Cost(**json.loads(ended.stdout.strip().splitlines()[-1]))


def environment(name: str, cache: Path) -> Path | None:
    """Return the Python of an environment that holds `name`, made where it is missing.

    None, and a message, where the package cannot be had.
    """
    folder = cache / name
    python = folder / "bin" / "python"
    if (folder / "ready").exists():
        return python
    print(f"# installing {name} into {folder}", flush=True)
    try:
        venv.create(folder, with_pip=True)
        wanted = [name, "openai"] if name == "rubric" else [name]
        command = [str(python), "-m", "pip", "install", "--quiet", *wanted]
        subprocess.run(command, check=True, capture_output=True, timeout=900)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"# {name} is skipped, it cannot be installed: {error}", flush=True)
        return None
    (folder / "ready").touch()
    return python
