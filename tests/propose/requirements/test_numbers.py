"""Numbers and bounds in English."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uppertail.propose.requirements.numbers import NUMBER, amounts, times, value_of
from uppertail.propose.requirements.text import Text

_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def in_words(number: int) -> str:
    """Return the English words of a number from 21 to 9999 that ends in no zero digit."""
    thousands, rest = divmod(number, 1000)
    hundreds, rest = divmod(rest, 100)
    tens, ones = divmod(rest, 10)
    words = f"{_ONES[thousands - 1]} thousand " if thousands else ""
    words += f"{_ONES[hundreds - 1]} hundred and " if hundreds else ""
    return f"{words}{_TENS[tens - 2]}-{_ONES[ones - 1]}"


@given(st.integers(2, 9), st.integers(2, 9), st.integers(1, 9))
def test_a_number_in_words_is_read_back(hundreds, tens, ones):
    number = 100 * hundreds + 10 * tens + ones
    words = in_words(number)
    assert re.fullmatch(NUMBER, words)
    assert value_of(words) == number


@given(st.integers(0, 9_999_999))
def test_a_number_in_figures_is_read_back_with_and_without_commas(number):
    assert value_of(str(number)) == value_of(f"{number:,}") == number


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("two dozen", 24),
        ("half a dozen", 6),
        ("a couple of", 2),
        ("a hundred", 100),
        ("two thousand", 2000),
    ],
)
def test_other_number_words_are_known(words, value):
    assert value_of(words) == value


@pytest.mark.parametrize("text", ["5%", "$5", "2.5", "1999/5", "#5"])
def test_prices_shares_and_fractions_are_no_counts(text):
    assert not list(amounts(Text.of(f"at least {text} words"), "words?"))


def test_a_plain_number_of_times_is_a_lower_bound():
    (found,) = times(Text.of("5 times"), 0, 7)
    assert (found.at_least, found.at_most) == (5, None)


def test_a_range_that_runs_backwards_is_no_range():
    found = list(amounts(Text.of("between 9 and 4 words"), "words?"))
    assert found == []
