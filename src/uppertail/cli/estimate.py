"""What a run would need: calls and tokens, counted without asking anyone anything."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from uppertail.cli.invocation import Invocation
from uppertail.cli.options import MethodOptions
from uppertail.cli.roles import OFFLINE, model_config
from uppertail.cli.staging import Intake, tasks
from uppertail.models import Price, Usage, price_of
from uppertail.models.account import CHARACTERS_PER_TOKEN
from uppertail.refine.select import candidates
from uppertail.types import Pool, Rubric
from uppertail.verify.plan import Asking

CRITERIA = 14
"""Criteria of a rubric that is not written yet. Published ones have 4 to 37 (spec B.6)."""
CRITERION_CHARACTERS = 120
GROWTH = 2
"""Criteria that a round adds. The paper's worked example goes from 9 to 12 (appendix I)."""
CRITERION_MARK = 8
"""Characters around a criterion's text as it is shown."""
VERDICT_TOKENS, ITEM_TOKENS = 6, 45
"""Tokens of one verdict, and of one criterion as the proposer writes it."""


@dataclass
class Need:
    """Calls of one role and their tokens; re-asks, retries and reasoning are not in it."""

    calls: int = 0
    prompt_characters: int = 0
    completion_tokens: int = 0

    def add(self, calls: int, prompt_characters: float, completion_tokens: float) -> None:
        """Count `calls` calls that are alike."""
        self.calls += calls
        self.prompt_characters += round(calls * prompt_characters)
        self.completion_tokens += round(calls * completion_tokens)

    @property
    def usage(self) -> Usage:
        """The tokens, with four characters to a token."""
        return Usage(
            prompt_tokens=self.prompt_characters // CHARACTERS_PER_TOKEN,
            completion_tokens=self.completion_tokens,
        )


class Estimate:
    """What a run would need, by role."""

    def __init__(self, invocation: Invocation) -> None:
        """Read the templates, whose length counts in every call.

        Raises:
            InputError: a template or a setting is wrong.

        """
        from uppertail.propose import llm as proposing
        from uppertail.verify import llm as verifying

        method = invocation.method
        self.settings = invocation.settings
        verify = invocation.verify
        self.asking = Asking(
            mode=verify.verifier_mode,
            chunk=verify.chunk,
            order=verify.template_order,
            votes=verify.votes,
            reasons=verify.reasons,
            temperature=verify.verifier_temperature,
        )
        self.proposer, self.verifier = Need(), Need()
        initial = proposing.initial_rubric_template(method.initial_template, method.weights)
        rtd = proposing.refinement_template(method.refine_template, method.weights)
        verifier = verifying.verifier_template(self.asking, verify.verifier_template)
        self._initial = proposing.overhead_chars(initial)
        self._rtd = proposing.overhead_chars(rtd)
        self._verifier = verifying.overhead_chars(verifier)

    def add(self, pool: Pool, start: Rubric | None) -> None:
        """Count one prompt, following the algorithm round by round."""
        settings = self.settings
        criteria = CRITERIA if start is None else _undecided(start)
        prompt = len(pool.prompt.text)
        if start is None:
            self.proposer.add(1, self._initial + prompt, criteria * ITEM_TOKENS)
        part = candidates(pool, settings)
        length = sum(len(r.text) for r in part) / max(1, len(part))
        members = len(part)
        for _ in range(settings.rounds):
            if members < 2:
                break
            if members > 2 or settings.show_verdicts:
                self._verify(members, criteria, prompt + length)
            shown = prompt + 2 * length + criteria * CRITERION_CHARACTERS
            criteria += GROWTH
            self.proposer.add(1, self._rtd + shown, criteria * ITEM_TOKENS)
            members -= 2 * settings.exclude_used
        if settings.final_scores and pool.responses:
            length = sum(len(r.text) for r in pool.responses) / len(pool.responses)
            self._verify(len(pool.responses), criteria, prompt + length)

    def _verify(self, responses: int, criteria: int, text: float) -> None:
        votes = self.asking.votes
        calls = len(self.asking.calls(range(criteria))) * votes
        each = criteria * votes / calls if calls else 0.0
        characters = self._verifier + text + each * (CRITERION_CHARACTERS + CRITERION_MARK)
        self.verifier.add(responses * calls, characters, each * VERDICT_TOKENS)


def _undecided(rubric: Rubric) -> int:
    """Return how many criteria a model would have to decide."""
    return sum(criterion.check is None for criterion in rubric.criteria)


def estimate(invocation: Invocation) -> tuple[Estimate, Intake]:
    """Return what the run would need and what its input holds; nothing is sent or kept.

    Raises:
        InputError: the input or a setting is wrong.

    """
    intake, needed = Intake(), Estimate(invocation)
    with tempfile.TemporaryDirectory(prefix="uppertail-") as scratch:
        for task, _ in tasks(invocation, intake, Path(scratch)):
            if task.start is not None or invocation.command == "refine":
                needed.add(task.pool, task.start)
    intake.refuse(invocation)
    return needed, intake


def print_estimate(invocation: Invocation) -> int:
    """Print what the run would need as a table, or as JSON."""
    needed, intake = estimate(invocation)
    rows = {
        role: _row(invocation, name, need)
        for role, name, need in (
            ("proposer", _name(invocation.method, invocation), needed.proposer),
            ("verifier", invocation.verify.verifier, needed.verifier),
        )
        if need.calls
    }
    if invocation.run.json:
        print(json.dumps({"prompts": intake.prompts, "responses": intake.responses, **rows}))
        return 0
    table = Table(title=f"{intake.prompts} prompts, {intake.responses} responses would need")
    for head in ("role", "model", "calls", "prompt tokens", "completion tokens", "usd"):
        table.add_column(head, justify="left" if head in ("role", "model") else "right")
    for role, row in rows.items():
        table.add_row(role, *(Text(_cell(value)) for value in row.values()))
    console = Console()
    console.print(table)
    for note in intake.notes(invocation):
        console.print(f"note: {note}", highlight=False, markup=False)
    console.print(
        "Estimated with four characters to a token; re-asks, retries, reasoning tokens and "
        "second proposals under --accept come on top, reused verdicts and prefix caching come off. Nothing was sent.",
        highlight=False,
    )
    return 0


def _name(method: MethodOptions, invocation: Invocation) -> str:
    return method.proposer if invocation.command == "refine" else "given"


def _row(invocation: Invocation, name: str, need: Need) -> dict[str, object]:
    price = _price(invocation, name)
    return {
        "model": name,
        "calls": 0 if name == OFFLINE else need.calls,
        "prompt_tokens": 0 if name == OFFLINE else need.usage.prompt_tokens,
        "completion_tokens": 0 if name == OFFLINE else need.usage.completion_tokens,
        "usd": 0.0 if name == OFFLINE else price and price.cost(need.usage),
    }


def _price(invocation: Invocation, name: str) -> Price | None:
    return None if name == OFFLINE else price_of(model_config(name, invocation.run))


def _cell(value: object) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, float):
        return f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
