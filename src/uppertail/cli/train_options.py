"""What may be said to `uppertail train`, and the settings and the run that come of it."""

from __future__ import annotations

import json as json_format
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from cyclopts import Group, Parameter

from uppertail.cli.app import say
from uppertail.cli.invocation import default_folder
from uppertail.errors import InputError, MissingExtra
from uppertail.train.folder import TrainFolder, first_process, processes
from uppertail.train.presets import Preset, shown
from uppertail.train.settings import (
    GRPO,
    Lora,
    Optimising,
    Policy,
    Vllm,
    accumulation,
    refuse,
    steps,
)

if TYPE_CHECKING:
    from uppertail.train.loop import Trained

TRAINING = Group("Training", sort_key=1)
GRPO_GROUP = Group("GRPO", sort_key=1)
DPO_GROUP = Group("DPO", sort_key=1)
FREE = ("log_every", "save_every", "per_device", "vllm")
"""Settings that may differ when a run is resumed: what a step learns from stays the same."""

Settings = TypeVar("Settings", bound=Optimising)


@Parameter(name="*", group=TRAINING)
@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """How training goes. What is not given comes from the preset."""

    out: str | None = None
    """Folder of the run; resumed if it is there. Default: runs/train-COMMAND-INPUT."""
    learning_rate: float | None = None
    """Highest learning rate."""
    schedule: Literal["constant", "constant_with_warmup", "linear", "cosine"] | None = None
    """How the learning rate goes."""
    warmup: float | None = None
    """Share of the steps over which it rises."""
    epochs: float | None = None
    """How often each row is learnt from."""
    max_steps: int | None = None
    """Optimiser steps, instead of epochs."""
    batch: int | None = None
    """What one optimiser step learns from over all devices: prompts, pairs or responses."""
    per_device: int | None = None
    """Sequences in one forward pass of one device, at most what divides a step evenly unless
    given. Lower it when memory runs out."""
    max_length: int | None = None
    """Most tokens of a prompt and its answer together."""
    log_every: int | None = None
    """Optimiser steps between two lines of the log."""
    save_every: int | None = None
    """Optimiser steps between two checkpoints."""
    lora: bool = False
    """Train low-rank adapters instead of every weight."""
    lora_rank: int = 32
    """Of the adapters."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Of the weights."""
    dry_run: bool = False
    """Check the input, print the settings, where each comes from and what they cost; stop."""
    json: bool = False
    """Print one JSON object on standard output, for programs."""

    def policy(self, model: str) -> Policy:
        """Return the model that is trained.

        Raises:
            InputError: there is none of that name.
        """
        if self.lora_rank < 1:
            raise InputError(f"--lora-rank must be 1 or more, not {self.lora_rank}")
        lora = Lora(rank=self.lora_rank, alpha=2 * self.lora_rank) if self.lora else None
        policy = Policy(model=model, lora=lora, dtype=self.dtype)
        policy.refuse_missing()
        return policy

    def folder(self, command: str, source: str) -> TrainFolder:
        """Return where the run goes."""
        return TrainFolder(
            Path(self.out) if self.out else default_folder(f"train-{command}", source)
        )


@Parameter(name="*", group=GRPO_GROUP)
@dataclass(frozen=True, slots=True, kw_only=True)
class GRPOOptions:
    """What GRPO needs besides. What is not given comes from the preset."""

    group: int | None = None
    """Completions of each prompt."""
    kl: float | None = None
    """Weight of the KL penalty; 0 loads no reference and logs no KL."""
    max_prompt: int | None = None
    """Most tokens of a prompt; longer ones are left out."""
    temperature: float | None = None
    """Of sampling."""
    vllm: Vllm | None = None
    """Who samples: `auto` takes vLLM where it is installed and a GPU is there."""
    eval_every: int | None = None
    """Optimiser steps between two measurements of the held-out reward."""
    gold_prompts: str | None = None
    """Prompts that are held out of training, to see whether the reward is still true."""
    gold_rubrics: str | None = None
    """Rubrics for them: better ones, or criteria held out of the reward."""
    gold_verifier: str | None = None
    """Who decides their criteria, if another than `--verifier`."""
    watch_verifier: str | None = None
    """A second verifier that the policy never learns from: it decides the same rubrics of the
    same answers (with `--hold-out`, that part of them), and where the two part, the reward is
    being hacked."""
    hold_out: float | None = None
    """Share of each rubric's criteria that the policy never learns from: `--watch-verifier`, or
    else `--verifier`, decides them, and where the two parts of a rubric part, the reward is being
    hacked."""
    watch_share: float = 1.0
    """Share of the prompts of each step that are watched so."""
    criterion_dropout: float = 0.0
    """Chance of each criterion to be left out of the reward of a step."""
    kl_limit: float | None = None
    """Stop beyond this KL of a whole answer, in nats: the peak that `uppertail tail` predicts."""
    patience: int = 2
    """Stop after this many measurements in a row below the peak of the held-out reward."""
    keep_going: bool = False
    """Say when the reward is over-optimised or hacked, and do not stop."""

    def __post_init__(self) -> None:
        """Refuse numbers that could not mean anything.

        Raises:
            InputError: the message names the option.
        """
        if not 0 < self.watch_share <= 1:
            raise InputError(f"--watch-share must be above 0 and at most 1, not {self.watch_share}")
        if self.hold_out is not None and not 0 < self.hold_out < 1:
            raise InputError(f"--hold-out must be above 0 and below 1, not {self.hold_out}")
        if not 0 <= self.criterion_dropout < 1:
            raise InputError(
                f"--criterion-dropout must be from 0 to below 1, not {self.criterion_dropout}"
            )
        if self.patience < 1:
            raise InputError(f"--patience must be 1 or more, not {self.patience}")
        if self.eval_every is not None and self.eval_every < 1:
            raise InputError(f"--eval-every must be 1 or more, not {self.eval_every}")


