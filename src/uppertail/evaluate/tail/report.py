"""The tail report: from a table of scored responses to figures with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from uppertail.errors import InputError
from uppertail.evaluate.tail.figure import figure
from uppertail.evaluate.tail.groups import Groups, group, rank
from uppertail.evaluate.tail.measure import (
    KLS,
    Estimates,
    Sums,
    estimate,
    has_peaked,
    measure,
    perfect_win_rates,
    typical_spread,
    weightings,
)
from uppertail.evaluate.tail.notes import notes_on
from uppertail.evaluate.tail.read_off import against_gold, difference
from uppertail.evaluate.tail.result import AgainstGold, Difference, Rows, TailReport, Treatment
from uppertail.evaluate.tail.spread import Retest, retest, spread
from uppertail.evaluate.tail.surface import Dependence, dependence
from uppertail.evaluate.tail.table import Floats, Table

AT_ONE: Final = KLS.index(1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a report is made."""

    resamples: int = 200
    """Bootstrap draws; 0 for no intervals."""
    seed: int = 0


class _Measured(NamedTuple):
    """One reward's estimates and the rows they come from."""

    groups: Groups
    sums: Sums
    weights: Floats
    estimates: Estimates
    perfect: Floats
    """[len(KLS)] win rates of gold as a reward."""


def tail_report(table: Table, settings: Settings | None = None) -> TailReport:
    """Return the report on the first reward of `table`, compared with the second if there is one.

    Raises:
        InputError: no prompt has two scored responses, or two that are labelled too.
    """
    options = settings or Settings()
    name, reward = next(iter(table.rewards.items()))
    scored = group(table.prompt, np.isfinite(reward))
    if not scored.prompts:
        raise InputError(
            "every prompt has a single scored response: there is nothing to compare. "
            "Two or more responses of one prompt must share its id",
            file=table.source,
        )
    used = _usable(table)
    measured = None if used is None else _measure_all(table, used, options)
    first = None if measured is None else measured[0]
    compared = None if measured is None or len(measured) < 2 else measured[1]
    return TailReport(
        source=table.source,
        reward=name,
        rows=_rows(table, reward, used),
        spread=spread(scored, reward),
        retest=_retest(table, reward, options),
        measured=first and _read_off(name, first),
        compared=compared and _read_off(list(table.rewards)[1], compared),
        difference=_difference(first, compared),
        dependence=_dependence(table, reward, options),
        sensitivity=_sensitivity(table, reward, options) if first else (),
        resamples=options.resamples,
        seed=options.seed,
        notes=notes_on(table, scored, used, first and first.estimates),
    )


def _usable(table: Table) -> Groups | None:
    """Return the prompts with two responses that all rewards and gold know; None without gold."""
    if table.gold is None:
        return None
    known = np.isfinite(table.gold)
    for values in table.rewards.values():
        known &= np.isfinite(values)
    used = group(table.prompt, known)
    if not used.prompts:
        raise InputError(
            "no prompt has two responses that are both scored and labelled; "
            "leave gold out for a report without it",
            file=table.source,
        )
    return used


def _measure_all(table: Table, used: Groups, options: Settings) -> list[_Measured] | None:
    """Return the measures of each reward, or None where the first one is constant."""
    assert table.gold is not None
    weights = _weights(used, options)
    perfect = perfect_win_rates(used, _gold_quantiles(table, used))
    out = []
    for values in table.rewards.values():
        if typical_spread(used, values) == 0:
            break
        sums = measure(used, values, table.gold, length=_length(table, used), seed=options.seed)
        out.append(_Measured(used, sums, weights, estimate(sums, weights), perfect))
    return out or None


def _weights(groups: Groups, options: Settings) -> Floats:
    """Return bootstrap weights; one row of ones where a single prompt leaves nothing to resample."""
    resamples = options.resamples if groups.bundles > 1 else 0
    return weightings(groups.bundles, resamples=resamples, seed=options.seed)


