"""One prompt in full: its rubric, the verdict matrix, the responses and the rubric's history.

Every text has a limit in bytes and every list one in items, so one prompt cannot swell the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from uppertail.refine.result import Loss, Refinement, Scored
from uppertail.report.figures import number_cell, score_text, weight
from uppertail.report.history import history
from uppertail.report.markup import Html, clip, join, tag
from uppertail.report.pictures import bounds_bar, measured
from uppertail.report.pieces import NAME_BYTES, cut, left_out, name_of, scroller
from uppertail.types import Criterion, Outcome, Pool, Response, Rubric, Unscored

PROMPT_BYTES: Final = 1500
CRITERION_BYTES: Final = 300
TOP_BYTES: Final = 700
"""For the two best responses and those that were contrasted."""
RESPONSE_BYTES: Final = 280
REASON_BYTES: Final = 160
MOST_CRITERIA: Final = 32
MOST_RESPONSES: Final = 20
MOST_REASONS: Final = 10

YES: Final = Html("<td class=y>✓</td>")
NO: Final = Html("<td class=x>✗</td>")
FAULT: Final = Html('<td class="y f">✓</td>')
NO_FAULT: Final = Html('<td class="x f">✗</td>')


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """What the parts of one prompt's detail are built from."""

    key: str
    """Prefix of the ids of this prompt's elements."""
    rubric: Rubric
    rows: tuple[tuple[Response, Scored], ...]
    """Best score first, the unscored last."""
    since: Mapping[str, str]
    """Criterion id to where its wording comes from."""
    pairs: Mapping[str, tuple[int, ...]]
    """Response id to the rounds in which it was contrasted."""


def detail(position: int, pool: Pool, refinement: Refinement) -> Html:
    """Return the body of one prompt's entry."""
    prompt = clip(pool.prompt.text, limit=PROMPT_BYTES)
    parts: list[Html | None] = [
        tag("h4", "Prompt"),
        tag("div", prompt.html, cut(prompt), class_="t"),
    ]
    if refinement.final is None:
        parts.append(tag("p", "There is no rubric, so nothing was scored.", class_="note"))
        return join([*parts, _losses(refinement.losses)])
    view = _View(
        key=f"p{position}",
        rubric=refinement.final,
        rows=_rows(pool, refinement),
        since=_since(refinement.rubrics),
        pairs=_pairs(refinement),
    )
    told = history(view.key, [r for r, _ in view.rows] or pool.responses, refinement)
    parts += [_rubric(view), _matrix(view), told, _responses(view)]
    return join([*parts, _losses(refinement.losses)])


def _rows(pool: Pool, refinement: Refinement) -> tuple[tuple[Response, Scored], ...]:
    known = {response.id: response for response in pool.responses}
    rows = [(known[s.response_id], s) for s in refinement.scored if s.response_id in known]
    return tuple(sorted(rows, key=lambda row: _rank(row[1])))


def _rank(scored: Scored) -> tuple[bool, float]:
    value = scored.score.value
    return (True, -scored.score.high) if value is None else (False, -value)


def _pairs(refinement: Refinement) -> dict[str, tuple[int, ...]]:
    pairs: dict[str, tuple[int, ...]] = {}
    for round in refinement.rounds:
        for key in round.pair or ():
            pairs[key] = (*pairs.get(key, ()), round.number)
    return pairs


def _rubric(view: _View) -> Html:
    """Return the final rubric as a table: what is asked, since when, how many met it."""
    heads = (("#", "n"), ("Criterion", ""), ("Weight", "n"), ("Since", ""), ("Met by", "n"))
    shown = view.rubric.criteria[:MOST_CRITERIA]
    rows = [_criterion(view, place, item) for place, item in enumerate(shown)]
    table = tag(
        "table",
        tag("thead", tag("tr", *(tag("th", h, scope="col", class_=c or None) for h, c in heads))),
        tag("tbody", *rows),
    )
    rest = left_out(len(view.rubric.criteria) - len(shown), "criteria")
    title = tag("h4", "Final rubric ", tag("small", f"{len(view.rubric.criteria)} criteria"))
    return join([title, scroller("Final rubric", table), rest])


def _criterion(view: _View, place: int, criterion: Criterion) -> Html:
    text = clip(criterion.text, limit=CRITERION_BYTES)
    kind = tag("span", "rule", class_="chip") if criterion.kind == "hard_rule" else None
    check = None
    if criterion.check is not None:
        written = clip(msgspec.json.encode(criterion.check).decode(), limit=REASON_BYTES)
        check = tag("code", written.html, cut(written), title="Decided by this program")
    verdicts = [s.outcomes[place] for _, s in view.rows]
    decided = [v.met for v in verdicts if not isinstance(v, Unscored)]
    met = measured(sum(decided), len(decided), f"{sum(decided)}/{len(decided)}")
    return tag(
        "tr",
        tag("th", str(place + 1), scope="row", class_="n"),
        tag("td", tag("span", text.html, cut(text), class_="i"), " ", kind, " ", check),
        number_cell(weight(criterion.weight)),
        tag("td", view.since[criterion.id], class_="nw"),
        tag("td", met if view.rows else None, class_="n nw"),
        id=f"{view.key}c{place + 1}",
    )


