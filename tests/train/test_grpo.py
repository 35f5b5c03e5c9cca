"""The GRPO recipe: lost rewards, held-out prompts, long prompts, stopping and resuming."""

import json
from dataclasses import replace

import pytest

from tests.train.gold import QUESTIONS, wants
from tests.train.tiny import save_tiny
from uppertail.errors import InputError
from uppertail.reward import RewardFunction
from uppertail.reward.adapters.trl import trl_reward
from uppertail.reward.monitor import HackingSettings, Monitor
from uppertail.reward.monitor_watch import Watched as MonitoredReward
from uppertail.reward.monitor_watch import hacking_callback
from uppertail.score import Reward
from uppertail.train.grpo import HeldOut, train_grpo
from uppertail.train.loop import Watched
from uppertail.train.settings import GRPO, Lora, Policy

pytestmark = pytest.mark.filterwarnings("default")

SETTINGS = GRPO(
    learning_rate=1e-2,
    max_steps=4,
    batch=2,
    per_device=8,
    max_length=20,
    max_prompt=12,
    group=4,
    kl=0.01,
    save_every=2,
    eval_every=2,
)


def quiet(text: str) -> None:
    """Say nothing."""


class Rewards:
    """A reward of TRL's shape: a function of the completion's words, and what it was called with."""

    __name__ = "fake"

    def __init__(self, value):
        self._value = value
        self.calls = []

    async def __call__(self, prompts, completions, **columns):
        self.calls.append(columns)
        texts = [c if isinstance(c, str) else c[0]["content"] for c in completions]
        return [self._value(text) for text in texts]


def reds(text):
    return text.split().count("red") / 4


def rows(run):
    return [json.loads(row) for row in (run / "log.jsonl").read_text().splitlines()]


def weights(model):
    from safetensors.torch import load_file

    return load_file(f"{model}/model.safetensors")


def test_the_reward_gets_rubrics_and_ids_and_the_log_gets_its_figures(tmp_path):
    base = save_tiny(tmp_path / "base")
    reward = Rewards(reds)
    made = train_grpo(Policy(model=base), QUESTIONS, reward, SETTINGS, tmp_path / "run", say=quiet)
    ids = {id for call in reward.calls for id in call["prompt_id"]}
    assert ids <= {question.prompt.id for question in QUESTIONS}
    assert json.loads(reward.calls[0]["rubric"][0])[0]["check"]
    assert len(reward.calls) == 4
    assert len(reward.calls[0]["rubric"]) == 8
    log = [row for row in rows(tmp_path / "run") if "reward" in row]
    assert [row["step"] for row in log] == [1, 2, 3, 4]
    assert all(
        row["kl_nats"] == pytest.approx(row["kl"] * row["completions/mean_length"]) for row in log
    )
    assert made.summary["stopped_early"] is False
    assert (tmp_path / "run" / "curves" / "kl_nats.svg").is_file()
    assert list((tmp_path / "run" / "completions").glob("*.parquet"))


def test_when_nothing_can_be_scored_nothing_is_learnt(tmp_path):
    """A judge that is down for the whole run moves no weight: None is never 0."""
    base = save_tiny(tmp_path / "base")
    made = train_grpo(
        Policy(model=base),
        QUESTIONS,
        Rewards(lambda text: None),
        replace(SETTINGS, kl=0.0),
        tmp_path / "run",
        say=quiet,
    )
    before, after = weights(base), weights(made.model)
    assert all(bool((before[name] == after[name]).all()) for name in before)
    assert {row["reward"] for row in rows(tmp_path / "run") if "reward" in row} == {None}


def test_a_held_out_reward_is_measured_on_its_own_prompts_and_can_stop_the_run(tmp_path):
    """The proxy rises with red; the gold falls with it; the run ends before its steps do."""
    base = save_tiny(tmp_path / "base")
    held_out = [wants("name colour delta", "blue")]
    gold = Rewards(lambda text: -reds(text))
    proxy = Rewards(reds)
    settings = replace(SETTINGS, max_steps=60, batch=4, group=8, learning_rate=2e-2, kl=0.001)
    said: list[str] = []
    made = train_grpo(
        Policy(model=base),
        QUESTIONS,
        proxy,
        replace(settings, per_device=32),
        tmp_path / "run",
        held_out=HeldOut(questions=held_out * 8, reward=gold),
        watched=Watched(patience=2),
        say=said.append,
    )
    assert {id for call in gold.calls for id in call["prompt_id"]} == {held_out[0].prompt.id}
    assert all(held_out[0].prompt.id not in call["prompt_id"] for call in proxy.calls)
    log = rows(tmp_path / "run")
    golds = {row["step"]: row["gold"] for row in log if "gold" in row}
    assert 0 in golds
    assert golds[0] > golds[max(golds)]
    assert made.summary["stopped_early"]
    assert made.summary["last"]["tail/drop"] > 0
    assert any("gold" in line for line in said)


