"""Who answers a benchmark, from what the command line names."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import Group, Parameter

from uppertail.cli.invocation import Invocation, absolute, fingerprint, located
from uppertail.cli.judges import LENGTH, JudgeOptions, open_judge
from uppertail.cli.options import MODELS, VERIFYING, MethodOptions, RunOptions, VerifyOptions
from uppertail.cli.roles import OFFLINE, open_model, open_roles
from uppertail.errors import InputError
from uppertail.evaluate.bench.systems import CheckScorer, LengthScorer, System
from uppertail.judge.interface import ListJudge
from uppertail.models import Journal, ModelSession
from uppertail.score import Aggregation as Aggregation  # noqa: PLC0414 - of an inherited field
from uppertail.score.interface import Scorer

SYSTEM = Group("System", sort_key=1)
LOCAL = ("offline", "length", "checks")
"""Scorers that ask nobody."""


@Parameter(name="*", group=VERIFYING)
@dataclass(frozen=True, slots=True, kw_only=True)
class GradeOptions(VerifyOptions):
    """Who decides criteria, and how they are asked: here one criterion a call."""

    verifier_mode: Literal["whole", "chunks", "single"] = "single"
    """One criterion a call (as HealthBench, PRBench and InFoBench ask), `--chunk` criteria a
    call, or all criteria in one call."""


@Parameter(name="*", group=SYSTEM)
@dataclass(frozen=True, slots=True, kw_only=True)
class SystemOptions:
    """What is evaluated: one of `--scorer`, `--judge` and `--list-judge`."""

    scorer: str | None = None
    """`offline` (rubrics and verdicts by programs; also what is evaluated where nothing is named),
    `rubric` (by `--proposer` and `--verifier`), `length` (longer is better), `checks` (exact checks
    that the items carry), `http://…` (a server of `uppertail serve`), or a folder or hub name of a
    reward model."""
    list_judge: Annotated[str | None, Parameter(group=MODELS)] = None
    """Model that picks the best of several responses."""
    rubrics: str | None = None
    """Rubrics for items that carry none, under `--scorer rubric`: a file or a run folder."""
    proposer: Annotated[str, Parameter(group=MODELS)] = OFFLINE
    """Who writes rubrics for items that have none, under `--scorer rubric`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The system that is asked, and how."""

    system: SystemOptions
    judging: JudgeOptions
    verify: VerifyOptions

    def __post_init__(self) -> None:
        """Refuse several systems.

        Raises:
            InputError: more than one is named.
        """
        named = [one for one in (self.system.scorer, self.judge, self.system.list_judge) if one]
        if len(named) > 1:
            raise InputError(
                f"name one of --scorer, --judge and --list-judge, not {len(named)} of them"
            )

    @property
    def judge(self) -> str | None:
        """The judge of pairs that is named, if one is."""
        return None if self.judging.judge == OFFLINE else self.judging.judge

    @property
    def scorer(self) -> str | None:
        """The scorer that is asked; None where a judge is."""
        if self.judge is not None or self.system.list_judge is not None:
            return None
        return self.system.scorer or OFFLINE

    @property
    def word(self) -> str:
        """The system in a word, for the name of the run folder."""
        named = self.scorer or self.judge or self.system.list_judge or ""
        return "".join(c if c.isalnum() or c in "-." else "-" for c in named)[:40]

    def anchored(self) -> Asked:
        """Return the same with absolute paths, to be repeated from any folder."""
        system, judging, verify = self.system, self.judging, self.verify
        template, own = judging.judge_template, verify.verifier_template
        return Asked(
            system=replace(system, rubrics=system.rubrics and absolute(system.rubrics)),
            judging=replace(judging, judge_template=template and absolute(template)),
            verify=replace(verify, verifier_template=own and absolute(own)),
        )

    def identity(self) -> dict[str, object]:
        """Return what changes when answers could change, as JSON values; files by their hash.

        Raises:
            InputError: a file cannot be read.
        """
        found: dict[str, object] = {}
        for part in (self.system, self.judging, self.verify):
            found |= msgspec.to_builtins(part)
        for name in ("rubrics", "judge_template", "verifier_template"):
            if found[name]:
                found[name] = fingerprint(located(str(found[name]), "rubrics.jsonl"))
        return found

    @property
    def remote(self) -> bool:
        """Whether answers have to be waited for."""
        return self.scorer not in LOCAL and self.judge != LENGTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Everything that a system is opened with."""

    asked: Asked
    run: RunOptions
    seed: int
    folder: Path
    """Where rubrics that are written now go."""
    session: ModelSession
    journal: Journal
    """Where verdicts on criteria are remembered."""
    stack: AsyncExitStack
    """Closes what the system keeps open."""


