"""How figures are written, on the terminal and on the page alike."""

from __future__ import annotations

from uppertail.evaluate.tail.figure import Figure
from uppertail.evaluate.tail.result import AgainstGold, Region, TailReport
from uppertail.report.figures import NOTHING, percent


def share(figure: Figure | None) -> str:
    """Return a share with its interval, in percent."""
    if figure is None or figure.value is None:
        return NOTHING
    if figure.low is None or figure.high is None:
        return percent(figure.value)
    return f"{percent(figure.value)} ({100 * figure.low:.1f}–{100 * figure.high:.1f})"


def number(figure: Figure | None, *, signed: bool = False) -> str:
    """Return a number with its interval, two digits after the point."""
    if figure is None or figure.value is None:
        return NOTHING
    sign = "+" if signed else ""
    own = f"{figure.value:{sign}.2f}"
    if figure.low is None or figure.high is None:
        return own.replace("-", "−")
    return f"{own} ({figure.low:{sign}.2f} to {figure.high:{sign}.2f})".replace("-", "−")


def points(figure: Figure | None) -> str:
    """Return a difference of shares with its interval, in percentage points."""
    if figure is None or figure.value is None:
        return NOTHING
    scaled = Figure(
        value=100 * figure.value,
        low=None if figure.low is None else 100 * figure.low,
        high=None if figure.high is None else 100 * figure.high,
    )
    return number(scaled, signed=True)


def headline(report: TailReport) -> str:
    """Return what the report says, in two or three sentences."""
    if report.measured is None:
        return (
            f"{report.reward}: {percent(report.spread.all_tied)} of the prompts tie entirely; "
            f"no policy on these responses can move further than {report.spread.kl_bound:.2f} nats."
        )
    return f"{_ranking(report.measured)} {_optimising(report.measured)}"


def _ranking(measured: AgainstGold) -> str:
    quarter = measured.tops[1]
    return (
        f"{measured.name} orders {percent(measured.pairs.right.value)} of pairs rightly, ties "
        f"{percent(measured.pairs.tied.value)} and inverts {percent(measured.pairs.inverted.value)}; "
        f"among the best quarter: {percent(quarter.right.value)}, {percent(quarter.tied.value)} "
        f"and {percent(quarter.inverted.value)}."
    )


def _optimising(measured: AgainstGold) -> str:
    peak = measured.peak
    if peak.falls:
        return (
            f"Optimising it is predicted to help until a KL of {number(peak.kl)} nats, at a win "
            f"rate of {share(peak.win_rate)}; beyond it {share(peak.lost)} are lost again."
        )
    return (
        f"Its predicted win rate does not fall up to {measured.kl_limit:.2f} nats, as far as "
        f"these samples let see; it is {share(peak.win_rate)} there."
    )


def region_name(region: Region) -> str:
    """Return which responses both sides of a pair are among."""
    return "whole pool" if region.low == 0 else f"best {100 * (1 - region.low):.0f} %"
