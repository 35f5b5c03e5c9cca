"""The sections on what a run lost and what it took: failures, spend, settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from uppertail.report.facts import RoleSpend, RunFacts
from uppertail.report.figures import NOTHING, count, percent, seconds, usd
from uppertail.report.markup import Html, clip, join, tag
from uppertail.report.pieces import cut, left_out, scroller, section, table
from uppertail.report.tally import Tally
from uppertail.types import Why

MOST_ROWS: Final = 30
MOST_SETTINGS: Final = 80
CELL_BYTES: Final = 300

REASONS: Final = {
    Why.CALL_FAILED: "the model did not answer, retries included",
    Why.UNREADABLE: "the reply holds no verdict at all",
    Why.MISSING: "the reply answered other criteria and not this one",
    Why.AMBIGUOUS: "answered twice, neither yes nor no, or votes tied",
    Why.TRUNCATED: "the reply ended at the token limit",
    Why.NO_DECIDER: "no check, and no model to decide it",
    Why.CHECK_FAILED: "the check could not run on this response",
}


def failures(tally: Tally, facts: RunFacts) -> Html:
    """Return what was lost, unscored or quarantined, each by reason."""
    about = "Nothing that failed was turned into a number. It is counted here instead."
    parts = [_losses(tally), _unscored(tally), _quarantined(facts.quarantined)]
    whole = tag("p", "Nothing was lost.", class_="note") if not any(parts) else None
    return section("failures", "Lost and unscored", about, *parts, whole)


def _losses(tally: Tally) -> Html | None:
    if not tally.losses:
        return None
    ordered = sorted(tally.losses.items(), key=lambda item: (-item[1], item[0]))
    rows = []
    for (stage, why), number in ordered[:MOST_ROWS]:
        text = clip(why, limit=CELL_BYTES)
        rows.append((tag("span", text.html, cut(text), class_="i"), stage, count(number)))
    heads = (("Reason", "grow"), ("Stage", ""), ("Times", "n"))
    rest = left_out(len(ordered) - MOST_ROWS, "reasons")
    title = "Losses by stage and reason"
    return join([tag("h3", title), scroller(title, table(heads, rows)), rest])


def _unscored(tally: Tally) -> Html | None:
    """Return the verdicts that nobody could give, by reason, and responses without a rubric."""
    rows = [
        (why.value, REASONS[why], count(number), percent(number / tally.verdicts))
        for why, number in sorted(tally.unscored_verdicts.items(), key=lambda item: -item[1])
    ]
    heads = (("Reason", ""), ("Meaning", "grow"), ("Verdicts", "n"), ("Of all verdicts", "n"))
    title = "Unscored verdicts under the final rubrics"
    body = join([tag("h3", title), scroller(title, table(heads, rows))]) if rows else None
    note = f"{count(tally.no_rubric)} responses are unscored because their prompt has no rubric."
    without = tag("p", note, class_="note") if tally.no_rubric else None
    return join([body, without]) if body or without else None


def _quarantined(found: Mapping[str, int]) -> Html | None:
    if not any(found.values()):
        return None
    rows = [(clip(why, limit=CELL_BYTES).html, count(n)) for why, n in found.items() if n]
    title = "Responses kept out of the pools"
    rest = left_out(len(rows) - MOST_ROWS, "reasons")
    heads = (("Reason", "grow"), ("Responses", "n"))
    return join([tag("h3", title), scroller(title, table(heads, rows[:MOST_ROWS])), rest])


def spend(facts: RunFacts) -> Html:
    """Return calls, tokens, money and latency by role."""
    about = "Latency is that of calls that were sent: no retries, no waiting for a slot."
    roles = list(facts.spend.items())
    if not any(role.calls for _, role in roles):
        note = tag("p", "No model was called.", class_="note")
        return section("spend", "Calls, tokens, money", about, note)
    rows = [_spend_row(name, facts.models.get(name, NOTHING), role) for name, role in roles]
    if len(roles) > 1:
        rows.append(_spend_row("all", "", _all([role for _, role in roles])))
    heads = ["Calls", "Prompt tokens", "Of them cached", "Completion tokens"]
    heads += ["Money", "Median", "95 %"]
    columns = [("Role", ""), ("Model", "i"), *((head, "n nw") for head in heads)]
    inner = scroller("Calls, tokens and money by role", table(columns, rows))
    return section("spend", "Calls, tokens, money", about, inner)


def _all(roles: Sequence[RoleSpend]) -> RoleSpend:
    """Return the sum; money only where every role that called knows its own, no latency."""
    known = all(role.usd is not None for role in roles if role.calls)
    return RoleSpend(
        calls=sum(role.calls for role in roles),
        prompt_tokens=sum(role.prompt_tokens for role in roles),
        cached_tokens=sum(role.cached_tokens for role in roles),
        completion_tokens=sum(role.completion_tokens for role in roles),
        usd=sum(role.usd or 0.0 for role in roles) if known else None,
    )


def _spend_row(name: str, model: str, role: RoleSpend) -> tuple[Html | str, ...]:
    return (
        clip(name, limit=60).html,
        clip(model, limit=120).html,
        count(role.calls),
        count(role.prompt_tokens),
        percent(role.cached_tokens / role.prompt_tokens if role.prompt_tokens else None),
        count(role.completion_tokens),
        usd(role.usd),
        seconds(role.p50_seconds),
        seconds(role.p95_seconds),
    )


def settings(facts: RunFacts) -> Html:
    """Return the run's settings, folded away."""
    items = list(facts.settings.items())
    rows = []
    for name, value in items[:MOST_SETTINGS]:
        text = clip(value, limit=CELL_BYTES)
        rows.append((clip(name, limit=80).html, tag("span", text.html, cut(text), class_="i")))
    inner = scroller("Settings", table((("Setting", ""), ("Value", "grow")), rows))
    fold = tag("details", tag("summary", f"{count(len(items))} settings"), inner)
    rest = left_out(len(items) - MOST_SETTINGS, "settings")
    return section("settings", "Settings", "", fold, rest)
