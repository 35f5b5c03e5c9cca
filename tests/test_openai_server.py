import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.openai_server import LASTING, PASSING, faults_for, load_answer, rubric_answer

SERVER = Path(__file__).parent / "openai_server.py"


def body(text: str) -> dict[str, object]:
    return {"model": "m", "messages": [{"role": "user", "content": text}]}


def test_a_request_for_verdicts_gets_one_for_each_id_that_is_asked() -> None:
    asked = body("c1: x\nc2: y\nc9: z\nAnswer these ids and no other: c1, c9.")
    verdicts = json.loads(rubric_answer(asked))
    assert list(verdicts) == ["c1", "c9"]
    assert set(verdicts.values()) <= {"yes", "no"}
    assert rubric_answer(asked) == rubric_answer(asked)


def test_verdicts_differ_from_request_to_request() -> None:
    asked = [body(f"Response {n}\nids and no other: c1, c2, c3, c4.") for n in range(20)]
    assert len({rubric_answer(each) for each in asked}) > 3


def test_reasons_are_given_where_they_are_asked_for() -> None:
    asked = body('{"<id>": {"reason": "…"}} ids and no other: c1.')
    assert json.loads(rubric_answer(asked))["c1"].keys() == {"reason", "answer"}


def test_a_request_for_a_rubric_gets_one() -> None:
    items = json.loads(rubric_answer(body('Reply with [{"criterion": …, "weight": …}]')))
    assert 4 <= len(items) <= 7
    assert all(item["weight"] in {1, 2, 3} and item["criterion"] for item in items)


def test_other_requests_get_a_text() -> None:
    assert rubric_answer(body("hello")) != rubric_answer(body("bye"))


def test_faults_hit_their_share_of_requests() -> None:
    plan = faults_for(0.2)
    hit = [plan(body(str(number)), 1) for number in range(2000)]
    kinds = {fault.kind for fault in hit if fault is not None}
    assert 320 < sum(fault is not None for fault in hit) < 480
    assert kinds == {*PASSING, *LASTING}


def test_passing_faults_pass_and_lasting_ones_stay() -> None:
    plan = faults_for(1.0)
    for number in range(50):
        first, second = (plan(body(str(number)), attempt) for attempt in (1, 2))
        assert first is not None
        assert second == (first if first.kind in LASTING else None)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    answers = tmp_path / "loud.py"
    answers.write_text("def shout(body):\n    return 'HEY'\n", "utf-8")
    command = [sys.executable, str(SERVER), "--answer", f"{answers}:shout"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


def test_it_serves_on_its_own_and_counts(server: str) -> None:
    for _ in range(2):
        data = json.dumps(body("x")).encode()
        call = urllib.request.Request(f"{server}/chat/completions", data)
        with urllib.request.urlopen(call) as reply:
            assert json.load(reply)["choices"][0]["message"]["content"] == "HEY"
    with urllib.request.urlopen(server.removesuffix("/v1") + "/counters") as reply:
        counters = json.load(reply)
    assert (counters["calls"], counters["finished"]) == (2, 2)
    assert counters["repeated_finished"] == 1


def test_an_answer_may_be_named_by_its_module() -> None:
    assert load_answer("tests.openai_server:rubric_answer") is rubric_answer
