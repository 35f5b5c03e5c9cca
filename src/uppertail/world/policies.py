"""Who writes responses, and how well."""

from __future__ import annotations

from dataclasses import dataclass

from uppertail.errors import InputError
from uppertail.world.chance import check_chances


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who writes responses."""

    name: str
    """Part of every response's id, and of the seed of its draws."""
    ability: float = 1.5
    """θ, on the scale of the difficulties."""
    spread: float = 0.0
    """Standard deviation of the policy's own biases b_k, drawn anew for each prompt."""
    style: float = 0.5
    """Chance of each style feature in a response of the policy's average quality, in (0, 1).
    Near 1 with a low ability is a policy that hacks: style raised without quality."""
    style_follows_quality: float = 0.0
    """How far a response one standard deviation better than the policy's average moves the
    log-odds of each style feature. An off-policy artefact where the policy under training
    has 0."""
    padding: float = 0.0
    """Chance that a response is padded to twice its length with nothing."""
    near_duplicates: float = 0.0
    """Chance that a sample repeats the one before it almost word for word."""

    def __post_init__(self) -> None:
        """Refuse what is no probability.

        Raises:
            InputError: a chance is out of range; the message names it.
        """
        if not 0 < self.style < 1:
            raise InputError(
                f"expected more than 0 and less than 1, not {self.style}", field="style"
            )
        check_chances(self, "padding", "near_duplicates")


GOOD = Policy(name="good", ability=0.5)
GREAT = Policy(name="great", ability=2.0)
DIVERSE = tuple(
    Policy(name=f"diverse-{i + 1:02}", ability=1.2 + (i + 0.5) / 16, spread=1.2) for i in range(16)
)
"""Sixteen policies of abilities 1.2 to 2.2, each with its own strengths on each prompt."""
HIGH = Policy(name="high", ability=1.5)
"""The policy under training, near the top."""
LOW = Policy(name="low", ability=-1.5)
"""The policy before training."""
HACKER = Policy(name="hacker", ability=1.0, style=0.95, padding=1.0)
"""A policy that learned to please: more style and length than `HIGH`, less quality."""
