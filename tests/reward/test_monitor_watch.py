"""The monitor beside a reward function, and its alarm inside a trainer."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from uppertail.errors import InputError, Lost, MissingExtra
from uppertail.reward import RewardFunction
from uppertail.reward.monitor import Finding, HackingSettings, Monitor, Seen
from uppertail.reward.monitor_watch import Alarm, Watched, hacking_callback, read_state, unshaped
from uppertail.score import Reward, Rollout
from uppertail.types import Prompt, Score


@dataclass
class Fixed:
    """A scorer that gives each completion what it says, or None."""

    offset: float = 0.0
    asked: list[list[str]] = field(default_factory=list)
    name: str = "fixed"

    async def score(
        self, rollouts: Sequence[Rollout], *, deadline: float | None = None
    ) -> tuple[Reward, ...]:
        await asyncio.sleep(0)
        self.asked.append([r.prompt.id for r in rollouts])
        return tuple(self.reward(r.completion) for r in rollouts)

    def reward(self, text: str) -> Reward:
        if text == "lost":
            return Reward(value=None, why="lost")
        return Reward(value=float(text) + self.offset)


def rollouts(*texts: str) -> list[Rollout]:
    return [
        Rollout(prompt=Prompt.plain(f"say {n // 2}", id=f"p{n // 2}"), completion=text)
        for n, text in enumerate(texts)
    ]


def watched(held: Fixed | None = None, **changes: Any) -> Watched:
    return Watched(
        RewardFunction(Fixed()),
        held_out=RewardFunction(held or Fixed(offset=-0.25)),
        monitor=Monitor(HackingSettings(window=1, fewest=2)),
        **changes,
    )


async def test_rewards_are_those_of_the_function_and_metrics_those_of_both():
    own = watched()
    for _ in range(2):
        batch = await own(rollouts("0.5", "0.75", "1", "lost"))
    assert batch.values == [0.5, 0.75, 1.0, None]
    assert [r.value for r in batch.rewards] == batch.values
    shown = batch.metrics()
    assert shown["reward/unscored_share"] == 0.25
    assert shown["hacking/gap"] == pytest.approx(0.25)
    assert shown["hacking/unscored"] == 0.25
    await own.aclose()


async def test_the_trainers_step_counts_where_it_is_told():
    own = watched()
    for step in (5, 5, 9):
        own.at(step)
        await own(rollouts("0.5", "0.5", "0.5"))
    [window] = own.monitor.windows
    assert (window.first, window.last) == (5, 5)
    alone = watched()
    for _ in range(3):
        await alone(rollouts("0.5", "0.5", "0.5"))
    assert [w.first for w in alone.monitor.windows] == [0, 1]


async def test_a_share_of_the_prompts_is_asked_whole_and_others_each_step():
    held = Fixed()
    own = watched(held, share=0.5)
    batch = rollouts(*["0.5"] * 40)
    for _ in range(4):
        await own(batch)
    sets = {frozenset(ids) for ids in held.asked}
    assert len(sets) == 4
    for ids in held.asked:
        assert all(ids.count(id) == 2 for id in ids)
    assert 0.3 < sum(map(len, held.asked)) / 160 < 0.7


async def test_a_held_out_judge_that_fails_costs_no_reward():
    class Broken(Fixed):
        async def score(self, rollouts, *, deadline=None):
            raise OSError("down")

    own = watched(Broken())
    batch = await own(rollouts("0.5", "1"))
    assert batch.values == [0.5, 1.0]
    assert own.monitor.finish().verdict == "wait"


async def test_a_strict_function_still_raises():
    own = Watched(
        RewardFunction(Fixed(), strict=True), held_out=RewardFunction(Fixed()), monitor=Monitor()
    )
    with pytest.raises(Lost):
        await own(rollouts("lost"))


async def test_nobody_is_asked_about_nothing():
    held = Fixed()
    batch = await watched(held)([])
    assert batch.values == []
    assert held.asked == []


@pytest.mark.parametrize("share", [0, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(InputError, match="share"):
        watched(share=share)


def test_what_is_compared_is_the_score_before_shaping():
    own = Score(value=0.25, low=0.25, high=0.25, answered=1.0)
    assert unshaped(Reward(value=-1.0, score=own)) == 0.25
    assert unshaped(Reward(value=-1.0)) == -1.0
    assert unshaped(Reward(value=None, why="x", score=own)) is None


def alarmed() -> Monitor:
    monitor = Monitor()
    monitor.alarm = Finding(verdict="parted", reason="they parted", step=3)
    return monitor


HERE = SimpleNamespace(output_dir="nowhere", process_index=0)


def at(step: int) -> Any:
    return SimpleNamespace(global_step=step)


def going(*, save: bool = False) -> Any:
    return SimpleNamespace(should_training_stop=False, should_save=save)


def quiet(text: str) -> None:
    """Say nothing."""


def test_an_alarm_is_said_once_and_stops_only_if_asked():
    said: list[str] = []
    for stop in (False, True):
        control = going()
        alarm = Alarm(alarmed(), stop=stop, say=said.append)
        alarm.on_step_end(HERE, at(1), control)
        alarm.on_step_end(HERE, at(1), control)
        assert control.should_training_stop is stop
    assert said == ["uppertail: the reward is being hacked: they parted"] * 2


def test_without_an_alarm_nothing_is_said():
    said: list[str] = []
    control = going()
    alarm = Alarm(Monitor(), stop=True, say=said.append)
    alarm.on_step_end(HERE, at(1), control)
    alarm.on_train_end(None, None, control)
    assert (said, control.should_training_stop) == ([], False)


def test_one_process_that_sees_it_stops_them_all(tmp_path):
    import torch.distributed

    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path / 'meet'}", rank=0, world_size=1
    )
    try:
        control = going()
        Alarm(alarmed(), stop=True, say=quiet).on_step_end(HERE, at(1), control)
        assert control.should_training_stop
    finally:
        torch.distributed.destroy_process_group()


def seen(step: int) -> list[Seen]:
    return [
        Seen(prompt_id=f"p{n} \ud800", proxy=0.5, held_out=0.9 - step / 10 + n / 100)
        for n in range(3)
    ]


def test_a_run_that_goes_on_finds_the_monitor_as_it_was_at_the_checkpoint(tmp_path):
    """It was at step 5 when it was killed; what came after the checkpoint is seen again."""
    settings = HackingSettings(window=1, fewest=2)
    args = SimpleNamespace(output_dir=str(tmp_path), process_index=0)
    first = Monitor(settings)
    alarm = Alarm(first, stop=False, say=quiet)
    alarm.on_train_begin(args, at(0), going())
    for step in range(5):
        first.take(step, seen(step))
        alarm.on_step_end(args, at(step + 1), going(save=step == 2))
    assert [file.parent.name for file in tmp_path.rglob("*.json")] == ["checkpoint-3"]
    second = Monitor(settings)
    Alarm(second, stop=False, say=quiet).on_train_begin(args, at(3), going())
    for step in range(3, 5):
        second.take(step, seen(step))
    assert first.alarm is not None
    assert (second.state(), second.alarm) == (first.state(), first.alarm)


def test_what_an_evaluation_showed_before_the_save_is_kept_too(tmp_path):
    args = SimpleNamespace(output_dir=str(tmp_path), process_index=1)
    monitor = Monitor()
    alarm = Alarm(monitor, stop=False, say=quiet)
    alarm.on_step_end(args, at(2), going(save=True))
    monitor.take(2, seen(2))
    alarm.on_save(args, at(2), going())
    assert read_state(tmp_path / "checkpoint-2" / "hacking_1.json") == monitor.state()


def test_a_monitor_whose_state_is_missing_or_broken_says_so(tmp_path):
    args = SimpleNamespace(output_dir=str(tmp_path), process_index=0)
    said: list[str] = []
    alarm = Alarm(Monitor(), stop=False, say=said.append)
    alarm.on_train_begin(args, at(2), going())
    assert "begins anew" in said[0]
    file = tmp_path / "checkpoint-2" / "hacking_0.json"
    file.parent.mkdir()
    for broken in ("", "{", "[]", '{"windows": [{}], "steps": {}}', "\udc00"):
        file.write_text(broken, "utf-8", "surrogatepass")
        with pytest.raises(InputError, match=r"hacking_0\.json: cannot be read"):
            alarm.on_train_begin(args, at(2), going())


def test_it_is_a_callback_of_the_real_trainers():
    from transformers import TrainerCallback

    assert isinstance(hacking_callback(Monitor()), TrainerCallback)


def test_without_transformers_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtra, match=r"uppertail\[trl\]"):
        hacking_callback(Monitor())
