"""How much of a statement a text covers: an approximation by words, with no model of meaning.

Both sides are read into stems. The statement's content words get weights, the text's
words are matched against them, and the best stretch of the text counts. It knows no
synonyms and does not see who did what to whom; it is the offline stand-in for a
verifier that reads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import takewhile

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")
_GROUPED = re.compile(r"(?<=\d) ?, ?(?=\d{3}(?!\d))")
_ENDING = re.compile(r"(?<=...)(?:ing|i?ed|i?es|s|ly|e|y)$")
_NOT = re.compile(r"n ?['’]t\b|\b(?:cannot|never|no|nobody|nor|without)\b", re.IGNORECASE)
_LONGEST_WORD = 40
_SHORT = """
    a about above after again against all am an and any are as at be been before being below
    between both but by can could d did do does doing down during each few for from further had
    has have having he her here him his how i if in into is it its just ll m me might more most
    must my now of off on once only or other our out over own re same she should so some such
    than that the their them then there these they this those through to too under until up ve
    very was we were what when where which while who whom why will with would you your s
"""
SHORT_WORDS = frozenset(_SHORT.split())
"""Words that say little: they are not looked for."""
_COUNTS = """zero|one first|two second|three third|four fourth|five fifth|six sixth|seven seventh|
    eight eighth|nine ninth|ten tenth|eleven eleventh|twelve twelfth"""
_NUMBERS = {
    word: str(value) for value, words in enumerate(_COUNTS.split("|")) for word in words.split()
}

# Chosen on the build half of REALSumm (arXiv 2010.07100), where changing one of them by a
# quarter moves accuracy by about half a point at most; see benchmarks/offline_realsumm.py.
KEY_WEIGHT = 12.0
"""What a number and a "not" weigh, in letters; any other word weighs as much as its stem is long."""
LAST_WEIGHT = 2.0
"""The last word of a statement tends to be what is new in it: it counts double."""
WIDE, NARROW = 100, 30
"""Lengths of the two stretches, in words: about a paragraph and about a sentence."""
NARROW_SHARE = 0.5
"""How much being close together counts."""


def coverage(statement: str, text: str) -> float:
    """Return how much of `statement` the text covers, in [0, 1].

    A statement of no content words is covered by nothing: 0.
    """
    weights = _weights(statement)
    total = sum(weights.values())
    if not total:
        return 0.0
    hits = _hits(weights, text)
    wide, narrow = _best(hits, weights, WIDE), _best(hits, weights, NARROW)
    return ((1 - NARROW_SHARE) * wide + NARROW_SHARE * narrow) / total


def content_words(statement: str) -> int:
    """Return how many different content words a statement has."""
    return len(_weights(statement))


def _weights(statement: str) -> dict[str, float]:
    """Return the weight of each content stem of a statement."""
    stems = [stem for stem, word in _stems(statement) if word not in SHORT_WORDS]
    weights = {
        stem: KEY_WEIGHT if stem == "not" or stem[0].isdigit() else float(len(stem))
        for stem in stems
    }
    if stems:
        weights[stems[-1]] *= LAST_WEIGHT
    return weights


def _stems(text: str) -> list[tuple[str, str]]:
    """Return each word's stem and the word in lower case; numbers in digits, ungrouped."""
    words = [
        word[:_LONGEST_WORD].lower()
        for word in _TOKEN.findall(_NOT.sub(" not ", _GROUPED.sub("", text)))
    ]
    return [(_NUMBERS.get(word) or _ENDING.sub("", word), word) for word in words]


@lru_cache(maxsize=16)
def _positions(text: str) -> Mapping[str, Mapping[str, Sequence[int]]]:
    """Return where each stem of a text stands, by its first four letters.

    Kept, because the criteria of one response are decided one after the other.
    """
    positions: dict[str, dict[str, list[int]]] = {}
    for place, (stem, _) in enumerate(_stems(text)):
        positions.setdefault(stem[:4], {}).setdefault(stem, []).append(place)
    return positions


def _hits(weights: Mapping[str, float], text: str) -> list[tuple[int, str]]:
    """Return where the text has a stem of the statement or one much like it, in order."""
    positions = _positions(text)
    return sorted(
        (place, wanted)
        for wanted in weights
        for found, places in positions.get(wanted[:4], {}).items()
        if found == wanted or _alike(wanted, found)
        for place in places
    )


def _alike(a: str, b: str) -> bool:
    """Return whether two stems share a beginning of 4 letters and 60 % of the longer one."""
    if a[0].isdigit():
        return False
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
    return shared >= 4 and shared >= 0.6 * max(len(a), len(b))


def _best(hits: Sequence[tuple[int, str]], weights: Mapping[str, float], width: int) -> float:
    """Return the most weight of different stems within any stretch of `width` words."""
    inside = dict.fromkeys(weights, 0)
    best = weight = 0.0
    start = 0
    for place, stem in hits:
        weight += weights[stem] if not inside[stem] else 0.0
        inside[stem] += 1
        while hits[start][0] <= place - width:
            gone = hits[start][1]
            inside[gone] -= 1
            weight -= weights[gone] if not inside[gone] else 0.0
            start += 1
        best = max(best, weight)
    return best
