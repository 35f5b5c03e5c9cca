"""Invocations for tests, and runs whose models follow a script."""

import json
from pathlib import Path

from uppertail.cli.execute import carry_out
from uppertail.cli.invocation import Invocation
from uppertail.cli.options import MethodOptions, RunOptions, VerifyOptions
from uppertail.cli.roles import Roles
from uppertail.data.pools import read_pools
from uppertail.models import Scripted
from uppertail.propose.llm import LLMProposer
from uppertail.refine import refine
from uppertail.types import content_id
from uppertail.verify.llm import LLMVerifier


def write_pools(path: Path, *, prompts: int, responses: int) -> Path:
    """Write pools of distinct short responses."""
    rows = [
        {
            "id": f"p{i}",
            "prompt": f"Explain thing {i}.",
            "responses": [
                {"model": f"m{k}", "response": f"Answer {k} to thing {i}, in {k} words."}
                for k in range(responses)
            ],
        }
        for i in range(prompts)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def invocation(source, out, *, command="refine", method=None, verify=None, run=None) -> Invocation:
    """An invocation with the given options over the defaults."""
    return Invocation(
        command=command,
        source=str(source),
        method=MethodOptions(**{"proposer": "openai/gpt-4.1", **(method or {})}),
        verify=VerifyOptions(**{"verifier": "openai/gpt-4.1-mini", **(verify or {})}),
        run=RunOptions(out=str(out), **(run or {})),
    )


def propose(request) -> str:
    """Fourteen criteria; their wording changes with the message, so that rounds differ."""
    mark = content_id(request.messages[0].content)[:6]
    items = [{"criterion": f"Names fact {i} of {mark}.", "weight": 1 + i % 3} for i in range(14)]
    return json.dumps(items)


def verify(request) -> str:
    """Yes or no by the length of the message and the number of the criterion."""
    text = request.messages[0].content
    ids = [f"c{n}" for n in range(1, 60) if f"- c{n}: " in text]
    return json.dumps({id: "yes" if (len(text) + 7 * n) % 3 else "no" for n, id in enumerate(ids)})


def scripted_roles(propose=propose, verify=verify):
    """What `carry_out` takes to open roles: the real ones over scripted models."""

    def opener(invocation, session):
        proposer = session.open(Scripted(propose, name="proposer"))
        verifier = session.open(Scripted(verify, name="verifier"))
        mode = invocation.verify.verifier_mode
        return Roles(
            proposer=LLMProposer(proposer),
            verifier=LLMVerifier(verifier, mode=mode, chunk=invocation.verify.chunk),
            identity={"proposer": "proposer", "verifier": "verifier"},
        )

    return opener


def run_scripted(asked: Invocation, **models) -> int:
    """Carry an invocation out with scripted models."""
    return carry_out(asked, roles=scripted_roles(**models))


async def refine_scripted(asked: Invocation) -> tuple[int, int]:
    """Refine every prompt without a run folder; return the calls of proposer and verifier."""
    writer, judge = Scripted(propose), Scripted(verify)
    for row in read_pools(asked.source):
        await refine(
            row.pool,
            proposer=LLMProposer(writer),
            verifier=LLMVerifier(judge),
            settings=asked.settings,
        )
    return writer.calls, judge.calls
