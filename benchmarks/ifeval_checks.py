"""IFEval's instructions as checks.

IFEval (arXiv 2311.07911) names 25 kinds of instruction and the arguments of each;
`check_for` gives the check that decides the same thing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from uppertail.checks import (
    CapitalWords,
    Case,
    Check,
    EndsWith,
    Excludes,
    Format,
    Highlights,
    Includes,
    Language,
    Letters,
    ListItems,
    OneOf,
    Paragraphs,
    ParagraphStarts,
    Parts,
    Placeholders,
    Postscript,
    Quoted,
    Repeats,
    Sections,
    Sentences,
    StartsWith,
    Title,
    Without,
    Words,
)

Arguments = Mapping[str, Any]
ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")


def _bounds(relation: str, count: int) -> dict[str, int]:
    """Return the inclusive bounds that "at least n" or "less than n" stand for."""
    return {"at_least": count} if relation == "at least" else {"at_most": count - 1}


def _exactly(count: int) -> dict[str, int]:
    return {"at_least": count, "at_most": count}


_CHECKS: dict[str, Callable[[Arguments], Check]] = {
    "change_case:capital_word_frequency": lambda a: CapitalWords(
        **_bounds(a["capital_relation"], a["capital_frequency"])
    ),
    "change_case:english_capital": lambda _: Case(case="upper", language="en"),
    "change_case:english_lowercase": lambda _: Case(case="lower", language="en"),
    "combination:repeat_prompt": lambda a: StartsWith(text=a["prompt_to_repeat"]),
    "combination:two_responses": lambda _: Parts(separator="******", count=2),
    "detectable_content:number_placeholders": lambda a: Placeholders(
        at_least=a["num_placeholders"]
    ),
    "detectable_content:postscript": lambda a: Postscript(marker=a["postscript_marker"]),
    "detectable_format:constrained_response": lambda _: OneOf(options=ANSWERS),
    "detectable_format:json_format": lambda _: Format(format="json"),
    "detectable_format:multiple_sections": lambda a: Sections(
        marker=a["section_spliter"], at_least=a["num_sections"]
    ),
    "detectable_format:number_bullet_lists": lambda a: ListItems(
        style="bullet", **_exactly(a["num_bullets"])
    ),
    "detectable_format:number_highlighted_sections": lambda a: Highlights(
        at_least=a["num_highlights"]
    ),
    "detectable_format:title": lambda _: Title(),
    "keywords:existence": lambda a: Includes(words=tuple(a["keywords"])),
    "keywords:forbidden_words": lambda a: Excludes(words=tuple(a["forbidden_words"])),
    "keywords:frequency": lambda a: Repeats(
        word=a["keyword"], **_bounds(a["relation"], a["frequency"])
    ),
    "keywords:letter_frequency": lambda a: Letters(
        letter=a["letter"], **_bounds(a["let_relation"], a["let_frequency"])
    ),
    "language:response_language": lambda a: Language(code=a["language"]),
    "length_constraints:nth_paragraph_first_word": lambda a: ParagraphStarts(
        paragraph=a["nth_paragraph"], word=a["first_word"], paragraphs=a["num_paragraphs"]
    ),
    "length_constraints:number_paragraphs": lambda a: Paragraphs(
        divider="***", **_exactly(a["num_paragraphs"])
    ),
    "length_constraints:number_sentences": lambda a: Sentences(
        **_bounds(a["relation"], a["num_sentences"])
    ),
    "length_constraints:number_words": lambda a: Words(**_bounds(a["relation"], a["num_words"])),
    "punctuation:no_comma": lambda _: Without(characters=","),
    "startend:end_checker": lambda a: EndsWith(text=a["end_phrase"]),
    "startend:quotation": lambda _: Quoted(),
}


def check_for(type: str, kwargs: Arguments) -> Check:
    """Return the check of an instruction.

    Args:
        type: IFEval's instruction id, with or without the prefix "en:".
        kwargs: its arguments.

    Raises:
        KeyError: no such instruction, or an argument is missing.
    """
    return _CHECKS[type.removeprefix("en:")](kwargs)
