"""How much of a statement a text covers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uppertail.checks.coverage import NARROW, WIDE, content_words, coverage

FILLER = "filler "


def test_a_text_covers_all_of_itself() -> None:
    assert coverage("Three ships sailed north.", "Three ships sailed north.") == 1.0


def test_an_unrelated_text_covers_nothing() -> None:
    assert coverage("Three ships sailed north.", "Dogs bark.") == 0.0


def test_a_statement_of_short_words_is_covered_by_nothing() -> None:
    assert coverage("It is what it is.", "It is what it is.") == 0.0
    assert content_words("It is what it is.") == 0


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("three winners", "3 winner"),
        ("12,000 tickets", "12000 ticket"),
        ("12 , 000 tickets", "12,000 ticket"),
        ("criticised teams", "criticism of a team"),
        ("They did not agree", "They didn't agree"),
        ("no agreement", "never agreement"),
    ],
)
def test_different_spellings_of_the_same_match(statement: str, text: str) -> None:
    assert coverage(statement, text) == 1.0


@pytest.mark.parametrize(
    ("statement", "text"), [("2015", "20150"), ("tree", "treason"), ("car", "carpet")]
)
def test_different_words_with_the_same_beginning_do_not_match(statement: str, text: str) -> None:
    assert coverage(statement, text) == 0.0


def test_a_number_weighs_more_than_a_word() -> None:
    assert coverage("ship 40 sank", "40") > coverage("ship 40 sank", "ship")


def test_a_missing_negation_costs() -> None:
    assert coverage("The ship never sank", "The ship sank") < 0.65


def test_the_last_word_weighs_double() -> None:
    assert coverage("ship sank", "sank") == pytest.approx(2 / 3)


def test_words_far_apart_cover_less_than_words_close_together() -> None:
    close = coverage("ships sailed", "ships " + FILLER * (NARROW - 2) + "sailed")
    apart = coverage("ships sailed", "ships " + FILLER * (NARROW - 1) + "sailed")
    lost = coverage("ships sailed", "ships " + FILLER * (WIDE - 1) + "sailed")
    assert close == 1.0 > apart > lost > 0


WORDS = st.lists(
    st.sampled_from(["red", "ship", "sank", "12", "not", "harbour", "sailing", "sails", "the"]),
    max_size=30,
)


@settings(deadline=None)
@given(WORDS, WORDS, WORDS)
def test_more_text_never_covers_less(
    statement: list[str], text: list[str], more: list[str]
) -> None:
    said = " ".join(statement)
    before, after = coverage(said, " ".join(text)), coverage(said, " ".join(text + more))
    assert 0.0 <= before <= after <= 1.0
