"""Memory of large runs: peak resident set of whole processes, in MB.

Figures: rss_mb_at_1000 and rss_mb_at_20000 (refinement of that many prompts with scripted
models through the real proposer, verifier, journal, run folder and report), rss_mb_dry_run
(`uppertail refine --dry-run` on 100,000 prompts), and the largest of the first two over the
other.

    python benchmarks/memory.py
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from uppertail.cli.execute import carry_out
from uppertail.cli.invocation import Invocation
from uppertail.cli.options import MethodOptions, RunOptions, VerifyOptions
from uppertail.cli.roles import Roles
from uppertail.models import ModelSession, Request, Scripted
from uppertail.propose.llm import LLMProposer
from uppertail.verify.llm import LLMVerifier

RESPONSES = 4
MB = 1024
"""KiB in one: ru_maxrss counts KiB on Linux."""


def main() -> int:
    """Print the figures; return non-zero when one cannot be measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--child", nargs=2, metavar=("WHAT", "POOLS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        return child(*arguments.child)
    with tempfile.TemporaryDirectory() as folder:
        peaks = {}
        for name, what, prompts in (
            ("rss_mb_at_1000", "run", 1_000),
            ("rss_mb_at_20000", "run", 20_000),
            ("rss_mb_dry_run", "dry", 100_000),
        ):
            pools = Path(folder) / f"{prompts}.jsonl"
            write_pools(pools, prompts)
            peaks[name] = peak(what, pools)
            print(f"{name}: {peaks[name]:.0f}", flush=True)
    print(f"growth: {peaks['rss_mb_at_20000'] / peaks['rss_mb_at_1000']:.2f}")
    return 0


def write_pools(path: Path, prompts: int) -> None:
    """Write pools of four responses of 600 to 900 characters."""
    chance = random.Random(0)
    words = [f"word{i}" for i in range(500)]
    with path.open("w") as file:
        for number in range(prompts):
            responses = [
                {"model": f"m{k}", "response": " ".join(chance.choices(words, k=120))}
                for k in range(RESPONSES)
            ]
            row = {"id": f"p{number}", "prompt": f"Write about {number}.", "responses": responses}
            file.write(json.dumps(row) + "\n")


def peak(what: str, pools: Path) -> float:
    """Return the peak resident set of a child process in MB."""
    command = [sys.executable, __file__, "--child", what, str(pools)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{what} on {pools.name} failed: {done.stderr[-2000:]}")
    return float(done.stdout.strip().splitlines()[-1])


def child(what: str, pools: str) -> int:
    """Do one run in this process and print its peak resident set in MB."""
    invocation = Invocation(
        command="refine",
        source=pools,
        method=MethodOptions(rounds=1, pool_size=RESPONSES, proposer="openai/gpt-4.1"),
        verify=VerifyOptions(verifier="openai/gpt-4.1-mini"),
        run=RunOptions(out=pools + ".run", json=True, dry_run=what == "dry"),
    )
    # A dry run asks nobody, so the scripted models serve it too.
    code = carry_out(invocation, roles=scripted)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB)
    return code


def scripted(_: Invocation, session: ModelSession) -> Roles:
    """Return the real LLM roles over models that answer from a script."""
    proposer = LLMProposer(session.open(Scripted(propose, name="proposer")))
    verifier = LLMVerifier(session.open(Scripted(verify, name="verifier")))
    return Roles(proposer=proposer, verifier=verifier, identity={})


def propose(request: Request) -> str:
    """Return a rubric of six to nine criteria."""
    size = 6 + len(request.messages[0].content) % 4
    return json.dumps(
        [{"criterion": f"Mentions word{i}.", "weight": 1 + i % 3} for i in range(size)]
    )


def verify(request: Request) -> str:
    """Return a verdict for every criterion id of the message."""
    text = request.messages[0].content
    ids = [f"c{n}" for n in range(1, 20) if f"- c{n}: " in text]
    return json.dumps({id: "yes" if (len(text) + n) % 3 else "no" for n, id in enumerate(ids)})


if __name__ == "__main__":
    sys.exit(main())
