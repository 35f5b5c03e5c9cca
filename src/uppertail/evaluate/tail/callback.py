"""The tracker inside a trainer of TRL or transformers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any, Final, Protocol

from uppertail.errors import MissingExtra
from uppertail.evaluate.tail.tracker import Checkpoint, Track, track

PROXY: Final = ("reward", "rewards/mean", "objective/scores")
KL: Final = ("kl", "objective/kl")
GOLD: Final = ("eval_gold", "gold")


class State(Protocol):
    """What is used of a `TrainerState`."""

    global_step: int
    log_history: list[dict[str, Any]]


class Control(Protocol):
    """What is used of a `TrainerControl`."""

    should_training_stop: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """What is watched, and what is done about it."""

    proxy: Sequence[str] = PROXY
    """Names under which the trainer may log the reward; the first that is there is read."""
    gold: Sequence[str] = GOLD
    kl: Sequence[str] = KL
    noise: float | None = None
    patience: int = 2
    kl_limit: float | None = None
    """See `track` for these three."""
    stop: bool = True
    """Stop the run when the advice is to stop; otherwise only log it."""


class Watch:
    """Collects checkpoints from a trainer's logs, logs what they say, and can stop the run.

    It has the two methods of a `TrainerCallback` that it needs, and nothing else.
    """

    def __init__(
        self,
        settings: WatchSettings | None = None,
        *,
        say: Callable[[str], None] = print,
    ) -> None:
        self.settings = settings or WatchSettings()
        self.checkpoints: list[Checkpoint] = []
        self.track: Track = track(())
        self._say = say

    def on_log(
        self,
        args: object,
        state: State,
        control: Control,
        logs: MutableMapping[str, Any] | None = None,
        **others: object,
    ) -> None:
        """Take what the trainer has just logged."""
        if logs is not None and self._take(state.global_step, logs):
            self._act(control)
            self._log(state, logs)

    def on_evaluate(
        self,
        args: object,
        state: State,
        control: Control,
        metrics: Mapping[str, Any] | None = None,
        **others: object,
    ) -> None:
        """Take the metrics of an evaluation, where gold usually stands."""
        if metrics is not None and self._take(state.global_step, metrics):
            self._act(control)

    def _take(self, step: int, values: Mapping[str, Any]) -> bool:
        """Add what is there to the checkpoint of this step; return whether anything was."""
        found = {
            "proxy": _first(values, self.settings.proxy),
            "gold": _first(values, self.settings.gold),
            "kl": _first(values, self.settings.kl),
        }
        if all(value is None for value in found.values()):
            return False
        last = self.checkpoints[-1] if self.checkpoints else None
        if last is not None and last.step == step:
            self.checkpoints.pop()
            kept = {"proxy": last.proxy, "gold": last.gold, "kl": last.kl}
            found = {key: kept[key] if value is None else value for key, value in found.items()}
        self.checkpoints.append(Checkpoint(step=step, **found))
        return True

    def _act(self, control: Control) -> None:
        before = self.track.advice
        self.track = track(
            self.checkpoints,
            noise=self.settings.noise,
            patience=self.settings.patience,
            kl_limit=self.settings.kl_limit,
        )
        if self.track.advice != "stop":
            return
        if before != "stop":
            self._say(f"uppertail: stop suggested: {self.track.reason}")
        if self.settings.stop:
            control.should_training_stop = True

    def _log(self, state: State, logs: MutableMapping[str, Any]) -> None:
        """Add onset, peak and drop to the trainer's own log."""
        own = self.track
        known = {
            "tail/peak_step": own.peak and own.peak.step,
            "tail/onset_step": own.onset and own.onset.step,
            "tail/drop": own.drop,
        }
        added = {name: value for name, value in known.items() if value is not None}
        logs.update(added)
        if state.log_history:  # the trainer stores a copy before it calls us
            state.log_history[-1].update(added)


def _first(values: Mapping[str, Any], names: Sequence[str]) -> float | None:
    """Return the first number under one of the names; NaN and texts are no numbers."""
    for name in names:
        value = values.get(name)
        if isinstance(value, int | float) and not isnan(value):
            return float(value)
    return None


def trainer_callback(settings: WatchSettings | None = None) -> Any:  # noqa: ANN401
    """Return a `Watch` that is a `transformers.TrainerCallback`, for any trainer of TRL.

        trainer = GRPOTrainer(..., callbacks=[trainer_callback()])

    Raises:
        MissingExtra: transformers is not installed.
    """
    try:
        from transformers import TrainerCallback
    except ImportError:
        raise MissingExtra("the trainer callback", "trl") from None
    return type("TailCallback", (Watch, TrainerCallback), {})(settings)
