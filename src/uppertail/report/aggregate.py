"""What one prompt contributes to a run's figures. Pure; sums of these are the report.

Unscored responses take no part in any figure but the unscored share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, sqrt
from typing import Final, NamedTuple

from uppertail.refine.result import Refinement, Scored
from uppertail.types import Criterion, Pool, Score, Verdict

SCORE_BINS: Final = 20
"""Equal bins of [0, 1); one more bin holds the scores that are exactly 1."""
RATE_BINS: Final = 10
"""Equal bins of (0, 1); one more on either side holds exactly 0 and exactly 1."""
Z: Final = 1.959964
"""97.5 % point of the normal distribution, for 95 % intervals."""


class Standing(StrEnum):
    """How the two best scores of a pool stand to each other."""

    SEPARATED = "separated"
    TIED = "tied"
    UNDECIDED = "undecided"
    """Fewer than two responses have a score."""


def ranked(scores: Iterable[Score]) -> tuple[float, ...]:
    """Return the values of the scores that exist, highest first."""
    return tuple(sorted((s.value for s in scores if s.value is not None), reverse=True))


def top_gap(values: tuple[float, ...]) -> float | None:
    """Return the difference of the two best of `ranked` values; None where there are not two."""
    return values[0] - values[1] if len(values) > 1 else None


def standing(values: tuple[float, ...]) -> Standing:
    """Return whether the two best of `ranked` values are tied: equal to the last bit.

    `uppertail.score` sums so that equal sums are equal numbers whatever their order.
    """
    gap = top_gap(values)
    if gap is None:
        return Standing.UNDECIDED
    return Standing.SEPARATED if gap > 0 else Standing.TIED


def share(part: float, whole: float) -> float | None:
    """Return `part / whole`; None where there is nothing to take a share of."""
    return part / whole if whole else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStats:
    """Scores of a set of pools under the rubrics of one step. Adds up over prompts."""

    prompts: int = 0
    separated: int = 0
    """Pools whose two best scores differ."""
    tied: int = 0
    """Pools whose two best scores are equal."""
    spread_sum: float = 0.0
    """Sum over decided pools of highest minus lowest score."""
    levels_sum: int = 0
    """Sum over decided pools of the number of distinct scores."""
    responses: int = 0
    unscored: int = 0
    """Part of `responses` that has no score."""
    bins: tuple[int, ...] = (0,) * (SCORE_BINS + 1)
    """Scores by value; see `SCORE_BINS`."""

    def __add__(self, other: StepStats) -> StepStats:
        """Return the figures of both sets of pools."""
        return StepStats(
            prompts=self.prompts + other.prompts,
            separated=self.separated + other.separated,
            tied=self.tied + other.tied,
            spread_sum=self.spread_sum + other.spread_sum,
            levels_sum=self.levels_sum + other.levels_sum,
            responses=self.responses + other.responses,
            unscored=self.unscored + other.unscored,
            bins=tuple(a + b for a, b in zip(self.bins, other.bins, strict=True)),
        )

    @property
    def decided(self) -> int:
        """Pools with at least two scores."""
        return self.separated + self.tied

    @property
    def undecided(self) -> int:
        """Pools with fewer than two scores."""
        return self.prompts - self.decided

    @property
    def tied_share(self) -> float | None:
        """Share of decided pools whose two best are tied, in [0, 1]."""
        return share(self.tied, self.decided)

    @property
    def separated_share(self) -> float | None:
        """Share of decided pools whose two best differ, in [0, 1]."""
        return share(self.separated, self.decided)

    @property
    def mean_spread(self) -> float | None:
        """Mean over decided pools of highest minus lowest score, in [0, 1]."""
        return share(self.spread_sum, self.decided)

    @property
    def mean_levels(self) -> float | None:
        """Mean over decided pools of the number of distinct scores, at least 1."""
        return share(self.levels_sum, self.decided)

    @property
    def unscored_share(self) -> float | None:
        """Share of responses without a score, in [0, 1]."""
        return share(self.unscored, self.responses)


def step_stats(scores: Iterable[Score]) -> StepStats:
    """Return the figures of one pool."""
    scores = tuple(scores)
    values = ranked(scores)
    where = standing(values)
    decided = where is not Standing.UNDECIDED
    bins = [0] * (SCORE_BINS + 1)
    for value in values:
        bins[int(value * SCORE_BINS)] += 1
    return StepStats(
        prompts=1,
        separated=int(where is Standing.SEPARATED),
        tied=int(where is Standing.TIED),
        spread_sum=values[0] - values[-1] if decided else 0.0,
        levels_sum=len(set(values)) if decided else 0,
        responses=len(scores),
        unscored=len(scores) - len(values),
        bins=tuple(bins),
    )


def steps(refinement: Refinement) -> tuple[Mapping[str, Score], ...]:
    """Return the scores by response id as each round began, and under the final rubric.

    The last step holds the responses that took part in the first round, where that round
    scored any, so that before and after speak of the same pool; else all that were scored.
    """
    before = tuple(round.scores for round in refinement.rounds)
    final = {item.response_id: item.score for item in refinement.scored}
    if before and before[0]:
        final = {key: score for key, score in final.items() if key in before[0]}
    return (*before, final)


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionStats:
    """How the responses of one pool fared on one criterion of the final rubric."""

    criterion: Criterion
    initial: bool
    """Whether the initial rubric held it already, in the same words."""
    weight_share: float
    """Its part of the rubric's absolute weight, in (0, 1]."""
    met: int
    decided: int
    """Responses with a verdict."""
    top_met: int
    """Of the better half of the scored responses, those that met it."""
    top_decided: int

    @property
    def pass_rate(self) -> float | None:
        """Share of decided responses that met it, in [0, 1]."""
        return share(self.met, self.decided)

    @property
    def top_rate(self) -> float | None:
        """The pass rate among the better half, in [0, 1]."""
        return share(self.top_met, self.top_decided)

    @property
    def top_balance(self) -> float:
        """How evenly it splits the better half: 0 not at all, 1 into equal parts."""
        rate = self.top_rate
        return 0.0 if rate is None else 2 * min(rate, 1 - rate)


