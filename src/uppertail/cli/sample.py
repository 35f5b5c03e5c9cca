"""`uppertail sample`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter

from uppertail.cli.app import EXIT_LOST
from uppertail.cli.invocation import absolute, anchored, default_folder, fingerprint
from uppertail.cli.options import MODELS, RunOptions
from uppertail.cli.roles import open_model
from uppertail.cli.work import Ended, work_through
from uppertail.concurrent import run
from uppertail.data.prompts import read_prompts
from uppertail.data.rows import pool_row
from uppertail.data.run_folder import RunConfig, RunFolder
from uppertail.data.write import json_line, replacing
from uppertail.errors import InputError
from uppertail.models import Journal, Model, ModelSession
from uppertail.sample.pool import Sampled, Sampling
from uppertail.sample.pool import sample as sample_prompt
from uppertail.sample.presets import POOLS, TEMPERATURE, TOP_P
from uppertail.types import Pool, Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleInvocation:
    """What was asked of `uppertail sample`."""

    source: str
    models: tuple[str, ...]
    sampling: Sampling
    run: RunOptions


def sample(
    prompts: str,
    /,
    *,
    model: Annotated[tuple[str, ...], Parameter(group=MODELS)] = (),
    preset: Literal["one-good-pair", "one-great-pair", "four-great", "four-great-diverse"]
    | None = None,
    n: int | None = None,
    temperature: float = TEMPERATURE,
    top_p: float = TOP_P,
    max_tokens: int | None = None,
    on_policy: Annotated[bool | None, Parameter(negative="--off-policy")] = None,
    run: RunOptions | None = None,
) -> int:
    """Draw candidate responses to prompts: one model many times, or many models.

    Reasoning blocks are kept apart from answers; failed, empty, filtered and truncated
    answers are set aside in missing.jsonl, never stored as text; near-duplicates are marked.
    The run's pools.jsonl is what `uppertail refine` reads; the folder itself will do.

    For example:

    - `uppertail sample prompts.jsonl --model openai/gpt-4.1-mini --n 16`

    - `uppertail sample prompts.jsonl --preset four-great-diverse --budget-usd 50`

    - `uppertail sample prompts.jsonl --model Qwen/Qwen3-8B@http://localhost:8000/v1 --n 16
      --on-policy`

    Args:
        prompts: prompts, plain or conversations; see docs/data.md.
        model: who answers; repeat for several models.
        preset: the models and the number of samples of one of the paper's variants.
        n: responses of each model; 1 unless the preset says otherwise.
        temperature: of every call.
        top_p: of every call; it is really sent.
        max_tokens: most tokens of an answer, reasoning included.
        on_policy: mark the responses as written by the policy under training, or by another.
        run: where the run lives, how fast it goes, when it stops.

    """
    names, number = POOLS[preset] if preset is not None else ((), 1)
    models = model or names
    if not models:
        raise InputError("name at least one --model, or a --preset of models")
    if len(set(models)) < len(models):
        raise InputError("a model is named twice; use --n for several responses of one model")
    sampling = Sampling(
        per_model=number if n is None else n,
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
        on_policy=on_policy,
    )
    run = run or RunOptions()
    return carry_out(SampleInvocation(source=prompts, models=models, sampling=sampling, run=run))


def carry_out(invocation: SampleInvocation) -> int:
    """Do what was asked and return the exit code; 0 only when no call was lost.

    Raises:
        UppertailError: the input is wrong, or the run had to stop.

    """
    if invocation.run.dry_run:
        return _print_estimate(invocation)
    out = invocation.run.out
    path = Path(out) if out is not None else default_folder("sample", invocation.source)
    with RunFolder(path, Prompt, Sampled) as folder:
        run(_work(invocation, folder))
        summary = _publish(folder)
    print(json.dumps(summary) if invocation.run.json else _sentence(summary, path))
    return EXIT_LOST if summary["lost_calls"] else 0


async def _work(invocation: SampleInvocation, folder: RunFolder[Prompt, Sampled]) -> None:
    """Bring every prompt of the run to its pool."""
    with Journal(folder.journal) as journal:
        async with ModelSession(journal, budget_usd=invocation.run.budget_usd) as session:
            models = [
                (name, open_model(name, invocation.run, session)) for name in invocation.models
            ]
            config = _config(invocation, folder, models)
            folder.refuse_other(config)
            if not folder.staged:
                _stage(invocation.source, folder)
            folder.configure(config)

            async def work(prompt: Prompt) -> Ended[Sampled]:
                sampled = await sample_prompt(prompt, models, invocation.sampling)
                return Ended(
                    result=sampled,
                    state="done" if sampled.complete else "partial",
                    complete=sampled.complete,
                    responses=len(sampled.responses) + len(sampled.missing),
                    unscored=len(sampled.missing),
                )

            await work_through(
                folder, work, session=session, at_once=invocation.run.at_once, gap="set aside"
            )


def _stage(source: str, folder: RunFolder[Prompt, Sampled]) -> None:
    """Check every prompt and copy it into the run.

    Raises:
        InputError: a prompt is not what it must be, or there is none.

    """
    conversations = 0

    def prompts() -> Iterator[tuple[str, Prompt]]:
        nonlocal conversations
        for row in read_prompts(source):
            conversations += [m.role for m in row.prompt.messages] != ["user"]
            yield row.prompt.id, row.prompt

    if not folder.stage(prompts()):
        raise InputError("holds no prompts", file=source)
    folder.remember("conversations", str(conversations))


def _config(
    invocation: SampleInvocation,
    folder: RunFolder[Prompt, Sampled],
    models: Sequence[tuple[str, Model]],
) -> RunConfig:
    sampling = msgspec.to_builtins(invocation.sampling)
    here = replace(
        invocation, source=absolute(invocation.source), run=anchored(invocation.run, folder.path)
    )
    return RunConfig(
        command="sample",
        identity={
            "prompts": fingerprint(invocation.source),
            "models": [model.name for _, model in models],
            **sampling,
        },
        options=msgspec.to_builtins(here),
    )


def _publish(folder: RunFolder[Prompt, Sampled]) -> Mapping[str, int]:
    """Write pools.jsonl and missing.jsonl and return the run's counts."""
    counts = {"prompts": 0, "responses": 0, "duplicates": 0, "set_aside": 0, "lost_calls": 0}
    mixed = int(folder.fact("conversations") or 0) > 0
    with ExitStack() as stack:
        pools = stack.enter_context(replacing(folder.path / "pools.jsonl"))
        missing = stack.enter_context(replacing(folder.path / "missing.jsonl"))
        for prompt, sampled in folder.results():
            pools(
                json_line(
                    pool_row(Pool(prompt=prompt, responses=sampled.responses), as_messages=mixed)
                )
            )
            for item in sampled.missing:
                missing(json_line({"prompt_id": prompt.id, **msgspec.to_builtins(item)}))
            lost = sum(item.why == "call_failed" for item in sampled.missing)
            counts["prompts"] += 1
            counts["responses"] += len(sampled.responses)
            counts["duplicates"] += sum(r.duplicate_of is not None for r in sampled.responses)
            counts["set_aside"] += len(sampled.missing) - lost
            counts["lost_calls"] += lost
    return counts


def _sentence(counts: Mapping[str, int], path: Path) -> str:
    return (
        f"{counts['responses']} responses to {counts['prompts']} prompts "
        f"({counts['duplicates']} near-duplicates, {counts['set_aside']} set aside, "
        f"{counts['lost_calls']} calls lost)\n{path / 'pools.jsonl'}"
    )


def _print_estimate(invocation: SampleInvocation) -> int:
    """Print the calls that the run would need; replies have no length before they are there."""
    characters = prompts = 0
    for row in read_prompts(invocation.source):
        prompts += 1
        characters += sum(len(message.content) for message in row.prompt.messages)
    each = len(invocation.models) * invocation.sampling.per_model
    need = {"prompts": prompts, "calls": prompts * each, "prompt_tokens": characters * each // 4}
    if invocation.run.json:
        print(json.dumps(need))
    else:
        print(
            f"{prompts} prompts would need {need['calls']:,} calls and about "
            f"{need['prompt_tokens']:,} prompt tokens. Nothing was sent."
        )
    return 0
