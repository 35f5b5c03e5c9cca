"""The values of a tail report. Every field is plain, so that the report is JSON as it stands."""

from __future__ import annotations

from dataclasses import dataclass

from uppertail.evaluate.tail.figure import Figure
from uppertail.evaluate.tail.spread import Retest, Spread
from uppertail.evaluate.tail.surface import Dependence


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Pairs of responses of different gold, in one part of the gold distribution."""

    low: float
    """Gold quantiles of the part, in [0, 1]."""
    high: float
    pairs: int
    right: Figure
    """Share that the reward orders rightly."""
    tied: Figure
    """Share to which it gives one reward: a ceiling on what optimising can reach."""
    inverted: Figure
    """Share that it orders wrongly: what makes a policy collapse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """The tilted policy at one KL."""

    kl: float
    win_rate: Figure
    perfect: float | None
    """Win rate of a reward equal to gold, on the same responses."""
    worst: float
    """Win rate of a reward with the same share of right pairs whose every error is at the
    top: the best c of responses reversed, c = sqrt(1 - share). In the limit of many samples."""
    length: Figure
    """Mean length over the base policy's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOfN:
    """Best-of-n by the reward."""

    n: int
    kl: float
    """ln n - (n - 1)/n; less where rewards tie."""
    prompts: int
    """Prompts with more than n responses, which it is measured on."""
    win_rate: Figure
    gold: Figure
    """Mean gold of the chosen response, on gold's own scale."""
    perfect_gold: float | None
    """The same when gold itself chooses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakOf:
    """Where the predicted win rate is highest.

    The last nat before `kl_limit` is not searched: fewer than three responses a prompt speak
    for it.
    """

    kl: Figure
    win_rate: Figure
    lost: Figure
    """How much lower it is at worst beyond the peak."""
    falls: bool
    """Whether it falls after the maximum at all. If not, `kl` is only where it stops rising."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOf:
    """The misspecification map: mean gold quantile by quantile of the reward."""

    gold: tuple[Figure, ...]
    """In equal bins from the lowest rewards to the highest."""
    rising: float
    """Share of steps from bin to bin that rise; 1 for a monotone map."""
    turn: float
    """Quantile of the reward above which gold no longer rises: middle of the highest bin."""
    drop: Figure
    """How much lower the last bin is than the highest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainstGold:
    """One reward measured against gold."""

    name: str
    pairs: Region
    """All pairs."""
    tops: tuple[Region, ...]
    """Pairs among the best half, quarter and tenth of each prompt."""
    bins: tuple[Region, ...]
    """Pairs by the mean of their gold quantiles."""
    map: MapOf
    curve: tuple[CurvePoint, ...]
    kl_limit: float
    """Mean KL of the strongest tilt, in nats: as far as the samples and ties let see."""
    peak: PeakOf
    best_of_n: tuple[BestOfN, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first reward minus the second, on the same responses and the same resamples."""

    right: Figure
    top_right: Figure
    """Among the best quarter of each prompt."""
    win_rate: tuple[tuple[float, Figure], ...]
    """By KL."""
    peak_kl: Figure
    peak_win_rate: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """What the headline would be if the unscored responses had been given a number."""

    name: str
    right: float | None
    win_rate: float | None
    """At KL 1."""
    peak_kl: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What the table held, and what of it was used."""

    responses: int
    prompts: int
    unscored: int
    """Responses without a reward."""
    unlabelled: int
    """Responses without gold; all of them if there is no gold."""
    lone_prompts: int
    """Prompts with one usable response, which were left out of everything against gold."""
    used_responses: int
    used_prompts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TailReport:
    """How far a reward can be trusted and optimised."""

    source: str
    reward: str
    rows: Rows
    spread: Spread
    retest: Retest | None
    measured: AgainstGold | None
    """None without gold, or where the reward never differs within a prompt."""
    compared: AgainstGold | None
    difference: Difference | None
    dependence: tuple[Dependence, ...]
    sensitivity: tuple[Treatment, ...]
    """Empty where nothing was unscored."""
    resamples: int
    seed: int
    notes: tuple[str, ...]
    """What the figures cannot say here, in sentences."""
