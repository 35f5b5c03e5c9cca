"""Every benchmark's rows as its authors publish them."""

from __future__ import annotations

import json

import pytest

from tests.evaluate.bench.rows import (
    AUTOJ,
    BIGGEN,
    CORRECT,
    HEALTH,
    IFEVAL,
    INFO,
    JUDGEBENCH,
    LLMBAR,
    MESSAGES,
    PANDALM,
    PPE,
    PR,
    REWARDBENCH,
    RMB_GROUP,
    RMB_PAIR,
    RMBENCH,
    ROWS,
    TIES,
    read,
    write,
)
from uppertail.checks import Words
from uppertail.errors import InputError
from uppertail.evaluate.bench.benchmark import Inputs, items_of
from uppertail.evaluate.bench.ifeval import check_for, variants
from uppertail.evaluate.bench.registry import BENCHMARKS, aggregation_of, find


@pytest.mark.parametrize("name", ROWS)
def test_every_benchmark_reads_a_row_of_its_kind(name, tmp_path):
    (item,) = read(name, tmp_path, ROWS[name])
    assert item.id
    assert item.comparisons or item.rubric
    positions = {p for c in item.comparisons for p in (c.first, c.second)}
    assert positions <= set(range(len(item.responses)))


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda b: b.name)
def test_every_benchmark_says_what_it_is_and_its_logs_can_be_made_again(benchmark):
    assert benchmark.about
    assert benchmark.checked
    assert aggregation_of(benchmark.aggregation.name) is benchmark.aggregation
    assert find(benchmark.name) is benchmark


def test_names_of_benchmarks_come_once():
    names = [benchmark.name for benchmark in BENCHMARKS]
    assert len(set(names)) == len(names)


def test_labels_say_which_side_is_better(tmp_path):
    assert read("judgebench", tmp_path, JUDGEBENCH)[0].comparisons[0].gold == "second"
    assert read("judgebench", tmp_path, JUDGEBENCH)[0].subset == "math"
    assert read("ppe", tmp_path, PPE)[0].comparisons[0].gold == "tie"
    assert read("autoj", tmp_path, AUTOJ)[0].comparisons[0].gold == "second"
    assert read("pandalm", tmp_path, PANDALM)[0].comparisons[0].gold == "second"
    assert read("llmbar", tmp_path, {**LLMBAR, "label": 1})[0].comparisons[0].gold == "first"


def test_rewardbench_ids_may_come_again_in_another_subset(tmp_path):
    items = read("rewardbench", tmp_path, REWARDBENCH, {**REWARDBENCH, "subset": "hep-go"})
    assert [item.id for item in items] == ["math-prm/7", "hep-go/7"]


def test_rm_bench_rows_are_nine_comparisons(tmp_path):
    (item,) = read("rm-bench", tmp_path, RMBENCH)
    assert len(item.comparisons) == 9
    assert [response.text for response in item.responses] == list("abcdef")


def test_ties_of_rewardbench_2_need_ratings_and_belong_to_their_question(tmp_path):
    (item,) = read("rewardbench-2", tmp_path, TIES)
    assert item.ratings
    assert (item.group, item.tags) == ("Ties/4", ("tied",))
    assert [(c.first, c.second) for c in item.comparisons] == [(0, 2), (1, 2)]


