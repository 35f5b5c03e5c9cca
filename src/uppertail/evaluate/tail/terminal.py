"""The tail report on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from uppertail.evaluate.tail.result import AgainstGold, TailReport
from uppertail.evaluate.tail.spread import GROUP_SIZES
from uppertail.evaluate.tail.wording import headline, number, points, region_name, share
from uppertail.report.figures import count, percent


def show(report: TailReport, console: Console) -> None:
    """Print the report: what it says, then the tables, then what it cannot say."""
    console.print(f"\n{escape(headline(report))}\n", highlight=False)
    if report.measured is not None:
        console.print(_ranking(report.measured))
        console.print(_curve(report.measured))
        console.print(_best_of_n(report.measured))
    console.print(_groups(report))
    if report.dependence:
        console.print(_dependence(report))
    if report.sensitivity:
        console.print(_sensitivity(report))
    if report.difference is not None:
        console.print(_comparison(report))
    for note in report.notes:
        console.print(f"note: {escape(note)}", highlight=False)


def _table(title: str, first: str, *heads: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column(first)
    for head in heads:
        table.add_column(head, justify="right")
    return table


def _ranking(measured: AgainstGold) -> Table:
    table = _table(
        "Pairs of different gold", "both among the", "pairs", "right", "tied", "inverted"
    )
    for region in (measured.pairs, *measured.tops):
        name = region_name(region)
        shares = (share(region.right), share(region.tied), share(region.inverted))
        table.add_row(name, count(region.pairs), *shares)
    return table


def _curve(measured: AgainstGold) -> Table:
    table = _table(
        "Predicted win rate", "KL, nats", "this reward", "gold as reward", "errors at top", "length"
    )
    for p in measured.curve:
        row = (share(p.win_rate), percent(p.perfect), percent(p.worst), number(p.length))
        table.add_row(f"{p.kl:g}", *row)
    return table


def _best_of_n(measured: AgainstGold) -> Table:
    table = _table("Best-of-n", "n", "KL, at most", "win rate", "gold", "prompts")
    for b in measured.best_of_n:
        table.add_row(str(b.n), f"{b.kl:.2f}", share(b.win_rate), number(b.gold), count(b.prompts))
    return table


def _groups(report: TailReport) -> Table:
    own = report.spread
    table = _table("What a trainer sees", "", "")
    table.add_row("prompts, scored responses", f"{count(own.prompts)}, {count(own.responses)}")
    table.add_row("unscored, unlabelled", f"{report.rows.unscored}, {report.rows.unlabelled}")
    table.add_row("prompts that tie entirely", percent(own.all_tied))
    for size, tied in zip(GROUP_SIZES, own.all_tied_in_groups, strict=True):
        table.add_row(f"groups of {size} that tie entirely", percent(tied))
    table.add_row("spread within a prompt", f"{own.standard_deviation:.3g}")
    bound = f"{own.kl_bound:.2f} nats, {own.kl_bound_samples:.2f} without ties"
    table.add_row("most KL on these responses", bound)
    if report.retest is not None:
        table.add_row("scored twice: pairs ordered alike", percent(report.retest.same_order))
        table.add_row("scored twice: noise", f"{report.retest.noise:.3g}")
    return table


def _dependence(report: TailReport) -> Table:
    table = _table("Rank correlation", "with", "reward", "gold", "reward minus gold")
    for d in report.dependence:
        table.add_row(d.feature, number(d.reward), number(d.gold), number(d.excess, signed=True))
    return table


def _sensitivity(report: TailReport) -> Table:
    table = _table(
        "Unscored responses", "if they were", "pairs right", "win rate at KL 1", "peak KL"
    )
    for own in report.sensitivity:
        peak = "–" if own.peak_kl is None else f"{own.peak_kl:.2f}"
        table.add_row(own.name, percent(own.right), percent(own.win_rate), peak)
    return table


def _comparison(report: TailReport) -> Table:
    assert report.difference is not None
    assert report.compared is not None
    own = report.difference
    table = _table(
        f"{escape(report.reward)} minus {escape(report.compared.name)}", "", "difference"
    )
    table.add_row("pairs right, points", points(own.right))
    table.add_row("among the best quarter, points", points(own.top_right))
    for kl, figure in own.win_rate:
        table.add_row(f"win rate at KL {kl:g}, points", points(figure))
    table.add_row("peak KL, nats", number(own.peak_kl, signed=True))
    table.add_row("win rate at the peak, points", points(own.peak_win_rate))
    return table
