"""The figures of a run, summed prompt by prompt. Memory does not grow with the prompts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from uppertail.refine.result import Refinement, Status
from uppertail.report.aggregate import (
    RATE_BINS,
    CriterionStats,
    Interval,
    Standing,
    StepStats,
    asked,
    criterion_stats,
    paired_share_change,
    ranked,
    rate_bin,
    standing,
    step_stats,
    steps,
)
from uppertail.report.best import Best
from uppertail.types import Pool, Unscored, Why

MOST_REASONS: Final = 200
"""Distinct reasons of losses that are told apart; later ones are counted as "other"."""
REASON_CHARS: Final = 200
MOST_ROWS: Final = 8
"""Criteria in each of the two tables."""
OTHER: Final = "other reasons"

Flow = Counter[tuple[Standing, Standing]]
"""Prompts by how their two best stood at one step and at the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionRow:
    """A criterion worth showing, and the prompt that it belongs to."""

    position: int
    """The prompt's place in the input, from 1."""
    prompt_id: str
    stats: CriterionStats


@dataclass(slots=True, kw_only=True)
class CriteriaTally:
    """The criteria of the final rubrics of all prompts."""

    kept: list[int] = field(default_factory=lambda: [0] * (RATE_BINS + 2))
    """By pass rate, those that the initial rubric held already; bins of `rate_bin`."""
    added: list[int] = field(default_factory=lambda: [0] * (RATE_BINS + 2))
    """By pass rate, those that refinement wrote."""
    undecided: int = 0
    """Those that no response has a verdict on."""
    share_all: float = 0.0
    """Sum over prompts of the share of weight that every decided response met."""
    share_none: float = 0.0
    """Sum over prompts of the share of weight that no decided response met."""
    prompts: int = 0
    saturated: Best[CriterionRow] = field(default_factory=lambda: Best(MOST_ROWS))
    """Of those that every response met, the ones that take the most of their rubric's weight."""
    splitting: Best[CriterionRow] = field(default_factory=lambda: Best(MOST_ROWS))
    """Those that split the better half of their pool most evenly."""

    _seen: int = 0

    @property
    def total(self) -> int:
        """Number of criteria."""
        return sum(self.kept) + sum(self.added) + self.undecided

    @property
    def met_by_all(self) -> int:
        """Criteria that every decided response of their pool met."""
        return self.kept[-1] + self.added[-1]

    @property
    def met_by_none(self) -> int:
        """Criteria that no decided response of their pool met."""
        return self.kept[0] + self.added[0]

    def add(self, position: int, refinement: Refinement) -> None:
        """Count the criteria of one prompt's final rubric."""
        found = criterion_stats(refinement)
        self.prompts += bool(found)
        for stats in found:
            self._note(CriterionRow(position=position, prompt_id=refinement.prompt_id, stats=stats))
            place = rate_bin(stats)
            if place is None:
                self.undecided += 1
                continue
            (self.kept if stats.initial else self.added)[place] += 1
            self.share_none += stats.weight_share if place == 0 else 0.0
            self.share_all += stats.weight_share if place == RATE_BINS + 1 else 0.0

    def _note(self, row: CriterionRow) -> None:
        """Keep a criterion where it is among the most saturated or the most telling."""
        stats = row.stats
        self._seen += 1
        draw = stats.criterion.id
        if stats.decided > 1 and stats.met == stats.decided:
            self.saturated.put((stats.weight_share, draw, self._seen), row)
        if stats.top_decided > 1 and stats.top_balance > 0:
            size = stats.top_balance + stats.weight_share / 1000  # weight breaks ties of balance
            self.splitting.put((size, draw, self._seen), row)


