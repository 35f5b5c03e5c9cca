"""The top of the page: what the run found in one sentence, and its main figures."""

from __future__ import annotations

from collections.abc import Mapping

from uppertail.refine.result import Status
from uppertail.report.aggregate import Standing
from uppertail.report.facts import RoleSpend, RunFacts
from uppertail.report.figures import count, decimal, percent, points, seconds, usd
from uppertail.report.markup import Html, clip, join, tag
from uppertail.report.tally import Tally


def header(title: str, facts: RunFacts) -> Html:
    """Return the title and when, how long and by which command the run went."""
    shown = clip(title, limit=300)
    when = [
        facts.started and f"started {facts.started}",
        facts.finished and f"ended {facts.finished}",
    ]
    took = [f"took {seconds(facts.wall_seconds)}"] if facts.wall_seconds else []
    line = " · ".join([part for part in when if part] + took)
    return tag(
        "header",
        tag("p", "uppertail ", tag("b", clip(facts.command, limit=60).html), class_="over"),
        tag("h1", shown.html, class_="i"),
        tag("p", clip(line, limit=300).html, class_="meta"),
    )


def finding(tally: Tally) -> Html:
    """Return whether refinement separated the best responses, with its uncertainty."""
    change = tally.tied_change
    if change is None:
        return tag("p", _without_pairs(tally), class_="lead")
    before = sum(tally.paired[Standing.TIED, b] for b in (Standing.TIED, Standing.SEPARATED))
    after = sum(tally.paired[a, Standing.TIED] for a in (Standing.TIED, Standing.SEPARATED))
    verdict = "No clear change in ties at the top."
    if change.high < 0:
        verdict = "Fewer ties at the top after refinement."
    elif change.low > 0:
        verdict = "More ties at the top after refinement."
    interval = f"{points(change.low)} to {points(change.high)}"
    return tag(
        "p",
        tag("b", verdict),
        " The two best tied in ",
        tag("em", percent(before / tally.pairs), class_="tied"),
        " of pools under the initial rubric, and tie in ",
        tag("em", percent(after / tally.pairs), class_="tied"),
        f" under the final one: {points(change.value)} points (95 % interval {interval}), ",
        f"over {count(tally.pairs)} prompts scored at both ends.",
        class_="lead",
    )


def _without_pairs(tally: Tally) -> Html:
    if not tally.final.decided:
        return join(["No pool has two final scores, so nothing can be said of ties."])
    tied = tag("em", percent(tally.final.tied_share), class_="tied")
    reason = "No round of refinement ran" if not tally.rounds else "No round scored its pool first"
    return join(
        [
            f"{reason}, so there is no before and after. The two best responses tie in ",
            tied,
            f" of {count(tally.final.decided)} pools under the final rubric.",
        ]
    )


def tiles(tally: Tally, facts: RunFacts) -> Html:
    """Return the main figures."""
    states = " · ".join(f"{count(tally.statuses[s])} {s}" for s in Status if tally.statuses[s])
    scored = tally.responses - tally.unscored
    before, after = mean(tally.sizes_before), mean(tally.sizes_after)
    return tag(
        "dl",
        _tile("Prompts", count(tally.prompts), states),
        _tile("Responses scored", count(scored), f"of {count(tally.responses)} asked for"),
        _tile(
            "Unscored",
            percent(tally.unscored_share if tally.responses else None),
            f"{count(tally.unscored)} responses",
            warn=tally.unscored > 0,
        ),
        _tile("Criteria per rubric", decimal(after), f"from {decimal(before)} in initial rubrics"),
        _tile("Spend", *spent(facts.spend)),
        class_="tiles",
    )


def _tile(name: str, value: str, note: str, *, warn: bool = False) -> Html:
    figure = tag("dd", tag("b", value, class_="warn" if warn else None), tag("span", note))
    return tag("div", tag("dt", name), figure)


def mean(sizes: Mapping[int, int]) -> float | None:
    """Return the mean of values given with their counts; None where there are none."""
    number = sum(sizes.values())
    return sum(size * times for size, times in sizes.items()) / number if number else None


def spent(spend: Mapping[str, RoleSpend]) -> tuple[str, str]:
    """Return the money that all roles took, and their calls. Unknown prices are not zero."""
    calls = sum(role.calls for role in spend.values())
    if not calls:
        return "no calls", "no model was asked"
    known = [role.usd for role in spend.values() if role.usd is not None]
    paid = [role for role in spend.values() if role.calls]
    some = any(role.usd is None for role in paid)
    money = usd(sum(known)) if known else "not priced"
    return money, f"{count(calls)} calls" + (", some not priced" if known and some else "")