def _since(rubrics: Sequence[Rubric]) -> dict[str, str]:
    """Return where each wording comes from, by criterion id: the start, or the round that wrote it."""
    found: dict[str, str] = {}
    for place, rubric in enumerate(rubrics):
        source = f"round {rubric.lineage.round}" if place else "start"
        for criterion in rubric.criteria:
            found.setdefault(criterion.id, source)
    return found


def _matrix(view: _View) -> Html | None:
    """Return the verdicts: responses by criteria, best response first."""
    if not view.rows:
        return tag("p", "No final scores were asked for.", class_="note")
    shown = view.rows[:MOST_RESPONSES]
    criteria = view.rubric.criteria[:MOST_CRITERIA]
    columns = [
        tag(
            "th",
            tag("a", str(i + 1), href=f"#{view.key}c{i + 1}", title=c.text[:80]),
            scope="col",
        )
        for i, c in enumerate(criteria)
    ]
    head = tag(
        "tr",
        tag("th", "Response", scope="col"),
        tag("th", "Score", scope="col", class_="n"),
        tag("th", tag("span", "Bounds", class_="vh"), scope="col"),
        *columns,
    )
    body = [_verdicts(view, place, *row) for place, row in enumerate(shown)]
    table = tag("table", tag("thead", head), tag("tbody", *body), class_="m")
    title = tag("h4", "Verdicts ", tag("small", "best response first; columns are criteria"))
    rest = left_out(len(view.rows) - len(shown), "responses")
    return join([title, scroller("Verdicts: responses by criteria", table), rest])


def _verdicts(view: _View, place: int, response: Response, scored: Scored) -> Html:
    link = tag("a", name_of(response), href=f"#{view.key}r{place + 1}")
    value = scored.score.value
    cells = [
        _verdict(outcome, criterion)
        for outcome, criterion in zip(
            scored.outcomes[:MOST_CRITERIA], view.rubric.criteria, strict=False
        )
    ]
    words = score_text(value) if value is not None else tag("span", "unscored", class_="un")
    return tag(
        "tr",
        tag("th", link, scope="row"),
        tag("td", words, class_="n"),
        tag("td", bounds_bar(scored.score)),
        *cells,
    )


def _verdict(outcome: Outcome, criterion: Criterion) -> Html:
    if isinstance(outcome, Unscored):
        return Html(f'<td class=q title="{outcome.why.value}">?</td>')
    if criterion.weight < 0:
        return FAULT if outcome.met else NO_FAULT
    return YES if outcome.met else NO


def _responses(view: _View) -> Html | None:
    """Return the responses' texts, folded away, each with what could not be decided on it."""
    shown = view.rows[:MOST_RESPONSES]
    if not shown:
        return None
    return join(
        [tag("h4", "Responses"), *(_response(view, i, *row) for i, row in enumerate(shown))]
    )


def _response(view: _View, place: int, response: Response, scored: Scored) -> Html:
    rounds = view.pairs.get(response.id, ())
    text = clip(response.text, limit=TOP_BYTES if place < 2 or rounds else RESPONSE_BYTES)
    score = scored.score
    value = score_text(score.value)
    if score.value is None:
        value = f"unscored, {score_text(score.low)} to {score_text(score.high)}"
    notes = [f"label {response.label:g}"] if response.label is not None else []
    if response.duplicate_of is not None:
        notes.append("near-duplicate")
    if rounds:
        plural = "s" if len(rounds) > 1 else ""
        notes.append(f"contrasted in round{plural} {', '.join(map(str, rounds))}")
    return tag(
        "details",
        tag(
            "summary",
            tag("b", value, class_="n"),
            tag("span", name_of(response), class_="i"),
            tag("small", " · ".join(notes)),
        ),
        tag("div", text.html, cut(text), class_="t"),
        _undecided(scored.outcomes),
        id=f"{view.key}r{place + 1}",
        class_="r",
    )


def _undecided(outcomes: Sequence[Outcome]) -> Html | None:
    found = [
        tag("li", f"Criterion {i + 1}: {o.why.value}. ", clip(o.detail, limit=REASON_BYTES).html)
        for i, o in enumerate(outcomes)
        if isinstance(o, Unscored)
    ]
    if not found:
        return None
    rest = left_out(len(found) - MOST_REASONS, "verdicts")
    return join([tag("ul", *found[:MOST_REASONS], class_="why"), rest])


def _losses(losses: Sequence[Loss]) -> Html | None:
    """Return what was lost on the way, with reasons."""
    if not losses:
        return None
    found = [
        tag(
            "li",
            f"{'Proposal' if loss.stage == 'propose' else 'Verdicts'}, round {loss.round}",
            None if loss.response_id is None else join([", ", _short(loss.response_id)]),
            ": ",
            clip(loss.why, limit=REASON_BYTES).html,
        )
        for loss in losses[:MOST_REASONS]
    ]
    title = tag("h4", "Lost on the way ", tag("small", str(len(losses))))
    rest = left_out(len(losses) - len(found), "losses")
    return join([title, tag("ul", *found, class_="why"), rest])


def _short(text: str) -> Html:
    return clip(text, limit=NAME_BYTES).html
