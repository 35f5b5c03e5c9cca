"""What OpenRLHF and slime send, and what they get."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reward.server.rig import Always, Lengths, served
from uppertail.reward.adapters.labels import label_json
from uppertail.reward.server.trainers import completion_of, without_trailing
from uppertail.score.interface import Reward
from uppertail.types import Criterion, Prompt, Rubric

CHATML = "<|im_start|>user\nSay it.<|im_end|>\n<|im_start|>assistant\n"
RUBRIC = {"prompt_id": "p7", "prompt": "Say it.", "criteria": ["Is short.", "Is kind."]}


def asked(query: str, prompt: str = CHATML, label: object = RUBRIC) -> dict[str, list]:
    text = label if isinstance(label, str) or label is None else json.dumps(label)
    return {"query": [query], "prompts": [prompt], "labels": [text]}


async def test_openrlhf_gets_numbers_for_what_follows_the_prompt():
    scorer = Lengths()
    async with served(scorer) as rig:
        status, answer = await rig.post("/get_reward", asked(f"{CHATML}Hello.<|im_end|>\n"))
    assert status == 200
    assert answer == {"rewards": [0.6], "scores": [0.6], "extra_logs": {"scored": 1.0}}
    (rollout,) = scorer.asked
    assert rollout.completion == "Hello."
    assert (rollout.prompt.id, rollout.prompt.text) == ("p7", "Say it.")
    assert rollout.rubric is not None
    assert [c.text for c in rollout.rubric.criteria] == ["Is short.", "Is kind."]


@pytest.mark.parametrize(
    ("label", "prompt", "criteria"),
    [
        (None, CHATML, None),
        ("", CHATML, None),
        ('["Is short."]', CHATML, 1),
        ('{"criteria": "[\\"Is short.\\"]"}', CHATML, 1),
        ('{"prompt_id": "p7", "prompt": "Say it."}', "Say it.", None),
    ],
)
async def test_a_label_may_be_a_rubric_a_list_a_prompt_or_nothing(label, prompt, criteria):
    scorer = Lengths()
    async with served(scorer) as rig:
        status, _ = await rig.post("/get_reward", asked(f"{CHATML}Hello.", label=label))
    assert status == 200
    (rollout,) = scorer.asked
    assert rollout.prompt.text == prompt
    assert criteria == (None if rollout.rubric is None else len(rollout.rubric.criteria))


async def test_the_labels_that_the_adapters_write_are_read_here():
    rubric = Rubric(prompt_id="p7", criteria=(Criterion(text="Is short."),))
    prompt = Prompt.plain("Say it.", id="p7")
    scorer = Lengths()
    async with served(scorer) as rig:
        for label in (label_json(prompt, rubric), label_json(prompt), '{"prompt_id": 7}'):
            status, _ = await rig.post("/get_reward", asked(f"{CHATML}Hello.", label=label))
            assert status == 200
    carrying, bare, numbered = scorer.asked
    assert (carrying.prompt, bare.prompt) == (prompt, prompt)
    assert carrying.rubric is not None
    assert carrying.rubric.criteria == rubric.criteria
    assert bare.rubric is None
    assert numbered.prompt.id == "7"


async def test_openrlhf_without_labels_is_served_too():
    async with served() as rig:
        status, _ = await rig.post("/get_reward", {"query": ["pq"], "prompts": ["p"]})
    assert status == 200


@pytest.mark.parametrize("value", [None, float("nan")])
async def test_openrlhf_never_gets_a_number_for_what_is_unscored(value):
    async with served(Always(Reward(value=value, why="" if value else "judge down"))) as rig:
        body = asked(f"{CHATML}Hello.")
        async with rig.session.post(f"{rig.url}/get_reward", json=body) as answer:
            told = await answer.json()
    assert answer.status == 503
    assert answer.headers["Retry-After"]
    assert "rewards" not in told
    assert told["error"]["code"] == "unscored"


async def test_one_unscored_rollout_of_a_batch_refuses_the_batch():
    body = {"query": ["pa", "p"], "prompts": ["p", "p"], "labels": [None, None]}
    async with served() as rig:
        status, told = await rig.post("/get_reward", body)
    assert status == 503
    assert "1 of 2" in told["error"]["message"]
    assert "rollout 1: nothing there" in told["error"]["message"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"query": ["pa"], "prompts": []}, "$"),
        ({"query": ["pa"], "prompts": ["p"], "labels": [None, None]}, "$"),
        ({"query": "pa", "prompts": ["p"]}, "$.query"),
        ({"query": ["other"], "prompts": ["p"]}, "$.query[0]"),
        ({"query": ["pa", "a"], "prompts": ["p", ""]}, "$.prompts[1]"),
        ({"query": ["pa"], "prompts": ["p"], "labels": ["4"]}, "$.labels[0]"),
        ({"query": ["pa"], "prompts": ["p"], "labels": ["no JSON"]}, "$.labels[0]"),
        ({"query": ["pa"], "prompts": ["p"], "labels": ["[]"]}, "$.labels[0].criteria"),
        (
            {"query": ["pa"], "prompts": ["p"], "labels": ['[""]']},
            "$.labels[0].criteria[0].criterion",
        ),
        ({"query": ["pa"], "prompts": ["p"], "labels": ['{"prompt": 3}']}, "$.labels[0].prompt"),
    ],
)
async def test_openrlhf_is_told_where_its_request_is_wrong(body, path):
    async with served() as rig:
        status, told = await rig.post("/get_reward", body)
    assert (status, told["error"]["path"]) == (400, path)


async def test_slime_gets_a_bare_number():
    scorer = Lengths()
    body = {"prompt": "Say it.", "response": "Hello.<|im_end|>", "label": json.dumps(RUBRIC)}
    async with served(scorer) as rig:
        status, answer = await rig.post("/remote_rm", body)
        _, again = await rig.post("/remote_rm", {**body, "label": RUBRIC})
        _, bare = await rig.post("/remote_rm", {**body, "label": None})
    assert (status, answer, again, bare) == (200, 0.6, 0.6, 0.6)
    assert [r.prompt.id for r in scorer.asked[:2]] == ["p7", "p7"]
    assert scorer.asked[0].rubric == scorer.asked[1].rubric
    assert scorer.asked[2].rubric is None


async def test_slime_never_gets_a_number_for_what_is_unscored():
    async with served() as rig:
        status, told = await rig.post("/remote_rm", {"prompt": "p", "response": "", "label": None})
    assert (status, told["error"]["code"]) == (503, "unscored")


async def test_slime_is_told_where_its_request_is_wrong():
    body = {"prompt": "p", "response": "r", "label": "not a rubric"}
    async with served() as rig:
        status, told = await rig.post("/remote_rm", body)
    assert (status, told["error"]["path"]) == (400, "$.label")


LONG = "An introduction that nobody needs. " * 20 + "Now the question: why?"


@pytest.mark.parametrize(
    ("query", "prompt", "completion"),
    [
        ("Why?Because.", "Why?", "Because."),
        ("<s>Why?Because.</s>", "Why?", "Because."),
        ("<|begin_of_text|><|x|>Why?Because.<|eot_id|><|pad|>\n", "Why?", "Because."),
        (f"<s>{CHATML}A", CHATML, "A"),
        (f"{CHATML}A<|im_end|>", CHATML, "A"),
        ("Why ? Because.", "Why?", " Because."),
        ("Why?\n\nBecause.", "Why?\n", "\nBecause."),
        ("<s> Why?\nBecause.", "Why? \n", "Because."),
        ("<｜begin▁of▁sentence｜>Why?B<｜end▁of▁sentence｜>", "Why?", "B"),
        (f"{LONG[100:]}Because.", LONG, "Because."),
        ("Why?", "Why?", ""),
        ("Why?a <|im_end|> b", "Why?", "a <|im_end|> b"),
        ("Who?Because.", "Why?", None),
        ("Wh", "Why?", None),
        (f"Something else. {LONG[-40:]}Because.", LONG, None),
        (LONG[:200], LONG, None),
    ],
)
def test_the_completion_is_what_follows_the_prompt(query, prompt, completion):
    assert completion_of(query, prompt) == completion


@given(prompt=st.text(min_size=1), completion=st.text(alphabet="ab <|>/\n"))
def test_a_plain_completion_is_found_whatever_the_prompt(prompt, completion):
    found = completion_of(prompt + completion, prompt)
    assert found is not None
    assert completion.startswith(found)


def test_a_long_run_of_special_tokens_is_cut_in_linear_time():
    # Cut in quadratic time, these would take an hour.
    assert without_trailing("<|im_end|>" * 200_000 + "x").endswith("x")
    assert without_trailing("x" + "<|im_end|>" * 200_000) == "x"
