"""English criteria are read into checks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.checks.samples import SAMPLES, checks
from uppertail.checks import (
    CapitalWords,
    Case,
    Check,
    EndsWith,
    Excludes,
    Format,
    Highlights,
    Includes,
    Letters,
    ListItems,
    Paragraphs,
    ParagraphStarts,
    Placeholders,
    Quoted,
    Repeats,
    Sections,
    Sentences,
    StartsWith,
    Title,
    Without,
    Words,
    read_check,
)


@settings(deadline=None)
@given(checks())
def test_what_a_check_says_of_itself_reads_back_as_that_check(check: Check) -> None:
    assert read_check(check.sentence()) == check


@pytest.mark.parametrize("check", SAMPLES, ids=repr)
def test_a_sample_reads_back(check: Check) -> None:
    assert read_check(check.sentence()) == check


READ = {
    "The response should contain at least three sentences": Sentences(at_least=3),
    "The answer must have no more than 50 words.": Words(at_most=50),
    "The response has more than 50 words.": Words(at_least=51),
    "The response has fewer than 50 words.": Words(at_most=49),
    "The response has less than 5 sentences.": Sentences(at_most=4),
    "The response has 200 or more words": Words(at_least=200),
    "The response has a minimum of 200 words.": Words(at_least=200),
    "The response has up to 200 words.": Words(at_most=200),
    "The response has 0 sections that begin with 'Part' and a number.": Sections(
        at_most=0, marker="Part"
    ),
    "The response has 4 paragraphs separated by the markdown divider ***.": Paragraphs(
        at_least=4, at_most=4, divider="***"
    ),
    "The response has 3 sections, each beginning with SECTION X.": Sections(
        at_least=3, at_most=3, marker="SECTION"
    ),
    "The response contains exactly 3 markdown bullet points.": ListItems(
        style="bullet", at_least=3, at_most=3
    ),
    "The entire response is in English and in all capital letters.": Case(
        case="upper", language="en"
    ),
    "The entire response is in English and in lowercase letters (no capital letters).": Case(
        case="lower", language="en"
    ),
    "The response does not contain any of these words: can, ride.": Excludes(words=("can", "ride")),
    "The response includes all of these keywords: atlantis, constable.": Includes(
        words=("atlantis", "constable")
    ),
    "The response must not contain commas.": Without(characters=","),
    "The response never uses any exclamation marks.": Without(characters="!"),
    'The word "war" appears at least 8 times in the response.': Repeats(word="war", at_least=8),
    'The letter "c" appears less than 1 times in the response.': Letters(letter="c", at_most=0),
    "Words in all capital letters appear at least 3 times in the response.": CapitalWords(
        at_least=3
    ),
    "At least 3 sections of the response are highlighted with markdown (*highlighted section*).": (
        Highlights(at_least=3)
    ),
    "The response contains at least 7 placeholders in square brackets, such as [address].": (
        Placeholders(at_least=7)
    ),
    "The response contains a title wrapped in double angular brackets, such as <<title>>.": Title(),
    "The entire response is wrapped in JSON format.": Format(format="json"),
    "The entire response is wrapped in double quotation marks.": Quoted(),
    "The response begins with “Dear editor”.": StartsWith(text="Dear editor"),
    r'The response starts with "C:\windows".': StartsWith(text=r"C:\windows"),
    'The response ends with the exact phrase "Peace!" and no words follow it.': EndsWith(
        text="Peace!"
    ),
    "The response has 4 paragraphs separated by two newlines, "
    'and paragraph 1 starts with the word "weekend".': ParagraphStarts(
        paragraph=1, word="weekend", paragraphs=4
    ),
}


@pytest.mark.parametrize(("text", "check"), READ.items(), ids=READ)
def test_other_ways_to_say_it_are_read_too(text: str, check: Check) -> None:
    assert read_check(text) == check


NOT_READ = [
    "",
    "The response is polite.",
    "The response has at least three examples.",
    "The response has at least 300 words and no commas.",
    "The response includes the word 'economy' in its title.",
    "Paris is the capital of France.",
    "The response has between 5 and 3 words.",
    "The response has less than 0 words.",
    'The response includes all of these words: "a", "a".',
    "The response is entirely in Klingon.",
    'The response says that "' + "a" * 20_000 + '".',
]


@pytest.mark.parametrize("text", NOT_READ, ids=lambda text: text[:60])
def test_what_states_no_single_possible_check_is_not_read(text: str) -> None:
    assert read_check(text) is None


@settings(deadline=None)
@given(st.text(alphabet="the response haslt1234'\"\\,. ", max_size=200))
def test_any_text_can_be_tried(text: str) -> None:
    check = read_check("The response " + text)
    assert check is None or read_check(check.sentence()) == check
