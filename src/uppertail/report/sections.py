"""The sections on the whole run: scores by round, and criteria."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from uppertail.report.aggregate import RATE_BINS, Standing, StepStats
from uppertail.report.best import Best
from uppertail.report.figures import NOTHING, count, decimal, percent, weight
from uppertail.report.markup import Html, clip, join, tag
from uppertail.report.pictures import (
    flow_picture,
    measured,
    rate_histogram,
    score_histogram,
    widest,
)
from uppertail.report.pieces import cut, scroller, section, table
from uppertail.report.tally import CriterionRow, Tally

MOST_HISTOGRAMS: Final = 8
MOST_NARROW: Final = 6
"""Steps that fit side by side on a telephone."""
CELL_BYTES: Final = 300


def step_names(tally: Tally) -> tuple[str, ...]:
    """Return what each step is called: under which rubrics the scores were made."""
    rounds = len(tally.rounds)
    middle = [f"After round {number}" for number in range(1, rounds)]
    return ("Initial", *middle, "Final") if rounds else ("Final",)


def scores(tally: Tally) -> Html:
    """Return how scores spread at each step: ties and separations, histograms, figures."""
    names, steps = step_names(tally), (*tally.rounds, tally.final)
    about = (
        "A pool's two best responses are what an optimiser pushes towards. Where they tie, the "
        "reward cannot tell them apart. Initial and final speak of the same responses of each prompt."
    )
    return section(
        "scores",
        "Ties and separations by round",
        about,
        _flow(tally, steps, names),
        _histograms(steps, names),
        tag("h3", "Figures"),
        scroller("Figures by round", _step_table(tally, steps, names)),
    )


def _flow(tally: Tally, steps: Sequence[StepStats], names: Sequence[str]) -> Html:
    columns = [
        tag(
            "li",
            tag("b", name),
            tag("span", f"{percent(step.tied_share)} tied", class_="tied"),
            tag("span", f"{percent(step.separated_share)} apart", class_="separated"),
        )
        for name, step in zip(names, steps, strict=True)
    ]
    legend = tag(
        "ul",
        tag("li", "the two best are apart", class_="separated"),
        tag("li", "the two best tie", class_="tied"),
        tag("li", "fewer than two scores", class_="undecided"),
        class_="legend",
    )
    picture = join([flow_picture(steps, tally.flows(), names), tag("ol", *columns, class_="cols")])
    box = scroller(
        "Pools by how their two best stand, step by step",
        tag("div", picture, class_="wide" if len(steps) <= MOST_NARROW else "wider"),
    )
    return tag("div", tag("div", legend, box), _paired(tally), class_="two")


def _paired(tally: Tally) -> Html | None:
    """Return how many prompts changed standing between the initial and the final rubric."""
    if not tally.pairs:
        return None
    tied, apart = Standing.TIED, Standing.SEPARATED
    moves = {
        "tied, now apart": tally.paired[tied, apart],
        "tied, still tied": tally.paired[tied, tied],
        "apart, still apart": tally.paired[apart, apart],
        "apart, now tied": tally.paired[apart, tied],
    }
    rows = [
        (name, count(n), measured(n, tally.pairs, percent(n / tally.pairs)))
        for name, n in moves.items()
    ]
    title = tag("h3", "The same prompts, initial to final")
    return tag("div", title, table((("", ""), ("Prompts", "n"), ("Share", "n nw")), rows))


def _histograms(steps: Sequence[StepStats], names: Sequence[str]) -> Html:
    """Return the scores of every step as small histograms over one axis."""
    pairs = [(n, s) for n, s in zip(names, steps, strict=True) if sum(s.bins)]
    if len(pairs) > MOST_HISTOGRAMS:
        pairs = [*pairs[: MOST_HISTOGRAMS - 1], pairs[-1]]
    tallest = widest(step for _, step in pairs)
    rows = [
        tag(
            "div",
            tag("p", tag("b", name), tag("span", f"{count(sum(step.bins))} scores")),
            score_histogram(step, tallest=tallest, name=name),
            tag("p", tag("b", percent(step.bins[-1] / sum(step.bins))), tag("span", "score 1")),
            class_="row",
        )
        for name, step in pairs
    ]
    ticks = tag("ol", *(tag("li", t) for t in ("0", "0.25", "0.5", "0.75", "")), class_="axis")
    axis = tag("div", tag("p"), ticks, tag("p"), class_="row")
    about = (
        "Every response by its score; the bar set apart on the right holds scores of exactly 1, "
        "which cannot rise. Each step has its own rubrics, so compare shapes, not positions."
    )
    return join([tag("h3", "All scores"), tag("p", about, class_="about"), *rows, axis])


def _step_table(tally: Tally, steps: Sequence[StepStats], names: Sequence[str]) -> Html:
    heads = ["Pools", "Two best tied", "Two best apart", "Mean spread", "Score levels"]
    heads += ["Scores asked", "Unscored", "Proposals of the round that follows"]
    rows = []
    for index, (name, step) in enumerate(zip(names, steps, strict=True)):
        outcomes = tally.outcomes.get(index + 1, Counter())
        written = ", ".join(f"{count(n)} {kind}" for kind, n in sorted(outcomes.items()))
        rows.append(
            (
                name,
                count(step.decided),
                f"{percent(step.tied_share)}",
                f"{percent(step.separated_share)}",
                decimal(step.mean_spread, 3),
                decimal(step.mean_levels),
                count(step.responses),
                percent(step.unscored_share),
                written or NOTHING,
            )
        )
    columns = [("Step", "nw"), *((head, "n") for head in heads[:-1]), (heads[-1], "nw")]
    return table(columns, rows)


def criteria(tally: Tally) -> Html:
    """Return the criteria of the final rubrics by pass rate, and the extremes."""
    found = tally.criteria
    about = (
        "A criterion that every response passes, or none does, adds nothing to what tells "
        "responses apart. One that splits the better half works where it matters."
    )
    if not found.total:
        none = tag("p", "No final verdicts, so no pass rates.", class_="note")
        return section("criteria", "Criteria by pass rate", about, none)
    ends = [tag("li", "none"), *(tag("li", f"{10 * k}–{10 * (k + 1)} %") for k in range(RATE_BINS))]
    picture = tag(
        "div",
        tag(
            "ul",
            tag("li", "in the initial rubric", class_="kept"),
            tag("li", "written by refinement", class_="written"),
            class_="legend",
        ),
        rate_histogram(found.kept, found.added),
        tag("ol", *ends, tag("li", "all"), class_="rateaxis"),
        tag("p", "Criteria of the final rubrics by share of responses that passed", class_="cap"),
    )
    return section(
        "criteria",
        "Criteria by pass rate",
        about,
        tag("div", picture, _criteria_table(tally), class_="two"),
        _notable(
            "Split the better half most evenly",
            "The better half of a pool by score; a rubric needs more of these.",
            found.splitting,
            top=True,
        ),
        _notable(
            "Saturated, with the most weight",
            "Passed by every response of their pool: weight that rewards nobody.",
            found.saturated,
            top=False,
        ),
    )


def _criteria_table(tally: Tally) -> Html:
    found = tally.criteria
    share_all = found.share_all / found.prompts
    share_none = found.share_none / found.prompts
    rows = [
        ("Passed by every response", found.met_by_all, percent(share_all)),
        (
            "Passed by some",
            found.total - found.met_by_all - found.met_by_none - found.undecided,
            None,
        ),
        ("Passed by none", found.met_by_none, percent(share_none)),
        ("Never decided", found.undecided, None),
        ("All", found.total, None),
    ]
    heads = (("Criteria", ""), ("Number", "n"), ("Share", "n nw"), ("Of weight", "n nw"))
    body = [
        (name, count(number), percent(number / found.total), share or "")
        for name, number, share in rows
    ]
    return tag("div", table(heads, body))


def _notable(title: str, about: str, kept: Best[CriterionRow], *, top: bool) -> Html | None:
    rows = []
    for row in kept:
        stats = row.stats
        part = (stats.top_met, stats.top_decided) if top else (stats.met, stats.decided)
        text = clip(stats.criterion.text, limit=CELL_BYTES)
        place = tag("span", f"{row.position}", title=row.prompt_id[:80])
        rows.append(
            (
                tag("span", text.html, cut(text), class_="i"),
                measured(*part, f"{part[0]}/{part[1]}"),
                measured(stats.met, stats.decided, f"{stats.met}/{stats.decided}"),
                weight(stats.criterion.weight),
                percent(stats.weight_share),
                place,
            )
        )
    if not rows:
        return None
    first = [("Criterion", "grow")] + ([("Better half", "n nw")] if top else [])
    heads = [
        *first,
        ("All responses", "n nw"),
        ("Weight", "n"),
        ("Of rubric", "n"),
        ("Prompt", "n"),
    ]
    body = rows if top else [(row[0], *row[2:]) for row in rows]
    inner = scroller(title, table(heads, body))
    return join([tag("h3", title), tag("p", about, class_="about"), inner])