@dataclass(slots=True, kw_only=True)
class Tally:
    """Everything that is counted. Feed it with `add`, in input order; read it at any time."""

    prompts: int = 0
    statuses: Counter[Status] = field(default_factory=Counter)
    rounds: list[StepStats] = field(default_factory=list)
    """Figures as each round began: index 0 is the initial rubric."""
    final: StepStats = field(default_factory=StepStats)
    """Figures under the final rubric, of the responses that took part in refinement."""
    paired: Flow = field(default_factory=Counter)
    """How the two best stood under the initial and under the final rubric."""
    outcomes: dict[int, Counter[str]] = field(default_factory=dict)
    """By round: how many proposals were accepted, refused, lost, skipped."""
    responses: int = 0
    """Responses whose final score was asked for."""
    unscored: int = 0
    """Part of `responses` that has none."""
    no_rubric: int = 0
    """Part of `unscored` whose prompt has no rubric."""
    criteria: CriteriaTally = field(default_factory=CriteriaTally)
    sizes_before: Counter[int] = field(default_factory=Counter)
    """Initial rubrics by number of criteria."""
    sizes_after: Counter[int] = field(default_factory=Counter)
    """Final rubrics by number of criteria."""
    losses: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By stage and reason."""
    verdicts: int = 0
    """Verdicts that the final scores asked for."""
    unscored_verdicts: Counter[Why] = field(default_factory=Counter)
    _moves: dict[int, Flow] = field(default_factory=dict)
    _ends: dict[int, Flow] = field(default_factory=dict)

    def add(self, pool: Pool, refinement: Refinement) -> None:
        """Count one prompt."""
        self.prompts += 1
        self.statuses[refinement.status] += 1
        self._add_steps(refinement)
        wanted = asked(pool, refinement)
        self.responses += wanted.responses
        self.unscored += wanted.unscored
        if refinement.final is None:
            self.no_rubric += wanted.unscored
        else:
            self.sizes_before[len(refinement.rubrics[0].criteria)] += 1
            self.sizes_after[len(refinement.final.criteria)] += 1
        self.criteria.add(self.prompts, refinement)
        self._add_reasons(refinement)

    @property
    def unscored_share(self) -> float:
        """Share of the final scores asked for that do not exist, in [0, 1]."""
        return self.unscored / self.responses if self.responses else 0.0

    @property
    def tied_change(self) -> Interval | None:
        """Change of the share of tied pools, final minus initial, over the prompts decided in both."""
        became_tied = self.paired[Standing.SEPARATED, Standing.TIED]
        became_separated = self.paired[Standing.TIED, Standing.SEPARATED]
        return paired_share_change(gained=became_tied, lost=became_separated, pairs=self.pairs)

    @property
    def pairs(self) -> int:
        """Prompts whose two best are known under the initial and under the final rubric."""
        return sum(n for pair, n in self.paired.items() if Standing.UNDECIDED not in pair)

    def flows(self) -> tuple[Flow, ...]:
        """Return, for each two neighbouring steps, how prompts moved between standings.

        One flow fewer than steps. Every prompt is in every flow: one that had fewer rounds
        than others is undecided at the steps that it did not see.
        """
        last = len(self.rounds)
        flows = [Counter(self._moves.get(index, {})) for index in range(last)]
        nowhere = Standing.UNDECIDED
        for seen, ends in self._ends.items():
            for (before, after), number in ends.items():
                if seen == last:
                    if last:
                        flows[-1][before, after] += number
                    continue
                if seen:
                    flows[seen - 1][before, nowhere] += number
                for index in range(seen, last - 1):
                    flows[index][nowhere, nowhere] += number
                flows[-1][nowhere, after] += number
        return tuple(flows)

    def _add_steps(self, refinement: Refinement) -> None:
        scores = [tuple(step.values()) for step in steps(refinement)]
        stands = [standing(ranked(step)) for step in scores]
        for index, step in enumerate(scores[:-1]):
            if index == len(self.rounds):
                self.rounds.append(StepStats())
            self.rounds[index] += step_stats(step)
            outcome = refinement.rounds[index].outcome
            self.outcomes.setdefault(index + 1, Counter())[outcome] += 1
        self.final += step_stats(scores[-1])
        seen = len(scores) - 1
        for index in range(seen - 1):
            self._moves.setdefault(index, Counter())[stands[index], stands[index + 1]] += 1
        before = stands[-2] if seen else Standing.UNDECIDED
        self._ends.setdefault(seen, Counter())[before, stands[-1]] += 1
        if seen:
            self.paired[stands[0], stands[-1]] += 1

    def _add_reasons(self, refinement: Refinement) -> None:
        for loss in refinement.losses:
            key = (loss.stage, loss.why[:REASON_CHARS])
            known = key in self.losses or len(self.losses) < MOST_REASONS
            self.losses[key if known else (loss.stage, OTHER)] += 1
        for item in refinement.scored:
            self.verdicts += len(item.outcomes)
            for outcome in item.outcomes:
                if isinstance(outcome, Unscored):
                    self.unscored_verdicts[outcome.why] += 1
