"""`uppertail train label`."""

from __future__ import annotations

import json as json_format
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from uppertail.cli.app import EXIT_LOST
from uppertail.cli.invocation import default_folder, fingerprint, located
from uppertail.cli.judges import JudgeOptions
from uppertail.cli.options import VerifyOptions
from uppertail.cli.rewards import RewardOptions
from uppertail.cli.train_prefers import By, LabelOptions, Opener, Prefers, labeller_opener
from uppertail.concurrent import run
from uppertail.data.index import rubric_index
from uppertail.data.pools import read_pools
from uppertail.data.rubrics import read_rubrics
from uppertail.data.write import json_line, replacing
from uppertail.errors import InputError
from uppertail.train.folder import TrainFolder
from uppertail.train.label import (
    Labelling,
    Labels,
    Task,
    by_scores,
    candidate_pairs,
    label_all,
    preference_row,
)
from uppertail.train.scored import read_scored
from uppertail.types import Rubric


def label(
    pools: str,
    /,
    *,
    by: By = "reward",
    out: str | None = None,
    dry_run: bool = False,
    json: bool = False,
    labelling: LabelOptions | None = None,
    judging: JudgeOptions | None = None,
    reward: RewardOptions | None = None,
    verify: VerifyOptions | None = None,
) -> int:
    """Make preferences for DPO out of pools: by a judge, by a reward, or by scores that are there.

    Ties, contradictions between the two orders and unscored pairs give no preference; the
    summary counts each. Calls are journalled: the same command goes on where it stopped, and
    writes the same bytes.

    For example:

    - `uppertail train label pools.jsonl --by judge --judge openai/gpt-4.1-mini
      --rubrics rubrics.jsonl`

    - `uppertail train label runs/sample-prompts --rubrics runs/refine-pools --margin 0.2`

    - `uppertail train label runs/score-pools --by scores --pairs 4 --pairs-from mixed`

    Args:
        pools: prompts with two responses or more, or the folder of a run.
        by: `judge` compares each pair in both orders, and only a choice that both agree on
            counts; `reward` scores now; `scores` takes those of a finished run, or labels.
        out: folder for preferences.jsonl and its summary. Default: runs/train-label-INPUT.
        dry_run: check the input and print how much would be asked.
        json: print the summary as one JSON object.
        labelling: which pairs, and how many.
        judging: who compares, and how it is asked.
        reward: where rubrics come from, and where calls are kept.
        verify: who decides criteria.

    """
    labelling, reward = labelling or LabelOptions(), reward or RewardOptions()
    prefers = Prefers(
        by=by,
        labelling=labelling,
        judging=judging or JudgeOptions(),
        reward=reward,
        verify=verify or VerifyOptions(),
    )
    how = labelling.how(reward.seed)
    if by == "scores":
        made: Iterator[tuple[Task, Labels]] | None = _stored(pools, how)
        survey = Survey(pools=0, responses=0, pairs=0, chat=_chat(pools))
    else:
        made = None
        survey = look_over(_tasks(pools, reward), how, need_rubric=by == "reward")
    if dry_run:
        return _print_need(survey, by=by, json=json)
    folder = TrainFolder(Path(out) if out else default_folder("train-label", pools))
    source = pools if by == "scores" else located(pools, "pools.jsonl")
    with (
        folder.claimed("train label", {"pools": _mark(source), **prefers.identity()}),
        Sheet(folder.path / "preferences.jsonl", chat=survey.chat) as sheet,
    ):
        if made is not None:
            for task, labels in made:
                sheet.add(task, labels)
        else:
            opener = labeller_opener(prefers.kept(folder))
            tasks = _tasks(pools, reward)
            run(_label(opener, tasks, sheet.add, at_once=labelling.at_once))
    return _print_summary(sheet.summary(), folder, json=json)


