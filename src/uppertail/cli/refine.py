"""`uppertail refine`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from uppertail.cli.execute import carry_out
from uppertail.cli.invocation import Invocation
from uppertail.cli.options import MethodOptions, RunOptions, VerifyOptions


def refine(
    prompts: str,
    /,
    *,
    responses: Annotated[
        str | None, Parameter(help="File of responses, if not with the prompts.")
    ] = None,
    method: MethodOptions | None = None,
    verify: VerifyOptions | None = None,
    run: RunOptions | None = None,
) -> int:
    """Write a rubric for each prompt, sharpen it on the best candidate responses, score all.

    Prompts and responses come from one file of pools, from two files, from a run of
    `uppertail sample`, from parquet or CSV, or from a `datasets` name (hf:owner/name); see
    docs/data.md. The same command on the same folder resumes and pays for nothing twice.

    For example:

    - `uppertail refine pools.jsonl` with the offline default: no key, no network.

    - `uppertail refine pools.jsonl --proposer openai/gpt-4.1 --verifier openai/gpt-4.1-mini
      --budget-usd 20`

    - `uppertail refine prompts.jsonl --responses responses.jsonl
      --proposer Qwen/Qwen3-32B@http://localhost:8000/v1
      --verifier Qwen/Qwen3-8B@http://localhost:8001/v1,http://localhost:8002/v1`

    Args:
        prompts: prompts with their responses, or prompts alone with `--responses`.
        responses: responses in a file of their own.
        method: how rubrics are refined.
        verify: who decides criteria, and how.
        run: where the run lives, how fast it goes, when it stops.

    """
    return carry_out(
        Invocation(
            command="refine",
            source=prompts,
            responses=responses,
            method=method or MethodOptions(),
            verify=verify or VerifyOptions(),
            run=run or RunOptions(),
        )
    )
