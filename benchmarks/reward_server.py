"""The reward server under load, against the bound that its judge sets.

One worker of `uppertail serve`, and 1, 64 and 512 clients that each ask for one rollout (300
characters of prompt, 600 of completion, 8 criteria that travel with it) and wait for the
reward, as trainers do. Verdicts are known (`cached`), decided by programs (`exact`), or by a
judge that takes 50 ms a call (`judge`) and has 16 slots. Server, judge and clients share the
machine's cores, so the slots are few enough for the judge to be the bound: 320 rollouts a
second, or clients / 0.05 s where fewer ask.

throughput_over_bound: the least over 1, 64 and 512 clients of the judge's rollouts a second,
    over the bound.
bare_over_bound: the same of the same clients that ask the judge straight: what the judge, the
    clients and the machine allow. `stolen` beside each case is the share of the cores' time
    that the hypervisor gave to others: waits that no program can shorten.
p99_over_p50: of the latency of 64 clients of the judge.
cpu_ms_per_score: CPU of the server's process for one rollout that the judge decided.
rss_growth_mb: resident memory of the server after 100,000 more requests, one half of them
    known, the other half new and exact, less that before, caches full.
over_threads: rollouts a second of 64 clients through the server, over what a plain
    ThreadPoolExecutor(64) gets that calls the same judge straight.
lost_verdicts: rollouts whose reward was answered before a kill -9 and that the judge was
    asked about again, or that got another reward, after the restart.

    python benchmarks/reward_server.py [--seconds 6] [--requests 100000]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from reward_server_client import Unmeasurable
from reward_server_load import (
    Ask,
    Load,
    Process,
    Rollout,
    Source,
    ask_all,
    calls,
    decided,
    exact,
    judge,
    judged,
    load,
    rewards,
    scored,
    server,
    threads,
    until_killed,
)

SLOTS = 16
SECONDS = 0.05
CLIENTS = (1, 64, 512)
KNOWN = 1000
"""Rollouts that are known in the cached case."""
FULL = 20_000
"""Rollouts that fill every cache before memory is measured."""
TRIES = 3
QUIET = 0.01
"""Share of the cores' time that may be stolen from a case that is not tried again."""
APART = 100_000
"""Between the numbers of tries: each asks for rollouts of its own."""
ANSWERED = 1000
"""Answers after which the server is killed."""


def main() -> int:
    """Print the figures; return non-zero when one cannot be measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=6.0, help="measured in each case")
    parser.add_argument("--requests", type=int, default=100_000, help="for the memory figure")
    options = parser.parse_args()
    try:
        with judge(SLOTS, SECONDS) as judged_by, tempfile.TemporaryDirectory() as folder:
            loads(judged_by, Path(folder), options.seconds)
            memory(judged_by, Path(folder), options.requests)
            killed(judged_by, Path(folder))
    except Unmeasurable as error:
        print(f"reward_server: {error}", file=sys.stderr)
        return 1
    return 0


def loads(judged_by: Process, folder: Path, seconds: float) -> None:
    """Print throughput, latency and CPU of every case."""
    with server(*judged_with(judged_by), journal=folder / "loads.sqlite") as target:
        ask_all(target, known, range(KNOWN), clients=2, batch=100)
        for clients in CLIENTS:
            case("cached", target, scored(known), clients, seconds)
        bare, made = {}, {}
        for clients in CLIENTS:  # in turn, so that both meet the same machine
            bare[clients] = case("bare", judged_by, decided(new(clients)), clients, seconds)
            made[clients] = case("judge", target, scored(new(clients)), clients, seconds)
    with server() as target:
        for clients in CLIENTS:
            case("exact", target, scored(exact), clients, seconds)
    print(f"bare_over_bound: {over_bound('bare', bare):.3f}")
    print(f"throughput_over_bound: {over_bound('judge', made):.3f}")
    print(f"p99_over_p50: {made[64].p99_ms / made[64].p50_ms:.2f}")
    print(f"cpu_ms_per_score: {made[64].cpu_ms:.2f}")
    plain = threads(judged_by, workers=64, seconds=seconds)
    print(f"threads_per_second: {plain.per_second:.0f}")
    print(f"threads_cpu_ms: {plain.cpu_ms:.2f}")
    print(f"over_threads: {made[64].per_second / plain.per_second:.2f}", flush=True)


def over_bound(name: str, found: dict[int, Load]) -> float:
    """Print the share of the judge's bound that each number of clients got; return the least."""
    shares = {
        clients: case.per_second * SECONDS / min(SLOTS, clients) for clients, case in found.items()
    }
    for clients, share in shares.items():
        print(f"{name}_{clients}_over_bound: {share:.3f}")
    return min(shares.values())


