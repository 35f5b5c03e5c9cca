"""Pictures as inline SVG. They stretch with the page, so all words stand beside them, in HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from uppertail.report.aggregate import Standing, StepStats
from uppertail.report.figures import count, percent
from uppertail.report.markup import Html, join, tag
from uppertail.report.tally import Flow
from uppertail.types import Score

ORDER: Final = (Standing.SEPARATED, Standing.TIED, Standing.UNDECIDED)
"""From top to bottom, the same in every picture."""
STEP: Final = 100.0
"""Width of one column of the flow picture."""
BAR: Final = 26.0
"""Width of its bars."""
TALL: Final = 200.0


def svg(width: float, height: float, *shapes: Html, label: str, class_: str) -> Html:
    """Return a picture that is stretched to its box."""
    return tag(
        "svg",
        *shapes,
        viewBox=f"0 0 {width:g} {height:g}",
        preserveAspectRatio="none",
        role="img",
        aria_label=label,
        class_=class_,
    )


def rect(x: float, y: float, width: float, height: float, class_: str, title: str = "") -> Html:
    """Return a rectangle, with words for a pointer that rests on it."""
    words = tag("title", title) if title else None
    return tag("rect", words, x=x, y=y, width=width, height=height, class_=class_)


def share_bar(part: int, whole: int) -> Html | None:
    """Return a small bar filled to a share; None where there is nothing to take a share of."""
    if not whole:
        return None
    filled = Html(f"<rect width={round(40 * part / whole)} height=8 class=a />")
    return Html(f'<svg class=b viewBox="0 0 40 8" aria-hidden=true>{filled}</svg>')


def measured(part: int, whole: int, words: str) -> Html:
    """Return a small bar and the words for it, whose right edges line up in a column."""
    return join([share_bar(part, whole), tag("span", words, class_="v")])


def bounds_bar(score: Score) -> Html:
    """Return a score on a line from 0 to 1: a mark where it is known, else the range it may take."""
    low, high = round(50 * score.low), round(50 * score.high)
    if score.value is None:
        shape = f'<rect x={low} y=2 width={max(2, high - low)} height=4 class="h"/>'
    else:
        shape = f"<rect width={low} height=8 class=a />"
        if high > low:
            shape += f'<rect x={low} y=2 width={high - low} height=4 class="h"/>'
    return Html(f'<svg class=b viewBox="0 0 50 8" aria-hidden=true>{shape}</svg>')


def flow_picture(steps: Sequence[StepStats], flows: Sequence[Flow], names: Sequence[str]) -> Html:
    """Return how many pools are separated, tied or undecided at each step, and who moved where.

    Columns are steps; heights are prompts; a ribbon joins prompts that went from one standing
    to another.
    """
    prompts = max(1, *(step.prompts for step in steps), *(sum(f.values()) for f in flows))
    shapes: list[Html] = []
    for index, flow in enumerate(flows):
        shapes.extend(_ribbons(index, flow, prompts, (names[index], names[index + 1])))
    for index, step in enumerate(steps):
        shapes.extend(_column(index, step, prompts, names[index]))
    label = "; ".join(
        f"{name}: {percent(step.separated_share)} separated, {percent(step.tied_share)} tied"
        for name, step in zip(names, steps, strict=True)
    )
    return svg(STEP * len(steps), TALL, *shapes, label=label, class_="flow")


def _column(index: int, step: StepStats, prompts: int, name: str) -> Iterable[Html]:
    top = 0.0
    left = STEP * index + (STEP - BAR) / 2
    missing = prompts - step.decided
    for where, number in zip(ORDER, (step.separated, step.tied, missing), strict=True):
        height = TALL * number / prompts
        if number:
            title = f"{name}: {count(number)} of {count(prompts)} prompts {where}"
            yield rect(left, top, BAR, height, f"z {where}", title)
        top += height


def _ribbons(index: int, flow: Flow, prompts: int, names: tuple[str, str]) -> Iterable[Html]:
    """Yield one band for each kind of move, from the right side of a bar to the next bar's left."""
    scale = TALL / prompts
    starts = _tops([sum(flow[a, b] for b in ORDER) for a in ORDER], scale)
    ends = _tops([sum(flow[a, b] for a in ORDER) for b in ORDER], scale)
    left = STEP * index + (STEP + BAR) / 2
    right = left + STEP - BAR
    middle = (left + right) / 2
    for i, a in enumerate(ORDER):
        for j, b in enumerate(ORDER):
            number = flow[a, b]
            if not number:
                continue
            height = number * scale
            y, z = starts[i], ends[j]
            starts[i] += height
            ends[j] += height
            path = (
                f"M{left:g} {y:.2f}C{middle:g} {y:.2f} {middle:g} {z:.2f} {right:g} {z:.2f}"
                f"V{z + height:.2f}"
                f"C{middle:g} {z + height:.2f} {middle:g} {y + height:.2f} {left:g} {y + height:.2f}Z"
            )
            title = f"{count(number)} prompts: {a} at “{names[0]}”, {b} at “{names[1]}”"
            kind = f"{a}" if a is b else f"{b} moved"
            yield tag("path", tag("title", title), d=path, class_=f"w {kind}")


