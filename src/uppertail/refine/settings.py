"""How a refinement runs: the paper's five variants, and what may be set freely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from uppertail.errors import InputError
from uppertail.score import Aggregation

Prefer = Literal["top", "tied", "different"]
Preset = Literal[
    "initial", "one-good-pair", "one-great-pair", "four-great", "four-great-diverse", "better"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What a refined rubric must show before it replaces its parent. Not in the paper."""

    max_criteria: int = 40
    """Most criteria that a rubric may have. Published rubrics reach 37 (spec B.6)."""
    separate: bool = True
    """Give the contrasted pair two different scores."""
    respect_labels: bool = True
    """Put no more labelled responses in the wrong order than the parent does."""
    retries: int = 1
    """How often the proposer is asked again, and told why it was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one prompt is refined. The defaults are the paper's "4 great & diverse pairs"."""

    rounds: int = 4
    """Rounds of refinement; 0 keeps the initial rubric."""
    pool_size: int | None = 16
    """Most candidates that take part, a seeded draw where there are more; None takes all."""
    sources: tuple[str, ...] = ()
    """Only responses of these models take part in refinement; empty means all."""
    skip_duplicates: bool = False
    """Leave out responses that nearly repeat an earlier one of their pool."""
    prefer: Prefer = "top"
    """Which pair is contrasted: the two best (paper); two that tie at the best tied level;
    of all pairs that have the two best scores, the one least alike."""
    exclude_used: bool = False
    """Take a contrasted pair out of the pool. The paper's algorithm does not; its later
    code does (spec B.4)."""
    shuffle_pair: bool = True
    """Show the pair in a seeded random order, so that place tells nothing."""
    show_verdicts: bool = False
    """Show the proposer what the current criteria gave for the pair."""
    tell_preference: bool = False
    """Tell the proposer which response carries the higher label, where labels differ."""
    accept: Acceptance | None = None
    """Checks before a refined rubric replaces its parent; None accepts it (paper)."""
    final_scores: bool = True
    """Score every response of the pool with the final rubric."""
    aggregation: Aggregation = "weighted"
    min_answered: float = 1.0
    """Least share of the weight that must be answered for a score to exist, in (0, 1]."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that could not mean anything.

        Raises:
            InputError: a value is out of range; the message names the setting.
        """
        if self.rounds < 0:
            raise InputError(f"rounds must be 0 or more, not {self.rounds}")
        if self.pool_size is not None and self.pool_size < 2:
            raise InputError(f"pool size must be 2 or more, not {self.pool_size}")
        if not 0 < self.min_answered <= 1:
            raise InputError(f"min answered must be in (0, 1], not {self.min_answered}")


PRESETS: dict[Preset, Settings] = {
    "initial": Settings(rounds=0, pool_size=None),
    "one-good-pair": Settings(rounds=1, pool_size=2),
    "one-great-pair": Settings(rounds=1, pool_size=2),
    "four-great": Settings(rounds=4, pool_size=16),
    "four-great-diverse": Settings(rounds=4, pool_size=16),
    "better": Settings(rounds=7, pool_size=14, exclude_used=True),
}
"""The paper's variants (arXiv 2509.21500, section 4.2; spec B.4), and one of ours.

Which models fill the pool is the other half of a variant: see `uppertail.sample.presets`.
"better" spends the calls that the used pairs no longer need on more rounds: 62 calls a prompt
without final scores, not 69. In the simulated world it ranks 4 points more of the high pairs
right than the paper's preset (docs/results.md); it was not measured with real models.
"""
