"""The embedded verifier."""

import pytest

from uppertail.checks import Check, Covers, Sections, Title, Words
from uppertail.types import (
    Criterion,
    Decider,
    Outcome,
    Prompt,
    Response,
    Unscored,
    Verdict,
    Why,
)
from uppertail.verify.checked import VERSION, decide
from uppertail.verify.interface import Verifier
from uppertail.verify.offline import OfflineVerifier, check_of

TEXT = "The river Tees rises on Cross Fell and reaches the sea near Redcar, 137 km away."


async def outcomes_of(*criteria: Criterion, text: str = TEXT) -> tuple[Outcome, ...]:
    verifier: Verifier = OfflineVerifier()
    return await verifier.verify(
        Prompt.plain("Describe a river."), Response(id="r", text=text), criteria, {}
    )


def by(protocol: str) -> Decider:
    return Decider(model="offline", protocol=f"{protocol}/{VERSION}")


async def test_each_criterion_gets_one_outcome_in_its_order() -> None:
    outcomes = await outcomes_of(
        Criterion(text="It is short.", check=Words(at_most=50)),
        Criterion(text="The response has at least 300 words."),
        Criterion(text="The Tees reaches the sea near Redcar."),
        Criterion(text="The response is vivid."),
    )
    assert outcomes[:3] == (
        Verdict(met=True, by=by("words")),
        Verdict(met=False, by=by("words")),
        Verdict(met=True, by=by("covers")),
    )
    assert isinstance(outcomes[3], Unscored)
    assert outcomes[3].why is Why.NO_DECIDER


async def test_a_check_goes_before_what_the_text_says() -> None:
    criterion = Criterion(text="The response has at least 300 words.", check=Words(at_least=3))
    assert await outcomes_of(criterion) == (Verdict(met=True, by=by("words")),)


async def test_no_criteria_give_no_outcomes() -> None:
    assert await outcomes_of() == ()


def test_its_name_travels_with_scores() -> None:
    assert OfflineVerifier().name == "offline"


FACTS = [
    "Paris is the capital of France.",
    "Water boils at 100 degrees",
    "Drogba given an award by Chelsea",
    "They didn't win the cup.",
    "The police questioned four sources.",
]


@pytest.mark.parametrize("text", FACTS)
def test_a_statement_of_fact_is_looked_for_in_the_response(text: str) -> None:
    assert check_of(f" {text} ") == Covers(statement=text)


UNDECIDABLE = [
    "The response is polite.",
    "The response has at least three examples.",
    "Explains why the sky is blue at noon.",
    "Tone is friendly throughout.",
    "The final paragraph is moving.",
    "Concise and friendly.",
    "Is it short?",
    "The speaker should thank the mayor.",
    "It is what it was.",
    "Paris grew " + "and grew " * 100,
]


@pytest.mark.parametrize("text", UNDECIDABLE, ids=lambda text: text[:40])
def test_a_demand_that_no_program_decides_has_no_check(text: str) -> None:
    assert check_of(text) is None


@pytest.mark.parametrize("met", [True, False])
def test_a_verdict_names_the_check_and_its_version(met: bool) -> None:
    text = "<<Tees>>" if met else "Tees"
    assert decide(Title(), text) == Verdict(met=met, by=by("title"))


class Broken(Sections, frozen=True, kw_only=True, tag="broken"):
    """A check with a fault in it."""

    def met_by(self, text: str) -> bool:
        raise RecursionError(text)


def test_a_check_that_fails_to_run_is_unscored_and_says_which() -> None:
    outcome = decide(Broken(at_least=1), "x" * 1000)
    assert outcome == Unscored(why=Why.CHECK_FAILED, detail="check 'broken': RecursionError")


@pytest.mark.parametrize("check", [Words(at_most=5), Title()], ids=repr)
def test_an_empty_response_meets_nothing(check: Check) -> None:
    assert decide(check, " ") == Verdict(met=False, by=by(str(check.__struct_config__.tag)))


async def test_what_was_decided_is_remembered_and_the_oldest_forgotten() -> None:
    verifier = OfflineVerifier(remembered=1)
    prompt = Prompt.plain("p")
    short, long = Response(id="a", text="one"), Response(id="b", text="one two three")
    criterion = Criterion(text="The response has at most 2 words.")
    for _ in range(2):
        for response, met in ((short, True), (short, True), (long, False)):
            (outcome,) = await verifier.verify(prompt, response, [criterion], {})
            assert isinstance(outcome, Verdict)
            assert outcome.met is met
