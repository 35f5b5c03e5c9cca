import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uppertail.checks import Words
from uppertail.errors import ReplyUnreadable
from uppertail.propose.read import read_rubric
from uppertail.types import Criterion

REPLIES = Path(__file__).parents[1] / "replies"
RIGHT = (
    Criterion(text="States that the half-life is about 5 days.", weight=3),
    Criterion(text="Names one interaction.", weight=1),
)
CUT = "the reply is cut off before the array is complete"
NOTHING = "the reply holds no JSON array of criteria; it "
BAD_CHECK = "has a check that is not in the vocabulary: "

GOOD = {
    "plain": RIGHT,
    "fenced": RIGHT,
    "prose_around": RIGHT,
    "think": RIGHT,
    "wrapped_rubrics": RIGHT,
    "wrapped_criteria": RIGHT,
    "one_object_a_line": RIGHT,
    "extra_keys": RIGHT,
    "numeric_strings": RIGHT,
    "white_space": RIGHT,
    "single_quotes": RIGHT,
    "repeated_whole": RIGHT,
    "example_beside": RIGHT,
    "strings": tuple(Criterion(text=criterion.text, weight=1) for criterion in RIGHT),
    "with_check": (
        Criterion(
            text="Has at most 120 words.", weight=2, kind="hard_rule", check=Words(at_most=120)
        ),
        Criterion(text="Names one interaction.", weight=1),
    ),
    "latex": (
        Criterion(text="Derives \\frac{1}{2} \\times x\\theta \\neq \\beta + \\rho.", weight=2),
    ),
}
BAD = {
    "weight_outside": (
        'item 1 has a weight "5"; expected one of 1, 2, 3',
        'item 2 has a weight "0"',
        'item 3 has a weight "-1"',
    ),
    "weight_no_number": (
        'item 1 has a weight "high"',
        'item 2 has a weight "True"',
        "item 3 has a weight that is no number",
        "item 4 has no weight",
        'item 5 has a weight "nan"',
    ),
    "duplicates": ('items 1 and 3 say the same: "names ONE interaction."',),
    "empty_criteria": (
        "item 1 has an empty criterion",
        'item 2 has no text under the key "criterion"',
        "item 3 has no text",
        "item 4 is neither an object nor a string",
        "item 5 has an empty criterion",
    ),
    "many_faults": (
        'item 1 has a weight "9"',
        "item 2 has an empty criterion",
        "items 1 and 3 say the same",
    ),
    "bad_check": (
        f"item 1 {BAD_CHECK}Invalid value 'wordiness' - at `$.check`",
        f"item 2 {BAD_CHECK}at_least or at_most",
        f"item 3 {BAD_CHECK}Expected `object`, got `str`",
    ),
    "repeated_field": ('item 1 repeats the key "weight"',),
    "two_versions": ("the reply holds 2 different rubrics; send one",),
    "cut": (CUT,),
    "cut_between_items": (CUT,),
    "cut_after_item": ("do not pair up",),
    "broken_quotes": ("escape double quotes in strings",),
    "empty_array": ("the rubric is empty",),
    "empty_object": ("the rubric is empty",),
    "refusal": (NOTHING + 'begins "I can\'t write grading criteria for this request."',),
    "empty": (NOTHING + "is empty",),
    "other_object": (NOTHING + 'begins "{\\"score\\": 3}"',),
    "number_list": (NOTHING,),
}


def reply(name: str) -> str:
    return (REPLIES / f"rubric_{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", GOOD)
def test_a_usable_reply_gives_its_criteria(name):
    assert read_rubric(reply(name)) == GOOD[name]


@pytest.mark.parametrize("name", BAD)
def test_an_unusable_reply_is_refused_with_all_its_faults(name):
    with pytest.raises(ReplyUnreadable) as error:
        read_rubric(reply(name))

    for problem in BAD[name]:
        assert problem in str(error.value)
    assert str(error.value).count(";") >= len(BAD[name]) - 1


def test_every_stored_reply_is_in_a_table():
    stored = {path.stem.removeprefix("rubric_") for path in REPLIES.glob("rubric_*")}

    assert stored == {*GOOD, *BAD}


@pytest.mark.parametrize("name", ["plain", "fenced", "one_object_a_line"])
def test_a_complete_array_stands_although_the_reply_ended_at_the_token_limit(name):
    assert read_rubric(reply(name), finish="length") == RIGHT


@pytest.mark.parametrize("name", ["prose_around", "empty", "refusal", "cut"])
def test_a_reply_that_the_token_limit_ended_elsewhere_is_cut(name):
    with pytest.raises(ReplyUnreadable, match=CUT):
        read_rubric(reply(name), finish="length")


def test_the_allowed_weights_decide():
    text = '[{"criterion": "A.", "weight": 0.5}, {"criterion": "B.", "weight": "5"}]'

    assert [c.weight for c in read_rubric(text, allowed_weights=(0.5, 5))] == [0.5, 5]


def test_a_plain_string_is_refused_where_weight_1_is_not_allowed():
    with pytest.raises(ReplyUnreadable, match="expected one of 2, 4"):
        read_rubric('["A.", "B."]', allowed_weights=(2, 4))


def test_a_number_too_large_for_a_float_is_no_weight():
    with pytest.raises(ReplyUnreadable, match="item 1 has a weight"):
        read_rubric(f'[{{"criterion": "A.", "weight": 1{"0" * 400}}}]')


def test_lone_surrogates_are_written_out_in_texts_and_checks():
    text = json.dumps(
        [{"criterion": "a\ud800", "weight": 1, "check": {"check": "title", "x": ["\ud800"]}}]
    )
    with pytest.raises(ReplyUnreadable, match="unknown field `x`"):
        read_rubric(text)
    assert read_rubric('[{"criterion": "a\\ud800", "weight": 1}]')[0].text == "a\\ud800"


texts = st.lists(
    st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(
        lambda text: text.strip()
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda text: " ".join(text.split()).casefold(),
)


@given(texts, st.data(), st.sampled_from(["{}", "Here:\n{}\nDone.", "```json\n{}\n```"]))
def test_what_was_written_is_what_is_read(criteria, data, frame):
    weights = data.draw(
        st.lists(st.sampled_from([1, 2, 3]), min_size=len(criteria), max_size=len(criteria))
    )
    items = [{"criterion": c, "weight": w} for c, w in zip(criteria, weights, strict=True)]
    written = json.dumps(items, ensure_ascii=data.draw(st.booleans()))

    read = read_rubric(frame.replace("{}", written))

    assert [(c.text, c.weight) for c in read] == [
        (" ".join(c.split()), w) for c, w in zip(criteria, weights, strict=True)
    ]


@given(texts, st.data())
def test_a_cut_reply_is_never_taken_for_a_shorter_rubric(criteria, data):
    whole = json.dumps([{"criterion": c, "weight": 1} for c in criteria])
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]

    with pytest.raises(ReplyUnreadable):
        read_rubric(cut)


@given(st.text(alphabet='{}[]":,\\ criteronwgh123\n`'))
def test_no_reply_breaks_the_reader(text):
    try:
        criteria = read_rubric(text)
    except ReplyUnreadable:
        return
    assert all(c.text and c.weight in (1, 2, 3) for c in criteria)
