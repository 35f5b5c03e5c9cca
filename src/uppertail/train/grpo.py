"""GRPO against a reward, with its KL and its held-out reward watched.

Source: arXiv 2509.21500, section 4 and Tables 4-5 for the settings; the algorithm is TRL's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from uppertail.errors import InputError
from uppertail.train.folder import TrainFolder
from uppertail.train.generate import rendered
from uppertail.train.loop import (
    Say,
    Trained,
    Watched,
    adapter,
    arguments,
    callbacks,
    load_tokenizer,
    run,
    say_on_stderr,
)
from uppertail.train.record import as_callback
from uppertail.train.rows import Columns, Question, question_columns
from uppertail.train.settings import GRPO, Policy, refuse

TrainerReward = Callable[..., Awaitable[list[float | None]]]
"""A reward as TRL calls it: `uppertail.reward.adapters.trl.trl_reward` makes one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """What tells whether the reward is still true: prompts and a reward outside training."""

    questions: Sequence[Question]
    reward: TrainerReward


class _Routed:
    """One reward function to the trainer: the held-out reward in evaluations, else the reward.

    TRL calls every reward function on every batch, and adds up what they give. Its table of
    completions takes a column only if every batch fills it, so the columns of the held-out
    reward go under the names of the reward's own.
    """

    def __init__(self, reward: TrainerReward, held_out: TrainerReward) -> None:
        self.__name__ = _name(reward)
        self._reward = reward
        self._held_out = held_out

    async def __call__(
        self,
        prompts: Sequence[object],
        completions: Sequence[object],
        **columns: Any,  # noqa: ANN401
    ) -> list[float | None]:
        if not columns.pop("held_out", [False])[0]:
            return await self._reward(prompts=prompts, completions=completions, **columns)
        columns["log_extra"] = self._renamed(columns["log_extra"])
        return await self._held_out(prompts=prompts, completions=completions, **columns)

    def _renamed(self, log_extra: Callable[[str, list[object]], None]) -> Callable[..., None]:
        own = _name(self._held_out)

        def renamed(column: str, values: list[object]) -> None:
            log_extra(self.__name__ + column.removeprefix(own), values)

        return renamed


class _InOrder:
    """Makes a run that goes on visit the prompts that an uninterrupted one would visit.

    TRL draws the order of every epoch from one generator, which begins anew in a new process.
    """

    def on_train_begin(
        self,
        args: object,
        state: Any,  # noqa: ANN401
        control: object,
        train_dataloader: Any,  # noqa: ANN401
        **others: object,
    ) -> None:
        """Draw the orders of the epochs that are over."""
        batches = train_dataloader
        while hasattr(batches, "batch_sampler"):
            batches = batches.batch_sampler
        for _ in range(int(state.epoch or 0)):
            next(iter(batches.sampler))


def _name(reward: TrainerReward) -> str:
    return getattr(reward, "__name__", type(reward).__name__)


