"""The readers on public data sets, which stand beside the checkout where there are any."""

import gzip
from pathlib import Path

import pytest

from uppertail.data.pools import read_pools
from uppertail.data.responses import Flaw
from uppertail.data.rubrics import read_rubrics

DATA = Path(__file__).parents[3] / "shared" / "data"


def file(name):
    path = DATA / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"the public data is not here: {path}")
    return path


def lines(path):
    with gzip.open(path) as stream:
        return sum(1 for _ in stream)


@pytest.mark.parametrize(
    ("prompts", "responses", "empty"),
    [
        ("ifeval_pool/prompts_en", "ifeval_pool/responses_en", 35),
        ("hellobench/prompts_chat", "hellobench/judged_responses_chat", 0),
        ("hellobench/prompts_open_ended_qa", "hellobench/judged_responses_open_ended_qa", 0),
        ("realsumm/prompts", "realsumm/responses", 0),
    ],
)
def test_every_prompt_and_response_is_read(prompts, responses, empty):
    source, beside = file(prompts), file(responses)
    rows = list(read_pools(source, beside))
    assert len(rows) == lines(source)
    assert sum(len(row.pool.responses) for row in rows) + empty == lines(beside)
    assert [q.why for row in rows for q in row.quarantined] == [Flaw.EMPTY] * empty
    assert min(len(row.pool.responses) for row in rows) > 1


def test_ids_are_those_of_the_data_where_it_has_them_else_made_of_the_model():
    rows = read_pools(file("realsumm/prompts"), file("realsumm/responses"))
    assert next(rows).pool.responses[0].id.startswith("cnndm")
    rows = read_pools(file("ifeval_pool/prompts_en"), file("ifeval_pool/responses_en"))
    ids = [r.id for r in next(rows).pool.responses]
    assert len(set(ids)) == 17
    assert all(id.endswith("#0") for id in ids)


def test_instructions_with_inputs_and_responses_in_one_file_are_pools_of_one():
    rows = list(read_pools(file("infobench/prompts_rubrics_gpt4")))
    assert [len(row.pool.responses) for row in rows] == [1] * 252


@pytest.mark.parametrize(
    "name",
    [
        "hellobench/prompts_chat",
        "hellobench/prompts_open_ended_qa",
        "realsumm/rubrics",
        "infobench/prompts_rubrics_gpt4",
        "infobench/korean_machine_translated_gpt4",
    ],
)
def test_every_rubric_is_read(name):
    path = file(name)
    assert sum(1 for _ in read_rubrics(path)) == lines(path)
