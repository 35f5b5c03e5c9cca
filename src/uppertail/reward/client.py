"""The reward server's client: a scorer like any other, whose work is done elsewhere."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from itertools import count
from random import Random
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import msgspec

from uppertail.concurrent import together
from uppertail.errors import InputError, ModelUnusable
from uppertail.models.connections import Connections
from uppertail.models.failures import Failure, HttpAnswer, Kind, classify, shorten
from uppertail.models.providers import sendable
from uppertail.models.retry import Backoff
from uppertail.reward.function import RewardFunction
from uppertail.reward.opening import open_function
from uppertail.reward.sending import Sending, parts_of
from uppertail.reward.shaping import Shape
from uppertail.score.interface import Reward, Rollout

_log = logging.getLogger("uppertail.reward")
TOKEN_ENV = "UPPERTAIL_TOKEN"  # noqa: S105 - the name of a variable
_NO_CALL = frozenset({Kind.KEY, Kind.DENIED, Kind.UNUSABLE})
"""What a server says that answers nothing of ours."""
_AGAIN = frozenset({Kind.BUSY, Kind.PASSING, Kind.UNREACHABLE})
_MARGIN_SECONDS = 0.5
"""What is kept of the time left, so that what the server got done still arrives in time."""
_GRACE_SECONDS = 5.0
_CHECK_SECONDS = 15.0
"""How long a server may take to say that it is there."""


class Answer(msgspec.Struct, kw_only=True):
    """What is read of the answer to `POST /score`."""

    results: list[Reward]
    scorer: str = ""


class Problem(msgspec.Struct):
    """What a server says is wrong."""

    message: str


class Refusal(msgspec.Struct):
    """The answer to a request that is not what it must be."""

    error: Problem


class RemoteScorer:
    """Scores on a reward server (`uppertail serve`), wherever a local scorer would do.

    ```python
    async with RemoteScorer("http://rewards:8000") as remote:
        batch = await RewardFunction(remote, deadline_s=60)(rollouts)
    ```

    A batch is sent in requests of whole groups. A server that is full, restarting or gone is
    asked again until the deadline, without one for `patience_s`; what it does not score by then
    is unscored, with the reason. The log says once that it does not answer, and once that it
    does again; `check` asks before a run begins. A server that takes no call of ours raises
    `ModelUnusable`: the token is wrong, or nothing of this kind is at the address. So does one
    that comes back with another scorer, since its rewards do not belong beside the earlier ones.

    Args:
        url: the server's address.
        rubrics: name of the server's set of rubrics, for rollouts that carry none.
        token_env: environment variable that holds the token; it may be empty.
        batch: most rollouts of a request, unless a group has more.
        at_once: most requests at a time.
        detail: whether rewards come with their criteria.
        patience_s: how long a batch without a deadline waits for the server.
        environ: where the token is read from.

    Raises:
        InputError: the address is none, or the token is not one that can be sent.
    """

    def __init__(
        self,
        url: str,
        *,
        rubrics: str = "",
        token_env: str = TOKEN_ENV,
        batch: int = 64,
        at_once: int = 64,
        detail: bool = True,
        patience_s: float = 600.0,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._url = _address(url)
        self._rubrics = rubrics
        self._token_env = token_env
        self._batch = batch
        self._at_once = at_once
        self._detail = detail
        self._patience_s = patience_s
        self._headers = {"Content-Type": "application/json", "User-Agent": "uppertail"}
        if token := environ.get(token_env, "").strip():
            self._headers["Authorization"] = f"Bearer {sendable(token, token_env)}"
        self._connections = Connections()
        self._answers = msgspec.json.Decoder(Answer)
        self._backoff = Backoff(first_seconds=0.2, ceiling_seconds=5.0)
        self._random = Random()
        self._known = ""
        self._away = False

    @property
    def name(self) -> str:
        """The address, and the set of rubrics."""
        return f"server {self._url}{f', rubrics {self._rubrics}' if self._rubrics else ''}"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections of the running loop."""
        await self._connections.aclose()

    async def check(self) -> None:
        """Ask once, before anything is paid for, whether the server would score for us.

        It is sent a batch of nothing, which it answers without work: that also shows the token,
        the set of rubrics and the scorer, which its readiness page does not.

        Raises:
            ModelUnusable: nothing is there, it takes no call of ours, or it is not ready.
        """
        answer = await self._connections.post(
            f"{self._url}/score",
            self._body((), None),
            headers=self._headers,
            timeout_seconds=_CHECK_SECONDS,
        )
        if isinstance(answer, HttpAnswer) and answer.status == 200:
            said = self._read(answer.body, 0)
            if isinstance(said, str):
                raise ModelUnusable(f"nothing at {self._url} scores rollouts: {said}")
            return
        failure = self._failed(answer)
        if failure.kind not in _AGAIN:
            raise ModelUnusable(f"the reward server {self._url} refuses us: {failure.what}")
        if not _busy(answer):
            raise ModelUnusable(
                f"the reward server {self._url} does not answer: {failure.what}; start it with "
                "`uppertail serve`, or correct the address"
            )

    async def score(
        self, rollouts: Sequence[Rollout], *, deadline: float | None = None
    ) -> tuple[Reward, ...]:
        """Return one reward a rollout, in the same order.

        Raises:
            ModelUnusable: the server takes no call of ours, or scores otherwise than before.
        """
        now = asyncio.get_running_loop().time()
        sending = Sending(
            deadline=now + self._patience_s if deadline is None else deadline,
            told=deadline is not None,
            places=asyncio.Semaphore(self._at_once),
        )
        requests = [self._requested(part, sending) for part in parts_of(rollouts, self._batch)]
        return tuple(reward for rewards in await together(requests) for reward in rewards)

    async def _requested(self, rollouts: Sequence[Rollout], sending: Sending) -> tuple[Reward, ...]:
        async with sending.places:
            return await self._ask(rollouts, sending)

    async def _ask(self, rollouts: Sequence[Rollout], sending: Sending) -> tuple[Reward, ...]:
        """Return the rewards of one request, sent as often as it takes and time allows."""
        items = [sending.item(rollout) for rollout in rollouts]
        clock = asyncio.get_running_loop().time
        last = "the deadline was over before the server was asked"
        for number in count():
            left = sending.deadline - clock()
            if left <= 0:
                break
            answer = await self._connections.post(
                f"{self._url}/score",
                self._body(
                    items, left - min(_MARGIN_SECONDS, 0.1 * left) if sending.told else None
                ),
                headers=self._headers,
                timeout_seconds=left + (_GRACE_SECONDS if sending.told else 0.0),
            )
            if isinstance(answer, HttpAnswer) and answer.status == 200:
                self._back()
                said = self._read(answer.body, len(rollouts))
                return _unscored(len(rollouts), said) if isinstance(said, str) else said
            if isinstance(answer, HttpAnswer) and answer.status == 413 and len(rollouts) > 1:
                return await self._halved(rollouts, sending)
            failure = self._failed(answer)
            if failure.kind not in _AGAIN:
                return _unscored(len(rollouts), f"the server refused: {failure.what}")
            last = failure.what
            if not _busy(answer):
                self._gone(last, sending.deadline - clock())
            pause = failure.pause_seconds + self._backoff.wait(number, self._random)
            await asyncio.sleep(min(pause, max(0.0, sending.deadline - clock())))
        return _unscored(len(rollouts), f"late: {last}")

    async def _halved(self, rollouts: Sequence[Rollout], sending: Sending) -> tuple[Reward, ...]:
        """Return the rewards of a request that is too large for the server, in two."""
        middle = len(rollouts) // 2
        first = await self._ask(rollouts[:middle], sending)
        return first + await self._ask(rollouts[middle:], sending)

    def _body(self, items: Sequence[object], left: float | None) -> bytes:
        return msgspec.json.encode(
            {
                "rollouts": items,
                "rubrics": self._rubrics,
                "deadline_s": left,
                "detail": self._detail,
            }
        )

    def _failed(self, answer: HttpAnswer | Failure) -> Failure:
        """Return what went wrong.

        Raises:
            ModelUnusable: asking again, or for anything else, is no use.
        """
        if isinstance(answer, HttpAnswer) and answer.status in {400, 413}:
            return Failure(kind=Kind.HOPELESS, what=_complaint(answer.body))
        failure = answer if isinstance(answer, Failure) else classify(answer)
        if failure.kind is Kind.KEY or failure.kind is Kind.DENIED:
            said = "has a wrong token" if "Authorization" in self._headers else "has no token"
            raise ModelUnusable(
                f"the reward server {self._url} refuses us: the environment variable "
                f"{self._token_env} {said} ({failure.what})"
            )
        if failure.kind in _NO_CALL:
            raise ModelUnusable(f"nothing at {self._url} scores rollouts: {failure.what}")
        return failure

    def _gone(self, why: str, left: float) -> None:
        """Say, once until it is back, that the server does not answer."""
        if not self._away and left > 0:
            self._away = True
            _log.warning(
                "the reward server %s does not answer: %s; asking again until the batch is due, "
                "in %.0f s",
                self._url,
                why,
                left,
            )

    def _back(self) -> None:
        if self._away:
            self._away = False
            _log.warning("the reward server %s answers again", self._url)

    def _read(self, body: bytes, rollouts: int) -> tuple[Reward, ...] | str:
        """Return the rewards in an answer, or why it cannot be read.

        Raises:
            ModelUnusable: the server has another scorer than before.
        """
        try:
            answer = self._answers.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return f"the server's answer cannot be read: {shorten(str(error))}"
        if len(answer.results) != rollouts:
            return f"the server answered {len(answer.results)} rewards for {rollouts} rollouts"
        self._recognise(answer.scorer)
        return tuple(map(_explained, answer.results))

    def _recognise(self, scorer: str) -> None:
        if not self._known:
            self._known = scorer
        elif scorer != self._known:
            raise ModelUnusable(
                f"the reward server {self._url} scored as {self._known!r} and now scores as "
                f"{scorer!r}; their rewards do not belong into one run"
            )


