"""An online reward out of comparisons: how an answer fares against the greedy one.

`R(a) = 1/2 (I[judge(a, a0) prefers a] + I[judge(a0, a) prefers a])`, so 0, 0.5 or 1, where a0
is the policy's own greedy answer and both orders are judged with the same rubric. A tie
prefers nobody. Where either order is unscored, so is the reward: half of it is unknown.

Source: Rubric-ARM, arXiv 2602.01511, policy GRPO with a ReMax-style baseline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from uppertail.concurrent import due, together
from uppertail.judge.interface import Choice, Judge
from uppertail.judge.orders import Compared, compare_in_orders
from uppertail.score.interface import Reward, Rollout
from uppertail.train.rows import asked
from uppertail.types import Prompt, Response

Baseline = Callable[[Sequence[Prompt]], Sequence[str]]
"""Gives the answer to beat for each prompt."""
LATE = "late"


class PairwiseScorer:
    """Scores rollouts by comparing each with its prompt's baseline, in both orders.

    The judge must not be the model that is trained: a judge that moves with the policy
    rewards nothing. An empty answer loses, and beats nobody, without a call: falling silent
    never pays.

    Args:
        judge: who compares.
        baseline: gives the answers to beat; asked once a prompt and batch.
    """

    def __init__(self, judge: Judge, baseline: Baseline) -> None:
        self._judge = judge
        self._baseline = baseline

    @property
    def name(self) -> str:
        """The judge, and that it compares."""
        return f"wins over the greedy answer by {self._judge.name}"

    async def score(
        self, rollouts: Sequence[Rollout], *, deadline: float | None = None
    ) -> tuple[Reward, ...]:
        """Return one reward a rollout, in the same order; what is late is unscored.

        Raises:
            Stopped: the judge raised it.
        """
        prompts = list({rollout.prompt.id: rollout.prompt for rollout in rollouts}.values())
        answers = dict(
            zip(
                (p.id for p in prompts),
                await asyncio.to_thread(self._baseline, prompts),
                strict=True,
            )
        )
        with due(deadline):
            rewards = await together(
                self._one(rollout, answers[rollout.prompt.id], deadline) for rollout in rollouts
            )
        return tuple(rewards)

    async def _one(self, rollout: Rollout, baseline: str, deadline: float | None) -> Reward:
        if not rollout.completion.strip():
            return Reward(value=0.0)
        if not baseline.strip():
            return Reward(value=1.0)
        try:
            async with asyncio.timeout_at(deadline):
                compared = await compare_in_orders(
                    self._judge,
                    rollout.prompt,
                    Response(id="sampled", text=rollout.completion),
                    Response(id="greedy", text=baseline),
                    rubric=rollout.rubric,
                )
        except TimeoutError:
            return Reward(value=None, why=LATE)
        return reward_of(compared)


def reward_of(compared: Compared) -> Reward:
    """Return the reward of what was shown first in the straight order; see the module."""
    straight, swapped = compared.straight, compared.swapped
    if isinstance(straight, Choice) and isinstance(swapped, Choice):
        wins = (straight.preferred == "first") + (swapped.preferred == "second")
        return Reward(value=wins / 2)
    lost = [c.why.value for c in (straight, swapped) if c is not None and not isinstance(c, Choice)]
    return Reward(value=None, why=", ".join(lost) or "an order was not asked")


class GreedyAnswers:
    """The greedy answers of the policy as it is now: the baseline of `PairwiseScorer`.

    It is also a listener of the trainer, which hands it the model when training begins, and a
    rollout is scored while the trainer waits, so that the two never use the model at once. One
    process only: a model that is spread over devices cannot be asked from one of them.

    Args:
        max_tokens: most tokens of an answer.
        per_device: prompts answered at a time.
    """

    def __init__(self, *, max_tokens: int, per_device: int = 8) -> None:
        self._max_tokens = max_tokens
        self._per_device = per_device
        self._model: Any = None
        self._tokenizer: Any = None

    def on_train_begin(
        self,
        args: object,
        state: object,
        control: object,
        model: Any = None,  # noqa: ANN401
        processing_class: Any = None,  # noqa: ANN401
        **others: object,
    ) -> None:
        """Take hold of the policy."""
        self._model, self._tokenizer = model, processing_class

    def __call__(self, prompts: Sequence[Prompt]) -> Sequence[str]:
        """Return the policy's greedy answer to each prompt.

        Raises:
            RuntimeError: training has not begun.
        """
        if self._model is None:
            raise RuntimeError("the greedy answers are known only while the policy is trained")
        from uppertail.train.generate import answers

        chat = self._tokenizer.chat_template is not None
        return [
            text
            for texts in answers(
                self._model,
                self._tokenizer,
                [asked(prompt, chat=chat) for prompt in prompts],
                n=1,
                temperature=0.0,
                max_tokens=self._max_tokens,
                per_device=self._per_device,
            )
            for text in texts
        ]
