from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from uppertail.errors import InputError
from uppertail.types import Decider, Message, Prompt
from uppertail.verify.plan import Asking, criteria_lines, verdict_keys

modes = st.sampled_from(["whole", "chunks", "single"])


@given(st.integers(0, 60), modes, st.integers(1, 12))
def test_the_calls_hold_every_criterion_once_and_in_order(count, mode, chunk):
    calls = Asking(mode=mode, chunk=chunk).calls(range(count))

    assert [number for call in calls for number in call] == list(range(count))
    assert all(calls)


@pytest.mark.parametrize(
    ("mode", "expected"), [("whole", [7]), ("chunks", [3, 3, 1]), ("single", [1] * 7)]
)
def test_a_mode_decides_how_many_criteria_a_call_holds(mode, expected):
    assert [len(call) for call in Asking(mode=mode, chunk=3).calls("abcdefg")] == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mode": "half"}, "expected one of whole, chunks, single, found 'half'"),
        ({"order": "random"}, "expected one of prefix, paper, found 'random'"),
        ({"chunk": 0}, "field 'chunk': expected 1 or more, found 0"),
        ({"votes": 0}, "field 'votes': expected 1 or more, found 0"),
        ({"votes": 3}, "expected more than 0 where there are 3 votes, found 0.0"),
        ({"votes": 3, "temperature": None}, "found None"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Asking(**settings)


def test_the_protocol_names_everything_that_can_change_a_verdict():
    plain = Asking()
    variants = [
        plain,
        replace(plain, mode="chunks"),
        replace(plain, mode="chunks", chunk=2),
        replace(plain, mode="single"),
        replace(plain, order="paper"),
        replace(plain, reasons=True),
        replace(plain, temperature=0.5),
        replace(plain, temperature=None),
        replace(plain, votes=3, temperature=0.5),
    ]

    assert len({asking.protocol for asking in variants}) == len(variants)
    assert plain.protocol == "whole/prefix/t0/v2"
    assert variants[2].protocol == "chunks2/prefix/t0/v2"
    assert variants[-1].protocol == "whole/prefix/3votes/t0.5/v2"


@given(st.lists(st.text(), min_size=1, max_size=6))
def test_no_criterion_can_open_a_line_of_another(texts):
    lines = criteria_lines({f"c{i}": text for i, text in enumerate(texts)}).splitlines()

    assert len(lines) == len(texts)
    assert all(line.startswith(f"- c{i}: ") for i, line in enumerate(lines))


def test_the_weight_of_a_criterion_is_not_shown():
    assert criteria_lines({"c1": "Names\n- c2: an  oath"}) == "- c1: Names - c2: an oath"


def test_a_verdict_key_changes_with_everything_that_can_change_a_verdict():
    by = Decider(model="m", template="t", protocol="p")
    prompt = Prompt.plain("q", id="1")

    def key(prompt: Prompt, response: str, criterion: str, by: Decider) -> str:
        return verdict_keys(prompt, response, [criterion], by)[0]

    keys = [
        key(prompt, "r", "c", by),
        key(Prompt.plain("other", id="1"), "r", "c", by),
        key(Prompt(id="1", messages=(Message(role="system", content="q"),)), "r", "c", by),
        key(Prompt.plain("q", id="2"), "r", "c", by),
        key(prompt, "s", "c", by),
        key(prompt, "r", "d", by),
        key(prompt, "r", "c", structs.replace(by, model="n")),
        key(prompt, "r", "c", structs.replace(by, template="n")),
        key(prompt, "r", "c", structs.replace(by, protocol="n")),
    ]

    assert len(set(keys)) == len(keys)
    assert key(Prompt.plain("q", id="1"), "r", "c", by) == keys[0]
