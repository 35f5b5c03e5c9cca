"""How numbers are written on the page: one format for one kind of number."""

from __future__ import annotations

from typing import Final

from uppertail.report.markup import Html, tag

NOTHING: Final = "–"
"""What stands where there is no number. Never 0."""


def count(number: int) -> str:
    """Return an integer with thin groups of three: 12 345."""
    return f"{number:,}".replace(",", "\u202f")


def percent(value: float | None) -> str:
    """Return a share as a percentage; what is not all or nothing never reads 0 % or 100 %."""
    if value is None:
        return NOTHING
    if 0 < value < 0.001:
        return "<0.1\u00a0%"
    if 0.999 < value < 1:
        return ">99.9\u00a0%"
    hundred = 100 * value
    return (
        f"{hundred:.1f}\u00a0%"
        if 0 < hundred < 10 or 99 < hundred < 100
        else f"{hundred:.0f}\u00a0%"
    )


def points(value: float) -> str:
    """Return a change of a share in percentage points, with its sign."""
    return f"{100 * value:+.0f}".replace("-", "−")


def score_text(value: float | None) -> str:
    """Return a score with three digits, which tell 24/27 from 25/28; exact 0 and 1 are bare."""
    if value is None:
        return NOTHING
    if value in (0, 1):
        return str(int(value))
    return f"{min(0.999, max(0.001, value)):.3f}"


def decimal(value: float | None, digits: int = 1) -> str:
    """Return a number with a fixed number of digits."""
    return NOTHING if value is None else f"{value:.{digits}f}"


def usd(value: float | None) -> str:
    """Return an amount of money."""
    if value is None:
        return NOTHING
    return f"${value:,.2f}" if value >= 0.01 or value == 0 else f"${value:.4f}"


def seconds(value: float | None) -> str:
    """Return a duration."""
    if value is None:
        return NOTHING
    if value < 10:
        return f"{value:.2f} s"
    if value < 120:
        return f"{value:.0f} s"
    minutes = round(value / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def weight(value: float) -> str:
    """Return a criterion's weight without needless digits."""
    return f"{value:g}".replace("-", "−")


def number_cell(text: str) -> Html:
    """Return a table cell whose digits line up."""
    return tag("td", text, class_="n")
