"""Several answers to one call."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import FakeModel, criteria, scripted
from tests.verify.asking import run
from uppertail.errors import CallFailed, InputError
from uppertail.models.interface import Request
from uppertail.types import Outcome, Unscored, Verdict, Why
from uppertail.verify.llm import (
    LLMVerifier,
    tally,
)
from uppertail.verify.read import Answer


class TestVotes:
    async def test_the_majority_decides_and_its_share_is_kept(self):
        def answer(request: Request) -> str:
            return json.dumps({"c1": "yes" if request.sample != 1 else "no", "c2": "no"})

        model = FakeModel(answer=answer)
        one, two = await run(model, criteria("a", "b"), votes=3, temperature=0.7)

        assert isinstance(one, Verdict)
        assert isinstance(two, Verdict)
        assert one.met
        assert one.share == pytest.approx(2 / 3)
        assert not two.met
        assert two.share == 0.0
        assert sorted(request.sample for request in model.requests) == [0, 1, 2]
        assert {request.temperature for request in model.requests} == {0.7}

    async def test_a_vote_that_failed_is_not_a_no(self):
        def answer(request: Request) -> str | CallFailed:
            return CallFailed("down") if request.sample else '{"c1": "yes"}'

        (outcome,) = await run(FakeModel(answer=answer), criteria("a"), votes=3, temperature=1.0)

        assert isinstance(outcome, Unscored)
        assert outcome.why is Why.CALL_FAILED
        assert outcome.detail == "of 3 votes 1 said yes and 0 said no; of the others: down"

    async def test_a_tie_is_ambiguous(self):
        model = FakeModel(answer=lambda r: json.dumps({"c1": ["yes", "no"][r.sample]}))

        (outcome,) = await run(model, criteria("a"), votes=2, temperature=1.0)

        assert outcome == Unscored(why=Why.AMBIGUOUS, detail="of 2 votes 1 said yes and 1 said no")

    def test_votes_without_temperature_are_refused(self):
        with pytest.raises(InputError, match="more than 0 where there are 2 votes"):
            LLMVerifier(scripted(), votes=2)


votes = st.sampled_from(["yes", "no", "failed"])


@given(st.lists(votes, min_size=1, max_size=7), st.data())
def test_no_failure_of_votes_turns_a_verdict_round_or_brings_one_about(cast, data):
    by = LLMVerifier(scripted()).decider

    def read(words: list[str]) -> Outcome:
        return tally(
            [
                Unscored(why=Why.MISSING) if word == "failed" else Answer(met=word == "yes")
                for word in words
            ],
            by,
        )

    filled = [w if w != "failed" else data.draw(st.sampled_from(["yes", "no"])) for w in cast]
    now, complete = read(cast), read(filled)

    if isinstance(now, Verdict):
        assert isinstance(complete, Verdict)
        assert now.met == complete.met
