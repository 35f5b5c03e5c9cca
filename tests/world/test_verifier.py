from __future__ import annotations

from typing import Any

import pytest

from uppertail.errors import CallFailed, InputError
from uppertail.models.interface import Request
from uppertail.types import Criterion, Message, Response, Verdict
from uppertail.verify.llm import LLMVerifier
from uppertail.world import GREAT, VerifierKnobs, World, WorldVerifier
from uppertail.world.lexicon import PHRASES

WORLD = World(seed=1)
CRITERIA = tuple(Criterion(text=PHRASES[0].format(q.name)) for q in WORLD.qualities)


async def verdicts(
    knobs: VerifierKnobs | None = None,
    *,
    number: int = 0,
    response: Response | None = None,
    **asking: Any,
) -> list[bool]:
    verifier = LLMVerifier(WorldVerifier(WORLD, knobs), **asking)
    response = response or WORLD.respond(number, GREAT)
    outcomes = await verifier.verify(WORLD.prompt(number), response, CRITERIA, {})
    return [outcome.met for outcome in outcomes if isinstance(outcome, Verdict)]


def truths(number: int = 0) -> list[bool]:
    text = WORLD.respond(number, GREAT).text
    return [quality.name in text for quality in WORLD.qualities]


async def error_rate(knobs: VerifierKnobs, **asking: Any) -> float:
    wrong = total = 0
    for number in range(25):
        given = await verdicts(knobs, number=number, **asking)
        wrong += sum(a != b for a, b in zip(given, truths(number), strict=True))
        total += len(given)
    return wrong / total


@pytest.mark.parametrize("mode", ["whole", "chunks", "single"])
@pytest.mark.parametrize("order", ["paper", "prefix"])
@pytest.mark.parametrize("reasons", [False, True])
async def test_with_all_knobs_off_verdicts_are_true_in_every_mode(mode, order, reasons):
    assert await verdicts(mode=mode, order=order, reasons=reasons) == truths()


async def test_a_users_template_serves_as_well(tmp_path):
    path = tmp_path / "mine.md"
    path.write_text("Note {{criteria}} Text {{response}} for {{prompt}}. JSON by id, please.")
    assert await verdicts(template=path) == truths()


async def test_equal_requests_have_equal_replies_and_other_samples_other_ones():
    knobs = VerifierKnobs(error=0.5)
    assert await verdicts(knobs) == await verdicts(knobs)
    model = WorldVerifier(WORLD, knobs)
    sheets = []
    for sample in range(2):
        message = f"<response-{'0' * 16}>\nx\n</response-{'0' * 16}> <criteria-{'1' * 16}>\n"
        message += "\n".join(f"- c{i}: {c.text}" for i, c in enumerate(CRITERIA))
        message += f"\n</criteria-{'1' * 16}>"
        request = Request(
            messages=(Message(role="user", content=message),), role="verifier", sample=sample
        )
        sheets.append((await model.complete(request)).text)
    assert sheets[0] != sheets[1]


async def test_errors_come_at_their_rate():
    assert await error_rate(VerifierKnobs(error=0.2)) == pytest.approx(0.2, abs=0.04)


async def test_votes_mend_errors_but_not_stubborn_ones():
    votes = {"votes": 5, "temperature": 1.0}
    assert await error_rate(VerifierKnobs(error=0.2), **votes) < 0.1
    stubborn = VerifierKnobs(error=0.2, stubborn=1.0)
    assert await error_rate(stubborn, **votes) == pytest.approx(0.2, abs=0.04)


async def test_leniency_grants_what_does_not_hold_and_denies_nothing():
    given = await verdicts(VerifierKnobs(leniency=0.5))
    pairs = list(zip(given, truths(), strict=True))
    assert all(met for met, true in pairs if true)
    granted = [met for met, true in pairs if not true]
    assert 0 < sum(granted) < len(granted)
    assert all(await verdicts(VerifierKnobs(leniency=1.0)))


async def test_position_bias_grows_along_the_list():
    missing = Response(id="empty", text="Nothing of note.")
    halves = [0, 0]
    for k in range(20):
        response = Response(id="r", text=f"{missing.text} {k}")
        given = await verdicts(VerifierKnobs(position=1.0), response=response)
        assert not given[0]
        assert given[-1]
        halves[0] += sum(given[:20])
        halves[1] += sum(given[20:])
    assert halves[1] > 2 * halves[0]


async def test_length_bias_favours_the_long():
    knobs = VerifierKnobs(length=1.0)
    short = Response(id="s", text="word " * 8)
    long = Response(id="l", text="word " * 800)
    assert sum(await verdicts(knobs, response=short)) < 4
    assert all(await verdicts(knobs, response=long))


@pytest.mark.parametrize("knob", ["error", "stubborn", "leniency", "position", "length"])
def test_a_knob_that_is_no_chance_is_refused(knob):
    with pytest.raises(InputError, match=knob):
        VerifierKnobs(**{knob: 1.1})


async def test_a_message_without_material_is_a_failed_call():
    request = Request(messages=(Message(role="user", content="Hello?"),), role="verifier")
    model = WorldVerifier(WORLD, name="mine")
    assert model.name == "mine"
    with pytest.raises(CallFailed, match="response"):
        await model.complete(request)
