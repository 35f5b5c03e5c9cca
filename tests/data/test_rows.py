import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uppertail.checks import Includes, Words
from uppertail.data.pools import read_pools
from uppertail.data.prompts import read_prompts
from uppertail.data.rows import (
    pool_row,
    prompt_row,
    response_row,
    rubric_row,
    score_row,
    verdict_row,
)
from uppertail.data.rubrics import read_rubrics
from uppertail.data.write import write_json_array, write_jsonl
from uppertail.types import (
    Criterion,
    Decider,
    Lineage,
    Message,
    Pool,
    Prompt,
    Response,
    Rubric,
    Score,
    Unscored,
    Verdict,
    Why,
)

# Any code point, lone surrogates included; but a high one before a low one is no lone pair:
# every JSON reader joins them.
texts = st.text(st.characters(exclude_categories=())).filter(
    lambda text: json.loads(json.dumps(text)) == text
)
words = texts.filter(lambda text: text.strip() != "")
answers = words.filter(lambda text: not text.strip().startswith("[ERROR:"))
turn = st.builds(Message, role=st.sampled_from(["system", "user", "assistant"]), content=texts)
asked = st.builds(Message, role=st.just("user"), content=words)
prompts = st.builds(
    lambda name, before, last: Prompt(id=name, messages=(*before, last)),
    texts.filter(bool),
    st.lists(turn, max_size=3),
    asked,
)
numbers = st.floats(allow_nan=False, allow_infinity=False)
responses = st.builds(
    Response,
    id=texts.filter(bool),
    text=answers,
    model=texts,
    sample=st.integers(0, 99),
    on_policy=st.none() | st.booleans(),
    reasoning=texts,
    label=st.none() | numbers,
)
weights = st.floats(0.001, 1e6) | st.floats(-1e6, -0.001)
criteria = st.builds(
    Criterion,
    text=words,
    weight=weights,
    kind=st.sampled_from(["principle", "hard_rule"]),
    check=st.none() | st.just(Words(at_least=2)) | st.builds(Includes, words=st.tuples(words)),
)
lineages = st.builds(
    Lineage,
    round=st.integers(0, 9),
    parent=st.none() | texts.filter(bool),
    pair=st.none() | st.tuples(texts, texts),
    model=texts.filter(bool),
    template=texts,
)
rubrics = st.builds(
    Rubric,
    prompt_id=texts.filter(bool),
    criteria=st.lists(criteria, min_size=1, max_size=4, unique_by=lambda c: c.id).map(tuple),
    lineage=lineages,
).filter(lambda rubric: rubric.attainable > 0)


