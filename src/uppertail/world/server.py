"""An OpenAI-compatible server on loopback that is slow, busy and wrong as often as it is told.

    python -m uppertail.world.server --port 8123 --slots 32 --fault busy=0.1 --fault error=0.05
    curl http://127.0.0.1:8123/counters

In a program: `async with WorldServer(answer, …) as server: … server.url`. See docs/server.md.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
from collections.abc import Mapping
from typing import cast

from uppertail.errors import InputError
from uppertail.world.nature import World
from uppertail.world.server_answers import Answer, WorldAnswers, hashed_answer
from uppertail.world.server_faults import Faults, Latency
from uppertail.world.server_http import WorldServer

__all__ = ["WorldServer", "main", "named_answer", "opened", "parser"]


def named_answer(where: str) -> Answer:
    """Return the function that "module:function" names.

    Raises:
        InputError: there is no such function.
    """
    module, _, name = where.partition(":")
    try:
        return cast("Answer", getattr(importlib.import_module(module), name))
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"{where!r} names no function: {error}; expected module:name") from error


def parser() -> argparse.ArgumentParser:
    """Return the options of the program."""
    options = argparse.ArgumentParser(prog="python -m uppertail.world.server", description=__doc__)
    options.formatter_class = argparse.RawDescriptionHelpFormatter
    add = options.add_argument
    add("--port", type=int, default=0, help="0 picks a free one")
    add("--world", type=int, metavar="SEED", help="answer as the models of this world do")
    add("--answer", help="module:function that gives the text of the reply to a request")
    add("--slots", type=int, help="calls in service at a time")
    add("--queue", type=int, help="calls that may wait for a slot; more get 429. Default: any")
    add("--each", type=float, default=0.0, help="seconds that every call takes")
    add("--prompt-token", type=float, default=0.0, help="seconds for an uncached prompt token")
    add("--token", type=float, default=0.0, help="seconds for a token of the answer")
    add("--sigma", type=float, default=0.8, help="spread of the log-normal latency")
    add("--cache-blocks", type=int, default=0, help="blocks of 16 tokens in the prefix cache")
    add("--fault", action="append", default=[], metavar="KIND=SHARE", type=_rate)
    add("--faults", type=float, default=0.0, metavar="SHARE", help="all kinds, evenly")
    add("--fault-seconds", type=float, default=0.05, help="Retry-After, hangs, slow answers")
    add("--seed", type=int, default=0)
    return options


def _rate(text: str) -> tuple[str, float]:
    kind, _, share = text.partition("=")
    return kind, float(share)


def opened(options: argparse.Namespace) -> WorldServer:
    """Return the server that the options ask for.

    Raises:
        InputError: an option is out of range.
    """
    answer: Answer = hashed_answer
    if options.world is not None:
        answer = WorldAnswers(World(seed=options.world))
    elif options.answer:
        answer = named_answer(options.answer)
    even = Faults.evenly(options.faults).rates if options.faults else {}
    rates: Mapping[str, float] = {**even, **dict(options.fault)}
    latency = Latency(
        each=options.each,
        prompt_token=options.prompt_token,
        completion_token=options.token,
        sigma=options.sigma,
        seed=options.seed,
    )
    return WorldServer(
        answer,
        faults=Faults(rates=rates, seed=options.seed, seconds=options.fault_seconds),
        latency=latency,
        slots=options.slots,
        queue=options.queue,
        cache_blocks=options.cache_blocks,
        port=options.port,
    )


async def _serve(options: argparse.Namespace) -> None:
    async with opened(options) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    """Serve until killed; the first line of output is the base URL."""
    options = parser().parse_args()
    try:
        asyncio.run(_serve(options))
    except InputError as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