def settled(preset: Preset[Settings], *options: object, seed: int) -> Settings:
    """Return the preset's settings with what the options give in their place.

    Where `--per-device` is not given and does not divide the step, it is lowered until it does.
    """
    names = {field.name for field in fields(preset.settings)}
    given: dict[str, object] = {"seed": seed}
    for option in options:
        for field in fields(option):  # type: ignore[arg-type]
            value = getattr(option, field.name)
            if field.name in names and value is not None:
                given[field.name] = value
    if "epochs" in given and "max_steps" not in given:
        given["max_steps"] = None
    made = replace(preset.settings, **given)  # type: ignore[arg-type]
    return made if "per_device" in given else replace(made, per_device=_fitting(made))


def _fitting(settings: Optimising) -> int:
    """Return the most sequences a forward pass, up to the setting, that divide a step evenly."""
    share = max(settings.sequences // processes(), 1)
    most = min(settings.per_device, share)
    return next(n for n in range(most, 0, -1) if share % n == 0)


def chosen(presets: Mapping[str, Preset[Settings]], name: str) -> Preset[Settings]:
    """Return the preset of a name.

    Raises:
        InputError: there is none.
    """
    if name not in presets:
        raise InputError(f"--preset must be one of {', '.join(presets)}, not {name!r}")
    return presets[name]


def identity(
    policy: Policy, settings: Optimising, inputs: Mapping[str, object]
) -> dict[str, object]:
    """Return what changes a run's result, as JSON values."""
    own = {name: value for name, value in asdict(settings).items() if name not in FREE}
    return {"policy": asdict(policy), **own, **inputs}


def plan(
    preset: Preset[Settings], settings: Settings, policy: Policy, *, items: int, what: str
) -> dict[str, object]:
    """Return what a run would do, as JSON values.

    Raises:
        InputError: a setting is out of range, or does not fit the input or the devices.
    """
    refuse(settings, items)
    planned = steps(items, settings)
    made: dict[str, object] = {
        "model": policy.model,
        "trained": "adapters" if policy.lora else "every weight",
        what: items,
        "steps": planned,
        "devices": processes(),
        "forward_passes_a_step": accumulation(settings, devices=processes()),
    }
    if isinstance(settings, GRPO):
        made["reward_calls"] = planned * settings.sequences
    made["settings"] = {
        name: {"value": getattr(settings, name), "from": origin}
        for name, _, origin in shown(preset, settings)
    }
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Generic[Settings]):
    """One training run that was asked for."""

    command: str
    source: str
    """The input, as it was named."""
    policy: Policy
    preset: Preset[Settings]
    settings: Settings
    items: int
    """How much there is to learn from."""
    what: str
    """What that is."""
    inputs: Mapping[str, object]
    """What identifies data and reward, as JSON values."""


def carry_out(job: Job[Any], training: TrainOptions, work: Callable[[TrainFolder], Trained]) -> int:
    """Print the plan, or do the work unless its folder says that it is done; return the exit code.

    Raises:
        UppertailError: a setting does not fit, the folder is another run's, or `work` raised it.
    """
    made = plan(job.preset, job.settings, job.policy, items=job.items, what=job.what)
    if training.dry_run:
        print_plan(made, job.preset, json=training.json)
        return 0
    need_trainers()
    from uppertail.train.loop import done_before, say_on_stderr

    folder = training.folder(job.command, job.source)
    asked = identity(job.policy, job.settings, job.inputs)
    with folder.claimed(f"train {job.command}", asked):
        done = done_before(folder, say=say_on_stderr) or work(folder)
    tell(done.summary, done.model, json=training.json)
    return 0


def print_plan(made: Mapping[str, object], preset: Preset[Settings], *, json: bool) -> None:
    """Print a plan: nothing was loaded, and nothing sent."""
    if json:
        print(json_format.dumps(made))
        return
    for name, value in made.items():
        if name != "settings":
            print(f"{name.replace('_', ' ')}: {value}")
    print()
    settings = made["settings"]
    assert isinstance(settings, dict)
    for name, one in settings.items():
        print(f"  {name:14} {one['value']!s:22} {one['from']}")
    print(f"\npreset from {preset.source}")
    if preset.note:
        print(preset.note)
    print("Nothing was loaded and nothing was sent.")


def tell(summary: Mapping[str, object], model: Path, *, json: bool) -> None:
    """Print how a run ended and where its model is; one process of a distributed run does."""
    if not first_process():
        return
    if json:
        print(json_format.dumps({**summary, "model": str(model)}))
        return
    last = summary["last"]
    assert isinstance(last, dict)
    figures = ", ".join(f"{name} {value:.4g}" for name, value in last.items())
    early = "; stopped early" if summary["stopped_early"] else ""
    print(f"{summary['steps']} steps{early}: {figures}\n{model}")


def need_trainers() -> None:
    """Check that the trainers are installed, and leave the terminal to our own lines.

    The bars and advice of the libraries are for who calls them: at each checkpoint and step they
    would bury the figures.

    Raises:
        MissingExtra: torch, TRL or SciPy (for the tracker of over-optimisation) is not there.
    """
    for module, extra in (("torch", "trl"), ("trl", "trl"), ("scipy", "tail")):
        if find_spec(module) is None:
            raise MissingExtra("training", extra)
    from datasets.utils.logging import disable_progress_bar
    from transformers.utils import logging

    disable_progress_bar()
    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"transformers|trl|peft|torch")


def note_left_out(left_out: Mapping[str, int]) -> None:
    """Say what took no part."""
    for reason, count in left_out.items():
        say(f"note: {count} {reason} took no part")