def train_grpo(
    policy: Policy,
    questions: Sequence[Question],
    reward: TrainerReward,
    settings: GRPO,
    out: Path,
    *,
    held_out: HeldOut | None = None,
    watched: Watched | None = None,
    more_callbacks: Sequence[Any] = (),
    say: Say = say_on_stderr,
) -> Trained:
    """Return the policy that GRPO makes of `policy` against the reward.

    Args:
        policy: the model to start from; the KL is measured from it.
        questions: prompts, at least one batch of them. The reward gets their rubrics as the
            column `rubric` (JSON text) and their ids as `prompt_id`.
        reward: gives one number or None a completion. None never reaches the optimiser.
        settings: how.
        out: folder of the run, which goes on from its last checkpoint.
        held_out: evaluated every `eval_every` steps and watched as gold.
        watched: when the run is stopped for over-optimisation.
        more_callbacks: `TrainerCallback`s of your own.
        say: takes a line for the user.

    Raises:
        InputError: the model cannot be loaded, prompts do not fill a batch, or the batch
            cannot be spread.
        Stopped: the reward must stop the run; the same command goes on.
        StorageError: the folder cannot be written.
    """
    refuse(settings, len(questions))
    from datasets import Dataset
    from trl import GRPOTrainer

    folder = TrainFolder(out)
    tokenizer = load_tokenizer(policy)
    rows = _rows(questions, tokenizer, settings, say=say)
    evaluated = (
        None if held_out is None else _rows(held_out.questions, tokenizer, settings, say=say)
    )
    trainer = GRPOTrainer(
        model=policy.model,
        reward_funcs=[reward if held_out is None else _Routed(reward, held_out.reward)],
        args=_config(policy, settings, folder, items=len(rows), evaluated=evaluated is not None),
        train_dataset=Dataset.from_list(rows),
        eval_dataset=evaluated
        and Dataset.from_list([{**row, "held_out": True} for row in evaluated]),
        processing_class=tokenizer,
        peft_config=adapter(policy.lora),
        callbacks=[
            as_callback(_InOrder()),
            *callbacks(folder, watched or Watched(), say=say),
            *more_callbacks,
        ],
    )
    return run(trainer, folder, say=say)


def _rows(
    questions: Sequence[Question],
    tokenizer: Any,  # noqa: ANN401
    settings: GRPO,
    *,
    say: Say,
) -> list[Columns]:
    """Return the rows whose prompt is short enough, and say how many are not.

    Raises:
        InputError: those that are left do not fill a batch.
    """
    chat = tokenizer.chat_template is not None
    rows = [question_columns(question, chat=chat) for question in questions]
    kept = [row for row in rows if length(row["prompt"], tokenizer) <= settings.max_prompt]
    if len(kept) < len(rows):
        say(
            f"{len(rows) - len(kept)} of {len(rows)} prompts are left out: they are longer "
            f"than {settings.max_prompt} tokens"
        )
    if not kept:
        raise InputError(f"no prompt has {settings.max_prompt} tokens or less")
    return kept


def length(prompt: object, tokenizer: Any) -> int:  # noqa: ANN401
    """Return how many tokens a prompt has as the policy sees it."""
    plain = isinstance(prompt, str)
    return len(tokenizer(rendered(prompt, tokenizer), add_special_tokens=plain)["input_ids"])


def _config(
    policy: Policy, settings: GRPO, folder: TrainFolder, *, items: int, evaluated: bool
) -> Any:  # noqa: ANN401
    """Return TRL's configuration.

    Raises:
        InputError: prompts do not fill a batch, or the batch cannot be spread.
    """
    from trl import GRPOConfig

    refuse(settings, items)
    return GRPOConfig(
        **arguments(policy, settings, folder=folder, items=items),
        **_sampling(settings),
        **(_evaluating(settings, folder) if evaluated else {}),
        num_generations=settings.group,
        max_completion_length=settings.max_length - settings.max_prompt,
        beta=settings.kl,
        epsilon=settings.clip,
        loss_type=settings.loss,
        scale_rewards=settings.scale,
        log_completions=True,
        num_completions_to_print=0,
    )


def _sampling(settings: GRPO) -> dict[str, Any]:
    """Return who samples, and how."""
    import torch

    there = find_spec("vllm") is not None and torch.cuda.is_available()
    mode = settings.vllm
    if mode == "auto":
        mode = "colocate" if there else "off"
    vllm = {} if mode == "off" else {"use_vllm": True, "vllm_mode": mode}
    return {"temperature": settings.temperature, **vllm}


def _evaluating(settings: GRPO, folder: TrainFolder) -> dict[str, Any]:
    """Return how the held-out reward is measured: one sampled answer a prompt.

    A run that goes on does not measure once more: `patience` counts measurements.
    """
    return {
        "eval_strategy": "steps",
        "eval_steps": settings.eval_every,
        "eval_on_start": folder.checkpoint() is None,
        "num_generations_eval": 1,
        "per_device_eval_batch_size": settings.per_device,
    }
