"""Results that the published code gets wrong, and this one not. Numbers are those of spec D.4."""

import json
from collections import Counter

import pytest

from tests.fakes import FakeModel
from tests.refine.fakes import WordProposer, WordVerifier
from uppertail.errors import ReplyUnreadable
from uppertail.models import Scripted
from uppertail.models.interface import Request
from uppertail.models.wire import Dialect, encode
from uppertail.propose.interface import Contrast
from uppertail.propose.llm import LLMProposer
from uppertail.propose.read import read_rubric
from uppertail.refine import Settings, refine
from uppertail.refine.select import candidates
from uppertail.score import score
from uppertail.types import (
    Criterion,
    Decider,
    Message,
    Pool,
    Prompt,
    Response,
    Rubric,
    Unscored,
    Verdict,
    Why,
)
from uppertail.verify.llm import LLMVerifier
from uppertail.verify.read import read_verdicts

BY = Decider(model="judge")
RUBRIC = Rubric(
    prompt_id="p",
    criteria=(Criterion(text="Names apples.", weight=3), Criterion(text="Is short.", weight=1)),
)


def pool(number, count=4):
    """A pool in which every response is as good as any other."""
    responses = tuple(Response(id=f"r{i}", text=f"fruit {i}", model=f"m{i}") for i in range(count))
    return Pool(prompt=Prompt.plain(f"Question {number}?", id=f"p{number}"), responses=responses)


def saying(answer, name):
    """A judge that always says the same."""
    return Scripted(lambda request: json.dumps({"c1": answer}), name=name)


async def outcomes(reply):
    """What the verifier makes of a reply, for the two criteria of `RUBRIC`."""
    verifier = LLMVerifier(FakeModel(lambda request: reply))
    response = Response(id="r", text="Apples.")
    return await verifier.verify(Prompt.plain("Fruit?"), response, RUBRIC.criteria, {})


class TestVerdicts:
    """5: what could not be read, or was not answered, counted as "no"."""

    @pytest.mark.parametrize("reply", ["{}", '{"x1": "yes"}', "I would say so.", '{"c1": "y'])
    async def test_a_reply_without_verdicts_gives_no_score(self, reply):
        given = await outcomes(reply)
        assert all(isinstance(outcome, Unscored) for outcome in given)
        assert score(RUBRIC.criteria, given).value is None

    async def test_a_criterion_that_was_not_answered_is_not_a_no(self):
        first, second = await outcomes('{"c1": "yes"}')
        assert first.met
        assert second.why is Why.MISSING
        assert score(RUBRIC.criteria, (first, second)).value is None

    @pytest.mark.parametrize(
        "reply",
        ['{"c1": "Yes.", "c2": "No"}', '{"C1": "yes", "C2": "no"}', '{"c1": true, "c2": false}'],
    )
    def test_yes_is_yes_however_it_is_written(self, reply):
        read = read_verdicts(reply, ("c1", "c2"), finish="stop")
        assert [getattr(read[id], "met", None) for id in ("c1", "c2")] == [True, False]


def test_an_example_after_the_verdicts_does_not_replace_them():
    """6: of two objects in a reply, the later one overrode the real verdicts."""
    reply = '{"c1": "yes", "c2": "yes"}\n\nAnother grader might say {"c1": "no", "c2": "no"}'
    read = read_verdicts(reply, ("c1", "c2"), finish="stop")
    assert all(isinstance(answer, Unscored) for answer in read.values())


def test_scores_of_different_rubrics_are_on_one_scale():
    """7: the score was a raw sum of weights."""
    long = tuple(Criterion(text=f"Fact {i}.", weight=3) for i in range(12))
    short = RUBRIC.criteria
    for criteria in (long, short):
        met = [Verdict(met=True, by=BY)] * len(criteria)
        assert score(criteria, met).value == 1.0


async def test_a_tie_is_not_won_by_place():
    """8: among equals the first in the list won, and the fastest model stood first."""
    seen: Counter[str] = Counter()
    for number in range(60):
        ended = await refine(
            pool(number),
            proposer=WordProposer(),
            verifier=WordVerifier(),
            settings=Settings(rounds=1, final_scores=False),
        )
        seen.update(ended.rounds[0].pair)
    assert len(seen) == 4
    assert max(seen.values()) < 2 * min(seen.values())


