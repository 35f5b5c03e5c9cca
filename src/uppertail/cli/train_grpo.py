"""One run of `uppertail train grpo`, from its options to its model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import msgspec

from uppertail.cli.app import say
from uppertail.cli.invocation import fingerprint, located
from uppertail.cli.judges import JudgeOptions, open_judge
from uppertail.cli.options import VerifyOptions
from uppertail.cli.rewards import RewardOptions, Sourcing, reward_on_own_loop, whole
from uppertail.cli.roles import OFFLINE
from uppertail.cli.train_options import (
    GRPOOptions,
    Job,
    TrainOptions,
    carry_out,
    settled,
)
from uppertail.errors import InputError
from uppertail.models import Journal, ModelSession
from uppertail.reward.monitor_split import Dropout, Part, split_rubric
from uppertail.train.folder import TrainFolder
from uppertail.train.presets import Preset
from uppertail.train.rows import Question, read_questions
from uppertail.train.settings import GRPO, Policy

if TYPE_CHECKING:
    from uppertail.reward.adapters.trl import TrlReward
    from uppertail.reward.function import RewardFunction
    from uppertail.reward.rubrics import RubricSource
    from uppertail.train.loop import Trained
    from uppertail.train.pairwise import Baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked of `uppertail train grpo`."""

    prompts: str
    model: str
    preset: Preset[GRPO]
    training: TrainOptions
    grpo: GRPOOptions
    reward: RewardOptions
    verify: VerifyOptions
    judging: JudgeOptions
    by: Literal["rubrics", "comparisons", "server"] = "rubrics"
    server: str | None = None

    def __post_init__(self) -> None:
        """Refuse options that nobody would read, and a server without an address.

        Raises:
            InputError: the message names the option.
        """
        if (self.by == "server") != (self.server is not None):
            raise InputError("--by server and --server ADDRESS go together")
        if self.by != "comparisons" and self.judging != JudgeOptions():
            raise InputError("options of the judge do nothing without --by comparisons")
        if self.by != "rubrics" and (self.grpo.hold_out or self.grpo.criterion_dropout):
            raise InputError("--hold-out and --criterion-dropout need --by rubrics")

    def questions(self) -> tuple[Question, ...]:
        """Return the prompts with their rubrics.

        Raises:
            InputError: one is malformed, or has no rubric and nobody to write one.
        """
        needed = self.by == "rubrics" and self.reward.write_rubrics is None
        rubrics = self.reward.rubrics
        return read_questions(
            located(self.prompts, "rubrics.jsonl"),
            None if rubrics is None else located(rubrics, "rubrics.jsonl"),
            need_rubrics=needed,
        )

    def held_out(self) -> tuple[Question, ...]:
        """Return the prompts that are held out; none where none were named.

        Raises:
            InputError: they are malformed, or rubrics were named without prompts.
        """
        prompts, rubrics = self.grpo.gold_prompts, self.grpo.gold_rubrics
        if prompts is None:
            for option, value in (
                ("--gold-rubrics", rubrics),
                ("--gold-verifier", self.grpo.gold_verifier),
            ):
                if value is not None:
                    raise InputError(f"{option} does nothing without --gold-prompts")
            return ()
        return read_questions(
            located(prompts, "rubrics.jsonl"),
            None if rubrics is None else located(rubrics, "rubrics.jsonl"),
        )

    def inputs(self) -> dict[str, object]:
        """Return what identifies data and reward, as JSON values."""
        grpo, reward = self.grpo, self.reward
        files = {
            "prompts": located(self.prompts, "rubrics.jsonl"),
            "rubrics": reward.rubrics and located(reward.rubrics, "rubrics.jsonl"),
            "gold_prompts": grpo.gold_prompts and located(grpo.gold_prompts, "rubrics.jsonl"),
            "gold_rubrics": grpo.gold_rubrics and located(grpo.gold_rubrics, "rubrics.jsonl"),
        }
        return {
            **{name: path and fingerprint(path) for name, path in files.items()},
            "shape": reward.shape,
            "proposer": reward.proposer,
            "server": self.server,
            "by": self.by,
            "judging": msgspec.to_builtins(self.judging),
            "gold_verifier": grpo.gold_verifier,
            "watch_verifier": grpo.watch_verifier,
            "hold_out": grpo.hold_out,
            "watch_share": grpo.watch_share,
            "criterion_dropout": grpo.criterion_dropout,
            "kl_limit": grpo.kl_limit,
            "patience": grpo.patience,
            "keep_going": grpo.keep_going,
            "verify": msgspec.to_builtins(self.verify),
        }


