"""The vocabulary of exact checks: what a program can decide about a text.

A check is a frozen, typed value that is stored with its criterion and that anyone can
use in a rubric. It knows nothing of prompts, pools or models.
"""

from uppertail.checks.content import Covers, Mentions
from uppertail.checks.form import (
    EndsWith,
    Format,
    OneOf,
    ParagraphStarts,
    Parts,
    Postscript,
    Quoted,
    StartsWith,
    Title,
)
from uppertail.checks.language import LANGUAGES
from uppertail.checks.lengths import (
    Highlights,
    ListItems,
    Paragraphs,
    Placeholders,
    Sections,
    Sentences,
    Words,
)
from uppertail.checks.read import read_check
from uppertail.checks.vocabulary import Check, schema, tags
from uppertail.checks.words import (
    CapitalWords,
    Case,
    Excludes,
    Includes,
    Language,
    Letters,
    Repeats,
    Without,
)

__all__ = [
    "LANGUAGES",
    "CapitalWords",
    "Case",
    "Check",
    "Covers",
    "EndsWith",
    "Excludes",
    "Format",
    "Highlights",
    "Includes",
    "Language",
    "Letters",
    "ListItems",
    "Mentions",
    "OneOf",
    "ParagraphStarts",
    "Paragraphs",
    "Parts",
    "Placeholders",
    "Postscript",
    "Quoted",
    "Repeats",
    "Sections",
    "Sentences",
    "StartsWith",
    "Title",
    "Without",
    "Words",
    "read_check",
    "schema",
    "tags",
]
