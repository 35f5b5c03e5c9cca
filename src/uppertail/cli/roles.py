"""Who proposes and who verifies, from what the command line names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from uppertail.cli.invocation import Invocation
from uppertail.cli.options import RunOptions
from uppertail.errors import InputError, Lost
from uppertail.models import Model, ModelConfig, ModelSession, load_settings, resolve
from uppertail.propose.interface import Contrast, Proposer
from uppertail.types import Pool, Prompt, Rubric
from uppertail.verify.interface import Verifier

OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """The two that a refinement needs."""

    proposer: Proposer
    verifier: Verifier
    identity: Mapping[str, object]
    """What changes when either would answer otherwise, as JSON values."""
    remote: bool = True
    """Whether a model is asked, so that prompts have something to wait for."""


class GivenRubrics:
    """The proposer of `uppertail score`, which writes nothing: rubrics come from a file."""

    name = "given"

    async def initial(self, prompt: Prompt) -> Rubric:
        """Raise: the prompt has no rubric."""
        raise Lost("no rubric was given for this prompt")

    async def refine(
        self,
        pool: Pool,
        rubric: Rubric,
        contrast: Contrast,
        *,
        round: int,
        refused: str | None = None,
    ) -> Rubric:
        """Raise: given rubrics are not refined."""
        raise Lost("given rubrics are not refined")


def open_roles(invocation: Invocation, session: ModelSession) -> Roles:
    """Return proposer and verifier; nothing is sent before one of them is asked.

    Raises:
        InputError: a model cannot be resolved, its key is missing, a template is wrong.

    """
    _refuse_idle(invocation)
    proposer, proposing = _proposer(invocation, session)
    verifier, verifying = _verifier(invocation, session)
    method, verify = invocation.method, invocation.verify
    writes = method.proposer if invocation.command == "refine" else OFFLINE
    return Roles(
        proposer=proposer,
        verifier=verifier,
        identity={**proposing, **verifying},
        remote={writes, verify.verifier} != {OFFLINE},
    )


def _refuse_idle(invocation: Invocation) -> None:
    """Refuse options that only a model reads where no model is asked.

    Raises:
        InputError: an option would do nothing; the message names it.

    """
    method, verify, run = invocation.method, invocation.verify, invocation.run
    idle = {
        "--initial-template": method.initial_template and method.proposer == OFFLINE,
        "--refine-template": method.refine_template and method.proposer == OFFLINE,
        "--verifier-template": verify.verifier_template and verify.verifier == OFFLINE,
        "--verifier-mode": verify.verifier_mode != "whole" and verify.verifier == OFFLINE,
        "--votes": verify.votes > 1 and verify.verifier == OFFLINE,
        "--reasons": verify.reasons and verify.verifier == OFFLINE,
        "--cache": run.cache and (verify.verifier == OFFLINE or verify.verifier_mode == "whole"),
    }
    for option, useless in idle.items():
        if useless:
            raise InputError(f"{option} does nothing with the roles and the mode that are set")
    if run.models_file:
        load_settings(Path(run.models_file))


def model_config(name: str, run: RunOptions) -> ModelConfig:
    """Return the configuration of the model that `name` means, with the user's overrides.

    Raises:
        InputError: the name means nothing, or an override is out of range.

    """
    config = resolve(name, load_settings(Path(run.models_file)) if run.models_file else {})
    return config if run.concurrency is None else replace(config, concurrency=run.concurrency)


def open_model(name: str, run: RunOptions, session: ModelSession) -> Model:
    """Return the model that `name` means, journalled and counted.

    Raises:
        InputError: the name means nothing, its key is missing, or it has no price although
            there is a budget.

    """
    return session.open(model_config(name, run), called=name)


def _proposer(invocation: Invocation, session: ModelSession) -> tuple[Proposer, dict[str, object]]:
    method = invocation.method
    if invocation.command == "score":
        return GivenRubrics(), {}
    if method.proposer == OFFLINE:
        from uppertail.propose.offline import OfflineProposer

        offline = OfflineProposer()
        return offline, {"proposer": offline.name}
    from uppertail.propose.llm import LLMProposer

    model = open_model(method.proposer, invocation.run, session)
    proposer = LLMProposer(
        model,
        allowed_weights=method.weights,
        temperature=method.proposer_temperature,
        show_verdicts=method.show_verdicts,
        tell_preference=method.tell_preference,
        initial_template=method.initial_template,
        rtd_template=method.refine_template,
        seed=method.seed,
    )
    return proposer, {
        "proposer": model.name,
        "proposer_templates": list(proposer.templates),
        "proposer_temperature": method.proposer_temperature,
    }


def _verifier(invocation: Invocation, session: ModelSession) -> tuple[Verifier, dict[str, object]]:
    verify = invocation.verify
    if verify.verifier == OFFLINE:
        from uppertail.verify.checked import VERSION
        from uppertail.verify.offline import OfflineVerifier

        offline = OfflineVerifier()
        return offline, {"verifier": offline.name, "checks": VERSION}
    from uppertail.verify.llm import LLMVerifier

    verifier = LLMVerifier(
        open_model(verify.verifier, invocation.run, session),
        mode=verify.verifier_mode,
        chunk=verify.chunk,
        order=verify.template_order,
        votes=verify.votes,
        reasons=verify.reasons,
        temperature=verify.verifier_temperature,
        template=verify.verifier_template,
        seed=invocation.method.seed,
    )
    by = verifier.decider
    return verifier, {
        "verifier": by.model,
        "verifier_template": by.template,
        "verifier_protocol": by.protocol,
    }