def better_half(scored: Iterable[Scored]) -> frozenset[str]:
    """Return the ids of the better half of the scored responses, ties at its border included."""
    valued = [(s.score.value, s.response_id) for s in scored if s.score.value is not None]
    if not valued:
        return frozenset()
    border = sorted((value for value, _ in valued), reverse=True)[ceil(len(valued) / 2) - 1]
    return frozenset(key for value, key in valued if value >= border)


def criterion_stats(refinement: Refinement) -> tuple[CriterionStats, ...]:
    """Return one figure a criterion of the final rubric; empty where nothing was scored."""
    rubric = refinement.final
    if rubric is None or not refinement.scored:
        return ()
    top = better_half(refinement.scored)
    start = {criterion.id for criterion in refinement.rubrics[0].criteria}
    weight = sum(abs(criterion.weight) for criterion in rubric.criteria)
    found = []
    for place, criterion in enumerate(rubric.criteria):
        verdicts = {
            item.response_id: outcome.met
            for item in refinement.scored
            if isinstance(outcome := item.outcomes[place], Verdict)
        }
        among_top = [met for key, met in verdicts.items() if key in top]
        found.append(
            CriterionStats(
                criterion=criterion,
                initial=criterion.id in start,
                weight_share=abs(criterion.weight) / weight,
                met=sum(verdicts.values()),
                decided=len(verdicts),
                top_met=sum(among_top),
                top_decided=len(among_top),
            )
        )
    return tuple(found)


def rate_bin(stats: CriterionStats) -> int | None:
    """Return the bin of a criterion's pass rate: 0 for none, `RATE_BINS + 1` for all."""
    if not stats.decided:
        return None
    if stats.met == 0:
        return 0
    if stats.met == stats.decided:
        return RATE_BINS + 1
    return 1 + stats.met * RATE_BINS // stats.decided


class Asked(NamedTuple):
    """How many final scores were asked for, and how many of them do not exist."""

    responses: int
    unscored: int


def asked(pool: Pool, refinement: Refinement) -> Asked:
    """Return the final scores of the whole pool.

    A prompt without a rubric leaves its whole pool unscored. A prompt with a rubric and
    no scores was not asked for any.
    """
    if refinement.final is None:
        return Asked(len(pool.responses), len(pool.responses))
    missing = sum(item.score.value is None for item in refinement.scored)
    return Asked(len(refinement.scored), missing)


class Interval(NamedTuple):
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float


def paired_share_change(*, gained: int, lost: int, pairs: int) -> Interval | None:
    """Return the change of a share between two looks at the same prompts, in [-1, 1].

    Value: (gained - lost) / pairs. Interval: Wald's for matched pairs after half a prompt
    is added to each of the four cells, which keeps its coverage with few prompts.

    Source:
        Agresti and Min (2005), Statistics in Medicine 24(5).

    """
    if not pairs:
        return None
    size, b, c = pairs + 2, gained + 0.5, lost + 0.5
    centre = (b - c) / size
    reach = Z * sqrt((b + c) - (b - c) ** 2 / size) / size
    low, high = max(-1.0, centre - reach), min(1.0, centre + reach)
    return Interval((gained - lost) / pairs, low, high)
