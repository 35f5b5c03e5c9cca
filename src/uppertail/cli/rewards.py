"""A reward from what the command line names: for `serve`, `train` and `bench`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Group, Parameter

from uppertail.cli.invocation import Invocation
from uppertail.cli.options import MODELS, MethodOptions, RunOptions, VerifyOptions
from uppertail.cli.roles import OFFLINE, Roles, open_model, open_roles
from uppertail.errors import InputError
from uppertail.models import Journal, ModelSession
from uppertail.reward.function import RewardFunction
from uppertail.reward.memory import RewardMemory
from uppertail.reward.opening import open_function
from uppertail.reward.retest import Resampled, Retest
from uppertail.reward.rubric_scorer import RubricScorer
from uppertail.reward.rubrics import Carried, FirstOf, RubricSource, Stored, Written
from uppertail.reward.shaping import shape_named
from uppertail.verify.interface import Verifier

REWARD = Group("Reward", sort_key=2)
Sourcing = Callable[[RubricSource], RubricSource]
"""What is made of where rubrics come from, such as a part of each."""


def whole(source: RubricSource) -> RubricSource:
    """Return the source as it is."""
    return source


@Parameter(name="*", group=REWARD)
@dataclass(frozen=True, slots=True, kw_only=True)
class RewardOptions:
    """Where rubrics come from, and what becomes of scores."""

    rubrics: str | None = None
    """Rubrics for rollouts that carry none: a file, or the folder of a finished run."""
    write_rubrics: str | None = None
    """File to which rubrics are written for prompts that have none, when first seen."""
    proposer: Annotated[str, Parameter(group=MODELS)] = OFFLINE
    """Who writes them: `offline`, `provider/model`, or `model@http://host:port/v1`."""
    shape: str = "identity"
    """What is made of scores: `gate=CAP`, `all-or-nothing`, `saturation=FLOOR`, `rank`,
    `centred`, or several with commas between them; see docs/reward.md."""
    deadline: float | None = None
    """Seconds after which a batch is given back; what is late is unscored."""
    strict: bool = False
    """Stop where anything is unscored, instead of leaving it out."""
    retest_share: float = 0.0
    """Share of newly decided rollouts that the judge decides twice, to see how often it
    contradicts itself."""
    longest: int = 400_000
    """Most characters of a completion; a longer one is unscored."""
    journal: str | None = None
    """SQLite file of calls and verdicts, for reruns and other workers. Default: memory."""
    budget_usd: float | None = None
    """Unscored from here on: no call may take the journal's cost past this."""
    concurrency: int | None = None
    """Most calls in flight to each model; overrides the models file."""
    models_file: str | None = None
    """TOML file with endpoints, limits and prices of models; see docs/models.md."""
    seed: int = 0
    """Keys the delimiters of the verifier's prompts, and draws what is decided twice."""

    def __post_init__(self) -> None:
        """Refuse values that could not mean anything.

        Raises:
            InputError: the message names the option.

        """
        _ = shape_named(self.shape), self.run
        if not 0 <= self.retest_share <= 1:
            raise InputError(f"--retest-share must be from 0 to 1, not {self.retest_share}")
        if self.longest < 1:
            raise InputError(f"--longest must be 1 or more, not {self.longest}")
        if self.deadline is not None and not self.deadline > 0:
            raise InputError(f"--deadline must be more than 0, not {self.deadline}")
        if self.proposer != OFFLINE and self.write_rubrics is None:
            raise InputError("--proposer writes nothing without --write-rubrics FILE")

    @property
    def run(self) -> RunOptions:
        """What models are opened with."""
        return RunOptions(
            concurrency=self.concurrency, models_file=self.models_file, budget_usd=self.budget_usd
        )


def open_reward(
    options: RewardOptions,
    verify: VerifyOptions,
    session: ModelSession,
    journal: Journal,
    *,
    sourcing: Sourcing = whole,
) -> RewardFunction:
    """Return the reward that the options ask for; nothing is sent before it is asked.

    It belongs to the thread and the loop that opened `journal` and `session`.

    Raises:
        InputError: a model cannot be resolved, its key is missing, rubrics are not sound.
        StorageError: a file cannot be used.

    """
    roles = open_roles(_invocation(options, verify), session)
    # Programs are asked again: their verdicts would be found no sooner than made.
    remote = verify.verifier != OFFLINE
    scorer = RubricScorer(
        roles.verifier,
        sourcing(_rubrics(options, roles)),
        aggregation=verify.aggregation,
        min_answered=verify.min_answered,
        memory=RewardMemory(journal.database) if remote else None,
        longest=options.longest,
        retest=_retest(options, verify, session),
    )
    return RewardFunction(
        scorer,
        shape=shape_named(options.shape),
        deadline_s=options.deadline,
        strict=options.strict,
        account=session.account,
    )


async def opened(
    stack: AsyncExitStack,
    options: RewardOptions,
    verify: VerifyOptions,
    *,
    sourcing: Sourcing = whole,
) -> RewardFunction:
    """Return the reward with its journal and session, which `stack` closes, on this loop.

    Raises:
        InputError, StorageError: as `open_reward`.

    """
    journal = stack.enter_context(Journal(options.journal or ":memory:"))
    session = ModelSession(journal, budget_usd=options.budget_usd)
    await stack.enter_async_context(session)
    return open_reward(options, verify, session, journal, sourcing=sourcing)


def reward_on_own_loop(
    options: RewardOptions, verify: VerifyOptions, *, sourcing: Sourcing = whole
) -> RewardFunction:
    """Return the same on a loop of its own, to be called from any thread; close it at the end.

    Raises:
        InputError, StorageError: as `open_reward`.

    """

    async def opening(stack: AsyncExitStack) -> RewardFunction:
        return await opened(stack, options, verify, sourcing=sourcing)

    return open_function(opening)


def _invocation(options: RewardOptions, verify: VerifyOptions) -> Invocation:
    return Invocation(
        command="score" if options.write_rubrics is None else "refine",
        source="",
        method=MethodOptions(proposer=options.proposer, seed=options.seed),
        verify=verify,
        run=options.run,
    )


def _rubrics(options: RewardOptions, roles: Roles) -> RubricSource:
    """Return the rollout's own rubric, else a stored one, else one that is written now."""
    sources: list[RubricSource] = [Carried()]
    if options.rubrics is not None:
        sources.append(Stored(options.rubrics))
    if options.write_rubrics is not None:
        sources.append(Written(roles.proposer, options.write_rubrics))
    return sources[0] if len(sources) == 1 else FirstOf(*sources)


def _retest(options: RewardOptions, verify: VerifyOptions, session: ModelSession) -> Retest | None:
    if not options.retest_share:
        return None
    if verify.verifier == OFFLINE:
        raise InputError("--retest-share does nothing with exact checks: they never waver")
    again = _resampled(options, verify, session)
    return Retest(verifier=again, share=options.retest_share, seed=options.seed)


def _resampled(options: RewardOptions, verify: VerifyOptions, session: ModelSession) -> Verifier:
    """Return the same verifier, drawing samples that it has not drawn yet."""
    from uppertail.verify.llm import LLMVerifier

    model = open_model(verify.verifier, options.run, session)
    return LLMVerifier(
        Resampled(model, by=verify.votes),
        mode=verify.verifier_mode,
        chunk=verify.chunk,
        order=verify.template_order,
        votes=verify.votes,
        reasons=verify.reasons,
        temperature=verify.verifier_temperature,
        template=verify.verifier_template,
        seed=options.seed,
    )
