"""Speed and cost of the engine, against computed bounds and against other clients, in one run.

    python benchmarks/engine.py                     # everything; about half an hour
    python benchmarks/engine.py schedule tokens     # some of it

schedule: the four-round preset on a virtual clock (computing costs nothing).
wall: the same over HTTP against a server in another process, in real seconds.
tokens: prompt tokens sent, and left after a server's prefix cache.
client: CPU and wall time of grading, next to other clients in environments of their own.
journal: what the journal costs, and what a finished run costs to replay.
memory: resident set against the number of prompts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

import engine_client
import engine_storage
from engine_client import CLIENTS, CRITERIA, GRADING, PEERS, Cost, counters, ours, server, theirs
from engine_schedule import Chains, barriers, bound, greedy
from engine_schedule import ours as on_virtual_clock
from engine_storage import journal_figures, memory_figures, replay_figures
from engine_tokens import token_figures
from engine_wall import real_chains
from engine_work import Work

from uppertail.concurrent import run

PARTS = ("schedule", "wall", "tokens", "client", "journal", "memory")


def main() -> int:
    """Print the figures; return non-zero when one cannot be measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--unit", type=float, default=1.0, help="mean verifier latency, seconds")
    parser.add_argument("--slots", type=int, nargs="+", default=(64, 256, 512))
    parser.add_argument(
        "--environments", type=Path, default=Path(tempfile.gettempdir()) / "uppertail-peers"
    )
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(*options.child)
    for part in options.parts or PARTS:
        print(f"# {part}", flush=True)
        globals()[f"{part}_part"](options)
    return 0


def child(what: str, *words: str) -> int:
    """Serve, grade or measure memory, as a process of its own."""
    if what == "serve":
        unit, fixed, *counts = words
        asyncio.run(engine_client.serve(float(unit), float(fixed), *map(int, counts)))
    elif what == "memory":
        print(engine_storage.peak(int(words[0])))
    else:
        url, mode, concurrency, journal = words
        cost = run(engine_client.grade(url, mode, int(concurrency), journal))
        print(json.dumps(cost._asdict()))
    return 0


def show(name: str, value: float, digits: int = 3) -> None:
    """Print one figure."""
    print(f"{name}: {value:.{digits}f}", flush=True)


def schedule_part(options: argparse.Namespace) -> None:
    """Print the schedule's figures without the cost of computing."""
    for slots in options.slots:
        wall, chains = on_virtual_clock(Work(prompts=options.prompts), slots)
        _ratios("schedule", wall, chains, slots)


def wall_part(options: argparse.Namespace) -> None:
    """Print the same in real seconds, over HTTP."""
    for slots in options.slots:
        with server(unit=options.unit, slots=slots) as url:
            work = Work(prompts=options.prompts)
            seconds, chains = run(real_chains(work, url, slots))
        _ratios("wall", seconds / options.unit, chains, slots)


def _ratios(name: str, wall: float, chains: Chains, slots: int) -> None:
    show(f"{name}_over_greedy_{slots}", wall / greedy(chains, slots))
    show(f"{name}_over_bound_{slots}", wall / bound(chains, slots))
    show(f"barrier_over_{name}_{slots}", barriers(chains, slots) / wall)


def tokens_part(options: argparse.Namespace) -> None:
    """Print what is sent and what a prefix cache leaves of it."""
    for name, value in token_figures(options.prompts):
        show(name, value)


def client_part(options: argparse.Namespace) -> None:
    """Print what clients cost, with and without latency."""
    _graded(options.environments)
    _saturated(options.environments)
    with server(fixed=0.05, slots=32, queue=0) as url:
        cost = ours(url, "calls", 64)
        seen = counters(url)
        show("rejected_share_32_slots", seen["rejected"] / seen["calls"])
        show("lost_32_slots", GRADING.prompts * GRADING.responses - cost.graded, 0)


def _graded(environments: Path) -> None:
    """Print wall and CPU of grading at 50 ms, 64 in flight, best of three of ours."""
    responses = GRADING.prompts * GRADING.responses
    over_best = []
    for mode, calls in (("calls", responses), ("items", responses * CRITERIA)):
        least = -(-calls // 64) * 0.05
        with server(fixed=0.05) as url:
            cost = min((ours(url, mode, 64) for _ in range(3)), key=lambda cost: cost.wall)
            _say(f"uppertail {mode}", cost)
            show(f"{mode}_wall_over_bound", cost.wall / least)
            others = _others(PEERS, environments, mode, url, 64, responses)
        if others:
            over_best.append(cost.cpu / min(other.cpu for other in others.values()))
            show(f"cpu_over_best_peer_{mode}", over_best[-1])
            show(f"wall_over_best_peer_{mode}", cost.wall / min(o.wall for o in others.values()))
    if over_best:
        show("cpu_over_best_peer", max(over_best))


def _saturated(environments: Path) -> None:
    """Print calls a second and CPU of 1,000 calls against a server without latency."""
    calls = GRADING.prompts * GRADING.responses * CRITERIA
    for concurrency in (64, 256, 1024):
        with server() as url:
            cost = min((ours(url, "items", concurrency) for _ in range(2)), key=lambda c: c.cpu)
            show(f"calls_per_second_{concurrency}", calls / cost.wall, 0)
            show(f"cpu_seconds_per_1000_calls_{concurrency}", cost.cpu_per_1000(calls))
            for name, other in _others(
                CLIENTS, environments, "calls", url, concurrency, 2000
            ).items():
                show(f"{name}_cpu_seconds_per_1000_calls_{concurrency}", other.cpu_per_1000(2000))
                show(f"{name}_calls_per_second_{concurrency}", 2000 / other.wall, 0)
                ratio = cost.cpu_per_1000(calls) / other.cpu_per_1000(2000)
                label = "openai_sdk" if name == "openai" else name
                show(f"cpu_over_{label}" + ("" if concurrency == 64 else f"_{concurrency}"), ratio)


def _others(
    names: tuple[str, ...], environments: Path, mode: str, url: str, concurrency: int, count: int
) -> dict[str, Cost]:
    costs = {}
    for name in names:
        python = engine_client.environment(name, environments)
        if python is None:
            continue
        try:
            costs[name] = theirs(python, name, mode, url, concurrency, count)
        except RuntimeError as error:
            print(f"# {name} is skipped: {error}", flush=True)
            continue
        _say(f"{name} {mode}", costs[name])
    return costs


def _say(who: str, cost: Cost) -> None:
    print(
        f"# {who}: wall {cost.wall:.2f} s, CPU {cost.cpu:.2f} s, graded {cost.graded}", flush=True
    )


def journal_part(_: argparse.Namespace) -> None:
    """Print what the journal costs."""
    for name, value in (*journal_figures(), *replay_figures()):
        show(name, value, 4)


def memory_part(_: argparse.Namespace) -> None:
    """Print the resident set at several numbers of prompts."""
    for name, value in memory_figures():
        show(name, value, 1)


if __name__ == "__main__":
    sys.exit(main())
