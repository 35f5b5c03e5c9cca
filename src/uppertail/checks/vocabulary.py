"""The union of all checks, and its JSON schema."""

from __future__ import annotations

from typing import Any, get_args

import msgspec

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
from uppertail.checks.lengths import (
    Highlights,
    ListItems,
    Paragraphs,
    Placeholders,
    Sections,
    Sentences,
    Words,
)
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

Check = (
    Words
    | Sentences
    | Paragraphs
    | ListItems
    | Sections
    | Highlights
    | Placeholders
    | Includes
    | Excludes
    | Repeats
    | Letters
    | CapitalWords
    | Case
    | Language
    | Without
    | Title
    | Postscript
    | Format
    | Quoted
    | StartsWith
    | EndsWith
    | ParagraphStarts
    | Parts
    | OneOf
    | Mentions
    | Covers
)
"""Any check. In JSON the key `check` says which."""


def tags() -> dict[str, type[Check]]:
    """Return every check's class by its tag, in the order of the union."""
    return {str(kind.__struct_config__.tag): kind for kind in get_args(Check)}


def schema() -> dict[str, Any]:
    """Return the JSON schema of `Check`."""
    return msgspec.json.schema(Check)
