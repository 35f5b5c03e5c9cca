"""What may be said on the command line, one class a topic, and what each word means.

Options are plain values, so that a run stores its whole invocation and `uppertail resume`
reads it back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from uppertail.errors import InputError
from uppertail.refine.settings import PRESETS, Acceptance, Prefer, Preset, Settings
from uppertail.score import Aggregation

METHOD = Group("Method", sort_key=1)
MODELS = Group("Models", sort_key=2)
VERIFYING = Group("Verifying", sort_key=3)
RUN = Group("Run", sort_key=4)


@Parameter(name="*", group=RUN)
@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Where a run lives, how fast it goes, when it stops."""

    out: str | None = None
    """Run folder; made if missing, resumed if there. Default: runs/COMMAND-INPUT."""
    at_once: int = 256
    """Prompts in work at a time. Memory grows with this number, not with the input."""
    concurrency: int | None = None
    """Most calls in flight to each model; overrides the models file."""
    budget_usd: float | None = None
    """Stop cleanly, resumably, before the run's calls cost more than this."""
    models_file: str | None = None
    """TOML file with endpoints, limits and prices of models; see docs/models.md."""
    cache: str | None = None
    """SQLite file of verdicts to share with other runs (modes `chunks` and `single`)."""
    dry_run: bool = False
    """Print the calls and tokens that the run would need, and send nothing."""
    json: bool = False
    """Print the summary as one JSON object on standard output, for programs."""

    def __post_init__(self) -> None:
        """Refuse numbers that could not mean anything.

        Raises:
            InputError: a number is below 1; the message names the option.

        """
        for option, value in (("--at-once", self.at_once), ("--concurrency", self.concurrency)):
            if value is not None and value < 1:
                raise InputError(f"{option} must be 1 or more, not {value}")


@Parameter(name="*", group=VERIFYING)
@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """Who decides criteria, and how they are asked."""

    verifier: Annotated[str, Parameter(group=MODELS)] = "offline"
    """Who decides criteria: `offline`, `provider/model`, or `model@http://host:port/v1`."""
    verifier_mode: Literal["whole", "chunks", "single"] = "whole"
    """All criteria in one call (paper), `--chunk` criteria a call, or one a call. In the
    last two a verdict is reused wherever criterion, response and verifier are the same."""
    chunk: int = 5
    """Criteria a call in mode `chunks`."""
    template_order: Literal["prefix", "paper"] = "prefix"
    """What comes last in the verifier's prompt: what varies most among calls that follow
    each other, so that a server's prefix cache serves them; or the paper's order."""
    votes: int = 1
    """Independent verdicts of each criterion; the majority counts, a tie is unscored."""
    reasons: bool = False
    """Ask for a reason before each verdict."""
    verifier_temperature: float = 0.0
    """Above 0 where there are several votes."""
    verifier_template: str | None = None
    """Your own verifier template; see docs/templates.md."""
    aggregation: Aggregation = "weighted"
    """How verdicts become a score; `weighted` is the paper's."""
    min_answered: float = 1.0
    """Least share of a rubric's weight that must be answered for a score to exist."""


@Parameter(name="*", group=METHOD)
@dataclass(frozen=True, slots=True, kw_only=True)
class MethodOptions:
    """How rubrics are refined."""

    proposer: Annotated[str, Parameter(group=MODELS)] = "offline"
    """Who writes rubrics: `offline`, `provider/model`, or `model@http://host:port/v1`."""
    preset: Preset = "four-great-diverse"
    """Rounds and pool size of the paper's variants, or `better` for ours; see docs/results.md.
    The pool itself is your input."""
    rounds: int | None = None
    """Rounds of refinement; overrides the preset."""
    pool_size: int | None = None
    """Most candidates of a prompt that take part, a seeded draw; overrides the preset."""
    sources: tuple[str, ...] = ()
    """Only responses of these models take part in refinement."""
    rubrics: str | None = None
    """Start from the rubrics in this file or run instead of writing initial ones."""
    prefer: Prefer = "top"
    """Which pair is contrasted: the two best (paper), two that tie, or the two best that
    are least alike."""
    exclude_used: bool = False
    """Take a contrasted pair out of the pool, as the paper's later code does."""
    skip_duplicates: bool = False
    """Leave near-duplicate responses out of refinement."""
    show_verdicts: bool = False
    """Show the proposer what the current criteria gave for the pair."""
    tell_preference: bool = False
    """Tell the proposer which of the pair carries the higher label."""
    accept: bool = False
    """Keep the parent where a refined rubric is oversized, does not separate its pair, or
    contradicts labels. Off in the paper."""
    max_criteria: int = 40
    """Most criteria of a rubric under `--accept`."""
    proposer_temperature: float = 0.0
    """Of every proposal; models that take no temperature are asked without."""
    weights: tuple[float, ...] = (1.0, 2.0, 3.0)
    """Weights that the proposer may give; 1, 2 and 3 in the paper."""
    initial_template: str | None = None
    """Your own template for initial rubrics; see docs/templates.md."""
    refine_template: str | None = None
    """Your own template for refinement; see docs/templates.md."""
    seed: int = 0
    """Of every random choice: pools, ties, order of pairs."""
    final_scores: Annotated[bool, Parameter(negative="--no-final-scores")] = True
    """Score every response with the final rubric."""


def settings(method: MethodOptions, verify: VerifyOptions) -> Settings:
    """Return the settings of the refinement loop that the options ask for.

    Raises:
        InputError: an option is out of range.

    """
    preset = PRESETS[method.preset]
    return replace(
        preset,
        rounds=preset.rounds if method.rounds is None else method.rounds,
        pool_size=preset.pool_size if method.pool_size is None else method.pool_size,
        sources=method.sources,
        skip_duplicates=method.skip_duplicates,
        prefer=method.prefer,
        exclude_used=preset.exclude_used or method.exclude_used,
        show_verdicts=method.show_verdicts,
        tell_preference=method.tell_preference,
        accept=Acceptance(max_criteria=method.max_criteria) if method.accept else None,
        final_scores=method.final_scores,
        aggregation=verify.aggregation,
        min_answered=verify.min_answered,
        seed=method.seed,
    )
