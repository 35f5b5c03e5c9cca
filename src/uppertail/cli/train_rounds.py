"""`uppertail train rounds`."""

from __future__ import annotations

import json as json_format
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Literal

from uppertail.cli.app import say
from uppertail.cli.invocation import fingerprint, located
from uppertail.cli.judges import JudgeOptions
from uppertail.cli.options import VerifyOptions
from uppertail.cli.rewards import RewardOptions
from uppertail.cli.train_options import (
    TrainOptions,
    identity,
    need_trainers,
    plan,
    print_plan,
    settled,
)
from uppertail.cli.train_prefers import LabelOptions, Prefers, labeller_opener
from uppertail.errors import InputError
from uppertail.train.presets import DPO_PRESETS, ROUNDS_PRESETS
from uppertail.train.rows import Question, read_questions
from uppertail.train.settings import Policy, Rounds


def rounds(
    prompts: str,
    /,
    *,
    model: str,
    preset: str = "rubric-arm",
    rounds: int | None = None,
    samples: int | None = None,
    max_answer: int | None = None,
    temperature: float | None = None,
    by: Literal["judge", "reward"] = "judge",
    training: TrainOptions | None = None,
    labelling: LabelOptions | None = None,
    judging: JudgeOptions | None = None,
    reward: RewardOptions | None = None,
    verify: VerifyOptions | None = None,
) -> int:
    """Repeat: sample from the policy, label, train with DPO, and start from what came of it.

    Each round has a folder with its pools, preferences, training run and manifest. The same
    command goes on where it stopped. Samples are drawn in this process; for models that need
    a server, run `uppertail sample`, `train label` and `train dpo` one after another.

    For example:

    - `uppertail train rounds prompts.jsonl --rubrics rubrics.jsonl --model ./tiny
      --judge openai/gpt-4.1-mini --rounds 3`

    Args:
        prompts: prompts, or the folder of a run.
        model: the policy to start from: a folder, or owner/name of the hub.
        preset: published settings: rubric-arm.
        rounds: how many.
        samples: responses of each prompt in each round.
        max_answer: most tokens of a sampled answer.
        temperature: of sampling.
        by: who prefers: `judge`, asked in both orders, or `reward`.
        training: how DPO goes.
        labelling: which pairs, and how many.
        judging: who compares, and how it is asked.
        reward: where rubrics come from, and where calls are kept.
        verify: who decides criteria.

    """
    training, reward = training or TrainOptions(), reward or RewardOptions()
    prefers = Prefers(
        by=by,
        labelling=labelling or LabelOptions(),
        judging=judging or JudgeOptions(),
        reward=reward,
        verify=verify or VerifyOptions(),
    )
    policy = training.policy(model)
    given = {
        "rounds": rounds,
        "samples": samples,
        "max_answer": max_answer,
        "temperature": temperature,
    }
    settings = _settings(preset, training, reward.seed, given)
    source = located(prompts, "rubrics.jsonl")
    questions = read_questions(
        source,
        None if reward.rubrics is None else located(reward.rubrics, "rubrics.jsonl"),
        need_rubrics=by == "reward" and reward.write_rubrics is None,
    )
    start = DPO_PRESETS[preset]
    made = plan(start, settings.dpo, policy, items=len(questions), what="prompts")
    if training.dry_run:
        asked = settings.rounds * settings.samples * len(questions)
        print_plan(
            {"rounds": settings.rounds, "sampled_answers": asked, **made},
            start,
            json=training.json,
        )
        return 0
    return _carry_out(policy, questions, settings, prefers, training, prompts, source)


def _settings(
    preset: str, training: TrainOptions, seed: int, given: Mapping[str, float | None]
) -> Rounds:
    """Return the preset's settings with what was given in their place.

    Raises:
        InputError: there is no such preset, or a number is out of range.
    """
    if preset not in ROUNDS_PRESETS:
        raise InputError(f"--preset must be one of {', '.join(ROUNDS_PRESETS)}, not {preset!r}")
    settings = replace(
        ROUNDS_PRESETS[preset],
        dpo=settled(DPO_PRESETS[preset], training, seed=seed),
        **{name: value for name, value in given.items() if value is not None},  # type: ignore[arg-type]
    )
    for option, good in (
        ("--rounds (1 or more)", settings.rounds >= 1),
        ("--samples (2 or more)", settings.samples >= 2),
        ("--max-answer (1 or more)", settings.max_answer >= 1),
        ("--temperature (above 0)", settings.temperature > 0),
    ):
        if not good:
            raise InputError(f"{option} is out of range")
    return settings


def _carry_out(
    policy: Policy,
    questions: tuple[Question, ...],
    settings: Rounds,
    prefers: Prefers,
    training: TrainOptions,
    prompts: str,
    source: str,
) -> int:
    """Go through the rounds and print what each came to."""
    need_trainers()
    from uppertail.train.rounds import iterate

    folder = training.folder("rounds", prompts)
    own = {name: value for name, value in asdict(settings).items() if name != "dpo"}
    inputs = {"prompts": fingerprint(source), **own, **prefers.identity()}
    with folder.claimed("train rounds", identity(policy, settings.dpo, inputs)):
        done = iterate(
            policy,
            questions,
            labeller_opener(prefers.kept(folder)),
            settings,
            folder.path,
            at_once=prefers.labelling.at_once,
            say=say,
        )
        rows = [asdict(one) for one in done]
        folder.finish({"rounds": rows})
    if training.json:
        print(json_format.dumps({"rounds": rows}))
    else:
        for one in done:
            print(f"round {one.number}: {one.preferences} preferences of {one.prompts} prompts")
        print(done[-1].made)
    return 0