def _gold_quantiles(table: Table, used: Groups) -> Floats:
    """Return [R] gold as a quantile within its prompt, so that scales may differ.

    Raises:
        InputError: gold never differs within a prompt.
    """
    assert table.gold is not None
    out = np.full(len(table.prompt), np.nan)
    for chunk in used.chunks():
        places = rank(table.gold[chunk.rows], chunk)
        out[chunk.rows] = places.quantile(chunk.per_row(chunk.sizes))
    if typical_spread(used, out) == 0:
        raise InputError(
            "all responses of a prompt have the same gold label, for every prompt: "
            "such labels order nothing",
            file=table.source,
            field="gold",
        )
    return out


def _length(table: Table, used: Groups) -> Floats | None:
    """Return the lengths if every used response has one."""
    length = table.features.get("length")
    known = length is not None and np.isfinite(length[used.rows]).all()
    return length if known else None


def _read_off(name: str, measured: _Measured) -> AgainstGold:
    return against_gold(name, measured.sums, measured.estimates, measured.perfect)


def _difference(first: _Measured | None, second: _Measured | None) -> Difference | None:
    if first is None or second is None:
        return None
    return difference(first.estimates, second.estimates)


def _rows(table: Table, reward: Floats, used: Groups | None) -> Rows:
    gold = table.gold
    return Rows(
        responses=len(table.prompt),
        prompts=table.prompts,
        unscored=int(np.isnan(reward).sum()),
        unlabelled=len(reward) if gold is None else int(np.isnan(gold).sum()),
        lone_prompts=used.single if used else 0,
        used_responses=len(used.rows) if used else 0,
        used_prompts=used.prompts if used else 0,
    )


def _retest(table: Table, reward: Floats, options: Settings) -> Retest | None:
    if table.retest is None:
        return None
    twice = group(table.prompt, np.isfinite(reward) & np.isfinite(table.retest))
    if not twice.prompts:
        raise InputError(
            "no prompt has two responses that were scored twice", file=table.source, field="retest"
        )
    return retest(twice, reward, table.retest, seed=options.seed)


def _dependence(table: Table, reward: Floats, options: Settings) -> tuple[Dependence, ...]:
    """Return the dependence on each feature, among responses of which everything is known."""
    known = np.isfinite(reward)
    for values in table.features.values():
        known &= np.isfinite(values)
    if table.gold is not None:
        known &= np.isfinite(table.gold)
    groups = group(table.prompt, known)
    if not table.features or not groups.prompts:
        return ()
    weights = _weights(groups, options)
    return dependence(table.features, groups, reward, table.gold, weights=weights)


def _sensitivity(table: Table, reward: Floats, options: Settings) -> tuple[Treatment, ...]:
    """Return the headline with unscored responses left out, put last, and put first."""
    assert table.gold is not None
    lost = np.isnan(reward) & np.isfinite(table.gold)
    if not lost.any():
        return ()
    lowest, highest = np.nanmin(reward), np.nanmax(reward)
    fills = {"left out": np.nan, "given the lowest reward": lowest, "given the highest": highest}
    return tuple(
        _treatment(table, name, np.where(lost, fill, reward), options)
        for name, fill in fills.items()
    )


def _treatment(table: Table, name: str, reward: Floats, options: Settings) -> Treatment:
    assert table.gold is not None
    groups = group(table.prompt, np.isfinite(reward) & np.isfinite(table.gold))
    sums = measure(groups, reward, table.gold, seed=options.seed)
    estimates = estimate(sums, np.ones((1, groups.bundles)))
    return Treatment(
        name=name,
        right=figure(estimates.tops[:, 0, 0]).value,
        win_rate=figure(estimates.win_rate[:, AT_ONE]).value,
        peak_kl=float(estimates.peak_kl[0]) if has_peaked(estimates) else None,
    )
