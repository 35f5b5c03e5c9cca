"""Iterative DPO: sample from the policy, label, train, and again from what came of it.

Each round is a folder with its pools, its preferences, its training run and a manifest. The
same command goes on where it stopped: a file that is there is whole, and is not made again.

Source: Rubric-ARM, arXiv 2602.01511: 2 samples a prompt, both orders, up to 3 rounds. Whether
its rounds use new prompts is not reported; ours use the same ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from uppertail.concurrent import run
from uppertail.data.pools import read_pools
from uppertail.data.rows import pool_row
from uppertail.data.write import json_line, replacing, write_jsonl
from uppertail.errors import Lost
from uppertail.train.dpo import train_dpo
from uppertail.train.folder import TrainFolder
from uppertail.train.generate import sample_pools
from uppertail.train.label import Labeller, Labels, Task, label_all, preference_row
from uppertail.train.loop import Say, done_before, say_on_stderr
from uppertail.train.rows import Question, read_pairs
from uppertail.train.settings import Policy, Rounds

OpenLabeller = Callable[[], AbstractAsyncContextManager[Labeller]]
"""Opens a labeller, and what it needs, on the event loop of a round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round, as its manifest says it."""

    number: int
    started_from: str
    """The model that was sampled, and is the reference."""
    made: str
    """The model that came of it."""
    prompts: int
    responses: int
    preferences: int
    dropped: Mapping[str, int]
    """Pairs that gave no preference, and prompts without a pair, by reason."""
    last: Mapping[str, Any]
    """The last figures of its training log."""


def iterate(
    policy: Policy,
    questions: Sequence[Question],
    labeller: OpenLabeller,
    settings: Rounds,
    out: Path,
    *,
    at_once: int = 64,
    say: Say = say_on_stderr,
) -> tuple[Round, ...]:
    """Return the rounds; the last one's model is the policy.

    Args:
        policy: the model to start from.
        questions: prompts, and the rubrics that answers are labelled by.
        labeller: who says which of two responses is better.
        settings: how many rounds, and how each one samples and trains.
        out: folder of the run.
        at_once: prompts that are labelled at a time.
        say: takes a line for the user.

    Raises:
        InputError: the model cannot be loaded.
        Lost: a round came to no preference at all.
        Stopped: the labeller must stop; the same command goes on.
        StorageError: the folder cannot be written.
    """
    done: list[Round] = []
    for number in range(1, settings.rounds + 1):
        folder = out / f"round-{number}"
        say(f"round {number} of {settings.rounds}, from {policy.model}")
        _sample(policy, questions, settings, number, folder)
        dropped = _label(questions, labeller, folder, at_once=at_once)
        made = _train(policy, settings, folder, dropped, say=say)
        one = _manifest(number, policy.model, made, folder, dropped)
        done.append(one)
        policy = replace(policy, model=one.made)
    return tuple(done)


def _sample(
    policy: Policy, questions: Sequence[Question], settings: Rounds, number: int, folder: Path
) -> None:
    """Draw the round's pools into pools.jsonl."""
    if (folder / "pools.jsonl").is_file():
        return
    dpo = settings.dpo
    pools = sample_pools(
        policy,
        [question.prompt for question in questions],
        n=settings.samples,
        temperature=settings.temperature,
        max_tokens=settings.max_answer,
        per_device=dpo.per_device,
        seed=dpo.seed + number,
    )
    write_jsonl(folder / "pools.jsonl", (pool_row(pool, as_messages=True) for pool in pools))


def _label(
    questions: Sequence[Question], open_labeller: OpenLabeller, folder: Path, *, at_once: int
) -> dict[str, int]:
    """Write the round's preferences.jsonl and labels.json; return what was dropped."""
    summary = folder / "labels.json"
    if not summary.is_file():
        rubrics = {question.prompt.id: question.rubric for question in questions}
        tasks = [
            Task(pool=row.pool, rubric=rubrics.get(row.pool.prompt.id))
            for row in read_pools(folder / "pools.jsonl")
        ]

        with replacing(folder / "preferences.jsonl") as write:

            def ended(task: Task, labels: Labels) -> None:
                for one in labels.preferences:
                    write(json_line(preference_row(task.pool.prompt, one, by=labels.by, chat=True)))

            dropped = run(label_with(open_labeller, tasks, ended, at_once=at_once))
        with replacing(summary) as write:
            write(json.dumps(dropped).encode() + b"\n")
    return dict(json.loads(summary.read_text("utf-8")))


async def label_with(
    open_labeller: OpenLabeller,
    tasks: Iterable[Task],
    ended: Callable[[Task, Labels], None],
    *,
    at_once: int,
) -> dict[str, int]:
    """Return what was dropped; what the labeller opened is closed again."""
    async with open_labeller() as labeller:
        return await label_all(tasks, labeller, ended, at_once=at_once)


def _train(
    policy: Policy, settings: Rounds, folder: Path, dropped: Mapping[str, int], *, say: Say
) -> Path:
    """Train on the round's preferences and return the model."""
    run = TrainFolder(folder / "dpo")
    finished = done_before(run, say=say)
    if finished is not None:
        return finished.model
    if not (folder / "preferences.jsonl").stat().st_size:
        reasons = ", ".join(f"{count} {why}" for why, count in dropped.items())
        raise Lost(f"{folder}: no preference came of the round ({reasons})")
    pairs = read_pairs(folder / "preferences.jsonl")
    return train_dpo(policy, pairs, settings.dpo, run.path, say=say).model


def _manifest(
    number: int, started_from: str, made: Path, folder: Path, dropped: Mapping[str, int]
) -> Round:
    """Write down what the round was and return it."""
    pools = [row.pool for row in read_pools(folder / "pools.jsonl")]
    one = Round(
        number=number,
        started_from=started_from,
        made=str(made),
        prompts=len(pools),
        responses=sum(len(pool.responses) for pool in pools),
        preferences=len(read_pairs(folder / "preferences.jsonl")),
        dropped=dropped,
        last=TrainFolder(folder / "dpo").summary()["last"],
    )
    import msgspec

    with replacing(folder / "manifest.json") as write:
        write(msgspec.json.format(msgspec.json.encode(one)) + b"\n")
    return one
