import json

import pytest

from uppertail.checks import Words
from uppertail.data.place import Place, Row
from uppertail.data.rubrics import read_rubrics, rubric_in
from uppertail.errors import InputError
from uppertail.types import Lineage, Prompt


def row(**fields):
    return Row(fields=fields, place=Place(file="f", line=3))


def items(*criteria):
    return row(prompt_id="p", criteria=list(criteria))


def weights(rubric):
    return [(c.text, c.weight) for c in rubric.criteria]


def test_our_own_rubric_is_read_with_its_lineage():
    rubric = rubric_in(
        row(
            prompt_id="p",
            criteria=[
                {"criterion": "a", "weight": 3, "kind": "hard_rule"},
                {"criterion": "b", "weight": 0.5},
            ],
            round=2,
            parent="r0",
            pair=["x", "y"],
            model="m",
            template="t",
        )
    )
    assert rubric.prompt_id == "p"
    assert weights(rubric) == [("a", 3.0), ("b", 0.5)]
    assert [c.kind for c in rubric.criteria] == ["hard_rule", "principle"]
    assert rubric.lineage == Lineage(round=2, parent="r0", pair=("x", "y"), model="m", template="t")


@pytest.mark.parametrize("fields", [{}, {"parent": "", "pair": [], "model": ""}, {"pair": None}])
def test_a_rubric_without_lineage_is_an_import(fields):
    rubric = rubric_in(row(prompt_id="p", criteria=["a"], **fields))
    assert rubric.lineage == Lineage(model="import")


def test_the_published_data_set_joins_by_the_words_of_its_prompt():
    rubric = rubric_in(
        row(
            prompt="say hi",
            rubrics=[{"criterion": "a", "weight": 3}, {"criterion": "b", "weight": 1}],
            number_of_criteria=2,
            total_weight=4,
        )
    )
    assert rubric.prompt_id == Prompt.plain("say hi").id
    assert weights(rubric) == [("a", 3.0), ("b", 1.0)]


AUTHORS = {
    "id": "prompt_7",
    "prompt": "x",
    "total_criteria": 1,
    "criteria": [{"criterion": "a", "weight": 2, "local_id": "c1"}],
    "total_weight": 2,
}


@pytest.mark.parametrize(
    "document",
    [[AUTHORS], {"metadata": {"n": 1}, "rubrics": [{**AUTHORS, "last_modified_iteration": 3}]}],
    ids=["the list of today", "the wrapped list of the paper's time"],
)
def test_the_authors_files_are_read(tmp_path, document):
    path = tmp_path / "final_rubrics.json"
    path.write_text(json.dumps(document, indent=2))
    (rubric,) = read_rubrics(path)
    assert rubric.prompt_id == "prompt_7"
    assert weights(rubric) == [("a", 2.0)]


def test_points_may_be_negative_where_something_can_be_earned():
    rubric = rubric_in(
        row(
            prompt_id="p",
            rubrics=[{"criterion": "a", "points": 7, "tags": []}, {"criterion": "b", "points": -8}],
        )
    )
    assert weights(rubric) == [("a", 7.0), ("b", -8.0)]
    assert rubric.attainable == 7.0


def test_plain_texts_and_items_without_a_weight_weigh_one():
    rubric = rubric_in(items("a", {"criterion": "b"}, {"description": "c", "title": "t"}))
    assert weights(rubric) == [("a", 1.0), ("b", 1.0), ("c", 1.0)]


def test_criteria_may_be_json_text():
    rubric = rubric_in(row(prompt_id="p", rubric='[{"criterion": "a", "weight": 2}]'))
    assert weights(rubric) == [("a", 2.0)]


@pytest.mark.parametrize("packed", [False, True], ids=["as an object", "as JSON text"])
def test_a_check_is_decoded(packed):
    check = {"check": "words", "at_least": 3}
    rubric = rubric_in(items({"criterion": "a", "check": json.dumps(check) if packed else check}))
    assert rubric.criteria[0].check == Words(at_least=3)


@pytest.mark.parametrize("absent", [None, ""])
def test_no_check_is_none(absent):
    assert rubric_in(items({"criterion": "a", "check": absent})).criteria[0].check is None


def test_criteria_of_the_same_words_with_other_checks_differ():
    one = {"criterion": "a", "check": {"check": "words", "at_least": 3}}
    two = {"criterion": "a", "check": {"check": "words", "at_least": 4}}
    assert len(rubric_in(items(one, two)).criteria) == 2


BAD = {
    "no prompt": (row(criteria=["a"]), "field 'prompt': expected a prompt"),
    "no criteria": (row(prompt_id="p"), "field 'criteria': expected a list of criteria"),
    "an empty list": (items(), "field 'criteria': expected a list of criteria"),
    "criteria by dimension": (row(prompt_id="p", criteria={"a": []}), "expected a list of criteria"),
    "criteria in prose": (row(prompt_id="p", rubric="be good"), "field 'rubric': expected a list"),
    "an empty criterion": (items("a", " "), r"'criteria\[1\].criterion': expected the text"),
    "a criterion without text": (items({"weight": 1}), r"'criteria\[0\].criterion': expected the text"),
    "a criterion that is a number": (items(3), r"'criteria\[0\]': expected a criterion, found 3"),
    "a text that is a list": (items({"criterion": []}), r"'criteria\[0\].criterion': expected a text"),
    "a weight of zero": (items({"criterion": "a", "weight": 0}), "a weight that is not zero"),
    "a weight that is true": (items({"criterion": "a", "weight": True}), "finite number, found True"),
    "a weight that is a text": (items({"criterion": "a", "weight": "3"}), "finite number, found '3'"),
    "an infinite weight": (items({"criterion": "a", "points": float("inf")}), r"'criteria\[0\].points'"),
    "no positive weight": (items({"criterion": "a", "weight": -1}), "at least one positive weight"),
    "weights beyond all sums": (
        items({"criterion": "a", "weight": 1e308}, {"criterion": "b", "weight": 1e308}), "sum is finite"),
    "a criterion that comes twice": (
        items("a", "b", {"criterion": "a", "weight": 3}), r"'criteria\[2\]': .*'a' repeats item 0"),
    "an unknown kind": (items({"criterion": "a", "kind": "soft"}), "expected one of principle, hard_rule"),
    "an unknown check": (items({"criterion": "a", "check": {"check": "wrds"}}), "not a known check: .*wrds"),
    "a check in prose": (items({"criterion": "a", "check": "count them"}), "not a known check"),
    "a check of the wrong shape": (
        items({"criterion": "a", "check": {"check": "words", "at_least": "x"}}), "not a known check"),
    "a pair of one": (row(prompt_id="p", criteria=["a"], pair=["x"]), "field 'pair': expected the ids"),
    "a round that is a text": (row(prompt_id="p", criteria=["a"], round="1"), "field 'round'"),
    "an id that is a list": (row(prompt_id=[], criteria=["a"]), "field 'prompt_id': expected an id"),
}  # fmt: skip


@pytest.mark.parametrize(("bad", "message"), BAD.values(), ids=BAD.keys())
def test_rubrics_are_refused_with(bad, message):
    with pytest.raises(InputError, match=f"^f, line 3, .*{message}"):
        rubric_in(bad)


def test_a_second_rubric_for_a_prompt_is_refused_unless_it_is_asked_for(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "p", "criteria": ["a"]}\n{"id": "p", "criteria": ["b"]}\n')
    with pytest.raises(InputError, match=r"line 2, .*one rubric a prompt; 'p' .* on line 1"):
        list(read_rubrics(path))
    assert len(list(read_rubrics(path, one_per_prompt=False))) == 2