def train_as_asked(asked: Asked) -> int:
    """Do what was asked and return the exit code.

    Raises:
        UppertailError: the input is wrong, or the run had to stop.
    """
    training = asked.training
    policy = training.policy(asked.model)
    settings = settled(asked.preset, training, asked.grpo, seed=asked.reward.seed)
    questions, held_out = asked.questions(), asked.held_out()
    _refuse_unsplit(asked, questions)

    def work(folder: TrainFolder) -> Trained:
        return _train(asked, policy, settings, questions, held_out, folder)

    job = Job(
        command="grpo",
        source=asked.prompts,
        policy=policy,
        preset=asked.preset,
        settings=settings,
        items=len(questions),
        what="prompts",
        inputs=asked.inputs(),
    )
    return carry_out(job, training, work)


def _refuse_unsplit(asked: Asked, questions: Sequence[Question]) -> None:
    """Say how many rubrics have nothing that could be held out.

    Raises:
        InputError: all of them.
    """
    share = asked.grpo.hold_out
    rubrics = [question.rubric for question in questions if question.rubric is not None]
    if share is None or not rubrics:
        return
    splits = [split_rubric(rubric, share=share, seed=asked.reward.seed) for rubric in rubrics]
    unsplit = sum(split.held_out is None for split in splits)
    if unsplit == len(questions):
        raise InputError("--hold-out needs rubrics with two criteria of positive weight; none has")
    if unsplit:
        say(f"note: {unsplit} of {len(rubrics)} rubrics have no criterion that could be held out")


def _train(
    asked: Asked,
    policy: Policy,
    settings: GRPO,
    questions: Sequence[Question],
    held_out: Sequence[Question],
    folder: TrainFolder,
) -> Trained:
    """Train against the reward that was asked for, and close what it opened."""
    from uppertail.reward.adapters.trl import trl_reward
    from uppertail.train.grpo import HeldOut, train_grpo
    from uppertail.train.loop import Watched
    from uppertail.train.pairwise import GreedyAnswers
    from uppertail.train.record import as_callback

    grpo = asked.grpo
    greedy = GreedyAnswers(
        max_tokens=settings.max_length - settings.max_prompt, per_device=settings.per_device
    )
    with ExitStack() as stack:
        criteria = _Criteria(asked)
        fn = stack.enter_context(_reward(asked, folder, greedy, criteria))
        listeners = [as_callback(greedy)] if asked.by == "comparisons" else []
        reward, alarms = _watched(asked, fn, folder, criteria, stack)
        gold = None
        if held_out:
            gold_fn = stack.enter_context(_gold(asked, folder))
            gold = HeldOut(
                questions=held_out,
                reward=stack.enter_context(trl_reward(gold_fn, name="gold")),
            )
        return train_grpo(
            policy,
            questions,
            reward,
            settings,
            folder.path,
            held_out=gold,
            watched=Watched(
                kl_limit=grpo.kl_limit, patience=grpo.patience, stop=not grpo.keep_going
            ),
            more_callbacks=(*listeners, *alarms),
        )


class _Criteria:
    """Which criteria are rewarded, and which only watch."""

    def __init__(self, asked: Asked) -> None:
        self._share = asked.grpo.hold_out
        self._rate = asked.grpo.criterion_dropout
        self._seed = asked.reward.seed
        self.on_step: list[Callable[[int], None]] = []
        """To be told the trainer's step, once the reward is open."""

    def rewarded(self, source: RubricSource) -> RubricSource:
        """Return the source of what the policy learns from."""
        kept = self._part(source, "kept")
        if not self._rate:
            return kept
        left = Dropout(kept, rate=self._rate, seed=self._seed)
        self.on_step.append(left.at)
        return left

    def watching(self, source: RubricSource) -> RubricSource:
        """Return the source of what a second verdict is on: all criteria where none is held out."""
        return self._part(source, "held_out")

    def _part(self, source: RubricSource, part: Literal["kept", "held_out"]) -> RubricSource:
        if self._share is None:
            return source
        return Part(source, part, share=self._share, seed=self._seed)