def test_a_smaller_pool_is_drawn_and_not_the_first_that_came():
    """9: any limit took the first responses of the file."""
    taken: Counter[str] = Counter()
    for number in range(100):
        taken.update(r.id for r in candidates(pool(number, 16), Settings(pool_size=2)))
    assert len(taken) == 16


async def refinement_message(**options):
    """What a proposer is asked when it is shown a pair."""
    model = FakeModel(lambda request: json.dumps([{"criterion": "Names pears.", "weight": 2}]))
    first, second = (Response(id=id, text=f"Fruit {id}.") for id in ("a", "b"))
    both = Pool(prompt=Prompt.plain("Fruit?", id="p"), responses=(first, second))
    no, yes = Verdict(met=False, by=BY), Verdict(met=True, by=BY)
    contrast = Contrast(first=first, second=second, outcomes=((yes, yes), (no, yes)))
    await LLMProposer(model, **options).refine(both, RUBRIC, contrast, round=1)
    return model.requests[0].messages[0].content


async def test_the_proposer_sees_the_weights_it_is_to_revise():
    """11: in iterative runs they were left out."""
    assert '"weight": 3' in await refinement_message()


async def test_the_proposer_can_be_shown_what_the_verifier_said():
    """12: verdicts were collected and never shown."""
    shown = await refinement_message(show_verdicts=True)
    assert "criterion 1: response 1 yes, response 2 no" in shown


class TestRubrics:
    """14: rubrics were taken as they came."""

    @pytest.mark.parametrize(
        "items",
        [
            pytest.param([{"criterion": "Good.", "weight": 7}], id="a weight beyond the scale"),
            pytest.param([{"criterion": "Good.", "weight": -1}], id="a negative weight"),
            pytest.param([{"criterion": "", "weight": 1}], id="an empty criterion"),
            pytest.param([], id="no criterion"),
            pytest.param([{"criterion": "Good.", "weight": 1}] * 2, id="a criterion twice"),
            pytest.param({"a": 1}, id="something else"),
        ],
    )
    def test_a_rubric_that_is_none_is_refused_with_a_reason(self, items):
        with pytest.raises(ReplyUnreadable):
            read_rubric(json.dumps(items), allowed_weights=(1, 2, 3), finish="stop")

    def test_a_wrapped_rubric_is_read(self):
        items = {"rubrics": [{"criterion": "Names apples.", "weight": "2"}]}
        (criterion,) = read_rubric(json.dumps(items), allowed_weights=(1, 2, 3), finish="stop")
        assert (criterion.text, criterion.weight) == ("Names apples.", 2)


def test_top_p_is_sent():
    """16: the option existed and was never sent."""
    asked = Request(messages=(Message(role="user", content="Hi"),), role="sampler", top_p=0.95)
    assert json.loads(encode("m", asked, Dialect(), {}))["top_p"] == 0.95


async def test_the_better_response_is_not_always_shown_first():
    """18: the higher score was always response 1."""
    places: Counter[bool] = Counter()
    for number in range(40):
        proposer = WordProposer()
        both = Pool(
            prompt=Prompt.plain("Fruit?", id=f"p{number}"),
            responses=tuple(
                Response(id=id, text=text)
                for id, text in (("best", "fruit"), ("worse", "none"), ("worst", "nothing"))
            ),
        )
        await refine(both, proposer=proposer, verifier=WordVerifier(), settings=Settings(rounds=1))
        places[proposer.contrasts[0].first.id == "best"] += 1
    assert min(places[True], places[False]) > 8


async def test_one_round_can_score_a_whole_pool():
    """19: one round could only mean one given pair."""
    verifier = WordVerifier()
    settings = Settings(rounds=1, final_scores=False)
    await refine(pool(0, 16), proposer=WordProposer(), verifier=verifier, settings=settings)
    assert len({response for _, response in verifier.calls}) == 16


async def test_a_verdict_is_never_taken_from_another_judge():
    """34: the cache knew the texts and not the judge, so that judges were mixed."""
    memory: dict[str, Verdict] = {}
    for name, answer, met in (("kind", "yes", True), ("strict", "no", False)):
        judge = saying(answer, name)
        verifier = LLMVerifier(judge, mode="single")
        response = Response(id="r", text="Apples.")
        given = await verifier.verify(Prompt.plain("Fruit?"), response, RUBRIC.criteria, memory)
        assert {isinstance(o, Verdict) and (o.met, o.by.model) for o in given} == {(met, name)}
        assert judge.calls == 2
