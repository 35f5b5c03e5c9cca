"""The reward function: any scorer behind one door that nothing comes through but rewards."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from math import isfinite
from threading import Lock
from types import TracebackType
from typing import Self

from uppertail.concurrent import due
from uppertail.errors import InputError, Lost, Stopped, StorageError
from uppertail.garbage import OF_THIS_PROCESS
from uppertail.models.account import Account
from uppertail.reward.batch import RewardBatch
from uppertail.reward.facts import BatchFacts, SpendFacts, facts_of, group_of
from uppertail.reward.in_time import LATE
from uppertail.reward.loop import LoopThread
from uppertail.reward.notes import Notes, noting
from uppertail.reward.shaping import Identity, Shape
from uppertail.score.interface import Reward, Rollout, Scorer

_log = logging.getLogger("uppertail.reward")

GRACE_SECONDS = 0.5
"""After the deadline, how long a scorer may take to hand over what it has."""
_SAID = 1000
"""Reasons that are remembered as said."""


class RewardFunction:
    """Gives rewards for batches of rollouts; call it, await it, or use `score_now`.

    ```python
    reward = RewardFunction(RubricScorer(verifier, Carried()), deadline_s=60)
    batch = await reward(rollouts)  # or reward.score_now(rollouts), from anywhere
    batch.values, batch.metrics()
    ```

    What goes wrong makes rollouts unscored, with the reason, and raises nothing: a lost
    call, a spent budget, a server that is down, even a bug in the scorer. With `strict` it
    raises instead.

    The first call decides on which event loop the scorer lives; calls from other loops and
    threads are handed over to it.

    Args:
        scorer: gives the rewards.
        shape: what is made of them, group by group.
        deadline_s: seconds after which a batch is given back; what is late is unscored.
        strict: raise where anything is unscored.
        account: where spend is read from: `session.account`.
    """

    def __init__(
        self,
        scorer: Scorer,
        *,
        shape: Shape | None = None,
        deadline_s: float | None = None,
        strict: bool = False,
        account: Account | None = None,
    ) -> None:
        if deadline_s is not None and not deadline_s > 0:
            raise InputError(f"expected more than 0, found {deadline_s!r}", field="deadline_s")
        self._scorer = scorer
        self._shape: Shape = Identity() if shape is None else shape
        self._deadline_s = deadline_s
        self._strict = strict
        self._account = account
        self._closing: Callable[[], Awaitable[None]] | None = None
        self._thread: LoopThread | None = None
        self._home: asyncio.AbstractEventLoop | None = None
        self._starting = Lock()
        self._said: set[str] = set()
        self.faults = 0
        """Batches that a bug of the scorer or the shape left unscored."""

    @property
    def name(self) -> str:
        """The scorer's name, and the shape's unless it changes nothing."""
        shape = self._shape.name
        return self._scorer.name if shape == "identity" else f"{self._scorer.name}; {shape}"

    def settle(self, thread: LoopThread, closing: Callable[[], Awaitable[None]]) -> None:
        """Make the function live on `thread`, where its scorer was opened.

        Args:
            thread: the loop; `aclose` ends it.
            closing: awaited on the loop before that.
        """
        self._thread, self._home, self._closing = thread, thread.loop, closing

    async def __call__(self, rollouts: Sequence[Rollout]) -> RewardBatch:
        """Return the rewards of `rollouts`, in their order, and the facts of the batch.

        Raises:
            Stopped, Lost: `strict` only: why rollouts are unscored.
            Exception: `strict` only: whatever a faulty scorer raised.
        """
        here = asyncio.get_running_loop()
        home = self._home
        if home is None or not home.is_running():
            home = self._home = here
        if home is here:
            return await self._batch(rollouts)
        return await asyncio.wrap_future(
            asyncio.run_coroutine_threadsafe(self._batch(rollouts), home)
        )

    def score_now(self, rollouts: Sequence[Rollout]) -> RewardBatch:
        """Return the same as awaiting the function, to a caller that cannot await.

        It blocks the calling thread, and works where an event loop runs in it.

        Raises:
            Stopped, Lost, Exception: as a call.
        """
        home = self._home
        if home is not None and home.is_running() and home is not _running():
            future = asyncio.run_coroutine_threadsafe(self._batch(rollouts), home)
            return future.result()
        with self._starting:  # trainers that call from threads may make their first calls at once
            if self._thread is None:
                self._thread = LoopThread()
            thread = self._thread
            if self._home is None or not self._home.is_running():
                self._home = thread.loop
        return thread.run(self._batch(rollouts))

    async def aclose(self) -> None:
        """Do the same as `close` without blocking the event loop."""
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """End the function's own thread and what was opened on it. Twice is fine."""
        closing, self._closing = self._closing, None
        thread, self._thread, self._home = self._thread, None, None
        if thread is None:
            return
        if closing is not None:
            thread.run(_await(closing))
        thread.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _batch(self, rollouts: Sequence[Rollout]) -> RewardBatch:
        """Return the rewards of a batch, or why it was given up; the one door for errors."""
        began = time.perf_counter()
        notes = Notes()
        try:
            with noting(notes), OF_THIS_PROCESS.seldom():
                rewards = await self._in_time(rollouts)
            groups = [group_of(rollout) for rollout in rollouts]
            shaped = _sound(self._shape(rewards, groups), len(rollouts))
            batch = self._with_facts(rollouts, shaped, notes, began)
        except (Stopped, StorageError) as error:
            if self._strict:
                raise
            return self._given_up(rollouts, f"stopped: {error}", began)
        except Exception as error:  # a scorer or a shape of the user's may raise anything
            if self._strict:
                raise
            self.faults += 1
            fault = f"fault in {self._scorer.name}: {type(error).__name__}: {error}"
            return self._given_up(rollouts, fault[:500], began)
        if self._strict and batch.facts.unscored:
            raise Lost(_lost(batch.facts))
        return batch

    def _with_facts(
        self,
        rollouts: Sequence[Rollout],
        rewards: tuple[Reward, ...],
        notes: Notes,
        began: float,
        stopped: str = "",
    ) -> RewardBatch:
        facts = facts_of(
            rollouts,
            rewards,
            notes=notes,
            seconds=time.perf_counter() - began,
            spend=self._spend(),
            stopped=stopped,
        )
        return RewardBatch(rewards=rewards, facts=facts)

    def _given_up(self, rollouts: Sequence[Rollout], why: str, began: float) -> RewardBatch:
        """Return the batch unscored; warn of a reason the first time that it occurs."""
        if why not in self._said and len(self._said) < _SAID:
            self._said.add(why)
            _log.warning("a whole batch is unscored: %s", why)
        rewards = _all_unscored(len(rollouts), why)
        return self._with_facts(rollouts, rewards, Notes(), began, stopped=why)

    async def _in_time(self, rollouts: Sequence[Rollout]) -> tuple[Reward, ...]:
        if self._deadline_s is None:
            return _sound(await self._scorer.score(rollouts), len(rollouts))
        deadline = asyncio.get_running_loop().time() + self._deadline_s
        try:
            async with asyncio.timeout_at(deadline + GRACE_SECONDS) as limit:
                with due(deadline + GRACE_SECONDS):
                    rewards = await self._scorer.score(rollouts, deadline=deadline)
        except TimeoutError:
            if not limit.expired():
                raise
            return _all_unscored(len(rollouts), LATE)
        return _sound(rewards, len(rollouts))

    def _spend(self) -> SpendFacts | None:
        if self._account is None:
            return None
        spend = self._account.spend()
        usage = spend.paid.usage
        return SpendFacts(
            usd=spend.paid.usd,
            calls=spend.paid.calls,
            tokens=usage.prompt_tokens + usage.completion_tokens,
            failures=spend.failures,
        )


def _sound(rewards: Sequence[Reward], count: int) -> tuple[Reward, ...]:
    """Return the rewards, those that are no finite number unscored.

    Raises:
        ValueError: there is not one a rollout.
    """
    if len(rewards) != count:
        raise ValueError(f"{len(rewards)} rewards for {count} rollouts")
    return tuple(
        reward
        if reward.value is None or isfinite(reward.value)
        else Reward(value=None, why=f"the reward is {reward.value}", parts=reward.parts)
        for reward in rewards
    )


def _all_unscored(count: int, why: str) -> tuple[Reward, ...]:
    return (Reward(value=None, why=why),) * count


def _running() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs in this thread, or None."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _lost(facts: BatchFacts) -> str:
    whys = "; ".join(f"{why} ({count})" for why, count in facts.whys[:3])
    return f"{facts.unscored} of {facts.rollouts} rollouts are unscored: {whys}"


async def _await(closing: Callable[[], Awaitable[None]]) -> None:
    await closing()