def _watched(
    asked: Asked, fn: RewardFunction, folder: TrainFolder, criteria: _Criteria, stack: ExitStack
) -> tuple[TrlReward, Sequence[object]]:
    """Return the reward as TRL calls it, with the hacking monitor beside it if that was asked."""
    from uppertail.reward.adapters.trl import trl_reward

    grpo = asked.grpo
    if grpo.watch_verifier is None and grpo.hold_out is None:
        return stack.enter_context(trl_reward(fn, on_step=criteria.on_step)), ()
    from uppertail.reward.monitor import Monitor
    from uppertail.reward.monitor_watch import Watched, hacking_callback
    from uppertail.train.loop import say_on_stderr

    other = stack.enter_context(
        _own_reward(
            # What nobody could decide there costs no reward, so that it must stop no run.
            replace(asked.reward, shape="identity", strict=False),
            replace(asked.verify, verifier=grpo.watch_verifier or asked.verify.verifier),
            folder,
            criteria.watching,
        )
    )
    monitor = Monitor()
    watched = Watched(
        fn, held_out=other, monitor=monitor, share=grpo.watch_share, seed=asked.reward.seed
    )
    reward = stack.enter_context(trl_reward(watched, on_step=[*criteria.on_step, watched.at]))
    return reward, (hacking_callback(monitor, stop=not grpo.keep_going, say=say_on_stderr),)


def _reward(
    asked: Asked, folder: TrainFolder, greedy: Baseline, criteria: _Criteria
) -> RewardFunction:
    """Return the reward: of a server, of comparisons, or of rubrics."""
    options = asked.reward
    if asked.by == "comparisons":
        return _compared(asked.judging, kept(options, folder), greedy)
    if asked.server is None:
        return _own_reward(options, asked.verify, folder, criteria.rewarded)
    from uppertail.reward.client import remote_reward
    from uppertail.reward.shaping import shape_named

    return remote_reward(
        asked.server,
        shape=shape_named(asked.reward.shape),
        deadline_s=asked.reward.deadline,
        strict=asked.reward.strict,
        check=True,
    )


def _own_reward(
    options: RewardOptions,
    verify: VerifyOptions,
    folder: TrainFolder,
    sourcing: Sourcing = whole,
) -> RewardFunction:
    """Return a reward by rubrics; checks that call nobody need no journal."""
    remote = verify.verifier != OFFLINE
    options = kept(options, folder) if remote else options
    return reward_on_own_loop(options, verify, sourcing=sourcing)


def kept(options: RewardOptions, folder: TrainFolder) -> RewardOptions:
    """Return the options with the run's own journal, so that a resumed run pays nothing twice."""
    return replace(options, journal=options.journal or str(folder.path / "journal.sqlite"))


def _compared(judging: JudgeOptions, options: RewardOptions, greedy: Baseline) -> RewardFunction:
    """Return the reward of comparisons with the policy's greedy answers."""
    from uppertail.reward.function import RewardFunction
    from uppertail.reward.opening import open_function
    from uppertail.reward.shaping import shape_named
    from uppertail.train.pairwise import PairwiseScorer

    async def opening(stack: AsyncExitStack) -> RewardFunction:
        journal = stack.enter_context(Journal(options.journal or ":memory:"))
        session = ModelSession(journal, budget_usd=options.budget_usd)
        await stack.enter_async_context(session)
        judge = open_judge(judging, options.run, session, seed=options.seed).judge
        return RewardFunction(
            PairwiseScorer(judge, greedy),
            shape=shape_named(options.shape),
            deadline_s=options.deadline,
            strict=options.strict,
            account=session.account,
        )

    return open_function(opening)


def _gold(asked: Asked, folder: TrainFolder) -> RewardFunction:
    """Return the held-out reward: plain scores, by rubrics that come with its prompts."""
    options = replace(asked.reward, rubrics=None, write_rubrics=None, shape="identity")
    verifier = asked.grpo.gold_verifier or asked.verify.verifier
    return _own_reward(
        replace(options, proposer=OFFLINE), replace(asked.verify, verifier=verifier), folder
    )
