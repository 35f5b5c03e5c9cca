"""`uppertail serve`: rewards over HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING

from cyclopts import Group, Parameter

from uppertail.cli.options import VerifyOptions
from uppertail.cli.rewards import RewardOptions
from uppertail.cli.roles import OFFLINE
from uppertail.errors import InputError, MissingExtra, StorageError

if TYPE_CHECKING:
    from uppertail.models import Journal, ModelSession
    from uppertail.reward import RubricScorer, RubricSource
    from uppertail.reward.server.app import Application
    from uppertail.reward.server.limits import Limits

SERVER = Group("Server", sort_key=0)
JOURNAL = "runs/serve/journal.sqlite"
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Where workers keep their figures; read when prometheus_client is imported."""
_PUBLISH_SECONDS = 2.0


@Parameter(name="*", group=SERVER)
@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """Where the server listens, and how much it takes on."""

    host: str = "127.0.0.1"
    """Address to listen on. Others than this machine's own need a token."""
    port: int = 8000
    """0 for any that is free."""
    workers: int = 1
    """Processes. They share the journal, so that none asks what another one knows."""
    set: tuple[str, ...] = ()
    """NAME=FILE: rubrics that a request names in `rubrics`. May stand several times."""
    token_env: str = "UPPERTAIL_TOKEN"  # noqa: S105 - the name of a variable
    """Environment variable that holds the token, at least 16 characters."""
    in_flight: int = 4096
    """Rollouts being scored at a time in each worker; more are answered with 429."""
    batch: int = 1024
    """Most rollouts of a request."""
    body_mb: float = 64.0
    """Most megabytes of a request."""
    longest_deadline: float = 1800.0
    """Most seconds that a request may give itself; the default is `--deadline`, else 100."""
    drain: float = 30.0
    """Seconds in which what is in flight may end once the server is told to stop."""

    def __post_init__(self) -> None:
        """Refuse values that could not mean anything.

        Raises:
            InputError: the message names the option.

        """
        if self.workers < 1:
            raise InputError(f"--workers must be 1 or more, not {self.workers}")
        if not 0 <= self.port < 65_536:
            raise InputError(f"--port must be from 0 to 65535, not {self.port}")
        _sets(self.set)


def serve(
    *,
    server: ServeOptions | None = None,
    reward: RewardOptions | None = None,
    verify: VerifyOptions | None = None,
) -> int:
    """Give rewards over HTTP: to trainers on other machines, and to several at once.

    Rubrics travel with the rollouts, or are looked up in `--rubrics` by the prompt. Beside
    its own API the server speaks the contracts of OpenRLHF (`/get_reward`) and slime
    (`/remote_rm`). What a model decides is kept in `--journal`, else in
    runs/serve/journal.sqlite. See docs/reward-server.md.

    For example:

    - `uppertail serve --rubrics runs/refine-pools --verifier openai/gpt-4.1-mini`

    - `uppertail serve --set health=health.jsonl --set law=law.jsonl --port 0`

    Args:
        server: where the server listens, and how much it takes on.
        reward: where rubrics come from, and what becomes of scores.
        verify: who decides criteria, and how.

    """
    opening = opening_of(
        server or ServeOptions(), reward or RewardOptions(), verify or VerifyOptions()
    )
    try:
        from uppertail.reward.server.run import listen
    except ModuleNotFoundError as error:
        raise MissingExtra("the reward server", "server") from error
    opening.token()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    with listen(opening.server.host, opening.server.port) as listener:
        return min(1, _serve(opening, listener))


