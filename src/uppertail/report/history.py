"""A rubric's history: what each round changed, and the pair of responses that caused it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from uppertail.refine.result import Refinement, Round
from uppertail.report.diff import Change, diff, word_diff
from uppertail.report.figures import score_text, weight
from uppertail.report.markup import Html, clip, join, tag
from uppertail.report.pieces import NAME_BYTES, cut, left_out, name_of
from uppertail.types import Criterion, Response, Rubric, Score

CHANGE_BYTES: Final = 300
NOTE_BYTES: Final = 240
MOST_ROUNDS: Final = 8
MOST_CHANGES: Final = 24

SIGNS: Final = {"added": "+", "removed": "−", "reworded": "~", "reweighted": "±"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """What a contrasted response is shown as."""

    name: Html
    link: str | None


def history(key: str, order: Sequence[Response], refinement: Refinement) -> Html | None:
    """Return the rounds as a list; None where there was none.

    Args:
        key: prefix of the ids of this prompt's elements.
        order: the responses in the order in which the page numbers them.
        refinement: the prompt's result.
    """
    if not refinement.rounds:
        return None
    linked = bool(refinement.scored)
    names = {
        response.id: _Pair(name=name_of(response), link=f"#{key}r{place + 1}" if linked else None)
        for place, response in enumerate(order)
    }
    written = {rubric.lineage.round: rubric for rubric in refinement.rubrics[1:]}
    final = {item.response_id: item.score for item in refinement.scored}
    after = [round.scores for round in refinement.rounds[1:]] + [final]
    rubric = refinement.rubrics[0]
    items = []
    for round, later in zip(refinement.rounds, after, strict=True):
        child = written.get(round.number) if round.outcome == "accepted" else None
        items.append(_round(round, names, later, _changes(rubric, child)))
        rubric = child or rubric
    title = tag("h4", "How the rubric came to be")
    rest = left_out(len(items) - MOST_ROUNDS, "rounds")
    return join([title, tag("ol", *items[:MOST_ROUNDS], class_="h"), rest])


def _round(
    round: Round, names: Mapping[str, _Pair], later: Mapping[str, Score], changes: Html | None
) -> Html:
    head = tag(
        "h5", f"Round {round.number} ", tag("span", round.outcome, class_=f"chip {round.outcome}")
    )
    note = clip(round.note, limit=NOTE_BYTES)
    said = tag("p", note.html, cut(note), class_="note i") if round.note else None
    return tag("li", head, _pair(round, names, later), said, changes)


def _pair(round: Round, names: Mapping[str, _Pair], later: Mapping[str, Score]) -> Html | None:
    """Return the contrasted responses with their scores before and after the round."""
    if round.pair is None:
        return None
    shown = [_one(key, names) for key in round.pair]
    scores = [round.scores.get(key) for key in round.pair]
    line: list[Html | str] = ["Contrasted ", shown[0], " with ", shown[1], ": "]
    line += [_scores(scores)]
    if round.outcome == "accepted" and later:
        line += [", then ", _scores([later.get(key) for key in round.pair])]
    return tag("p", *line, ".")


def _one(key: str, names: Mapping[str, _Pair]) -> Html:
    known = names.get(key)
    if known is None:
        return tag("span", clip(key, limit=NAME_BYTES).html, class_="i")
    return tag("a" if known.link else "span", known.name, href=known.link, class_="i")


def _scores(scores: Sequence[Score | None]) -> Html | str:
    """Return two scores and whether they tie; words where there is none."""
    values = [None if score is None else score.value for score in scores]
    if None in values:
        texts = ["unscored" if v is None else score_text(v) for v in values]
        return "not scored" if values == [None, None] else " and ".join(texts)
    same = values[0] == values[1]
    verdict = tag("span", "tied" if same else "apart", class_=f"chip {'tied' if same else 'apart'}")
    return join([" and ".join(score_text(v) for v in values), " ", verdict])


def _changes(before: Rubric, after: Rubric | None) -> Html | None:
    if after is None:
        return None
    changes = diff(before.criteria, after.criteria)
    lines = [_change(change) for change in changes if change.kind != "kept"]
    kept = len(changes) - len(lines)
    rest = left_out(len(lines) - MOST_CHANGES, "changes")
    same = tag("li", f"{kept} unchanged", class_="k") if kept else None
    return join([tag("ul", *lines[:MOST_CHANGES], same, class_="d"), rest])


def _change(change: Change) -> Html:
    """Return one line of the difference: a sign, the weight, the words."""
    body = _words(change)
    return tag(
        "li",
        tag("b", SIGNS[change.kind], title=change.kind),
        tag("span", _weights(change.before, change.after), class_="n"),
        tag("span", body, class_="i"),
        class_=change.kind,
    )


def _weights(before: Criterion | None, after: Criterion | None) -> str:
    values = [weight(side.weight) for side in (before, after) if side is not None]
    return "w " + (values[0] if len(set(values)) == 1 else " → ".join(values))


def _words(change: Change) -> Html:
    old, new = change.before, change.after
    if change.kind != "reworded" or old is None or new is None:
        text = clip((new or old or Criterion(text="")).text, limit=CHANGE_BYTES)
        return join([text.html, cut(text)])
    if old.text == new.text:
        return join([clip(new.text, limit=CHANGE_BYTES).html, tag("small", " (check changed)")])
    room = 2 * CHANGE_BYTES
    parts: list[Html] = []
    for what, words in word_diff(old.text, new.text):
        piece = clip(words, limit=room)
        room -= len(piece.html.encode())
        name = {"same": "span", "out": "del", "in": "ins"}[what]
        parts.append(piece.html if what == "same" else tag(name, piece.html))
        if not piece.whole:
            parts.append(tag("small", " … shortened", class_="cut"))
            break
    return join(parts)