def case(name: str, target: Process, ask: Ask, clients: int, seconds: float) -> Load:
    """Print what so many clients get; return it.

    A case from which the hypervisor took time is measured again, and of all tries the one
    from which it took least counts, however it went.
    """
    tries: list[Load] = []
    while len(tries) < TRIES and all(tried.stolen > QUIET for tried in tries):
        first = len(tries) * APART
        tries.append(load(target, ask, clients=clients, seconds=seconds, first=first))
    found = min(tries, key=lambda tried: tried.stolen)
    print(f"{name}_{clients}_per_second: {found.per_second:.0f}")
    print(f"{name}_{clients}_p50_ms: {found.p50_ms:.1f}")
    print(f"{name}_{clients}_p99_ms: {found.p99_ms:.1f}")
    print(f"{name}_{clients}_cpu_ms: {found.cpu_ms:.2f}")
    print(f"{name}_{clients}_stolen: {found.stolen:.3f}", flush=True)
    return found


def memory(judged_by: Process, folder: Path, requests: int) -> None:
    """Print how resident memory grows while so many requests are answered."""
    with server(*judged_with(judged_by), journal=folder / "memory.sqlite") as target:
        ask_all(target, known, range(KNOWN), clients=2, batch=100)
        ask_all(target, exact, range(FULL), clients=2, batch=100)
        ask_all(target, mixed, range(FULL, FULL + 5000), clients=64, batch=1)
        before = target.rss_mb
        beyond = FULL + 5000
        ask_all(target, mixed, range(beyond, beyond + requests), clients=64, batch=1)
        print(f"rss_mb: {target.rss_mb:.1f}")
        print(f"rss_growth_mb: {target.rss_mb - before:.1f}", flush=True)


def killed(judged_by: Process, folder: Path) -> None:
    """Print what a kill loses."""
    options = judged_with(judged_by)
    with server(*options, journal=folder / "killed.sqlite") as target:
        answered = until_killed(target, fresh, clients=64, kill_after=ANSWERED)
    time.sleep(10 * SECONDS)  # until the judge has noticed that its client is gone
    asked = calls(judged_by)
    with server(*options, journal=folder / "killed.sqlite") as target:
        again: dict[int, float] = {}
        numbers = list(answered)
        for at in range(0, len(numbers), 100):
            again |= rewards(target, fresh, numbers[at : at + 100])
    changed = sum(again[number] != answered[number] for number in answered)
    print(f"answered_before_kill: {len(answered)}")
    print(f"lost_verdicts: {max(changed, calls(judged_by) - asked)}", flush=True)


def judged_with(judged_by: Process) -> tuple[str, ...]:
    """Return the options of a server that asks the judge: 64 calls in flight, the default."""
    return ("--verifier", f"judge@{judged_by.url}/v1")


def known(number: int) -> Rollout:
    """Return a rollout that the judge has decided before."""
    return judged(number % KNOWN)


def new(clients: int) -> Source:
    """Return what gives rollouts that the judge has never seen, others for each case."""
    return lambda number: judged(clients * 10**6 + number)


def fresh(number: int) -> Rollout:
    """Return a rollout of a range of its own."""
    return judged(2 * 10**8 + number)


def mixed(number: int) -> Rollout:
    """Return a rollout that is known, or new and exact, in turn."""
    return exact(number) if number % 2 else known(number)


if __name__ == "__main__":
    sys.exit(main())
