"""Kill a run at ten random moments, resume it, and compare with a run that nobody touched.

The four-round preset on 200 prompts with 16 responses, against a scripted OpenAI-compatible
server on loopback, with no faults and with a fault in one call out of five (429, 500, hang,
dropped connection, malformed body, truncation, refusal, nonsense). Each is run whole, and
again with SIGKILL. Figures, for both:

repeated_calls: calls sent although their answer was in the journal.
identical: 1 if every output is byte for byte that of the run that nobody touched, else 0.
lost_prompts: prompts that are missing from the outputs.

    python benchmarks/resume.py [--prompts 200]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
PORT = 18431
KILLS = 10
RESPONSES = 16
MARKS = "UPPERTAIL_BENCHMARK_MARKS"
OUTPUTS = ("rubrics", "history", "responses", "scores", "verdicts", "losses", "quarantine")


def answer(body: Mapping[str, object]) -> Mapping[str, str]:
    """Answer like the test server, and mark the reply, so that the journal shows who got it."""
    sys.path.insert(0, str(ROOT))
    from tests.openai_server import fingerprint, rubric_answer

    mark = fingerprint(body)
    with Path(os.environ[MARKS]).open("a") as file:
        file.write(mark + "\n")
    return {"content": rubric_answer(body), "reasoning_content": mark}


def main() -> int:
    """Print the figures; return non-zero when one cannot be measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_pools(folder / "pools.jsonl", options.prompts)
        for faults, suffix in ((0.0, ""), (0.2, "_with_faults")):
            measure(folder / f"faults{faults}", folder / "pools.jsonl", faults, suffix, options)
    return 0


def measure(
    folder: Path, pools: Path, faults: float, suffix: str, options: argparse.Namespace
) -> None:
    """Print the figures for one share of faults."""
    folder.mkdir()
    began = time.monotonic()
    with server(folder / "whole.marks", faults):
        run(pools, folder / "whole").wait()
    seconds = time.monotonic() - began
    marks = folder / "killed.marks"
    with server(marks, faults):
        repeated = killed(pools, folder / "killed", marks, seconds, random.Random(options.seed))
    same = all(
        (folder / "whole" / f"{name}.jsonl").read_bytes()
        == (folder / "killed" / f"{name}.jsonl").read_bytes()
        for name in OUTPUTS
    )
    ended = sum(1 for _ in (folder / "killed" / "history.jsonl").open())
    calls = len(journalled(folder / "killed"))
    summary = json.loads((folder / "killed" / "summary.json").read_text())
    print(f"calls{suffix}: {calls}")
    print(f"whole_run_seconds{suffix}: {seconds:.1f}")
    print(f"partial_prompts{suffix}: {summary['partial']}")
    print(f"repeated_calls{suffix}: {repeated}")
    print(f"identical{suffix}: {int(same)}")
    print(f"lost_prompts{suffix}: {options.prompts - ended}", flush=True)


def killed(pools: Path, folder: Path, marks: Path, seconds: float, chance: random.Random) -> int:
    """Run with ten kills, then to the end; return how many journalled calls were sent again."""
    repeated = kills = 0
    while True:
        known = journalled(folder)
        seen = len(marks.read_text()) if marks.exists() else 0
        process = run(pools, folder)
        if kills < KILLS:
            try:
                process.wait(timeout=0.7 + chance.uniform(0, 2 * seconds / KILLS))
            except subprocess.TimeoutExpired:
                kills += 1
                process.send_signal(signal.SIGKILL)
        code = process.wait()
        sent = marks.read_text()[seen:].split() if marks.exists() else []
        repeated += len(known & set(sent))
        if code >= 0:
            if kills < KILLS:
                raise SystemExit(f"the run ended after {kills} kills; use more --prompts")
            return repeated


def journalled(folder: Path) -> set[str]:
    """Return the marks of the replies that a run's journal holds."""
    journal = folder / "journal.sqlite"
    if not journal.exists():
        return set()
    database = sqlite3.connect(journal)
    try:
        replies = database.execute("SELECT reply FROM calls").fetchall()
    except sqlite3.OperationalError:  # killed before the table was made
        return set()
    finally:
        database.close()
    return {json.loads(reply)["reasoning"] for (reply,) in replies} - {""}


def run(pools: Path, folder: Path) -> subprocess.Popen[bytes]:
    """Start the command that a user would start, and the same each time."""
    url = f"http://127.0.0.1:{PORT}/v1"
    command = [sys.executable, "-m", "uppertail", "refine", str(pools), "--out", str(folder)]
    command += ["--proposer", f"proposer@{url}", "--verifier", f"verifier@{url}", "--json"]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, stdout=quiet, stderr=quiet)


@contextmanager
def server(marks: Path, faults: float) -> Iterator[None]:
    """Serve on loopback for as long as the block runs, writing the mark of every answer."""
    command = [sys.executable, str(ROOT / "tests" / "openai_server.py"), "--port", str(PORT)]
    command += ["--answer", f"{__file__}:answer", "--faults", str(faults)]
    environment = {**os.environ, MARKS: str(marks)}
    # What it says of clients that were killed in mid answer is no news.
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    )
    try:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise SystemExit(f"the server did not start on port {PORT}")
        yield
    finally:
        process.kill()
        process.wait()


def write_pools(path: Path, prompts: int) -> None:
    """Write pools of 16 responses."""
    chance = random.Random(0)
    words = [f"word{i}" for i in range(300)]
    with path.open("w") as file:
        for number in range(prompts):
            responses = [
                {"model": f"m{k}", "response": " ".join(chance.choices(words, k=60))}
                for k in range(RESPONSES)
            ]
            row = {"id": f"p{number}", "prompt": f"Explain thing {number}.", "responses": responses}
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    sys.exit(main())
