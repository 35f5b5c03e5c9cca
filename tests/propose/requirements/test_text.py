"""The views of a text that readers look at."""

from hypothesis import given
from hypothesis import strategies as st

from uppertail.propose.requirements.text import EDGE, HIDDEN, Text


@given(st.text(alphabet=st.characters(), max_size=300))
def test_all_views_have_the_length_of_the_original(original):
    text = Text.of(original)
    assert len(text.original) == len(text.folded) == len(text.plain)


@given(st.text(max_size=200), st.integers(0, 250))
def test_a_position_lies_in_its_sentence_if_it_lies_in_the_text(original, position):
    text = Text.of(original)
    start, end = text.sentence(min(position, len(original)))
    assert 0 <= start <= min(position, len(original)) <= end <= len(original)


def test_what_stands_in_any_kind_of_quotes_is_hidden():
    for quoted in ('"no commas"', "“no commas”", "'no commas'", "«no commas»"):
        assert "commas" not in Text.of(f"Say {quoted} to him").plain


def test_an_apostrophe_opens_no_quotation():
    assert HIDDEN not in Text.of("the students' work isn't the teachers' work").plain


def test_a_prompt_that_is_all_in_quotes_is_not_hidden():
    assert "no commas" in Text.of('"Write a poem about the sea with no commas"').plain


def test_fences_and_long_material_are_hidden():
    long = "it has no commas at all " * 20
    assert "commas" not in Text.of(f"Fix this code\n```\n{long}\n```\nplease").plain
    assert "commas" not in Text.of(f"Summarize the following text:\n\n{long}\nThanks").plain


def test_only_the_ends_of_a_long_text_are_kept():
    text = Text.of("a" * EDGE + "b" * 50 + "c" * EDGE)
    assert not text.whole
    assert "b" not in text.plain
    assert len(text.plain) == 2 * EDGE + 2


def test_letters_whose_lower_case_is_longer_keep_the_length():
    assert Text.of("İ AB").folded == "İ ab"


def test_abbreviations_end_no_sentence():
    text = Text.of("Use a title, i.e. a heading, for it. Then stop.")
    assert text.around(0) == "use a title, i.e. a heading, for it."