def remote_reward(
    url: str,
    *,
    rubrics: str = "",
    token_env: str = TOKEN_ENV,
    shape: Shape | None = None,
    deadline_s: float | None = None,
    strict: bool = False,
    check: bool = False,
) -> RewardFunction:
    """Return a reward function whose scorer is a server, for any trainer's adapter.

    It lives on a loop of its own; close it at the end.

    ```python
    with remote_reward("http://rewards:8000", deadline_s=60) as reward:
        batch = reward.score_now(rollouts)
    ```

    Args:
        url: the server's address.
        rubrics: name of the server's set of rubrics.
        token_env: environment variable that holds the token.
        shape: what is made of the rewards here, over whole batches; see `RewardFunction`.
        deadline_s: seconds after which a batch is given back.
        strict: raise where anything is unscored.
        check: ask the server once whether it is there, before anything else is done.

    Raises:
        InputError: the address is none.
        ModelUnusable: `check` only: see `RemoteScorer.check`.
    """

    async def opening(stack: AsyncExitStack) -> RewardFunction:
        remote = RemoteScorer(url, rubrics=rubrics, token_env=token_env)
        await stack.enter_async_context(remote)
        if check:
            await remote.check()
        return RewardFunction(remote, shape=shape, deadline_s=deadline_s, strict=strict)

    return open_function(opening)


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        shown = url.rpartition("@")[2]
        raise InputError(
            f"{shown!r} is not a server's address; expected http://host:port, and the token in an "
            "environment variable"
        )
    return url.rstrip("/")


def _busy(answer: HttpAnswer | Failure) -> bool:
    """Return whether the server is there, and only full."""
    return isinstance(answer, HttpAnswer) and answer.status == 429


def _complaint(body: bytes) -> str:
    """Return what a server says of our request; whatever it is, some of it is shown."""
    try:
        said = msgspec.json.decode(body, type=Refusal).error.message
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = body[:1200].decode("utf-8", "replace")
    return shorten(said)


def _explained(reward: Reward) -> Reward:
    """Return the reward; one that is unscored for no reason at least says so."""
    if reward.value is not None or reward.why:
        return reward
    return Reward(value=None, why="the server gave no reason")


def _unscored(count: int, why: str) -> tuple[Reward, ...]:
    return (Reward(value=None, why=why),) * count