class Sheet:
    """preferences.jsonl while it is written, and what is counted."""

    def __init__(self, path: Path, *, chat: bool) -> None:
        self._replacing = replacing(path)
        self._chat = chat
        self._counts: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()

    def __enter__(self) -> Sheet:
        self._write = self._replacing.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._replacing.__exit__(*error)  # type: ignore[arg-type]

    def add(self, task: Task, labels: Labels) -> None:
        """Write the preferences of one prompt, and count what gave none."""
        self._counts["prompts"] += 1
        self._counts["preferences"] += len(labels.preferences)
        self._dropped.update(labels.dropped)
        for one in labels.preferences:
            prompt = task.pool.prompt
            self._write(json_line(preference_row(prompt, one, by=labels.by, chat=self._chat)))

    def summary(self) -> dict[str, object]:
        """Return the counts."""
        return {
            "prompts": self._counts["prompts"],
            "preferences": self._counts["preferences"],
            "dropped": dict(self._dropped.most_common()),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What an input holds, seen before anything is asked."""

    pools: int
    responses: int
    pairs: int
    """Pairs that a judge would be shown, each in two orders."""
    chat: bool
    """Whether any prompt is more than one user message."""


def look_over(tasks: Iterator[Task], how: Labelling, *, need_rubric: bool) -> Survey:
    """Return what an input holds; all of it is checked.

    Raises:
        InputError: it is malformed, no prompt has a pair, or no pool has a rubric although
            the reward needs one.
    """
    pools = responses = pairs = rubrics = 0
    chat = False
    for task in tasks:
        pools += 1
        rubrics += task.rubric is not None
        responses += len(task.pool.responses)
        pairs += min(how.pairs, len(candidate_pairs(task.pool, how, Counter())))
        chat |= [m.role for m in task.pool.prompt.messages] != ["user"]
    if not pairs:
        raise InputError("no prompt has two different responses of the kind that is wanted")
    if need_rubric and not rubrics:
        raise InputError(
            "no pool has a rubric to be scored by; name --rubrics, or --by judge --judge MODEL, or "
            "--by scores"
        )
    return Survey(pools=pools, responses=responses, pairs=pairs, chat=chat)


def _tasks(pools: str, reward: RewardOptions) -> Iterator[Task]:
    """Yield the pools with their rubrics, in their order."""
    rubrics: Iterator[Rubric] = iter(())
    if reward.rubrics is not None:
        rubrics = read_rubrics(located(reward.rubrics, "rubrics.jsonl"))
    with rubric_index(rubrics) as index:
        for row in read_pools(located(pools, "pools.jsonl")):
            yield Task(pool=row.pool, rubric=index.take(row.pool.prompt.id))


def _stored(pools: str, how: Labelling) -> Iterator[tuple[Task, Labels]]:
    """Yield the labels that scores which are there give."""
    for scored in read_scored(pools):
        yield Task(pool=scored.pool), by_scores(scored.pool, scored.scores, how, by="scores")


def _chat(pools: str) -> bool:
    return any(
        [m.role for m in scored.pool.prompt.messages] != ["user"] for scored in read_scored(pools)
    )


def _mark(source: str) -> str:
    """Return what identifies an input: a hash of a file, the place of a run."""
    return str(Path(source).resolve()) if Path(source).is_dir() else fingerprint(source)


async def _label(
    opener: Opener,
    tasks: Iterator[Task],
    ended: Callable[[Task, Labels], None],
    *,
    at_once: int,
) -> None:
    async with opener() as labeller:
        await label_all(tasks, labeller, ended, at_once=at_once)


def _print_need(survey: Survey, *, by: By, json: bool) -> int:
    """Print how much labelling would ask."""
    need = {
        "prompts": survey.pools,
        "comparisons": 2 * survey.pairs if by == "judge" else 0,
        "scored_responses": survey.responses if by == "reward" else 0,
    }
    if json:
        print(json_format.dumps(need))
    else:
        words = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in need.items())
        print(f"{words}. Nothing was sent.")
    return 0


def _print_summary(summary: Mapping[str, object], folder: TrainFolder, *, json: bool) -> int:
    """Print what labelling came to; the exit code says whether anything was lost."""
    with replacing(folder.path / "summary.json") as write:
        write(json_format.dumps(summary, indent=2).encode() + b"\n")
    dropped = summary["dropped"]
    assert isinstance(dropped, dict)
    if json:
        print(json_format.dumps(summary))
    else:
        reasons = ", ".join(f"{count} {why}" for why, count in dropped.items()) or "nothing"
        print(f"{summary['preferences']} preferences of {summary['prompts']} prompts")
        print(f"dropped: {reasons}\n{folder.path / 'preferences.jsonl'}")
    return EXIT_LOST if dropped.get("unscored") else 0
