"""How alike two texts are."""

from hypothesis import given
from hypothesis import strategies as st

from uppertail.likeness import jaccard, word_runs


def test_runs_are_words_in_lower_case():
    assert word_runs("One two, ONE!") == {("one",), ("two",)}
    assert word_runs("a b c d", 3) == {("a", "b", "c"), ("b", "c", "d")}
    assert word_runs("a b", 3) == {("a", "b")}


def test_texts_without_words_differ_by_what_they_are():
    assert jaccard(word_runs("!!"), word_runs("??")) == 0.0


def test_empty_sets_are_alike():
    assert jaccard(frozenset(), frozenset()) == 1.0


@given(st.text(), st.text(), st.integers(1, 4))
def test_likeness_is_symmetric_and_a_share(a, b, length):
    left, right = word_runs(a, length), word_runs(b, length)
    assert 0 <= jaccard(left, right) == jaccard(right, left) <= 1
    assert jaccard(left, left) == 1
