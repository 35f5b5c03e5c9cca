"""A reward function with a monitor beside it, and the monitor's alarm inside a trainer."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Protocol

import msgspec

from uppertail.data.write import replacing
from uppertail.errors import InputError, MissingExtra
from uppertail.reward.adapters.rows import Batch, Rewards
from uppertail.reward.monitor import Monitor, MonitorState, Seen
from uppertail.score.interface import Reward, Rollout
from uppertail.types import content_id


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedBatch:
    """The rewards of a batch, as the watched function gave them, and both kinds of metrics."""

    batch: Batch
    hacking: Mapping[str, float]

    @property
    def rewards(self) -> tuple[Reward, ...]:
        """One a rollout, in the order of the rollouts."""
        return self.batch.rewards

    @property
    def values(self) -> list[float | None]:
        """The rewards as a trainer takes them; None where a rollout is unscored."""
        return [reward.value for reward in self.batch.rewards]

    def metrics(self) -> dict[str, float]:
        """Return the metrics of the batch and those of the monitor."""
        return {**self.batch.metrics(), **self.hacking}


class Watched:
    """Gives the rewards of `fn`, and shows the monitor what `held_out` says of the same.

    ```python
    watched = Watched(
        RewardFunction(RubricScorer(verifier, Part(rubrics, "kept"))),
        held_out=RewardFunction(RubricScorer(other, Part(rubrics, "held_out"))),
        monitor=Monitor(),
    )
    reward = trl_reward(watched, on_step=[watched.at])
    ```

    Both are asked at the same time. The held-out reward changes no reward; where it fails,
    the monitor has less to go by.

    Args:
        fn: what is trained on. Its scores before shaping are what the monitor sees.
        held_out: a reward from criteria, or a judge, or both, that `fn` does not use.
        monitor: takes what both say.
        share: of the prompts of each step that `held_out` is asked about, in (0, 1].
        seed: chooses these prompts.
    """

    def __init__(
        self,
        fn: Rewards,
        *,
        held_out: Rewards,
        monitor: Monitor,
        share: float = 1.0,
        seed: int = 0,
    ) -> None:
        if not 0 < share <= 1:
            raise InputError(f"expected a share in (0, 1], found {share!r}", field="share")
        self._fn = fn
        self._held_out = held_out
        self.monitor = monitor
        self._share = share
        self._seed = seed
        self._step = 0
        self._told = False

    def at(self, step: int) -> None:
        """Take the trainer's step; without it every call is a step."""
        self._step = step
        self._told = True

    async def __call__(self, rollouts: Sequence[Rollout], /) -> WatchedBatch:
        """Return the rewards of a batch."""
        asked = [rollout for rollout in rollouts if self._picked(rollout)]
        beside = asyncio.ensure_future(self._beside(asked))
        try:
            batch = await self._fn(rollouts)
            held = await beside
        finally:
            beside.cancel()
        self._show(rollouts, batch.rewards, held)
        return WatchedBatch(batch=batch, hacking=self.monitor.metrics())

    async def aclose(self) -> None:
        """Close both reward functions."""
        try:
            await self._fn.aclose()
        finally:
            await self._held_out.aclose()

    def _picked(self, rollout: Rollout) -> bool:
        place = content_id(str(self._seed), str(self._step), rollout.prompt.id)
        return self._share == 1 or Random(place).random() < self._share

    async def _beside(self, asked: Sequence[Rollout]) -> tuple[Reward, ...]:
        return (await self._held_out(asked)).rewards if asked else ()

    def _show(
        self, rollouts: Sequence[Rollout], rewards: Sequence[Reward], held: Sequence[Reward]
    ) -> None:
        others = iter(held)
        seen = [
            Seen(
                prompt_id=rollout.prompt.id,
                proxy=unshaped(reward),
                held_out=unshaped(next(others)) if self._picked(rollout) else None,
                completion=rollout.completion,
            )
            for rollout, reward in zip(rollouts, rewards, strict=True)
        ]
        self.monitor.take(self._step, seen)
        self._step += not self._told


def unshaped(reward: Reward) -> float | None:
    """Return the score that a reward was made of, where there is one, else the reward.

    A reward that is relative to its group has the same mean in every group.
    """
    if reward.value is None or reward.score is None:
        return reward.value
    return reward.score.value


