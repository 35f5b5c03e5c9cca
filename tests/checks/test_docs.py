"""docs/checks.md is in step with the code."""

import re
from pathlib import Path

import msgspec
import pytest

from uppertail.checks import Check, tags
from uppertail.types import Criterion

PAGE = (Path(__file__).parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(\w+)` (\|.*)$", PAGE, re.MULTILINE))


def test_the_table_has_one_row_for_each_check_in_the_order_of_the_code() -> None:
    assert list(ROWS) == list(tags())


@pytest.mark.parametrize("tag", tags())
def test_a_row_names_every_field_and_gives_an_example_that_reads_back(tag: str) -> None:
    _, fields, _, example, _ = re.split(r"(?<!\\)\|", ROWS[tag])
    assert set(re.findall(r"`(\w+)`", fields)) == set(tags()[tag].__struct_fields__)
    check = msgspec.json.decode(example.strip().strip("`"), type=Check)
    assert type(check) is tags()[tag]


def test_the_example_of_a_criterion_reads_back() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    criterion = msgspec.json.decode(block, type=Criterion)
    assert criterion.check is not None
    assert criterion.check.sentence() == criterion.text
