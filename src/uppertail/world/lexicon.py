"""The words of the world: what a response can say, and how a criterion asks for it.

A feature is anything a reader can find in a text. Qualities count for gold, trivia and
styles do not. Each leaves a mark in the text of a response that has it, and each has a name
by which a criterion speaks of it. So a verdict can be had from the two texts alone.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

FeatureKind = Literal["quality", "trivia", "style"]


class Feature(NamedTuple):
    """Something that a response can have."""

    kind: FeatureKind
    name: str
    """What a criterion calls it; no name is part of another one or of any sentence below."""
    mark: str
    """What stands in the text of a response that has it, and in no other text."""

    def in_text(self, text: str) -> bool:
        """Return whether a response's text has the feature."""
        return self.mark in text


_TOPICS = (
    "drainage",
    "frost",
    "compost",
    "pollinator",
    "footpath",
    "irrigation",
    "toolshed",
    "volunteer",
    "harvest",
    "shade",
)
_PAPERS = (
    "plan",
    "budget",
    "calendar",
    "map",
    "fallback",
    "checklist",
    "survey",
    "rota",
    "agreement",
    "forecast",
)
_TRIVIA = (
    "lunar almanac",
    "village anthem",
    "founding plaque",
    "weather proverb",
    "mascot contest",
    "opening ribbon",
    "guest book",
    "slogan vote",
)

QUALITIES = tuple(
    Feature("quality", f"{topic} {paper}", f"{topic} {paper}")
    for paper in _PAPERS
    for topic in _TOPICS
)
"""100 qualities; a world uses the first of them."""

TRIVIA = tuple(Feature("trivia", name, name) for name in _TRIVIA)
"""Things that a response may mention and that are worth nothing."""

STYLES = (
    Feature("style", "section headings", "## "),
    Feature("style", "key phrases in bold", "**"),
    Feature("style", "a numbered summary", "1. "),
    Feature("style", "a friendly emoji", "🌱"),
    Feature("style", "a closing offer of help", "Let me know"),
    Feature("style", "an upbeat opening", "Great question"),
)
"""Matters of form that are worth nothing."""

SENTENCES = (
    "Put the {} in writing before the first spade goes in.",
    "A short {} keeps everyone honest about what comes next.",
    "Keep the {} where all members can see and question it.",
    "Start with the {}, because the later steps lean on it.",
    "Name one person who owns the {} and reports on it.",
    "Revisit the {} every month and change it when needed.",
)
"""Ways to mention a quality or a trifle."""

VAGUE = (
    "There is always more to consider here, and opinions tend to differ.",
    "People who have done this before would say that it depends.",
    "With goodwill on all sides, this part usually works itself out.",
    "It pays to think about this early and to keep talking.",
    "Every place is different, so take what follows with some care.",
    "A little patience at this point saves a lot of trouble.",
    "Some groups make much of this, and others hardly notice it.",
    "Nothing here is hard, but all of it takes some time.",
)
"""What stands where a quality is missing: about as long, so that length tells nothing."""

PHRASES = (
    "Sets out the {}.",
    "Tells the reader to prepare the {}.",
    "Includes the {} among the steps.",
    "Says what the {} is good for.",
    "Gives the {} a place in the work.",
)
"""Ways in which a criterion can ask for a quality or a trifle; all mean the same."""

OPPOSITES = ("Does not spend space on the {}.", "Works without the {}.")
"""Ways in which a criterion can ask for its absence."""

STYLE_PHRASES = ("Uses {}.", "Is easier to read thanks to {}.")

_NEGATION = re.compile(r"\b(?:not|no|without|avoids|omits|lacks|free of)\b", re.IGNORECASE)
_FEATURES = (*QUALITIES, *TRIVIA, *STYLES)
_NAMED = re.compile("|".join(re.escape(feature.name) for feature in _FEATURES), re.IGNORECASE)
_BY_NAME = {feature.name: feature for feature in _FEATURES}


class Question(NamedTuple):
    """What a criterion asks."""

    features: tuple[Feature, ...]
    """The features that it names; empty where it names none that this world knows."""
    absent: bool
    """Whether it asks for their absence."""

    def holds(self, text: str) -> bool:
        """Return whether it holds for a response; a question about nothing never does."""
        if self.absent:
            return bool(self.features) and not any(f.in_text(text) for f in self.features)
        return bool(self.features) and all(f.in_text(text) for f in self.features)


@lru_cache(maxsize=4096)
def question(criterion: str) -> Question:
    """Return what the text of a criterion asks, whatever its wording around the names."""
    names = dict.fromkeys(name.lower() for name in _NAMED.findall(criterion))
    features = tuple(_BY_NAME[name] for name in names)
    return Question(features, bool(_NEGATION.search(criterion)))
