"""The load on a reward server: processes, requests, and clients that each wait for an answer."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import urlopen

import msgspec
import uvloop
from engine_work import text_of
from reward_server_client import Client, Unmeasurable, connected

HERE = Path(__file__).parent
CRITERIA = 8
PROMPTS = 50
WARM_UP = 1.0
SLOWEST = 250.0
"""Rollouts a second that the slowest case answers, about: the warm-up lasts a round of clients."""
_TICKS = os.sysconf("SC_CLK_TCK")

Criterion = dict[str, object]
Rollout = dict[str, object]
Source = Callable[[int], Rollout]
"""Gives the rollout of a number."""
Ask = Callable[[Client, int], Awaitable[None]]
"""Asks for the rollout of a number, and waits for the answer."""


class Process(NamedTuple):
    """A server, and what its process has used."""

    process: subprocess.Popen[str]
    url: str

    @property
    def cpu(self) -> float:
        """CPU seconds so far, of the process itself."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def rss_mb(self) -> float:
        """Resident memory in MB."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        raise Unmeasurable("the server is gone")

    def kill(self) -> None:
        """Kill it at once."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def judge(slots: int, seconds: float) -> Iterator[Process]:
    """Run the judge for as long as the block runs."""
    with _running(str(HERE / "reward_server_judge.py"), str(slots), str(seconds)) as process:
        yield Process(process, _line(process).strip())


@contextmanager
def server(*options: str, journal: Path | None = None) -> Iterator[Process]:
    """Run `uppertail serve` for as long as the block runs."""
    kept = () if journal is None else ("--journal", str(journal))
    with _running("-m", "uppertail", "serve", "--port", "0", *options, *kept) as process:
        yield Process(process, _line(process).split()[2].rstrip(","))


