"""What docs/server.md says is what the server does."""

import re
from dataclasses import fields
from pathlib import Path

from uppertail.world.server import parser
from uppertail.world.server_faults import KINDS, LASTING
from uppertail.world.server_http import Counters

PAGE = (Path(__file__).parents[2] / "docs" / "server.md").read_text()


def test_every_fault_is_on_the_page_with_when_it_is_drawn():
    rows = re.findall(r"^\| `(\w+)` \| .* \| (at each try|once a request) \|$", PAGE, re.MULTILINE)
    drawn = {k: "once a request" if k in LASTING else "at each try" for k in KINDS}
    assert dict(rows) == drawn


def test_every_counter_is_on_the_page():
    table = PAGE.partition("## Counters")[2]
    assert set(re.findall(r"`(\w+)`", table)) == {field.name for field in fields(Counters)}


def test_every_option_on_the_page_exists_and_the_other_way_round():
    named = set(re.findall(r"(?<!-)--[a-z][a-z-]+", PAGE))
    known = {option for action in parser()._actions for option in action.option_strings}
    assert named - known == {"--proposer", "--verifier"}  # of `uppertail refine`
    assert known - named == {"-h", "--help"}
