"""The text of a response, in which its features can be found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from uppertail.world.lexicon import SENTENCES, TRIVIA, VAGUE, Feature

_PARAGRAPH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What a response has."""

    qualities: tuple[bool, ...]
    trivia: tuple[bool, ...]
    styles: tuple[bool, ...]
    """In the order of `lexicon.STYLES`."""
    padded: bool
    """Whether it is twice as long as what it says needs."""
    wording: str
    """Seed of the choice of words; equal traits with equal wording are equal texts."""


def write(traits: Traits, qualities: Sequence[Feature]) -> str:
    """Return the text of a response with these traits: 500 words, or 900 where it is padded."""
    random = Random(f"{traits.wording}:words")
    body = [
        _sentence(feature, has, random)
        for feature, has in zip(
            (*qualities, *TRIVIA), (*traits.qualities, *traits.trivia), strict=True
        )
    ]
    if traits.padded:
        body += [random.choice(VAGUE) for _ in body]
    return _layout(body, traits.styles)


def _sentence(feature: Feature, has: bool, random: Random) -> str:
    """Return a sentence; the random source moves on by the same draw whether it has it or not."""
    place = random.random()
    if has:
        return SENTENCES[int(place * len(SENTENCES))].format(feature.name)
    return VAGUE[int(place * len(VAGUE))]


def _layout(sentences: Sequence[str], styles: tuple[bool, ...]) -> str:
    """Return the sentences as paragraphs, with the marks of the styles that are there."""
    headings, bold, summary, emoji, offer, opening = styles
    parts = [
        " ".join(sentences[first : first + _PARAGRAPH])
        for first in range(0, len(sentences), _PARAGRAPH)
    ]
    if bold:
        parts[0] = f"**First things first.** {parts[0]}"
    if headings:
        parts[0] = f"## The first weeks\n\n{parts[0]}"
    if opening:
        parts.insert(0, "Great question! Here is how to go about it.")
    if summary:
        parts.append("In short:\n\n1. Prepare well.\n2. Work together.\n3. Look back.")
    if emoji:
        parts.append("Happy gardening 🌱")
    if offer:
        parts.append("Let me know if you would like to go through any of this again.")
    return "\n\n".join(parts)