def _serve(opening: Opening, listener: socket) -> int:
    """Serve until a signal; return how much ended badly."""
    from uppertail.reward.server import run

    url = run.url_of(listener)
    workers = opening.server.workers

    def ready() -> None:
        print(announcement(url, opening), flush=True)

    if workers == 1:
        return run.run(opening, listener, ready=ready)
    asyncio.run(_tried(opening))  # what is wrong is said once, before there are workers
    with tempfile.TemporaryDirectory(prefix="uppertail-metrics-") as folder:
        os.environ[SHARED] = folder
        together = run.Workers(opening, run.spread(listener, workers))
        return together.run(drain_s=opening.server.drain, ready=ready)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a worker opens. It travels to each of them."""

    server: ServeOptions
    reward: RewardOptions
    verify: VerifyOptions

    def token(self) -> str | None:
        """Return the token, or None where none is needed.

        Raises:
            InputError: there is none, and the address can be reached from elsewhere.

        """
        from uppertail.reward.server.access import read_token

        return read_token(os.environ, self.server.token_env, host=self.server.host)

    @property
    def limits(self) -> Limits:
        """How much a worker takes on."""
        from uppertail.reward.server.limits import Limits

        longest = self.server.longest_deadline
        return Limits(
            in_flight=self.server.in_flight,
            batch=min(self.server.batch, self.server.in_flight),
            body_bytes=round(self.server.body_mb * 1e6),
            deadline_s=self.reward.deadline or min(100.0, longest),
            longest_s=longest,
            drain_s=self.server.drain,
        )

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Application]:
        """Give the application, with everything it needs open.

        Raises:
            InputError: a model cannot be resolved, its key is missing, rubrics are not sound.
            StorageError: the journal cannot be used.

        """
        from uppertail.models import Journal, ModelSession
        from uppertail.reward.server.app import Application
        from uppertail.reward.server.service import Served
        from uppertail.reward.shaping import shape_named

        async with AsyncExitStack() as stack:
            journal = stack.enter_context(Journal(self.reward.journal or ":memory:"))
            session = ModelSession(journal, budget_usd=self.reward.budget_usd)
            await stack.enter_async_context(session)
            served = Served(
                scorers=self._scorers(session, journal),
                shape=shape_named(self.reward.shape),
                check=lambda: _check(journal),
            )
            application = Application(served, limits=self.limits, token=self.token())
            publishing = asyncio.create_task(_publish(application, session))
            try:
                yield application
            finally:
                publishing.cancel()
                with suppress(asyncio.CancelledError):
                    await publishing

    def _scorers(self, session: ModelSession, journal: Journal) -> Mapping[str, RubricScorer]:
        """Return a scorer for each set of rubrics; the one called "" is `--rubrics`."""
        from uppertail.cli.invocation import Invocation
        from uppertail.cli.options import MethodOptions
        from uppertail.cli.roles import open_roles
        from uppertail.reward import Carried, FirstOf, RewardMemory, RubricScorer, Stored, Written

        reward, verify = self.reward, self.verify
        invocation = Invocation(
            command="score" if reward.write_rubrics is None else "refine",
            source="",
            method=MethodOptions(proposer=reward.proposer, seed=reward.seed),
            verify=verify,
            run=reward.run,
        )
        roles = open_roles(invocation, session)
        memory = RewardMemory(journal.database if verify.verifier != OFFLINE else None)
        last: list[RubricSource] = []
        if reward.write_rubrics is not None:
            last = [Written(roles.proposer, reward.write_rubrics)]

        def scorer(rubrics: str | None) -> RubricScorer:
            stored = [] if rubrics is None else [Stored(rubrics)]
            return RubricScorer(
                roles.verifier,
                FirstOf(Carried(), *stored, *last),
                aggregation=verify.aggregation,
                min_answered=verify.min_answered,
                memory=memory,
                longest=reward.longest,
            )

        named = {name: scorer(file) for name, file in _sets(self.server.set).items()}
        return {"": scorer(reward.rubrics), **named}


def opening_of(server: ServeOptions, reward: RewardOptions, verify: VerifyOptions) -> Opening:
    """Return what the options open: a journal on disk where there is something to keep.

    Raises:
        InputError: an option does not go with serving, or with several workers.

    """
    if reward.strict:
        raise InputError("--strict is for trainers: a server answers what is unscored with null")
    if reward.retest_share:
        raise InputError("--retest-share is for trainers: a server does not see whole steps")
    if reward.budget_usd is not None and server.workers > 1:
        raise InputError("--budget-usd needs --workers 1: workers do not see each other's spend")
    if reward.journal is None and verify.verifier != OFFLINE:
        reward = replace(reward, journal=JOURNAL)
    if reward.journal is not None:
        _make_folder(Path(reward.journal).parent)
    return Opening(server=server, reward=reward, verify=verify)


def announcement(url: str, opening: Opening) -> str:
    """Return what is printed once the server answers: where it is, and how to try it."""
    rubric = {"criterion": "Uses at most five words.", "check": {"check": "words", "at_most": 5}}
    rollout = {"prompt": "Say hello.", "completion": "Hello!", "rubric": [rubric]}
    token = ""
    if opening.token() is not None:
        token = f' \\\n    -H "Authorization: Bearer ${opening.server.token_env}"'
    body = json.dumps({"rollouts": [rollout]})
    return (
        f"Rewards at {url}, {opening.server.workers} worker(s), journal "
        f"{opening.reward.journal or 'in memory'}. Ctrl-C stops it.\n\n"
        f"  curl {url}/score{token} \\\n    -d '{body}'\n"
    )


def _sets(given: tuple[str, ...]) -> dict[str, str]:
    """Return the files by name.

    Raises:
        InputError: one has no name or no file, or a name stands there twice.

    """
    sets: dict[str, str] = {}
    for item in given:
        name, _, file = item.partition("=")
        if not name or not file or name in sets:
            raise InputError(f"--set expects NAME=FILE, each name once, found {item!r}")
        sets[name] = file
    return sets


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder}: cannot be made: {error.strerror}") from error


def _check(journal: Journal) -> None:
    """See that the journal can be written, without changing it."""
    journal.database.write("UPDATE verdicts SET verdict = verdict WHERE key = ?", ("",))


async def _publish(application: Application, session: ModelSession) -> None:
    """Show what the models cost, every two seconds."""
    while True:
        application.metrics.spent(session.account.spend())
        await asyncio.sleep(_PUBLISH_SECONDS)


async def _tried(opening: Opening) -> None:
    async with opening():
        pass
