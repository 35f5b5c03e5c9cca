"""Near-duplicates in a pool."""

from hypothesis import given
from hypothesis import strategies as st

from uppertail.sample.duplicates import mark_duplicates
from uppertail.types import Response


def marks(*texts, **options):
    responses = [Response(id=f"r{i}", text=text) for i, text in enumerate(texts)]
    return [r.duplicate_of for r in mark_duplicates(responses, **options)]


LONG = " ".join(f"word{i}" for i in range(100))


def test_a_near_repeat_names_the_earlier_response():
    assert marks(LONG, "something else", LONG + " more", LONG) == [None, None, "r0", "r0"]


def test_a_different_text_stays_unmarked():
    assert marks("one two three four", "one two three five") == [None, None]


def test_the_threshold_decides():
    assert marks("a b c d", "a b c e", threshold=0.3) == [None, "r0"]


@given(st.lists(st.text(max_size=20), max_size=6))
def test_only_earlier_unmarked_responses_are_named(texts):
    found = marks(*texts)
    for index, twin in enumerate(found):
        if twin is not None:
            earlier = int(twin.removeprefix("r"))
            assert earlier < index
            assert found[earlier] is None
