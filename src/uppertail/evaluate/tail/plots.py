"""Line charts as inline SVG, with axes and words inside. They scale with the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from uppertail.report.markup import Html, tag

WIDTH: Final = 640.0
HEIGHT: Final = 340.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 22.0, 12.0, 44.0
COLOURS: Final = {
    "l0": "#1f6d8c", "l1": "#e0984a", "l2": "#2b7a4b", "l3": "#ad2f27",
    "l4": "#8257a5", "l5": "#7a8a2e", "l6": "#b0567f", "l7": "#4d6fc4",
    "ideal": "#59626d", "worst": "#ad2f27",
}  # fmt: skip
"""Of a file that stands alone; on a page `tail.css` gives them, for light and dark."""
_PER_ROW: Final = 4
_ROW: Final = 18.0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One curve."""

    name: str
    points: Sequence[Point]
    style: str
    """CSS class, which gives colour and dashes: `l0` to `l7`, `ideal`, `worst`."""
    band: Sequence[tuple[float, float, float]] = ()
    """x, low, high."""
    marks: bool = False
    """Draw points, not a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis of a chart."""

    label: str
    low: float
    high: float
    ticks: Sequence[float]
    percent: bool = False

    def share(self, value: float) -> float:
        """Return where a value lies, 0 at the low end and 1 at the high end, clipped."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    def text(self, tick: float) -> str:
        """Return how a tick is written."""
        return f"{100 * tick:.0f} %" if self.percent else f"{tick:g}"


def even_ticks(low: float, high: float, count: int = 6) -> tuple[float, ...]:
    """Return round numbers from `low` to `high`, about `count` of them."""
    step = min(
        (s * 10.0**e for e in range(-4, 6) for s in (1, 2, 2.5, 5)),
        key=lambda s: abs((high - low) / s - count),
    )
    first = -(-low // step)
    return tuple(
        round((first + at) * step, 10)
        for at in range(count * 3)
        if (first + at) * step <= high + 1e-9
    )


def chart(lines: Sequence[Line], x: Axis, y: Axis, *, label: str) -> Html:
    """Return a chart with a legend, for a page. `label` says in words what it shows."""
    return tag("figure", _legend(lines), _svg(_shapes(lines, x, y), HEIGHT, label))


def standalone(lines: Sequence[Line], x: Axis, y: Axis, *, label: str) -> str:
    """Return a chart as the text of an SVG file, with its legend inside."""
    keys: list[Html] = []
    for at, line in enumerate(lines):
        across = LEFT + (WIDTH - LEFT - RIGHT) / _PER_ROW * (at % _PER_ROW)
        down = HEIGHT + 12 + _ROW * (at // _PER_ROW)
        keys.append(_path_of([(across, down - 4), (across + 16, down - 4)], line))
        keys.append(_words(line.name, (across + 21, down), "start"))
    rows = -(-len(lines) // _PER_ROW)
    shapes = [tag("style", Html(_style())), *_shapes(lines, x, y), *keys]
    return str(_svg(shapes, HEIGHT + 8 + _ROW * rows, label, alone=True)) + "\n"


def _svg(shapes: Sequence[Html], height: float, label: str, *, alone: bool = False) -> Html:
    return tag(
        "svg",
        *shapes,
        xmlns="http://www.w3.org/2000/svg" if alone else None,
        viewBox=f"0 0 {WIDTH:g} {height:g}",
        role="img",
        aria_label=label,
        class_="chart",
    )


def _style() -> str:
    strokes = "".join(f".line.{name}{{stroke:{colour}}}" for name, colour in COLOURS.items())
    return (
        "svg{background:#fff}text{font:11.5px sans-serif;fill:#59626d}.grid{stroke:#e2e4e7}"
        f".line{{fill:none;stroke-width:2}}.ideal,.worst{{stroke-dasharray:5 4}}{strokes}"
    )


def _shapes(lines: Sequence[Line], x: Axis, y: Axis) -> list[Html]:
    shapes = [*_grid(x, y), *(_band(line, x, y) for line in lines if line.band)]
    for line in lines:
        shapes.extend(_marks(line, x, y) if line.marks else [_path(line, x, y)])
    return shapes


def _at(x: Axis, y: Axis, point: Point) -> Point:
    wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    return LEFT + wide * x.share(point[0]), TOP + tall * (1 - y.share(point[1]))


def _words(text: str, at: Point, anchor: str, turned: bool = False) -> Html:
    spin = f"rotate(-90 {at[0]:.2f} {at[1]:.2f})" if turned else None
    return tag("text", text, x=at[0], y=at[1], text_anchor=anchor, transform=spin)


def _grid(x: Axis, y: Axis) -> Sequence[Html]:
    out = []
    for tick in y.ticks:
        left, height = _at(x, y, (x.low, tick))
        out.append(tag("line", x1=left, x2=WIDTH - RIGHT, y1=height, y2=height, class_="grid"))
        out.append(_words(y.text(tick), (left - 7, height + 4), "end"))
    for tick in x.ticks:
        across, floor = _at(x, y, (tick, y.low))
        out.append(tag("line", x1=across, x2=across, y1=floor, y2=floor + 4, class_="grid"))
        out.append(_words(x.text(tick), (across, floor + 17), "middle"))
    middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
    out.append(_words(x.label, (middle, HEIGHT - 6), "middle"))
    out.append(_words(y.label, (13, TOP + (HEIGHT - TOP - BOTTOM) / 2), "middle", turned=True))
    return out


def _path(line: Line, x: Axis, y: Axis) -> Html:
    return _path_of([_at(x, y, point) for point in line.points], line)


def _path_of(places: Sequence[Point], line: Line) -> Html:
    steps = "L".join(f"{across:.2f} {height:.2f}" for across, height in places)
    return tag("path", tag("title", line.name), d=f"M{steps}", class_=f"line {line.style}")


def _band(line: Line, x: Axis, y: Axis) -> Html:
    upper = [_at(x, y, (at, high)) for at, _, high in line.band]
    lower = [_at(x, y, (at, low)) for at, low, _ in reversed(line.band)]
    steps = "L".join(f"{across:.2f} {height:.2f}" for across, height in [*upper, *lower])
    return tag("path", d=f"M{steps}Z", class_=f"band {line.style}")


def _marks(line: Line, x: Axis, y: Axis) -> list[Html]:
    out = []
    for point in line.points:
        across, height = _at(x, y, point)
        words = tag("title", f"{line.name}: {x.text(point[0])}, {y.text(point[1])}")
        out.append(tag("circle", words, cx=across, cy=height, r=3.5, class_=f"mark {line.style}"))
    return out


def _legend(lines: Sequence[Line]) -> Html:
    items = [tag("li", tag("i", class_=f"key {line.style}"), line.name) for line in lines]
    return tag("ul", *items, class_="keys")