def _tops(numbers: Sequence[int], scale: float) -> list[float]:
    tops = [0.0]
    for number in numbers:
        tops.append(tops[-1] + number * scale)
    return tops[:-1]


def score_histogram(step: StepStats, *, tallest: float, name: str) -> Html:
    """Return the scores of one step by value; the last bar holds those that are exactly 1.

    Args:
        step: the scores.
        tallest: the share of scores at which a bar is as high as the picture.
        name: the step's name.
    """
    total = sum(step.bins)
    shapes = []
    size = len(step.bins) - 1
    for index, number in enumerate(step.bins):
        if not number:
            continue
        height = min(60.0, 60 * number / total / tallest)
        words = f"{index / size:.2f} to {(index + 1) / size:.2f}" if index < size else "exactly 1"
        title = f"{words}: {count(number)} scores, {percent(number / total)}"
        place = "full" if index == size else "z mass"
        # A gap of half a bar sets the scores that cannot rise apart from the rest.
        x = index * 10.0 + (5.0 if index == size else 0.0)
        shapes.append(rect(x, 60 - height, 9.0, height, place, title))
    return svg(10.0 * size + 15, 60.0, *shapes, label=f"Scores at “{name}”", class_="hist")


def rate_histogram(kept: Sequence[int], added: Sequence[int]) -> Html:
    """Return criteria by pass rate, what refinement wrote stacked on what it kept."""
    tallest = max(1, *(a + b for a, b in zip(kept, added, strict=True)))
    shapes = []
    last = len(kept) - 1
    for index, (old, new) in enumerate(zip(kept, added, strict=True)):
        # The two outer bars hold exactly none and exactly all, and stand apart.
        x = index * 20.0 + (8.0 if index else 0.0) + (8.0 if index == last else 0.0)
        words = _rate_words(index, last)
        low, high = 120 * old / tallest, 120 * new / tallest
        if old:
            title = f"Passed by {words}: {count(old)} from the initial rubrics"
            shapes.append(rect(x, 120 - low, 18.0, low, "z kept", title))
        if new:
            title = f"Passed by {words}: {count(new)} written by refinement"
            shapes.append(rect(x, 120 - low - high, 18.0, high, "z written", title))
    label = "Criteria by the share of responses that passed them"
    return svg(20.0 * (last + 1) + 16, 120.0, *shapes, label=label, class_="rates")


def _rate_words(index: int, last: int) -> str:
    if index in (0, last):
        return "no response" if index == 0 else "every response"
    edges = [f"{100 * (index - 1 + side) / (last - 1):.0f}" for side in (0, 1)]
    return f"{edges[0]} to {edges[1]} % of responses"


def widest(steps: Iterable[StepStats]) -> float:
    """Return the largest share that one bar of these steps' histograms stands for, above 0."""
    return max((max(s.bins) / sum(s.bins) for s in steps if sum(s.bins)), default=1.0)
