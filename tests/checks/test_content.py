"""Checks of content."""

import pytest

from uppertail.checks import Covers, Mentions


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        (("Ada Lovelace", "1843"), "In 1843 ADA\nLovelace wrote"),
        (("12000",), "They sold 12,000."),
        (("12,000",), "They sold 12000 cars"),
        (("2.5 km",), "It is 2.5 km long"),
    ],
)
def test_all_terms_are_found_as_whole_words(terms: tuple[str, ...], text: str) -> None:
    assert Mentions(terms=terms).holds(text)


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        (("Ada", "Bob"), "Ada"),
        (("art",), "party"),
        (("5",), "It is 2.5 km, or 5.1, or 15."),
        (("200",), "They sold 12,200."),
    ],
)
def test_a_term_inside_another_is_not_found(terms: tuple[str, ...], text: str) -> None:
    assert not Mentions(terms=terms).holds(text)


def test_some_of_the_terms_can_be_enough() -> None:
    check = Mentions(terms=("red", "blue", "green"), at_least=2)
    assert check.holds("blue and red")
    assert not check.holds("blue")


@pytest.mark.parametrize("at_least", [0, 3])
def test_more_terms_than_there_are_cannot_be_asked_for(at_least: int) -> None:
    with pytest.raises(ValueError, match=r"^at_least: expected 1 to 2"):
        Mentions(terms=("a", "b"), at_least=at_least)


def test_a_statement_is_covered_by_other_words_of_the_same_stems() -> None:
    check = Covers(statement="Drogba won an award for charity work.")
    assert check.holds("For his charitable works Drogba has been given two awards; he won.")
    assert not check.holds("Drogba scored twice for Chelsea.")


@pytest.mark.parametrize("share", [0.0, 1.1, float("nan")])
def test_a_share_outside_its_range_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match=r"^share"):
        Covers(statement="a", share=share)


def test_a_blank_statement_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^statement"):
        Covers(statement="\n")
