"""The paper's figures, drawn from the theory and from the published series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from uppertail import theory
from uppertail.evaluate.tail.document import document
from uppertail.evaluate.tail.plots import Axis, Line, Point, chart, even_ticks, standalone
from uppertail.evaluate.tail.published import FIGURE_4, Panel
from uppertail.report.markup import Html, tag

SHARES = (0, 0.2, 0.4, 0.6, 0.8, 1)


class Drawing(NamedTuple):
    """One chart and where it comes from."""

    name: str
    """File name without its ending."""
    title: str
    lines: Sequence[Line]
    x: Axis
    y: Axis


def drawings() -> tuple[Drawing, ...]:
    """Return Figures 2a, 2b and the four panels of Figure 4."""
    return figure_2a(), figure_2b(), *(figure_4(at) for at in range(len(FIGURE_4)))


def figure_2a() -> Drawing:
    """Return win rate by KL for rewards that are wrong in different places."""
    laws = {
        "correct": theory.correct(),
        "top 25 % wrong": theory.top_wrong(0.25),
        "top 50 % wrong": theory.top_wrong(0.5),
        "worst 50 % wrong": theory.worst_wrong(0.5),
        "worst 90 % wrong": theory.worst_wrong(0.9),
        "reversed": theory.reversed_order(),
    }
    lines = [
        Line(name=name, points=_curve(law, 8.0), style=f"l{at}")
        for at, (name, law) in enumerate(laws.items())
    ]
    return Drawing("figure-2a", "Where a reward is wrong", lines, _kl(8.0), _win_rate())


def figure_2b() -> Drawing:
    """Return win rate by KL when only the top is ranked rightly: the lower envelope."""
    lines = [
        Line(name=f"top {top} %", points=_curve(theory.lower_envelope(top / 100), 4.0), style=style)
        for top, style in zip(
            (10, 20, 30, 40, 50, 60, 80), (f"l{n}" for n in range(8)), strict=False
        )
    ]
    lines.append(Line(name="all", points=_curve(theory.correct(), 4.0), style="ideal"))
    title = "How much of the top must be ranked rightly"
    return Drawing("figure-2b", title, lines, _kl(4.0), _win_rate())


def figure_4(panel: int) -> Drawing:
    """Return one panel of the training dynamics, 0 to 3."""
    own = FIGURE_4[panel]
    steps = Axis(label="step", low=0, high=own.steps[-1], ticks=even_ticks(0, own.steps[-1]))
    lines = [
        Line(name=name, points=list(zip(own.steps, values, strict=True)), style=f"l{at}")
        for at, (name, values) in enumerate(own.series)
    ]
    lines.append(
        Line(name="SFT on great", points=[(0, own.sft), (own.steps[-1], own.sft)], style="ideal")
    )
    return Drawing(f"figure-4-{panel + 1}", own.title, lines, steps, _height(own))


def _height(panel: Panel) -> Axis:
    values = [value for _, series in panel.series for value in series]
    ticks = even_ticks(0, max(*values, panel.sft) * 1.1)
    return Axis(label=panel.label, low=0, high=max(ticks[-1], *values), ticks=ticks)


def _curve(law: theory.Misspecification, furthest: float) -> list[Point]:
    kls = np.concatenate([np.geomspace(1e-3, 0.1, 12)[:-1], np.linspace(0.1, furthest, 90)])
    golds = theory.gold_at_kl(law, kls)
    return [(0.0, 0.5), *zip(kls.tolist(), golds.tolist(), strict=True)]


def _kl(furthest: float) -> Axis:
    return Axis(label="KL, nats", low=0, high=furthest, ticks=even_ticks(0, furthest, 8))


def _win_rate() -> Axis:
    return Axis(label="win rate", low=0, high=1, ticks=SHARES, percent=True)


def svg_of(drawing: Drawing) -> str:
    """Return a drawing as an SVG file."""
    return standalone(drawing.lines, drawing.x, drawing.y, label=drawing.title)


def page_of(all_drawings: Sequence[Drawing]) -> str:
    """Return all drawings as one page that needs no network."""
    parts: list[Html] = [tag("h1", "Chasing the Tail: Figures 2 and 4")]
    for drawing in all_drawings:
        picture = chart(drawing.lines, drawing.x, drawing.y, label=drawing.title)
        parts.append(tag("section", tag("h2", drawing.title, id=drawing.name), picture))
    return document("Figures 2 and 4", *parts)
