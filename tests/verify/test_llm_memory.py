"""Verdicts that are known are not asked for again."""

import pytest

from tests.fakes import FakeModel, criteria, scripted
from tests.verify.asking import SHOWN, met, run, says_yes_to
from uppertail.types import Response, Verdict


def nothing_known() -> dict[str, Verdict]:
    return {}


class TestMemory:
    async def test_a_known_verdict_is_not_asked_for_again(self):
        model, memory = FakeModel(answer=says_yes_to("a")), nothing_known()

        await run(model, criteria("a", "b"), memory, mode="single")
        outcomes = await run(model, criteria("b", "c", "a"), memory, mode="single")

        assert met(outcomes) == [False, False, True]
        assert len(model.requests) == 3

    async def test_weight_and_place_do_not_matter(self):
        model, memory = FakeModel(answer=says_yes_to("a")), nothing_known()

        await run(model, criteria("a", "b", weight=1), memory, mode="chunks")
        await run(model, criteria("b", "a", weight=3), memory, mode="chunks")

        assert len(model.requests) == 1

    @pytest.mark.parametrize(
        "other",
        [
            {"response": Response(id="r1", text="Other.")},
            {"mode": "chunks"},
            {"reasons": True},
            {"temperature": 0.3},
        ],
    )
    async def test_another_response_or_verifier_knows_nothing(self, other):
        model, memory = FakeModel(answer=says_yes_to("a")), nothing_known()

        await run(model, criteria("a"), memory, mode="single")
        await run(model, criteria("a"), memory, **{"mode": "single", **other})

        assert len(model.requests) == 2

    async def test_the_whole_rubric_is_always_asked_and_never_remembered(self):
        model, memory = FakeModel(answer=says_yes_to("a")), nothing_known()

        await run(model, criteria("a"), memory)
        await run(model, criteria("a"), memory)

        assert len(model.requests) == 2
        assert memory == {}

    async def test_what_was_not_decided_is_not_remembered(self):
        memory: dict[str, Verdict] = {}

        await run(scripted("?", "?"), criteria("a"), memory, mode="single")

        assert memory == {}

    async def test_chunks_are_made_of_what_is_unknown_in_the_rubrics_order(self):
        model, memory = FakeModel(answer=says_yes_to("a")), nothing_known()

        await run(model, criteria("b", "d"), memory, mode="chunks", chunk=2)
        await run(model, criteria("a", "b", "c", "d", "e"), memory, mode="chunks", chunk=2)

        shown = [SHOWN.findall(r.messages[0].content) for r in model.requests[1:]]
        assert shown == [[("c1", "a"), ("c2", "c")], [("c1", "e")]]