def open_system(opening: Opening) -> System:
    """Return the system that the options name; nothing is sent before it is asked.

    Raises:
        InputError: a model cannot be resolved, its key is missing, a file is not what it must be.
        MissingExtra: a reward model needs packages that are not installed.
    """
    asked = opening.asked
    if opening.run.cache is not None and asked.scorer != "rubric":
        raise InputError("--cache keeps verdicts on criteria: it needs --scorer rubric")
    if asked.scorer is not None:
        return System(scorer=_scorer(asked.scorer, opening))
    if asked.judge is not None:
        opened = open_judge(asked.judging, opening.run, opening.session, seed=opening.seed)
        return System(judge=opened.judge)
    return System(lister=_lister(asked.system.list_judge or "", opening))


async def refuse_absent(system: System) -> None:
    """Ask a reward server once whether it is there; any other system is taken at its word.

    Raises:
        ModelUnusable: it is not.
    """
    from uppertail.reward.client import RemoteScorer

    if isinstance(system.scorer, RemoteScorer):
        await system.scorer.check()


def _lister(name: str, opening: Opening) -> ListJudge:
    from uppertail.judge.llm import LLMListJudge

    options = opening.asked.judging
    return LLMListJudge(
        open_model(name, opening.run, opening.session),
        reasons=options.judge_reasons,
        votes=options.judge_votes,
        temperature=options.judge_temperature,
        max_tokens=options.judge_max_tokens,
        reading=options.judge_reading,
        template=options.judge_template,
        seed=opening.seed,
    )


def _scorer(name: str, opening: Opening) -> Scorer:
    if name == "length":
        return LengthScorer()
    if name == "checks":
        return CheckScorer()
    if name in ("offline", "rubric"):
        return _rubric_scorer(name, opening)
    if name.startswith(("http://", "https://")):
        from uppertail.reward.client import RemoteScorer

        remote = RemoteScorer(name)
        opening.stack.push_async_callback(remote.aclose)
        return remote
    from uppertail.reward.model_scorer import RewardModelScorer

    return RewardModelScorer(name)


def _rubric_scorer(name: str, opening: Opening) -> Scorer:
    """Return a scorer by rubrics: the item's own, else a stored one, else one written now."""
    from uppertail.reward.memory import RewardMemory
    from uppertail.reward.rubric_scorer import RubricScorer
    from uppertail.reward.rubrics import Carried, FirstOf, RubricSource, Stored, Written

    options, verify = opening.asked.system, opening.asked.verify
    if name == OFFLINE and (verify.verifier, options.proposer) != (OFFLINE, OFFLINE):
        raise InputError("--verifier and --proposer need --scorer rubric")
    if verify.verifier == OFFLINE:  # programs are not asked in calls, so no mode is refused
        verify = replace(verify, verifier_mode="whole")
    roles = open_roles(
        Invocation(
            command="refine",
            source="",
            method=MethodOptions(proposer=options.proposer, seed=opening.seed),
            verify=verify,
            run=opening.run,
        ),
        opening.session,
    )
    sources: list[RubricSource] = [Carried()]
    if options.rubrics is not None:
        sources.append(Stored(options.rubrics))
    sources.append(Written(roles.proposer, opening.folder / "rubrics.jsonl"))
    return RubricScorer(
        roles.verifier,
        FirstOf(*sources),
        aggregation=verify.aggregation,
        min_answered=verify.min_answered,
        memory=RewardMemory(opening.journal.database) if verify.verifier != OFFLINE else None,
    )
