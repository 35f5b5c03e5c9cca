"""The dry run: it counts the calls that the real run makes, and sends nothing."""

import json

import pytest

from tests.cli.runs import invocation, refine_scripted, write_pools
from uppertail.cli.estimate import estimate, print_estimate

CRITERIA = 14
"""What the estimate takes a new rubric to have; the scripted proposer writes as many."""


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="the paper's preset"),
        pytest.param({"rounds": 0}, id="initial rubrics only"),
        pytest.param({"rounds": 2, "exclude_used": True}, id="used pairs leave the pool"),
        pytest.param({"rounds": 1, "pool_size": 2}, id="one pair"),
        pytest.param({"rounds": 1, "pool_size": 2, "show_verdicts": True}, id="verdicts shown"),
        pytest.param({"final_scores": False}, id="no final scores"),
    ],
)
async def test_whole_mode_needs_the_calls_that_a_run_makes(tmp_path, options):
    pools = write_pools(tmp_path / "pools.jsonl", prompts=2, responses=6)
    asked = invocation(pools, tmp_path / "run", method=options)
    needed, intake = estimate(asked)
    proposer, verifier = await refine_scripted(asked)
    assert (needed.proposer.calls, needed.verifier.calls) == (proposer, verifier)
    assert (intake.prompts, intake.responses) == (2, 12)


async def test_chunks_and_votes_multiply_the_calls(tmp_path):
    pools = write_pools(tmp_path / "pools.jsonl", prompts=1, responses=3)
    whole = invocation(pools, tmp_path / "a", method={"rounds": 0})
    chunks = invocation(
        pools,
        tmp_path / "b",
        method={"rounds": 0},
        verify={"verifier_mode": "chunks", "chunk": 5, "votes": 2, "verifier_temperature": 1.0},
    )
    assert estimate(whole)[0].verifier.calls == 3
    assert estimate(chunks)[0].verifier.calls == 3 * -(-CRITERIA // 5) * 2


def test_a_dry_run_prints_calls_tokens_and_money_and_leaves_nothing(tmp_path, capsys):
    pools = write_pools(tmp_path / "pools.jsonl", prompts=2, responses=4)
    asked = invocation(
        pools,
        tmp_path / "run",
        method={"proposer": "openai/gpt-4.1"},
        verify={"verifier": "offline"},
        run={"json": True},
    )
    assert print_estimate(asked) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["proposer"]["calls"] == 2 * 5
    assert printed["proposer"]["usd"] > 0
    assert printed["verifier"] == {
        "model": "offline",
        "calls": 0,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "usd": 0.0,
    }
    assert not (tmp_path / "run").exists()
