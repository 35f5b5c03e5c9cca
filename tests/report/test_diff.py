from hypothesis import given
from hypothesis import strategies as st

from uppertail.checks import Words
from uppertail.report.diff import MOST_TOKENS, diff, word_diff
from uppertail.types import Criterion


def criteria(*pairs: tuple[str, float]) -> tuple[Criterion, ...]:
    return tuple(Criterion(text=text, weight=weight) for text, weight in pairs)


def test_each_kind_of_change_is_told_apart():
    before = criteria(("keeps it short", 1), ("names an owner for each step", 2), ("is polite", 1))
    after = criteria(
        ("keeps it short", 3),
        ("names an owner and a date for each step", 2),
        ("cites its sources", 1),
    )

    assert [(c.kind, c.after.text if c.after else "") for c in diff(before, after)] == [
        ("reweighted", "keeps it short"),
        ("reworded", "names an owner and a date for each step"),
        ("added", "cites its sources"),
        ("removed", ""),
    ]


def test_a_criterion_that_stays_is_never_taken_for_another_reworded():
    before = criteria(("names the owner of the step", 1))
    after = criteria(("names the owner of each step", 1), ("names the owner of the step", 1))

    assert [change.kind for change in diff(before, after)] == ["added", "kept"]


def test_another_check_of_the_same_words_is_a_change():
    before = (Criterion(text="is short", check=Words(at_most=100)),)
    after = (Criterion(text="is short", check=Words(at_most=90)),)

    assert [change.kind for change in diff(before, after)] == ["reworded"]


def test_words_show_what_went_and_what_came():
    assert word_diff("names an owner", "names a clear owner") == (
        ("same", "names "),
        ("out", "an"),
        ("in", "a clear"),
        ("same", " owner"),
    )


def test_very_long_texts_are_shown_whole_instead_of_compared():
    long = "a b " * MOST_TOKENS

    assert word_diff(long, "short") == (("out", long), ("in", "short"))


texts = st.lists(st.text("ab cd", max_size=12), max_size=5, unique=True)


@given(texts, texts)
def test_a_diff_accounts_for_every_criterion_once(old, new):
    before, after = criteria(*((t, 1.0) for t in old)), criteria(*((t, 1.0) for t in new))
    changes = diff(before, after)

    assert [c.after for c in changes if c.after] == list(after)
    assert sorted(c.before.text for c in changes if c.before) == sorted(old)


@given(st.text("ab .,", max_size=30), st.text("ab .,", max_size=30))
def test_a_word_diff_rebuilds_both_texts(old, new):
    parts = word_diff(old, new)

    assert "".join(text for what, text in parts if what != "in") == old
    assert "".join(text for what, text in parts if what != "out") == new