def test_a_run_stops_beyond_the_kl_that_was_predicted(tmp_path):
    base = save_tiny(tmp_path / "base")
    made = train_grpo(
        Policy(model=base),
        QUESTIONS,
        Rewards(reds),
        replace(SETTINGS, max_steps=50, learning_rate=3e-2),
        tmp_path / "run",
        watched=Watched(kl_limit=0.05),
        say=quiet,
    )
    assert made.summary["steps"] < 50
    assert made.summary["last"]["kl_nats"] > 0.05


def test_a_killed_run_goes_on_and_its_log_is_that_of_one_run(tmp_path):
    base = save_tiny(tmp_path / "base")
    policy = Policy(model=base)

    def killed(text):
        if text.startswith("step 3/"):
            raise KilledError

    with pytest.raises(KilledError):
        train_grpo(policy, QUESTIONS, Rewards(reds), SETTINGS, tmp_path / "cut", say=killed)
    said: list[str] = []
    again = Rewards(reds)
    train_grpo(policy, QUESTIONS, again, SETTINGS, tmp_path / "cut", say=said.append)
    assert said[0] == "going on from checkpoint-2"
    assert len(again.calls) == 2
    train_grpo(policy, QUESTIONS, Rewards(reds), SETTINGS, tmp_path / "whole", say=quiet)
    cut, whole = (
        [(row["step"], row["reward"]) for row in rows(tmp_path / run) if "reward" in row]
        for run in ("cut", "whole")
    )
    assert [step for step, _ in cut] == [1, 2, 3, 4]
    assert cut == whole


class Words:
    """A scorer of completions by a function of their text."""

    name = "words"

    def __init__(self, value):
        self._value = value

    async def score(self, rollouts, *, deadline=None):
        return tuple(Reward(value=self._value(rollout.completion)) for rollout in rollouts)


class KilledError(Exception):
    """What ends a run in mid-step."""


def hacked(policy, out, *, killed_at=None):
    """Train with the hacking monitor beside the reward; return the monitor and what it said."""

    def say(text):
        if killed_at and text.startswith(f"step {killed_at}/"):
            raise KilledError

    said: list[str] = []
    monitor = Monitor(HackingSettings(window=1, fewest=2, alpha=0.4, least_fall=0.0))
    with (
        RewardFunction(Words(reds)) as fn,
        RewardFunction(Words(lambda text: 1 - reds(text))) as held_out,
    ):
        watched = MonitoredReward(fn, held_out=held_out, monitor=monitor)
        with trl_reward(watched, on_step=[watched.at]) as reward:
            train_grpo(
                policy,
                QUESTIONS,
                reward,
                replace(SETTINGS, max_steps=8, save_every=5),
                out,
                more_callbacks=[hacking_callback(monitor, say=said.append)],
                say=say,
            )
    return monitor, said


def test_the_hacking_monitor_of_a_killed_run_ends_as_that_of_one_run(tmp_path):
    """It goes on in mid-epoch, from step 5 of epochs of 2: the prompts must be the same too."""
    policy = Policy(model=save_tiny(tmp_path / "base"))
    with pytest.raises(KilledError):
        hacked(policy, tmp_path / "cut", killed_at=7)
    cut, said = hacked(policy, tmp_path / "cut")
    whole, _ = hacked(policy, tmp_path / "whole")
    assert [window.first for window in cut.windows] == list(range(8))
    assert (cut.state(), cut.finding, cut.alarm) == (whole.state(), whole.finding, whole.alarm)
    assert not any("anew" in line for line in said)
    curves = [
        [(row["step"], row["rubric/hacking/held_out"]) for row in rows(tmp_path / run)[1:-1]]
        for run in ("cut", "whole")
    ]
    assert curves[0] == curves[1]


def test_long_prompts_are_left_out_and_counted(tmp_path):
    base = save_tiny(tmp_path / "base")
    long = wants("list colour " + "alpha " * 30, "red")
    said: list[str] = []
    reward = Rewards(reds)
    settings = replace(SETTINGS, max_steps=1)
    train_grpo(
        Policy(model=base), [*QUESTIONS, long], reward, settings, tmp_path / "run", say=said.append
    )
    assert said[0] == "1 of 5 prompts are left out: they are longer than 12 tokens"
    assert all(long.prompt.id not in call["prompt_id"] for call in reward.calls)
    with pytest.raises(InputError, match="no prompt has 12 tokens or less"):
        train_grpo(Policy(model=base), [long, long], reward, settings, tmp_path / "none", say=quiet)


def test_adapters_learn_from_rewards_and_plain_prompts_work(tmp_path):
    base = save_tiny(tmp_path / "base", chat=False)
    policy = Policy(model=base, lora=Lora(rank=4, alpha=8))
    reward = Rewards(reds)
    made = train_grpo(
        policy, QUESTIONS, reward, replace(SETTINGS, max_steps=2), tmp_path / "run", say=quiet
    )
    assert (tmp_path / "run" / "adapter" / "adapter_model.safetensors").is_file()
    assert made.model == tmp_path / "run" / "model"
    assert weights(made.model).keys() == weights(base).keys()
