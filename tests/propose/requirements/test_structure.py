"""Lists, sections, highlights, placeholders, titles, postscripts and formats."""

import pytest

from uppertail.checks import (
    Format,
    Highlights,
    ListItems,
    Placeholders,
    Postscript,
    Sections,
    Title,
)
from uppertail.propose.requirements.table import read_checks


@pytest.mark.parametrize(
    ("prompt", "check"),
    [
        ("Use exactly 4 bullet points.", ListItems(at_least=4, at_most=4, style="bullet")),
        ("Include at least 3 bullets.", ListItems(at_least=3, style="bullet")),
        ("Use a numbered list of 5 items.", ListItems(at_least=5, at_most=5, style="numbered")),
        ("List 4 fruits as bullet points.", ListItems(at_least=4, at_most=4, style="bullet")),
        ("I like 4 fruits. Answer in bullet points.", ListItems(at_least=2, style="bullet")),
        ("Answer in bullet points.", ListItems(at_least=2, style="bullet")),
        ("Give the steps as a numbered list.", ListItems(at_least=2, style="numbered")),
        ("Do not give me any bullet points.", ListItems(at_most=0, style="bullet")),
        ("Write 4 sections marked with SECTION X.", Sections(at_least=4, marker="SECTION")),
        ("Mark the parts with Part [X].", Sections(at_least=2, marker="Part")),
        (
            "Write exactly 2 chapters, noted as Chapter X.",
            Sections(at_least=2, at_most=2, marker="Chapter"),
        ),
        (
            'Write 3 sections, each starting with "Part 1" and so on.',
            Sections(at_least=3, marker="Part"),
        ),
        ("Write two sections (Section 1 and Section 2).", Sections(at_least=2, marker="Section")),
        ("Write at least 3 headings.", Sections(at_least=3)),
        ("Highlight at least 2 sections with markdown.", Highlights(at_least=2)),
        ("Give the song a name and highlight it with *, as *this*.", Highlights(at_least=1)),
        ("Use *, to highlight some words twice.", Highlights(at_least=2)),
        ("Include at least 7 placeholders, such as [location].", Placeholders(at_least=7)),
        ("Include placeholders in square brackets.", Placeholders(at_least=1)),
        ("Do not use placeholders.", Placeholders(at_most=0)),
        ("Add a title wrapped in double angular brackets.", Title()),
        ("Give it a title, such as <<my title>>.", Title()),
        ("Add a postscript starting with P.P.S", Postscript(marker="P.P.S")),
        ("End it with a P.S.", Postscript(marker="P.S.")),
        ("Add a postscript.", Postscript(marker="P.S.")),
        ("Wrap the entire output in JSON format.", Format(format="json")),
        ("Output only valid JSON.", Format(format="json")),
        ("Answer in XML format.", Format(format="xml")),
        ("Show it in a markdown table.", Format(format="markdown_table")),
        ("Put the answer in a code block.", Format(format="code_block")),
    ],
)
def test_structure_is_read(prompt, check):
    assert read_checks(prompt) == (check,)


@pytest.mark.parametrize(
    "prompt",
    [
        "I have 3 bullet points in my resume, can you improve them?",
        "Who was Malcolm X?",
        "Explain the highlights of the 3 sections in the report.",
        "Highlight the importance of sleep.",
        "What is a placeholder?",
        "In C++, what does cout << x >> y do?",
        "I read the P.S. of her letter. What did it mean?".replace("the P.S. of ", ""),
        "What is JSON?",
        "Convert this CSV to JSON format.",
        "How do I parse JSON files in Python?",
    ],
)
def test_what_only_sounds_like_structure_is_left_out(prompt):
    assert read_checks(prompt) == ()
