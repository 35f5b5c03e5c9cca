"""What calls that follow each other share."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import FakeModel, criteria
from tests.verify.asking import RESPONSE, run, says_yes_to
from uppertail.errors import CallFailed
from uppertail.models.interface import Request
from uppertail.types import Outcome, Response, Verdict
from uppertail.verify.llm import (
    render,
    verifier_template,
)
from uppertail.verify.plan import Asking, Order


class TestPrefix:
    async def prefixes(self, **options: Any) -> list[list[str]]:
        """The prefix ids of two responses' calls."""
        model = FakeModel(answer=says_yes_to("a"))
        pages = []
        for text in ("one", "two"):
            await run(
                model, criteria("a", "b", "c"), response=Response(id=text, text=text), **options
            )
            pages.append([request.prefix for request in model.requests])
            model.requests.clear()
        return pages

    async def test_whole_rubrics_of_one_round_share_prompt_and_rubric(self):
        ((one,), (two,)) = await self.prefixes()

        assert one == two != ""

    async def test_the_papers_order_shares_too_little_to_wait_for(self):
        assert await self.prefixes(order="paper") == [[""], [""]]

    @pytest.mark.parametrize("order", ["prefix", "paper"])
    async def test_the_calls_of_one_response_share_prompt_and_response(self, order):
        one, two = await self.prefixes(mode="single", order=order)

        assert len(set(one)) == len(set(two)) == 1
        assert one[0] != two[0] != ""

    async def test_a_call_without_siblings_has_no_prefix(self):
        assert await self.prefixes(mode="chunks", chunk=9) == [[""], [""]]

    async def test_the_prefix_stands_for_the_same_beginning(self):
        model = FakeModel(answer=says_yes_to("a"))
        await run(model, criteria("a", "b"), mode="single")

        one, two = (request.messages[0].content for request in model.requests)
        shared = one.index("- c1: a")
        assert RESPONSE.text in one[:shared]
        beginning = one[:shared].rpartition("<criteria-")[0]
        assert two.startswith(beginning)

    @pytest.mark.parametrize(("mode", "better"), [("whole", "prefix"), ("chunks", "paper")])
    async def test_an_ideal_cache_has_less_to_read_in_this_order(self, mode, better):
        """New characters of 16 responses x 12 criteria, calls issued response by response."""
        other: Order = "paper" if better == "prefix" else "prefix"

        def new_characters(order: Order) -> int:
            # The order of the slots is what is compared, whatever the mode would choose.
            template = verifier_template(Asking(mode="whole", order=order))
            asking = Asking(mode=mode, chunk=4)
            texts = [
                f"Criterion {i} asks for something of about this length, and says so twice to be long enough."
                for i in range(12)
            ]
            seen: set[str] = set()
            fresh = 0
            for number in range(16):
                for call in asking.calls(texts):
                    page = render(
                        template,
                        prompt="p" * 500,
                        response=f"{number} " + "r" * 2000,
                        criteria={f"c{i}": text for i, text in enumerate(call)},
                        varying=asking.varying,
                        seed=0,
                    ).text
                    blocks = {page[: end + 64] for end in range(0, len(page), 64)}
                    fresh += 64 * len(blocks - seen)
                    seen |= blocks
            return fresh

        assert new_characters(better) < 0.8 * new_characters(other)


@settings(deadline=None)
@given(st.sampled_from(["whole", "chunks", "single"]), st.randoms(use_true_random=False))
def test_the_order_of_completion_changes_nothing(mode, rng):
    def answer(request: Request) -> str | CallFailed:
        fate = random.Random(request.messages[0].content + str(request.sample)).random()
        if fate < 0.2:
            return CallFailed("down")
        return says_yes_to("1", "3", "5")(request) if fate < 0.8 else "nonsense"

    rubric = criteria(*(f"criterion {n}" for n in range(7)))
    options = {"mode": mode, "chunk": 3, "votes": 3, "temperature": 1.0}

    def once(pause: Callable[[Request], int]) -> tuple[tuple[Outcome, ...], dict[str, Verdict]]:
        memory: dict[str, Verdict] = {}
        model = FakeModel(answer=answer, pause=pause)
        return asyncio.run(run(model, rubric, memory, **options)), memory

    assert once(lambda request: 0) == once(lambda request: rng.randint(0, 5))
