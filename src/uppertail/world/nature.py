"""What is true in the world: prompts, the qualities that count, and who writes how well.

Item-response theory in miniature: quality k of a prompt has difficulty d_k and weight w_k;
a policy of ability θ satisfies it with probability σ(θ − d_k − b_k), where b_k is the
policy's own bias on this prompt. Gold is the weighted mean of the satisfied qualities.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

from uppertail.errors import InputError
from uppertail.types import Pool, Prompt, Response
from uppertail.world.chance import logistic
from uppertail.world.lexicon import QUALITIES, STYLES, TRIVIA, Feature
from uppertail.world.policies import Policy
from uppertail.world.write import Traits, write

_PLOT = re.compile(r"\bplot no\. (\d+)", re.IGNORECASE)
_REWORKED = 0.03
"""Share of the qualities that a near-duplicate changes: one or two of forty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What counts for one prompt."""

    difficulties: tuple[float, ...]
    weights: tuple[int, ...]
    """1, 2 or 3, one a quality."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that is true, by seed: equal worlds hold equal prompts and responses.

    The defaults are those of the paper's specification in miniature: 40 qualities of
    difficulty N(0, 2) and weight 1 to 3.
    """

    seed: int = 0
    num_qualities: int = 40
    """Qualities of each prompt, 2 to 100."""
    difficulty_sd: float = 2.0

    def __post_init__(self) -> None:
        """Refuse a world that cannot be.

        Raises:
            InputError: the number of qualities is out of range.
        """
        if not 2 <= self.num_qualities <= len(QUALITIES):
            problem = f"expected 2 to {len(QUALITIES)}, not {self.num_qualities}"
            raise InputError(problem, field="num_qualities")

    @property
    def qualities(self) -> tuple[Feature, ...]:
        """The qualities that can count."""
        return QUALITIES[: self.num_qualities]

    def prompt(self, number: int) -> Prompt:
        """Return prompt `number`, from 0.

        Its text carries the number, so that a model of the world that reads the text knows
        what it is about.
        """
        text = (
            f"Our village has been given plot no. {number}, an empty lot by the old mill. Write"
            " a plan for turning it into a shared garden within a year. We are a few dozen"
            " volunteers with little money, and the council wants to see that we have thought"
            " of everything."
        )
        return Prompt.plain(text, id=f"plot-{number}")

    def truth(self, number: int) -> Truth:
        """Return the difficulties and weights of prompt `number`."""
        return _truth(self, number)

    def respond(self, number: int, policy: Policy, sample: int = 0) -> Response:
        """Return draw `sample` of `policy` for prompt `number`, without a label."""
        text = write(_traits(self, number, policy, sample), self.qualities)
        return Response(id=f"{policy.name}#{sample}", text=text, model=policy.name, sample=sample)

    def gold(self, number: int, text: str) -> float:
        """Return the quality of any text as a response to prompt `number`, in [0, 1]."""
        has = [quality.in_text(text) for quality in self.qualities]
        return weighted_mean(self.truth(number).weights, has)

    def pool(
        self,
        number: int,
        policies: Sequence[Policy],
        *,
        per_policy: int = 1,
        labelled: bool = False,
    ) -> Pool:
        """Return `per_policy` draws of each policy for prompt `number`.

        Args:
            number: which prompt.
            policies: who writes, in the pool's order.
            per_policy: samples of each.
            labelled: whether each response carries its gold as its label.
        """
        drawn = [self.respond(number, p, k) for p in policies for k in range(per_policy)]
        if labelled:
            drawn = [replace(r, label=self.gold(number, r.text)) for r in drawn]
        return Pool(prompt=self.prompt(number), responses=tuple(drawn))


def plot_number(text: str) -> int | None:
    """Return the number of the prompt that `text` quotes first, or None."""
    found = _PLOT.search(text)
    return int(found[1]) if found else None


def weighted_mean(weights: Sequence[int], has: Sequence[bool]) -> float:
    """Return the share of the total weight that is there."""
    return sum(w for w, h in zip(weights, has, strict=True) if h) / sum(weights)


@lru_cache(maxsize=64)
def _truth(world: World, number: int) -> Truth:
    random = Random(f"{world.seed}:{number}:truth")
    return Truth(
        difficulties=tuple(random.gauss(0, world.difficulty_sd) for _ in world.qualities),
        weights=tuple(random.randint(1, 3) for _ in world.qualities),
    )


def _traits(world: World, number: int, policy: Policy, sample: int) -> Traits:
    """Return what one draw has.

    Each choice has a random source of its own, so that no knob changes what another one
    leaves alone.
    """
    place = f"{world.seed}:{number}:{policy.name}"
    copy = Random(f"{place}:{sample}:copy")
    if sample and copy.random() < policy.near_duplicates:
        before = _traits(world, number, policy, sample - 1)
        has = tuple(h != (copy.random() < _REWORKED) for h in before.qualities)
        return replace(before, qualities=has)
    chances = _chances(world, number, policy)
    random = Random(f"{place}:{sample}")
    has = tuple(random.random() < chance for chance in chances)
    surplus = _standardised(world.truth(number).weights, chances, has)
    odds = math.log(policy.style / (1 - policy.style)) + policy.style_follows_quality * surplus
    random = Random(f"{place}:{sample}:form")
    return Traits(
        qualities=has,
        trivia=tuple(random.random() < 0.5 for _ in TRIVIA),
        styles=tuple(random.random() < logistic(odds) for _ in STYLES),
        padded=random.random() < policy.padding,
        wording=f"{place}:{sample}",
    )


def _chances(world: World, number: int, policy: Policy) -> list[float]:
    """Return the chance of each quality."""
    difficulties: Sequence[float] = world.truth(number).difficulties
    if policy.spread:
        own = Random(f"{world.seed}:{number}:{policy.name}:bias")
        difficulties = [d + own.gauss(0, policy.spread) for d in difficulties]
    return [logistic(policy.ability - d) for d in difficulties]


def _standardised(weights: Sequence[int], chances: Sequence[float], has: Sequence[bool]) -> float:
    """Return by how many standard deviations a draw beats the policy's mean gold."""
    surplus = sum(w * (h - p) for w, p, h in zip(weights, chances, has, strict=True))
    variance = sum(w * w * p * (1 - p) for w, p in zip(weights, chances, strict=True))
    return surplus / math.sqrt(variance)
