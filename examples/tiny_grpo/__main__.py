"""Run everything: `python -m examples.tiny_grpo --seeds 3 --out runs/tiny-grpo`.

Run again with the same folder, it does only what is missing.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict
from pathlib import Path

from examples.tiny_grpo.settings import ARMS, Arm, Settings, small
from examples.tiny_grpo.stages import prepare, run
from uppertail.data.write import replacing
from uppertail.errors import InputError

Job = tuple[int, Arm | None]
"""A seed and an arm; None is the seed's preparation."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Prepare the seeds, run the arms, write summary, curves and page."""
    parser = argparse.ArgumentParser(prog="examples.tiny_grpo", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many, from --first-seed on")
    parser.add_argument("--first-seed", type=int, default=6)
    parser.add_argument("--out", type=Path, default=Path("runs/tiny-grpo"))
    parser.add_argument("--processes", type=int, default=2, help="of one thread each")
    parser.add_argument(
        "--small", action="store_true", help="seconds; shows nothing but that it runs"
    )
    options = parser.parse_args(arguments)
    settings = small() if options.small else Settings()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    hold(options.out, settings)
    began = time.perf_counter()
    work(options.out, seeds, settings, processes=options.processes)
    report(options.out, seeds)
    print(f"{time.perf_counter() - began:.0f} s; see {options.out / 'index.html'}")


def hold(out: Path, settings: Settings) -> None:
    """Write the settings to the folder, or refuse a folder that other settings made.

    Raises:
        InputError: the folder holds runs of other settings.
    """
    path = out / "settings.json"
    mine = json.dumps(asdict(settings), indent=1) + "\n"
    if path.exists() and path.read_text("utf-8") != mine:
        raise InputError("holds other settings; expected an empty folder or these", file=path)
    out.mkdir(parents=True, exist_ok=True)
    with replacing(path) as write:
        write(mine.encode())


def work(out: Path, seeds: Sequence[int], settings: Settings, *, processes: int) -> None:
    """Do what is missing, the arms of a seed once it is prepared; print a line for each."""
    os.environ["OMP_NUM_THREADS"] = "1"
    spawn = multiprocessing.get_context("spawn")  # torch does not survive a fork
    total = len(seeds) * (1 + len(ARMS))
    done = 0
    with ProcessPoolExecutor(processes, mp_context=spawn) as pool:
        waiting: dict[Future[float], Job] = {
            pool.submit(prepare, out, seed, settings): (seed, None) for seed in seeds
        }
        while waiting:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                seed, arm = waiting.pop(future)
                done += 1
                seconds = future.result()
                print(
                    f"{done}/{total} seed {seed}, {arm or 'prepared'}: {seconds:.0f} s", flush=True
                )
                if arm is None:
                    waiting |= {pool.submit(run, out, seed, a, settings): (seed, a) for a in ARMS}


def report(out: Path, seeds: Sequence[int]) -> None:
    """Write `summary.json`, four SVG files and `index.html` from what the runs have left."""
    from examples.tiny_grpo.page import page, pictures, svg
    from examples.tiny_grpo.summary import overview, read_series

    found = overview(out, seeds)
    series = {arm: read_series(out, seeds, arm) for arm in ARMS}
    texts = {f"{name}.svg": svg(picture) for name, picture in pictures(series).items()}
    texts["summary.json"] = json.dumps(found, indent=1) + "\n"
    texts["index.html"] = page(series, found)
    for name, text in texts.items():
        with replacing(out / name) as write:
            write(text.encode())


if __name__ == "__main__":
    main()
