from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from uppertail.world import Policy, ProposerKnobs, VerifierKnobs

PAGE = (Path(__file__).parents[2] / "docs" / "world.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_refining_one_rubric_prints_score_and_gold_of_two_responses(capsys):
    exec(EXAMPLES[0], {})
    values = [float(word) for word in capsys.readouterr().out.split()]
    assert len(values) == 4
    assert all(0 <= value <= 1 for value in values)


def test_a_reward_that_counts_letters_is_found_out(capsys):
    exec(EXAMPLES[1], {})
    found = [float(line.rpartition(" ")[2]) for line in capsys.readouterr().out.splitlines()]
    among_good, among_poor, against_hacker = found
    assert 0.2 < among_good < 0.8
    assert 0.2 < among_poor < 0.8
    assert against_hacker < 0.35  # a coin would give 0.5


@pytest.mark.parametrize("kind", [Policy, ProposerKnobs, VerifierKnobs])
def test_the_page_names_every_knob(kind):
    assert not [f.name for f in fields(kind) if f.name != "name" and f"`{f.name}`" not in PAGE]
