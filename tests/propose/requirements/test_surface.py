"""Case, capital words, punctuation, quotation marks and language."""

import pytest

from uppertail.checks import CapitalWords, Case, Language, Letters, Quoted, Without
from uppertail.propose.requirements.table import read_checks


@pytest.mark.parametrize(
    ("prompt", "check"),
    [
        ("Answer in all lowercase letters.", Case(case="lower")),
        ("No capital letters are allowed.", Case(case="lower")),
        ("All of the letters are lowercase.", Case(case="lower")),
        (
            "Your response must be in English and in lowercase letters.",
            Case(case="lower", language="en"),
        ),
        ("Write in lowercase English.", Case(case="lower", language="en")),
        ("Write everything in uppercase.", Case(case="upper")),
        ("Your entire answer must be in all caps.", Case(case="upper")),
        ("Not a single word should contain lowercase letters.", Case(case="upper")),
        ("Use at least three words in ALL CAPS.", CapitalWords(at_least=3)),
        (
            "Words with all capital letters should appear less than 4 times.",
            CapitalWords(at_most=3),
        ),
        (
            "Limit the number of words with all capital letters to less than four.",
            CapitalWords(at_most=3),
        ),
        ("Use all capital letters for at least 4 words.", CapitalWords(at_least=4)),
        (
            "Use words in all capital letters. There should be 5 to 10 capitalized words.",
            CapitalWords(at_least=5, at_most=10),
        ),
        ("Include some words in all capital letters.", CapitalWords(at_least=1)),
        ("Refrain from using any commas.", Without(characters=",")),
        ("Commas are not allowed in the song.", Without(characters=",")),
        ("I want no punctuation.", Without(characters=".,;:!?")),
        ("Use exactly 2 question marks.", Letters(letter="?", at_least=2, at_most=2)),
        ("Wrap your entire response with double quotation marks.", Quoted()),
        ("Put double quotes around your whole answer.", Quoted()),
        ("Double quotation marks must surround your answer.", Quoted()),
        ("Reply in Spanish.", Language(code="es")),
        ("Use only Korean in your response.", Language(code="ko")),
        (
            "Write a haiku in Italian about a boat, no other language is allowed.",
            Language(code="it"),
        ),
        ("A Hindi poem, please; no other language.", Language(code="hi")),
        ("Explain in French why we sleep.", Language(code="fr")),
        ("Answer in the Telugu language.", Language(code="te")),
    ],
)
def test_surface_is_read(prompt, check):
    assert read_checks(prompt) == (check,)


@pytest.mark.parametrize(
    "prompt",
    [
        "Write the title in all caps.",
        "Capitalize the first word in all sentences.",
        "How do I use commas in a sentence?",
        "Use a comma-separated list.",
        "Don't forget to add punctuation.",
        "Put the title in double quotes.",
        "Do not wrap your answer in double quotes.",
        "Wrap your entire response in single quotes, not double quotes.",
        "Translate this into French: hello",
        "Tell me facts about the Dutch language.",
        "The passage below is in French. What is it about?",
    ],
)
def test_what_speaks_of_a_part_or_of_something_else_is_left_out(prompt):
    assert read_checks(prompt) == ()


def test_several_marks_of_one_sentence_are_all_read():
    found = read_checks("Please don't include commas or semicolons.")
    assert found == (Without(characters=","), Without(characters=";"))
