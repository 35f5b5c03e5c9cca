import re
from pathlib import Path

import pytest

from uppertail.data.pools import read_pools
from uppertail.data.rubrics import read_rubrics

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"<!-- (\w+): ([\w.]+) -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)
RESPONSES = {"pools": 4, "rollouts": 1, "flat": 3, "preferences": 4, "chats": 2}
CRITERIA = {"rubrics": 4, "train": 2, "final_rubrics": 1, "points": 2}


@pytest.mark.parametrize(("kind", "name", "text"), EXAMPLES, ids=[name for _, name, _ in EXAMPLES])
def test_the_example_on_the_page_reads(tmp_path, kind, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    if kind == "pools":
        assert sum(len(row.pool.responses) for row in read_pools(path)) == RESPONSES[path.stem]
    else:
        assert sum(len(rubric.criteria) for rubric in read_rubrics(path)) == CRITERIA[path.stem]


def test_every_format_has_an_example():
    assert len(EXAMPLES) == len(RESPONSES) + len(CRITERIA)