def written(rows, read, write=write_jsonl, name="a.jsonl"):
    """Return what `read` gives of a file with `rows`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path, rows)
        return list(read(path))


@given(st.lists(prompts, min_size=1, max_size=3, unique_by=lambda p: p.id), st.booleans())
def test_prompts_read_back_as_they_were_written(originals, as_messages):
    rows = [prompt_row(prompt, as_messages=as_messages) for prompt in originals]
    assert [row.prompt for row in written(rows, read_prompts)] == originals
    in_array = written(rows, read_prompts, write_json_array, "a.json")
    assert [row.prompt for row in in_array] == originals


@settings(max_examples=50)  # Each goes through a database on disk.
@given(prompts, st.lists(responses, min_size=1, max_size=4, unique_by=lambda r: r.id))
def test_responses_read_back_as_they_were_written(prompt, originals):
    originals[-1] = replace(originals[-1], duplicate_of=originals[0].id)
    rows = [response_row(prompt.id, response) for response in originals]
    rows[0] = {**rows[0], **prompt_row(prompt)}
    (row,) = written(rows, read_pools)
    assert row.pool.prompt == prompt
    assert list(row.pool.responses) == originals
    assert row.quarantined == ()


@given(prompts, st.lists(responses, min_size=1, max_size=4, unique_by=lambda r: r.id))
def test_whole_pools_read_back_as_they_were_written(prompt, originals):
    pool = Pool(prompt=prompt, responses=tuple(originals))
    (row,) = written([pool_row(pool)], read_pools)
    assert row.pool == pool


@given(rubrics, st.none() | prompts)
def test_rubrics_read_back_as_they_were_written(rubric, prompt):
    assert written([rubric_row(rubric, prompt)], read_rubrics) == [rubric]


@given(rubrics, prompts)
def test_rows_are_the_same_bytes_every_time(rubric, prompt):
    def data(folder):
        path = Path(folder) / "a.jsonl"
        write_jsonl(path, [rubric_row(rubric, prompt)])
        return path.read_bytes()

    with TemporaryDirectory() as one, TemporaryDirectory() as two:
        assert data(one) == data(two)


CRITERION = Criterion(text="is kind", weight=2.0)
BY = Decider(model="m", template="t", protocol="v1")


def test_a_verdict_row_says_yes_or_no_and_who_decided():
    verdict = Verdict(met=True, by=BY, share=0.6, reason="so")
    assert verdict_row("p", "r", CRITERION, verdict) == {
        "prompt_id": "p",
        "response_id": "r",
        "criterion_id": CRITERION.id,
        "criterion": "is kind",
        "verdict": "yes",
        "why": "",
        "detail": "",
        "share": 0.6,
        "reason": "so",
        "model": "m",
        "template": "t",
        "protocol": "v1",
    }
    assert verdict_row("p", "r", CRITERION, Verdict(met=False, by=BY))["verdict"] == "no"


def test_an_unscored_verdict_row_is_null_and_says_why():
    row = verdict_row("p", "r", CRITERION, Unscored(why=Why.MISSING, detail="c1 is absent"))
    assert (row["verdict"], row["why"], row["detail"]) == (None, "missing", "c1 is absent")
    assert (row["share"], row["reason"], row["model"]) == (None, "", "")


def test_verdict_rows_have_the_same_columns_scored_or_not():
    decided = verdict_row("p", "r", CRITERION, Verdict(met=True, by=BY))
    unscored = verdict_row("p", "r", CRITERION, Unscored(why=Why.MISSING))
    assert list(decided) == list(unscored)


@pytest.mark.parametrize("value", [None, 0.5])
def test_a_score_row_keeps_the_bounds_and_never_makes_null_a_number(value):
    score = Score(value=value, low=0.25, high=0.75, answered=0.5, why="" if value else "partly")
    assert score_row("p", "r", "u", score) == {
        "prompt_id": "p",
        "response_id": "r",
        "rubric_id": "u",
        "score": value,
        "low": 0.25,
        "high": 0.75,
        "answered": 0.5,
        "why": score.why,
    }


@pytest.mark.filterwarnings("default")
def test_the_hubs_loader_reads_rubrics_whose_first_megabytes_have_no_check(tmp_path):
    datasets = pytest.importorskip("datasets", reason="the data extra is not installed")
    lineage = Lineage(pair=("a", "b"))
    plain = Rubric(prompt_id="p", criteria=(Criterion(text="x" * 4000),), lineage=lineage)
    rich = Rubric(
        prompt_id="q",
        criteria=(
            Criterion(text="a", check=Words(at_least=2)),
            Criterion(text="b", check=Includes(words=("c",))),
        ),
        lineage=replace(lineage, parent="u"),
    )
    prompt = Prompt.plain("x")
    path = tmp_path / "rubrics.jsonl"
    write_jsonl(path, (rubric_row(rubric, prompt) for rubric in [*[plain] * 4000, rich]))
    assert path.stat().st_size > 16e6
    rows = datasets.load_dataset(
        "json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert rows[4000]["parent"] == "u"
    assert json.loads(rows[4000]["criteria"][0]["check"])["check"] == "words"
