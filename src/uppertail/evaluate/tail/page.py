"""The tail report as one HTML page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from uppertail.evaluate.tail.document import document
from uppertail.evaluate.tail.figure import Figure
from uppertail.evaluate.tail.plots import Axis, Line, chart, even_ticks
from uppertail.evaluate.tail.result import AgainstGold, MapOf, Region, TailReport
from uppertail.evaluate.tail.spread import GROUP_SIZES
from uppertail.evaluate.tail.wording import headline, number, points, region_name, share
from uppertail.report.figures import NOTHING, count, percent
from uppertail.report.markup import Html, tag
from uppertail.report.pieces import scroller, section, table

SHARES: Final = Axis(label="", low=0.0, high=1.0, ticks=(0, 0.2, 0.4, 0.6, 0.8, 1), percent=True)


def page(report: TailReport) -> str:
    """Return the whole document."""
    title = f"Tail of {report.reward}"
    return document(
        title,
        tag("p", report.source, class_="over i"),
        tag("h1", title),
        tag("p", headline(report), class_="lead"),
        *_against_gold(report),
        _spread(report),
        _dependence(report),
        _sensitivity(report),
        _comparison(report),
        _notes(report),
    )


def _against_gold(report: TailReport) -> Iterator[Html]:
    if report.measured is None:
        return
    both = [one for one in (report.measured, report.compared) if one is not None]
    yield _curves(both)
    yield _ranking(report.measured)
    yield _maps(both)
    yield _best_of_n(report.measured)


def _axis(label: str) -> Axis:
    return Axis(label=label, low=SHARES.low, high=SHARES.high, ticks=SHARES.ticks, percent=True)


def _band(x: float, figure: Figure) -> Iterator[tuple[float, float, float]]:
    if figure.low is not None and figure.high is not None:
        yield x, figure.low, figure.high


def _curves(rewards: list[AgainstGold]) -> Html:
    first = rewards[0]
    lines = []
    for at, one in enumerate(rewards):
        known = [(p.kl, p.win_rate.value) for p in one.curve if p.win_rate.value is not None]
        band = [part for p in one.curve for part in _band(p.kl, p.win_rate)]
        lines.append(Line(name=one.name, points=[(0, 0.5), *known], style=f"l{at}", band=band))
    best = [(b.kl, b.win_rate.value) for b in first.best_of_n if b.win_rate.value is not None]
    perfect = [(p.kl, p.perfect) for p in first.curve if p.perfect is not None]
    worst = [(p.kl, p.worst) for p in first.curve]
    lines.append(Line(name="best-of-n", points=best, style="l2", marks=True))
    lines.append(Line(name="gold as reward", points=[(0, 0.5), *perfect], style="ideal"))
    lines.append(
        Line(name="same accuracy, errors at the top", points=[(0, 0.5), *worst], style="worst")
    )
    furthest = max(0.5, *(p.kl for one in rewards for p in one.curve), *(b[0] for b in best))
    kl = Axis(label="KL, nats", low=0, high=furthest, ticks=even_ticks(0, furthest))
    return section(
        "curve",
        "How far it can be optimised",
        "Win rate against the base policy, judged by gold, of the policy that optimises the "
        "reward to each KL: predicted from these responses, without training. The band is the "
        "95 % interval over prompts.",
        chart(lines, kl, _axis("win rate"), label="Win rate by KL"),
        scroller("Win rate by KL", _curve_table(first)),
    )


def _curve_table(measured: AgainstGold) -> Html:
    heads = [("KL, nats", ""), ("win rate", "n"), ("gold as reward", "n")]
    heads += [("errors at the top", "n"), ("length", "n")]
    rows = [
        (f"{p.kl:g}", share(p.win_rate), percent(p.perfect), percent(p.worst), number(p.length))
        for p in measured.curve
    ]
    return table(heads, rows)


def _ranking(measured: AgainstGold) -> Html:
    lines = [
        Line(
            name=name,
            points=[
                ((r.low + r.high) / 2, figure.value)
                for r in measured.bins
                if (figure := getattr(r, name)).value is not None
            ],
            band=[
                part
                for r in measured.bins
                for part in _band((r.low + r.high) / 2, getattr(r, name))
            ],
            style=style,
        )
        for name, style in (("right", "l0"), ("tied", "l1"), ("inverted", "l3"))
    ]
    heads = [
        ("both among the", ""),
        ("pairs", "n"),
        ("right", "n"),
        ("tied", "n"),
        ("inverted", "n"),
    ]
    rows = [_region_row(region) for region in (measured.pairs, *measured.tops)]
    return section(
        "ranking",
        "Where it is right",
        "Pairs of responses of different gold, by the mean of their gold quantiles. Ties cap "
        "what optimising can reach; inversions make a policy collapse.",
        chart(lines, _axis("gold quantile of the pair"), _axis("pairs"), label="Pairs by gold"),
        scroller("Pairs by region", table(heads, rows)),
    )


def _region_row(region: Region) -> tuple[str, ...]:
    name = region_name(region)
    shares = (share(region.right), share(region.tied), share(region.inverted))
    return (name, count(region.pairs), *shares)


def _maps(rewards: list[AgainstGold]) -> Html:
    lines = [_map_line(one.name, one.map, f"l{at}") for at, one in enumerate(rewards)]
    lines.append(Line(name="perfect", points=[(0, 0), (1, 1)], style="ideal"))
    own = rewards[0].map
    return section(
        "map",
        "Misspecification map",
        f"Mean gold quantile of the responses at each quantile of the reward. It rises in "
        f"{percent(own.rising)} of its steps, is highest at the reward's quantile {own.turn:.2f}, "
        f"and ends {share(own.drop)} below that.",
        chart(
            lines,
            _axis("quantile of the reward"),
            _axis("mean gold quantile"),
            label="Gold by reward",
        ),
    )


def _map_line(name: str, own: MapOf, style: str) -> Line:
    at = [(place + 0.5) / len(own.gold) for place in range(len(own.gold))]
    known = [(x, f.value) for x, f in zip(at, own.gold, strict=True) if f.value is not None]
    band = [part for x, f in zip(at, own.gold, strict=True) for part in _band(x, f)]
    return Line(name=name, points=known, style=style, band=band)


def _best_of_n(measured: AgainstGold) -> Html:
    heads = [("n", ""), ("KL, at most", "n"), ("win rate", "n"), ("gold", "n")]
    heads += [("gold chooses", "n"), ("prompts", "n")]
    rows = [
        (
            str(b.n),
            f"{b.kl:.2f}",
            share(b.win_rate),
            number(b.gold),
            NOTHING if b.perfect_gold is None else f"{b.perfect_gold:.2f}",
            count(b.prompts),
        )
        for b in measured.best_of_n
    ]
    return section(
        "best-of-n",
        "Best-of-n",
        "Unbiased estimates over all subsets of n responses, ties averaged. Prompts with n "
        "responses or fewer take no part, so rows may rest on different prompts.",
        scroller("Best-of-n", table(heads, rows)),
    )


def _spread(report: TailReport) -> Html:
    own = report.spread
    rows = [
        ("prompts, scored responses", f"{count(own.prompts)}, {count(own.responses)}"),
        ("unscored responses", count(report.rows.unscored)),
        ("unlabelled responses", count(report.rows.unlabelled)),
        ("prompts whose responses all tie: no gradient", percent(own.all_tied)),
        *(
            (f"groups of {size} that all tie, expected", percent(tied))
            for size, tied in zip(GROUP_SIZES, own.all_tied_in_groups, strict=True)
        ),
        ("pairs with equal reward", percent(own.tied_pairs)),
        ("responses that share the highest reward", percent(own.top_tied)),
        ("different rewards of a prompt", f"{own.distinct:.1f} of {own.group_size:.1f}"),
        ("standard deviation within a prompt", f"{own.standard_deviation:.3g}"),
        ("most KL that any policy on these responses can have", f"{own.kl_bound:.2f} nats"),
        ("the same without ties", f"{own.kl_bound_samples:.2f} nats"),
    ]
    if report.retest is not None:
        twice = report.retest
        rows += [
            ("scored twice: correlation within prompts", f"{twice.correlation or 0:.3f}"),
            ("scored twice: pairs ordered alike", percent(twice.same_order)),
            ("scored twice: standard deviation of the noise", f"{twice.noise:.3g}"),
        ]
    return section(
        "groups",
        "What a trainer sees",
        "Needs no gold. A group whose rewards all tie gives no gradient.",
        scroller("Groups", table([("", ""), ("", "n")], rows)),
    )


def _dependence(report: TailReport) -> Html | None:
    if not report.dependence:
        return None
    heads = [("feature", ""), ("reward", "n"), ("gold", "n"), ("reward minus gold", "n")]
    rows = [
        (d.feature, number(d.reward), number(d.gold), number(d.excess, signed=True))
        for d in report.dependence
    ]
    return section(
        "surface",
        "Length and format",
        "Rank correlation within prompts. What the reward pays for and gold does not is what a "
        "policy will learn to produce.",
        scroller("Length and format", table(heads, rows)),
    )


def _sensitivity(report: TailReport) -> Html | None:
    if not report.sensitivity:
        return None
    heads = [("unscored responses", ""), ("pairs right", "n"), ("win rate at KL 1", "n")]
    heads += [("peak KL", "n")]
    rows = [
        (
            treated.name,
            percent(treated.right),
            percent(treated.win_rate),
            NOTHING if treated.peak_kl is None else f"{treated.peak_kl:.2f}",
        )
        for treated in report.sensitivity
    ]
    return section(
        "unscored",
        "Unscored responses",
        "What the figures would be if failures were turned into numbers. All other figures of "
        "this page leave them out.",
        scroller("Unscored responses", table(heads, rows)),
    )


def _comparison(report: TailReport) -> Html | None:
    if report.difference is None or report.compared is None:
        return None
    own = report.difference
    rows = [
        ("pairs right, points", points(own.right)),
        ("pairs right among the best quarter, points", points(own.top_right)),
        *((f"win rate at KL {kl:g}, points", points(figure)) for kl, figure in own.win_rate),
        ("peak KL, nats", number(own.peak_kl, signed=True)),
        ("win rate at the peak, points", points(own.peak_win_rate)),
    ]
    return section(
        "comparison",
        f"{report.reward} minus {report.compared.name}",
        "On the same responses and the same resamples of prompts, so that what both share "
        "cancels. An interval that excludes 0 is a difference.",
        scroller("Differences", table([("", ""), ("difference", "n")], rows)),
    )


def _notes(report: TailReport) -> Html:
    notes = (
        *report.notes,
        f"Intervals: {report.resamples} bootstrap resamples of prompts, seed {report.seed}.",
    )
    return section(
        "notes",
        "What this cannot say",
        "",
        tag("ul", *(tag("li", n) for n in notes), class_="notes"),
    )