def test_rmb_reads_pairs_and_groups_from_a_folder(tmp_path):
    for name, row in (("Pairwise_set", RMB_PAIR), ("BoN_set", RMB_GROUP)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Chat.json").write_text(json.dumps([row]))
    items = list(items_of(find("rmb"), Inputs(data=tmp_path)))
    assert [item.tags for item in items] == [("Harmlessness BoN",), ("Helpfulness pairs",)]
    assert [len(item.comparisons) for item in items] == [2, 1]


def test_healthbench_keeps_points_and_tags(tmp_path):
    (item,) = read("healthbench", tmp_path, HEALTH)
    assert item.rubric is not None
    assert [criterion.weight for criterion in item.rubric.criteria] == [5, -3]
    assert item.criterion_tags == (("axis:accuracy",), ())
    assert item.tags == ("theme:hedging",)


def test_prbench_turns_and_reference_texts_make_the_conversation(tmp_path):
    (item,) = read("prbench", tmp_path, PR)
    assert [m.role for m in item.prompt.messages] == ["user", "assistant", "user"]
    assert item.prompt.messages[-1].content == "Reference text 0:\na table\n\nThree?"
    assert item.rubric is not None
    assert [criterion.weight for criterion in item.rubric.criteria] == [8]


def test_infobench_reads_both_forms_of_its_questions(tmp_path):
    (item,) = read("infobench", tmp_path, INFO)
    assert item.criterion_tags == (("Content",), ("Style",))
    assert item.prompt.text == "Do it.\n\nthis"
    other = {**INFO, "criteria": [{"criterion": "Is it done?", "labels": ["Content"]}]}
    del other["decomposed_questions"], other["input"]
    (item,) = read("infobench", tmp_path, other)
    assert item.prompt.text == "Do it."


def test_biggen_grades_become_four_criteria(tmp_path):
    (item,) = read("biggen", tmp_path, BIGGEN)
    assert item.rubric is not None
    assert [c.text.rsplit(" ", 1)[-1] for c in item.rubric.criteria] == ["2", "3", "4", "5"]
    assert item.prompt.messages[0].role == "system"


def test_ifeval_checks_are_made_of_the_arguments_that_are_there(tmp_path):
    (item,) = read("ifeval", tmp_path, IFEVAL)
    assert item.rubric is not None
    assert item.rubric.criteria[0].check == Words(at_least=2)
    assert len(item.responses) == 8
    assert check_for(
        "en:length_constraints:number_words", {"relation": "less than", "num_words": 9}
    )


def test_loose_grading_tries_the_answer_without_its_edges_and_asterisks():
    assert variants("Sure:\n*a*\nb") == (
        "Sure:\n*a*\nb",
        "*a*\nb",
        "Sure:\n*a*",
        "*a*",
        "Sure:\na\nb",
        "a\nb",
        "Sure:\na",
        "a",
    )


def test_conflict_pairs_of_ppe_are_right_against_wrong_and_drawn_by_the_id(tmp_path):
    many = {**CORRECT, "scores": [True] * 4 + [False] * 4}
    many |= {f"response_{n}": f"r{n}" for n in range(1, 9)}
    (item,) = read("ppe-correctness", tmp_path, many)
    assert len(item.comparisons) == 5
    assert all(c.first < 4 <= c.second for c in item.comparisons)
    assert read("ppe-correctness", tmp_path, many)[0] == item
    one_sided = {**CORRECT, "question_id": "c2", "scores": [True] * 3}
    assert len(read("ppe-correctness", tmp_path, many, one_sided)) == 1


def test_preference_sets_may_hold_whole_conversations(tmp_path):
    row = {
        "chosen": [*MESSAGES, {"role": "assistant", "content": "a"}],
        "rejected": [*MESSAGES, {"role": "assistant", "content": "b"}],
    }
    (item,) = read("pairs", tmp_path, row)
    assert item.prompt.text == "Hi"
    assert [response.text for response in item.responses] == ["a", "b"]


def test_rows_without_ids_get_one_of_their_words(tmp_path):
    row = {"prompt": "p", "chosen": "a", "rejected": "b"}
    first, second = read("pairs", tmp_path, row, {**row, "chosen": "c"})
    assert first.id != second.id
    with pytest.raises(InputError, match=r"line 2: the id .* comes twice: first on line 1"):
        read("pairs", tmp_path, row, row)


def test_rated_pools_ask_about_every_two_labels_that_differ(tmp_path):
    texts = [{"response": t, "label": n} for t, n in (("a", 1), ("b", 2), ("c", 2), ("d", 0))]
    texts.append({"response": "e", "label": None})
    flat = [{"prompt": "q", "responses": [{"response": t, "label": 1} for t in "ab"]}]
    (item,) = read("rated", tmp_path, {"prompt": "p", "responses": texts}, *flat)
    assert [(c.first, c.second, c.gold) for c in item.comparisons] == [
        (0, 1, "second"),
        (0, 2, "second"),
        (0, 3, "first"),
        (1, 3, "first"),
        (2, 3, "first"),
    ]


def test_rated_pools_with_an_empty_response_are_refused(tmp_path):
    texts = [{"response": " ", "label": 1}, {"response": "b", "label": 2}]
    with pytest.raises(InputError, match=r"line 1, field 'responses': response 0 of .* is empty"):
        read("rated", tmp_path, {"prompt": "p", "responses": texts})


class TestAnswersOfAPolicy:
    def test_they_join_by_the_prompts_id_and_lose_their_reasoning(self, tmp_path):
        row = {key: value for key, value in HEALTH.items() if key != "response"}
        answers = write(
            tmp_path / "answers.jsonl", {"prompt_id": "h1", "response": "<think>x</think>Rest."}
        )
        (item,) = read("healthbench", tmp_path, row, responses=answers)
        assert item.responses[0].text.strip() == "Rest."

    def test_only_those_of_the_policy_named_count(self, tmp_path):
        rows = [{"prompt_id": "h1", "model": m, "response": m} for m in ("one", "two")]
        answers = write(tmp_path / "answers.jsonl", *rows)
        (item,) = read("healthbench", tmp_path, HEALTH, responses=answers, policy="two")
        assert item.responses[0].text == "two"
        with pytest.raises(InputError, match=r"line 2.*second response to 'h1'.*--policy"):
            read("healthbench", tmp_path, HEALTH, responses=answers)

    @pytest.mark.parametrize(
        ("answer", "complaint"),
        [
            ({"prompt_id": "h2", "response": "a"}, "line 1: the prompt 'h1' has no response in"),
            ({"prompt_id": "h1", "response": " "}, "expected a text, found an empty one"),
            ({"prompt_id": "h1", "response": "<think>x</think>"}, "found only reasoning"),
            ({"prompt_id": "h1"}, "expected a text, found nothing"),
            ({"response": "a"}, "expected the id of a prompt"),
        ],
    )
    def test_a_missing_or_empty_answer_is_refused(self, tmp_path, answer, complaint):
        answers = write(tmp_path / "answers.jsonl", answer)
        with pytest.raises(InputError, match=complaint):
            read("healthbench", tmp_path, HEALTH, responses=answers)

    def test_an_empty_answer_is_an_answer_where_a_program_decides(self, tmp_path):
        answers = write(tmp_path / "answers.jsonl", {"prompt_id": 9, "response": ""})
        (item,) = read("ifeval", tmp_path, IFEVAL, responses=answers)
        assert {response.text for response in item.responses} == {""}

    def test_data_without_answers_ask_for_them(self, tmp_path):
        row = {key: value for key, value in HEALTH.items() if key != "response"}
        with pytest.raises(InputError, match="give the policy's answers with --responses"):
            read("healthbench", tmp_path, row)

    def test_data_that_hold_the_responses_take_no_others(self, tmp_path):
        answers = write(tmp_path / "answers.jsonl", {"prompt_id": "h1", "response": "a"})
        with pytest.raises(InputError, match="leave --responses out"):
            read("llmbar", tmp_path, LLMBAR, responses=answers)


def test_an_adapter_of_ten_lines_is_a_benchmark(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from uppertail.evaluate.bench import Benchmark, pair, reads, rows\n"
        "\n"
        "\n"
        "def read(source):\n"
        "    for row in rows(source):\n"
        "        yield pair(row, prompt='question', chosen='good', rejected='bad', subset='topic')\n"
        "\n"
        "\n"
        "BENCHMARK = Benchmark(name='mine', read=reads(read))\n"
    )
    file = write(tmp_path / "mine.jsonl", {"question": "q", "good": "a", "bad": "b", "topic": "t"})
    benchmark = find(str(tmp_path / "mine.py"))
    (item,) = items_of(benchmark, Inputs(data=file))
    assert item.subset == "t"
    assert aggregation_of("pairs", str(tmp_path / "mine.py")).name == "pairs"