@contextmanager
def _running(*words: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise Unmeasurable("a server did not start; is the extra `server` installed?")
    return line


def calls(judged_by: Process) -> int:
    """Return how many calls the judge has answered."""
    with urlopen(judged_by.url) as reply:
        return int(reply.read())


def judged(number: int) -> Rollout:
    """Return a rollout that only the judge can decide; each number has its own completion."""
    return _rollout(number, _criteria(number % PROMPTS))


def exact(number: int) -> Rollout:
    """Return a rollout that programs decide: eight bounds on its length."""
    return _rollout(number, _checks())


@cache
def _criteria(prompt: int) -> list[Criterion]:
    return [{"criterion": text_of(f"criterion {prompt}/{k}", 100)} for k in range(CRITERIA)]


@cache
def _checks() -> list[Criterion]:
    bounds = [{"check": "words", "at_least": 20 + 10 * k} for k in range(CRITERIA)]
    return [{"criterion": f"Length {k}.", "check": bound} for k, bound in enumerate(bounds)]


def _rollout(number: int, criteria: list[Criterion]) -> Rollout:
    prompt = number % PROMPTS
    return {
        "prompt": f"Explain case {prompt}. {_text(f'prompt {prompt}', 300)}",
        "completion": f"{number} {_text(f'completion {number % 500}', 600)}",
        "rubric": {"criteria": criteria},
    }


_text = cache(text_of)
"""The clients share the cores with the server: what they send must cost next to nothing."""


class Load(NamedTuple):
    """What a load was answered with."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    """Of the server, a scored rollout."""
    stolen: float
    """Share of the cores' time that the hypervisor gave to other machines."""


def load(target: Process, ask: Ask, *, clients: int, seconds: float, first: int = 0) -> Load:
    """Return what so many clients get that each ask for one rollout at a time.

    Args:
        target: the server.
        ask: asks for one rollout.
        clients: how many ask at a time.
        seconds: how long is measured, after a warm-up in which each client was answered.
        first: number of the first rollout.
    """
    return uvloop.run(_load(target, ask, clients, seconds, first))


async def _load(target: Process, ask: Ask, clients: int, seconds: float, first: int) -> Load:
    numbers = iter(range(first, 10**9))
    latencies: list[float] = []
    counting = False
    stop = False

    async def client() -> None:
        async with connected(target.url) as connection:
            while not stop:
                number = next(numbers)
                began = time.perf_counter()
                await ask(connection, number)
                if counting and not stop:
                    latencies.append(time.perf_counter() - began)

    running = [asyncio.create_task(client()) for _ in range(clients)]
    await asyncio.sleep(WARM_UP + clients / SLOWEST)
    counting = True
    began, cpu, stolen = time.perf_counter(), target.cpu, _stolen()
    await asyncio.sleep(seconds)
    stop = True
    wall, cpu, stolen = time.perf_counter() - began, target.cpu - cpu, _stolen() - stolen
    scored = len(latencies)
    await asyncio.gather(*running)
    latencies.sort()
    if not scored:
        raise Unmeasurable("no rollout was scored in the time that was measured")
    return Load(
        per_second=scored / wall,
        p50_ms=1000 * latencies[scored // 2],
        p99_ms=1000 * latencies[min(scored - 1, int(0.99 * scored))],
        cpu_ms=1000 * cpu / scored,
        stolen=stolen / wall / (os.cpu_count() or 1),
    )


def _stolen() -> float:
    """Return the seconds that the hypervisor gave to others, summed over the cores."""
    return int(Path("/proc/stat").read_text().split(maxsplit=9)[8]) / _TICKS


def scored(source: Source) -> Ask:
    """Return what asks a reward server for the rollouts of `source`."""

    async def ask(client: Client, number: int) -> None:
        await _rewards(client, _body([source(number)]))

    return ask


def decided(source: Source) -> Ask:
    """Return what asks the judge itself, with what our verifier would send, about."""

    async def ask(client: Client, number: int) -> None:
        _verdicts(await client.post("/v1/chat/completions", _call(source(number))))

    return ask


def ask_all(target: Process, source: Source, numbers: range, *, clients: int, batch: int) -> int:
    """Ask for each number once; return how many requests that took."""
    requests = [numbers[at : at + batch] for at in range(0, len(numbers), batch)]
    left = iter(requests)

    async def client() -> None:
        async with connected(target.url) as connection:
            for part in left:
                await _rewards(connection, _body([source(number) for number in part]))

    async def all_clients() -> None:
        await asyncio.gather(*(client() for _ in range(clients)))

    uvloop.run(all_clients())
    return len(requests)


def until_killed(
    target: Process, source: Source, *, clients: int, kill_after: int
) -> dict[int, float]:
    """Ask until so many rollouts are answered, kill the server, and return all that it answered."""
    numbers = iter(range(10**9))
    answered: dict[int, float] = {}

    async def client() -> None:
        async with connected(target.url) as connection:
            while True:
                number = next(numbers)
                try:
                    (answered[number],) = await _rewards(connection, _body([source(number)]))
                except ConnectionError:
                    return
                if len(answered) == kill_after:
                    target.kill()

    async def all_clients() -> None:
        await asyncio.gather(*(client() for _ in range(clients)))

    uvloop.run(all_clients())
    return answered


def rewards(target: Process, source: Source, numbers: list[int]) -> dict[int, float]:
    """Return the rewards of these numbers, asked for in one request."""

    async def found() -> list[float]:
        async with connected(target.url) as connection:
            return await _rewards(connection, _body([source(n) for n in numbers]))

    return dict(zip(numbers, uvloop.run(found()), strict=True))


def _body(rollouts: list[Rollout]) -> bytes:
    return msgspec.json.encode({"rollouts": rollouts})


async def _rewards(client: Client, body: bytes) -> list[float]:
    found = msgspec.json.decode(await client.post("/score", body))["rewards"]
    if None in found:
        raise Unmeasurable("a rollout was left unscored; the figures would mean nothing")
    return list(found)


def _call(rollout: Rollout) -> bytes:
    content = f"{rollout['prompt']}\n{rollout['rubric']}\n{rollout['completion']}"
    body = {"model": "judge", "messages": [{"role": "user", "content": content}]}
    return json.dumps(body).encode()


def _verdicts(reply: bytes) -> float:
    verdicts: dict[str, str] = json.loads(json.loads(reply)["choices"][0]["message"]["content"])
    return sum(answer == "yes" for answer in verdicts.values()) / CRITERIA


class Threads(NamedTuple):
    """What a plain thread pool gets out of the judge."""

    per_second: float
    cpu_ms: float


def threads(judged_by: Process, *, workers: int, seconds: float) -> Threads:
    """Return what blocking clients get that call the judge straight, a connection each.

    They send what our verifier would send, about, and read the verdicts; they keep no
    journal, try nothing again, and have no server to pass.
    """
    address = urlsplit(judged_by.url).netloc
    numbers = iter(range(10**9))
    done: list[float] = []
    end = time.perf_counter() + seconds

    def worker(_: int) -> None:
        connection = HTTPConnection(address)
        while time.perf_counter() < end:
            body = _call(judged(next(numbers)))
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/v1/chat/completions", body, headers)
            done.append(_verdicts(connection.getresponse().read()))
        connection.close()

    began, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(worker, range(workers)))
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    return Threads(per_second=len(done) / wall, cpu_ms=1000 * cpu / len(done))
