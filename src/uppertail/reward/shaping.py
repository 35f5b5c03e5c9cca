"""From rewards to rewards: gates, all-or-nothing, saturation, comparison within the group.

Every shape keeps two promises. What is unscored stays unscored. And an outcome that nobody
could decide never gives its rollout a higher reward than any decision would have given:
it counts as what is worse, or makes the rollout unscored where the worse and the better
answer lie far apart.

The weighted mean and negative points need no shape: they are the score itself (see
`uppertail.score`), and `Identity` passes it on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, isfinite
from typing import Protocol

from msgspec.structs import replace

from uppertail.errors import InputError
from uppertail.score.interface import Judged, Reward
from uppertail.types import Verdict


class Shape(Protocol):
    """Makes rewards of rewards."""

    @property
    def name(self) -> str:
        """What it does, in a word or two, with its settings."""
        ...

    def __call__(self, rewards: Sequence[Reward], groups: Sequence[str]) -> tuple[Reward, ...]:
        """Return one reward for each of `rewards`, in the same order.

        Args:
            rewards: of one batch.
            groups: the group of each of them.
        """
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """Passes rewards on: the score, a weighted mean with negative points, is the reward.

    Source: arXiv 2509.21500, section 2; negative points as in HealthBench, arXiv 2505.08775.
    """

    name: str = "identity"

    def __call__(self, rewards: Sequence[Reward], groups: Sequence[str]) -> tuple[Reward, ...]:
        """Return the rewards as they are."""
        return tuple(rewards)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Caps the reward of a rollout that breaks a hard rule: min(value, cap).

    A hard rule is broken where it is not met, or met if its weight is negative. A hard rule
    that nobody decided makes the rollout unscored, unless the reward is no higher than the
    cap anyway or another hard rule is broken for certain.

    Source: users ask for must-haves that veto (OpenJudge pull request 188); the veto of
    "Reinforcement Learning with Rubric Anchors", arXiv 2508.12790, is a cap of 0.
    """

    cap: float = 0.0

    def __post_init__(self) -> None:
        _finite("cap", self.cap)

    @property
    def name(self) -> str:
        """The cap."""
        return f"gate={self.cap:g}"

    def __call__(self, rewards: Sequence[Reward], groups: Sequence[str]) -> tuple[Reward, ...]:
        """Return the rewards, capped where a hard rule is broken."""
        return tuple(self._one(reward) for reward in rewards)

    def _one(self, reward: Reward) -> Reward:
        if reward.value is None or reward.value <= self.cap:
            return reward
        rules = [fulfilled(j) for j in reward.judged if j.criterion.kind == "hard_rule"]
        if False in rules:
            return replace(reward, value=self.cap)
        return _without(reward, "a hard rule is undecided") if None in rules else reward


@dataclass(frozen=True, slots=True)
class AllOrNothing:
    """Gives 1 where every merit is there and no fault is, else 0; rubrics only.

    One criterion that is not fulfilled decides 0 whatever else is undecided; otherwise an
    undecided one makes the rollout unscored.

    Source: the strict prompt-level accuracy of IFEval, arXiv 2311.07911.
    """

    name: str = "all-or-nothing"

    def __call__(self, rewards: Sequence[Reward], groups: Sequence[str]) -> tuple[Reward, ...]:
        """Return 1, 0 or unscored; rewards that no rubric decided stay as they are."""
        return tuple(self._one(reward) for reward in rewards)

    def _one(self, reward: Reward) -> Reward:
        if reward.value is None or not reward.judged:
            return reward
        states = [fulfilled(judged) for judged in reward.judged]
        if False in states:
            return replace(reward, value=0.0)
        return _without(reward, "a criterion is undecided") if None in states else _one_of(reward)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saturation:
    """Weighs each criterion by how much it tells the rollouts of the group apart.

    With p the share of the group's scored rollouts that meet criterion k of weight w, its
    weight becomes w (floor + (1 - floor) 4 p (1 - p)): full where half meet it, `floor` of
    it where all or none do. The reward is the weighted share of points under these weights,
    clipped to [0, 1]. The floor keeps the scale from depending on a single criterion.

    Where a score exists although an outcome is undecided, it counts as what is worse, as in
    the score itself. Rewards that no rubric decided stay as they are.

    Source: ours; 4 p (1 - p) is the variance of a pass, scaled to 1. arXiv 2508.12790 names
    the problem and flattens single dimensions, arXiv 2605.30244 works against it within the
    group; this formula is neither's.
    """

    floor: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.floor <= 1:
            raise InputError(
                f"expected more than 0 and at most 1, found {self.floor!r}", field="floor"
            )

    @property
    def name(self) -> str:
        """The floor."""
        return f"saturation={self.floor:g}"

    def __call__(self, rewards: Sequence[Reward], groups: Sequence[str]) -> tuple[Reward, ...]:
        """Return the rewards under weights that fit each group."""
        shaped = list(rewards)
        for places in places_by_group(groups).values():
            judged = [i for i in places if rewards[i].value is not None and rewards[i].judged]
            factors = self._factors([rewards[i].judged for i in judged])
            for i in judged:
                shaped[i] = replace(rewards[i], value=_share(rewards[i].judged, factors))
        return tuple(shaped)

    def _factors(self, group: Sequence[Sequence[Judged]]) -> dict[str, float]:
        """Return what is left of each criterion's weight, by criterion id."""
        asked: dict[str, int] = {}
        met: dict[str, int] = {}
        for sheet in group:
            for judged in sheet:
                id = judged.criterion.id
                asked[id] = asked.get(id, 0) + 1
                met[id] = met.get(id, 0) + _holds(judged)
        rates = {id: met[id] / count for id, count in asked.items()}
        return {id: self.floor + (1 - self.floor) * 4 * p * (1 - p) for id, p in rates.items()}


