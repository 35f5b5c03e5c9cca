"""What holds for every check alike."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import uppertail.checks
from tests.checks.samples import SAMPLES, checks
from uppertail.checks import Check, schema, tags


def test_the_samples_hold_every_check() -> None:
    assert {type(sample) for sample in SAMPLES} == set(tags().values())


def test_every_check_is_exported() -> None:
    assert {kind.__name__ for kind in tags().values()} <= set(uppertail.checks.__all__)


@settings(deadline=None)
@given(checks())
def test_a_check_survives_json(check: Check) -> None:
    assert msgspec.json.decode(msgspec.json.encode(check), type=Check) == check


@settings(deadline=None)
@given(checks())
def test_a_sentence_speaks_of_the_response_in_one_line(check: Check) -> None:
    sentence = check.sentence()
    assert sentence.startswith("The response ")
    assert sentence.endswith(".")
    assert "\n" not in sentence


@settings(deadline=None)
@given(checks(), st.text())
def test_a_check_decides_any_text_and_always_alike(check: Check, text: str) -> None:
    assert check.holds(text) is check.holds(text)


@settings(deadline=None)
@given(checks(), st.sampled_from(["", " ", "\n\n\t"]))
def test_a_blank_text_meets_no_check(check: Check, text: str) -> None:
    assert not check.holds(text)


HOSTILE = {
    "full stops": "." * 200_000,
    "angle brackets": "<" * 200_000,
    "square brackets": "[" * 200_000,
    "stars": "*a" * 100_000,
    "line breaks": "\n" * 199_999 + "x",
    "blank lines": "\n " * 100_000 + "x",
    "spaces": "x" + " " * 199_998 + "x",
    "one long word": "a" * 200_000,
    "short words": "ab " * 66_000,
    "quotation marks": '"' * 200_000,
    "nested lists of JSON": "[" * 100_000 + "]" * 100_000,
    "a long number": "9" * 200_000,
    "nested tags": "<a>" * 40_000 + "</a>" * 20_000,
    "table rules": "|-" * 100_000,
    "code fences": "`" * 200_000,
    "addresses": "a@" * 100_000,
    "full stops without spaces": "क।" * 100_000,
    "lone surrogates": "\ud800" * 200_000,
    "letters that grow": "İ" * 200_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_every_check_gets_through_a_long_hostile_text(text: str) -> None:
    for sample in SAMPLES:
        assert sample.holds(text) in {True, False}


@pytest.mark.parametrize("extra", ['"colour": 1', '"at_least": "many"', '"at_least": 0'])
def test_unknown_fields_and_impossible_values_are_refused(extra: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(f'{{"check": "words", {extra}}}', type=Check)


def test_an_unknown_check_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="rhymes"):
        msgspec.json.decode('{"check": "rhymes"}', type=Check)


def test_the_schema_describes_every_check_under_its_tag() -> None:
    described = schema()
    assert set(described["anyOf"][0]) == {"$ref"}
    assert {
        definition["properties"]["check"]["enum"][0] for definition in described["$defs"].values()
    } == set(tags())
