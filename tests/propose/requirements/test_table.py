"""The table as a whole: what becomes a criterion, and that hostile text does no harm."""

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uppertail.checks import Check, Includes, Title, Without, Words, tags
from uppertail.propose.requirements import read_requirements
from uppertail.propose.requirements.table import read_checks

PIECES = [
    "at least",
    "3",
    "words",
    '"',
    "'",
    "the word",
    "*",
    "***",
    "not",
    "n't",
    "no",
    ",",
    ".",
    ":",
    "\n",
    "use",
    "include",
    "sentences",
    "JSON",
    "in French",
    "all capital letters",
    "repeat the request",
    "<<a>>",
    "section X",
    "starts with",
    "end with",
    "each",
    "-",
    "(",
    "0",
    "2,000",
    "twice",
    "letter",
    "paragraph",
    "one of the following",
    "between",
    "and",
    "or",
    "less than",
    "placeholders",
    "highlight",
]


def test_each_requirement_becomes_a_hard_rule_that_says_what_its_check_does():
    found = read_requirements("Write a poem with a title, such as <<title>>, and no commas.")
    assert [c.check for c in found] == [Title(), Without(characters=",")]
    assert all(c.kind == "hard_rule" and c.weight == 3 for c in found)
    assert all(c.check is not None and c.text == c.check.sentence() for c in found)


def test_a_prompt_without_requirements_gives_none():
    assert read_requirements("Why is the sky blue?") == ()


def test_the_same_requirement_said_twice_is_one():
    assert read_checks("No commas. Do not use commas!") == (Without(characters=","),)


def test_one_number_serves_one_requirement():
    assert read_checks("Include at least 20 words in capital letters") != ()
    assert not any(
        isinstance(c, Words) for c in read_checks("Use at least 20 words in all capital letters.")
    )


def test_requirements_at_both_ends_of_a_very_long_prompt_are_read():
    prompt = f"Write at least 30 words. {'Once upon a time. ' * 10_000} Do not use commas."
    assert read_checks(prompt) == (Words(at_least=30), Without(characters=","))


def test_a_quotation_states_no_requirement():
    assert read_checks('Translate "write 3 paragraphs without commas" into Latin.') == ()


@pytest.mark.parametrize(
    "unit",
    ["\"", "'", "*", " ", "\n", "1 ", "do not use the word ", "keywords: ", "at least ", "end with ",
     "in all ", "the first paragraph ", "one of the following: ", "```", "\ud800", "\x00\x01", "İ"],
)  # fmt: skip
def test_two_hundred_thousand_hostile_characters_are_read(unit):
    found = read_requirements((unit * 200_000)[:200_000])
    assert len(found) < 5


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_text_gives_valid_checks_that_survive_storage(pieces):
    for check in read_checks(" ".join(pieces)):
        assert msgspec.json.decode(msgspec.json.encode(check), type=Check) == check


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_any_unicode_is_read(text):
    assert isinstance(read_requirements(text), tuple)


def test_a_weaker_bound_beside_a_stronger_one_is_left_out():
    found = read_checks("Highlight the name with *, as *this*. Highlight at least 3 parts too.")
    assert [getattr(c, "at_least", None) for c in found] == [3]


def test_words_are_kept_as_the_prompt_spells_them():
    assert read_checks("Include the word 'McKinley'.") == (Includes(words=("McKinley",)),)


def test_the_example_of_the_page_prints_what_the_page_says(capsys):
    page = (Path(__file__).parents[3] / "docs/offline.md").read_text("utf-8")
    code = re.search(r"```python\n(.*?)```\n\nprints\n\n(.*?)\n\n(?=\S)", page, re.DOTALL)
    assert code
    exec(code[1], {})
    assert capsys.readouterr().out.splitlines() == [line.strip() for line in code[2].split("\n")]


def test_every_check_that_the_page_names_is_in_the_vocabulary():
    page = (Path(__file__).parents[3] / "docs/offline.md").read_text("utf-8")
    rows = re.findall(r"^\| [a-z]+ \| .* \| (`.*`) \|$", page, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert len(rows) == 14
    assert named <= set(tags())


SENTENCES = (
    "Do not use any commas.",
    "Answer with at least 300 words.",
    "Use less than 10 sentences.",
    "Words in all capital letters should appear at least 4 times.",
    "Include exactly 5 bullet points.",
    "Add a title wrapped in double angular brackets, such as <<title>>.",
    "Include at least 3 placeholders in square brackets, such as [address].",
    "Highlight at least 2 parts with markdown, i.e. *highlighted part*.",
    'Include the keywords "apple" and "banana".',
    "The words sun and moon should not appear.",
    "The word dog should appear at least 6 times.",
    "Make sure the letter z appears 7 or more times.",
    "Wrap your entire response with double quotation marks.",
    "Wrap the entire output in JSON format.",
    "Write 4 sections, and mark the beginning of each section with SECTION X.",
    'Finish your response with this exact phrase: "Is that all?" No other words should follow.',
    "Add a postscript starting with P.P.S",
)


@settings(max_examples=200, deadline=None)
@given(st.permutations(SENTENCES), st.integers(2, 6), st.sampled_from([" ", "\n", "\n\n"]))
def test_requirements_side_by_side_are_read_as_each_is_alone(sentences, count, gap):
    asked = sentences[:count]
    alone = [check for sentence in asked for check in read_checks(sentence)]
    assert len(alone) == count
    found = read_checks(gap.join(["Write a story about a cat.", *asked]))
    assert sorted(map(repr, found)) == sorted(map(repr, alone))