@dataclass(frozen=True, slots=True)
class GroupRank:
    """Gives the share of the group's other scored rollouts that are worse, ties half.

    In [0, 1], whatever scale the scores have. A rollout with nothing to be compared with is
    unscored.

    Source: ours; it is the mid-rank of any textbook, scaled to [0, 1].
    """

    name: str = "rank"

    def __call__(self, rewards: Sequence[Reward], groups: Sequence[str]) -> tuple[Reward, ...]:
        """Return the ranks."""
        return _within_groups(rewards, groups, _ranks)


@dataclass(frozen=True, slots=True)
class GroupCentred:
    """Gives the distance from the mean of the group's scored rollouts.

    Not divided by their standard deviation, which would weigh prompts by how little their
    rollouts differ. A rollout with nothing to be compared with is unscored.

    Source: the advantage of Dr. GRPO, arXiv 2503.20783.
    """

    name: str = "centred"

    def __call__(self, rewards: Sequence[Reward], groups: Sequence[str]) -> tuple[Reward, ...]:
        """Return the distances."""
        return _within_groups(rewards, groups, _centred)


@dataclass(frozen=True, slots=True)
class Chain:
    """Applies shapes one after the other."""

    shapes: tuple[Shape, ...]

    @property
    def name(self) -> str:
        """The names of the shapes, in order."""
        return ",".join(shape.name for shape in self.shapes)

    def __call__(self, rewards: Sequence[Reward], groups: Sequence[str]) -> tuple[Reward, ...]:
        """Return what the last shape makes of what the others made."""
        shaped = tuple(rewards)
        for shape in self.shapes:
            shaped = shape(shaped, groups)
        return shaped


def shape_named(text: str) -> Shape:
    """Return the shape that `text` names: `gate=0.2,rank` is a gate and then ranks.

    Raises:
        InputError: a name or a number means nothing.
    """
    shapes = tuple(_named(word.strip()) for word in text.split(","))
    return shapes[0] if len(shapes) == 1 else Chain(shapes)


def fulfilled(judged: Judged) -> bool | None:
    """Return whether a merit is there or a fault is not; None where nobody decided."""
    if not isinstance(judged.outcome, Verdict):
        return None
    return judged.outcome.met == (judged.criterion.weight > 0)


def places_by_group(groups: Sequence[str]) -> Mapping[str, Sequence[int]]:
    """Return the positions of each group's members, groups in order of first appearance."""
    places: dict[str, list[int]] = {}
    for place, group in enumerate(groups):
        places.setdefault(group, []).append(place)
    return places


def _named(word: str) -> Shape:
    name, _, number = word.partition("=")
    plain: Mapping[str, Shape] = {
        shape.name: shape for shape in (Identity(), AllOrNothing(), GroupRank(), GroupCentred())
    }
    if name in plain and not number:
        return plain[name]
    if name == "gate":
        return Gate(cap=_number(number)) if number else Gate()
    if name == "saturation":
        return Saturation(floor=_number(number)) if number else Saturation()
    known = ", ".join((*plain, "gate=CAP", "saturation=FLOOR"))
    raise InputError(f"expected one of {known}, found {word!r}", field="shape")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"expected a number, found {text!r}", field="shape") from None


def _finite(field: str, value: float) -> None:
    if not isfinite(value):
        raise InputError(f"expected a finite number, found {value!r}", field=field)


def _without(reward: Reward, why: str) -> Reward:
    return replace(reward, value=None, why=why)


def _one_of(reward: Reward) -> Reward:
    return replace(reward, value=1.0)


def _holds(judged: Judged) -> bool:
    """Return the verdict, or what is worse for the response where there is none."""
    outcome = judged.outcome
    return outcome.met if isinstance(outcome, Verdict) else judged.criterion.weight < 0


def _share(sheet: Sequence[Judged], factors: Mapping[str, float]) -> float:
    weighed = [(j.criterion.weight * factors[j.criterion.id], _holds(j)) for j in sheet]
    attainable = fsum(weight for weight, _ in weighed if weight > 0)
    return min(1.0, max(0.0, fsum(weight for weight, met in weighed if met) / attainable))


class _Compare(Protocol):
    def __call__(self, values: Sequence[float]) -> Sequence[float]: ...


def _within_groups(
    rewards: Sequence[Reward], groups: Sequence[str], compare: _Compare
) -> tuple[Reward, ...]:
    """Return the rewards compared with the scored ones of their group."""
    shaped = list(rewards)
    for places in places_by_group(groups).values():
        scored = [(i, value) for i in places if (value := rewards[i].value) is not None]
        if len(scored) == 1:
            i = scored[0][0]
            shaped[i] = _without(rewards[i], "no other rollout of its group is scored")
            continue
        values = compare([value for _, value in scored])
        for (i, _), value in zip(scored, values, strict=True):
            shaped[i] = replace(rewards[i], value=value)
    return tuple(shaped)


def _ranks(values: Sequence[float]) -> Sequence[float]:
    others = len(values) - 1
    return [
        (sum(v < value for v in values) + (sum(v == value for v in values) - 1) / 2) / others
        for value in values
    ]


def _centred(values: Sequence[float]) -> Sequence[float]:
    mean = fsum(values) / max(1, len(values))
    return [value - mean for value in values]
