"""GRPO on a CPU learns what a rubric of exact checks asks for: the whole path, nothing faked."""

import asyncio
import json

import pytest

from tests.reward.server.rig import served
from tests.train.gold import QUESTIONS, rubric_of
from tests.train.tiny import save_tiny
from uppertail.reward.adapters.trl import trl_reward
from uppertail.reward.client import remote_reward
from uppertail.reward.function import RewardFunction
from uppertail.reward.rubric_scorer import RubricScorer
from uppertail.reward.rubrics import Carried
from uppertail.score import score
from uppertail.train.grpo import train_grpo
from uppertail.train.settings import GRPO, Policy
from uppertail.verify.checked import decide
from uppertail.verify.offline import OfflineVerifier

pytestmark = pytest.mark.filterwarnings("default")

SETTINGS = GRPO(
    learning_rate=1.5e-2,
    schedule="cosine",
    warmup=0.1,
    max_steps=80,
    batch=4,
    per_device=64,
    max_length=24,
    max_prompt=16,
    group=16,
    kl=0.001,
    save_every=100,
)


def sampled_share(model: str) -> float:
    """Return the mean share of the attainable points that 32 answers to each prompt earn.

    It goes round the reward function and the trainer: a saved model, and the checks.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    torch.manual_seed(1)
    policy = AutoModelForCausalLM.from_pretrained(model).eval()
    shares = []
    for question in QUESTIONS:
        asked = tokenizer.apply_chat_template(
            [{"role": "user", "content": question.prompt.text}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        out = policy.generate(**asked, max_new_tokens=8, do_sample=True, num_return_sequences=32)
        answers = tokenizer.batch_decode(
            out[:, asked["input_ids"].shape[1] :], skip_special_tokens=True
        )
        criteria = rubric_of(question).criteria
        for words in answers:
            value = score(
                criteria, [decide(c.check, words) for c in criteria if c.check is not None]
            ).value
            assert value is not None
            shares.append(value)
    return sum(shares) / len(shares)


def assert_learns(tmp_path, fn) -> None:
    """Train against `fn`, and see that it took the policy from under 0.4 to at least 0.9."""
    base = save_tiny(tmp_path / "base")
    with fn, trl_reward(fn) as reward:
        made = train_grpo(
            Policy(model=base), QUESTIONS, reward, SETTINGS, tmp_path / "run", say=lambda text: None
        )
    log = [json.loads(row) for row in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    rewards = [row["reward"] for row in log if "reward" in row]
    assert rewards[0] < 0.4
    assert sum(rewards[-5:]) / 5 >= 0.9
    assert sampled_share(base) < 0.4
    assert sampled_share(str(made.model)) >= 0.9
    assert {row["unscored"] for row in log if "reward" in row} == {0.0}
    assert made.summary["last"]["kl_nats"] > 1


def exact() -> RubricScorer:
    return RubricScorer(OfflineVerifier(), Carried())


def test_grpo_reaches_nine_tenths_of_the_attainable_reward(tmp_path):
    assert_learns(tmp_path, RewardFunction(exact()))


async def test_grpo_reaches_it_through_the_reward_server(tmp_path):
    async with served(exact()) as rig:
        remote = remote_reward(rig.url, deadline_s=60)
        await asyncio.to_thread(lambda: assert_learns(tmp_path, remote))
