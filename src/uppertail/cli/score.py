"""`uppertail score`."""

from __future__ import annotations

from uppertail.cli.execute import carry_out
from uppertail.cli.invocation import Invocation
from uppertail.cli.options import MethodOptions, RunOptions, VerifyOptions


def score(
    prompts: str,
    /,
    *,
    rubrics: str,
    responses: str | None = None,
    seed: int = 0,
    verify: VerifyOptions | None = None,
    run: RunOptions | None = None,
) -> int:
    """Score responses under rubrics that are there already.

    Rubrics come from a run folder, from a file of ours, of the paper's authors, or of
    HealthBench's shape (negative points subtract); see docs/data.md. Prompts join them by id.

    For example:

    - `uppertail score new-responses.jsonl --rubrics runs/refine-pools`

    - `uppertail score pools.jsonl --rubrics rubrics.jsonl --verifier openai/gpt-4.1-mini`

    Args:
        prompts: prompts with their responses, or prompts alone with `--responses`.
        rubrics: a file of rubrics, or the folder of a finished run.
        responses: responses in a file of their own.
        seed: keys the delimiters of the verifier's prompts.
        verify: who decides criteria, and how.
        run: where the run lives, how fast it goes, when it stops.

    """
    return carry_out(
        Invocation(
            command="score",
            source=prompts,
            responses=responses,
            method=MethodOptions(preset="initial", rubrics=rubrics, seed=seed),
            verify=verify or VerifyOptions(),
            run=run or RunOptions(),
        )
    )