class Arguments(Protocol):
    """What is used of `TrainingArguments`."""

    output_dir: str
    process_index: int


class State(Protocol):
    """What is used of a `TrainerState`."""

    global_step: int


class Control(Protocol):
    """What is used of a `TrainerControl`."""

    should_training_stop: bool
    should_save: bool


class Alarm:
    """Says once that the rewards have parted, and can stop the run.

    The monitor's state goes into each checkpoint, and is read from the one that a run goes on
    from: such a run judges as one that was never interrupted. Each process has a state of its
    own. It has the methods of a `TrainerCallback` that it needs, and nothing else.
    """

    def __init__(self, monitor: Monitor, *, stop: bool, say: Callable[[str], None]) -> None:
        self._monitor = monitor
        self._stop = stop
        self._say = say
        self._said = False

    def on_train_begin(
        self, args: Arguments, state: State, control: Control, **others: object
    ) -> None:
        """Go on from what the monitor knew at the checkpoint.

        Raises:
            InputError: what is there cannot be read.
        """
        if state.global_step == 0:
            return
        file = _kept(args, state)
        if file.is_file():
            self._monitor.restore(read_state(file))
        else:
            self._say(f"uppertail: the hacking monitor begins anew: there is no {file}")

    def on_step_end(
        self, args: Arguments, state: State, control: Control, **others: object
    ) -> None:
        """Look at the monitor after a step, and keep its state where a checkpoint is due.

        The trainer's own files come later, so that a checkpoint which is whole has the state.
        """
        self._speak()
        if self._stop and _anywhere(self._said):
            control.should_training_stop = True
        if control.should_save:
            self.on_save(args, state, control)

    def on_save(self, args: Arguments, state: State, control: Control, **others: object) -> None:
        """Keep the state beside the trainer's: an evaluation may have come between.

        Raises:
            StorageError: it cannot be written.
        """
        write_state(_kept(args, state), self._monitor.state())

    def on_train_end(self, args: object, state: object, control: Control, **others: object) -> None:
        """Let the monitor look at the last steps."""
        self._monitor.finish()
        self._speak()

    def _speak(self) -> None:
        alarm = self._monitor.alarm
        if alarm is not None and not self._said:
            self._said = True
            self._say(f"uppertail: the reward is being hacked: {alarm.reason}")


def _kept(args: Arguments, state: State) -> Path:
    """Return where the monitor's state is at a checkpoint."""
    folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
    return folder / f"hacking_{args.process_index}.json"


def write_state(file: Path, state: MonitorState) -> None:
    """Write a monitor's state, whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    # ASCII escapes carry the lone surrogates that a prompt's id can hold; UTF-8 does not.
    with replacing(file) as write:
        write(json.dumps(msgspec.to_builtins(state), separators=(",", ":")).encode())


def read_state(file: Path) -> MonitorState:
    """Return what `write_state` wrote.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return msgspec.convert(json.loads(file.read_bytes()), MonitorState, str_keys=True)
    except (OSError, ValueError) as error:
        problem = f"cannot be read as the hacking monitor's state: {error}"
        raise InputError(problem, file=file) from error


def _anywhere(here: bool) -> bool:
    """Return whether any process of the run says so: each sees its own part of the batch."""
    distributed = sys.modules.get("torch.distributed")
    if distributed is None or not (distributed.is_available() and distributed.is_initialized()):
        return here
    every = [False] * distributed.get_world_size()
    distributed.all_gather_object(every, here)
    return any(every)


def hacking_callback(
    monitor: Monitor, *, stop: bool = False, say: Callable[[str], None] = print
) -> Any:  # noqa: ANN401
    """Return an `Alarm` that is a `transformers.TrainerCallback`, for any trainer of TRL.

    Args:
        monitor: the one that a `Watched` shows both rewards to.
        stop: end the run at the alarm; otherwise only say so.
        say: gets the alarm.

    Raises:
        MissingExtra: transformers is not installed.
    """
    try:
        from transformers import TrainerCallback
    except ImportError:
        raise MissingExtra("the trainer callback", "trl") from None
    return type("HackingCallback", (Alarm, TrainerCallback), {})(monitor, stop=stop, say=say)
