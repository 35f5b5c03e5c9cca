from typing import get_args

from uppertail.checks import Check, Covers
from uppertail.prompting import describe_checks


def test_every_exact_check_is_described_on_one_line_with_its_fields():
    lines = describe_checks().splitlines()

    for kind, line in zip([k for k in get_args(Check) if k is not Covers], lines, strict=True):
        assert line.startswith(f'- {{"check": "{kind.__struct_config__.tag}"')
        assert all(f'"{field}"' in line for field in kind.__struct_encode_fields__)
        assert line.endswith(".")


def test_the_types_of_fields_are_named_in_words():
    text = describe_checks()

    assert '{"check": "words", "at_least"?: whole number, "at_most"?: whole number}' in text
    assert '{"check": "includes", "words": [text, …]}' in text
    assert '"case": "lower" | "upper"' in text
    assert '"different"?: true | false' in text


def test_the_approximate_check_is_not_offered():
    assert "covers" not in describe_checks()
