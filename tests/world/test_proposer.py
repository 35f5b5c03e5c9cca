from __future__ import annotations

import json
from dataclasses import replace

import pytest

from uppertail.errors import CallFailed, InputError
from uppertail.models.interface import Request
from uppertail.propose.interface import Contrast
from uppertail.propose.llm import LLMProposer
from uppertail.types import Criterion, Message, Response, Rubric
from uppertail.world import GREAT, LOW, ProposerKnobs, World, WorldProposer
from uppertail.world.lexicon import QUALITIES, SENTENCES, Feature, question

WORLD = World(seed=2)
PROMPT = WORLD.prompt(0)


def proposer(knobs: ProposerKnobs | None = None, *, tell: bool = False) -> LLMProposer:
    return LLMProposer(WorldProposer(WORLD, knobs), tell_preference=tell)


def text(*names: str) -> str:
    return " ".join(SENTENCES[0].format(name) for name in names) or "Nothing of note."


def subjects(rubric: Rubric) -> list[Feature]:
    return [question(criterion.text).features[0] for criterion in rubric.criteria]


async def contrasted(
    knobs: ProposerKnobs | None = None,
    *,
    first: str,
    second: str,
    preferred: str | None = None,
    start: tuple[str, ...] = ("Sets out the drainage plan.",),
) -> Rubric:
    """Return the rubric that a contrast of two texts gives, from one with the criteria `start`."""
    pool = WORLD.pool(0, [GREAT], per_policy=2)
    criteria = tuple(Criterion(text=t) for t in start)
    a, b = Response(id="a", text=first), Response(id="b", text=second)
    contrast = Contrast(first=a, second=b, preferred=preferred)
    rubric = Rubric(prompt_id=pool.prompt.id, criteria=criteria)
    return await proposer(knobs, tell=True).refine(pool, rubric, contrast, round=1)


async def test_an_initial_rubric_holds_the_easiest_qualities_with_their_weights():
    rubric = await proposer(ProposerKnobs(misjudged=0.0)).initial(PROMPT)
    truth = WORLD.truth(0)
    ranks = sorted(range(40), key=truth.difficulties.__getitem__)[:9]
    assert [WORLD.qualities.index(s) for s in subjects(rubric)] == ranks
    assert [c.weight for c in rubric.criteria] == [truth.weights[k] for k in ranks]


async def test_misjudging_difficulty_brings_in_others():
    rubric = await proposer(ProposerKnobs(misjudged=5.0)).initial(PROMPT)
    exact = await proposer(ProposerKnobs(misjudged=0.0)).initial(PROMPT)
    assert set(subjects(rubric)) != set(subjects(exact))


async def test_a_contrast_keeps_the_rubric_and_adds_what_differs():
    names = [q.name for q in QUALITIES[1:6]]
    rubric = await contrasted(first=text(*names), second=text(names[0]))
    assert rubric.criteria[0].text == "Sets out the drainage plan."
    added = {feature.name for feature in subjects(rubric)[1:]}
    assert len(added) == 3
    assert added < set(names[1:])


async def test_a_contrast_of_equals_adds_nothing():
    rubric = await contrasted(first=text("compost plan"), second=text("compost plan"))
    assert len(rubric.criteria) == 1


async def test_a_quality_that_is_asked_for_in_any_words_is_not_asked_for_again():
    start = ("Must hold a good COMPOST PLAN.",)
    rubric = await contrasted(first=text("compost plan"), second=text(), start=start)
    assert [c.text for c in rubric.criteria] == list(start)


@pytest.mark.parametrize(
    ("knobs", "kind"),
    [(ProposerKnobs(wrong=1.0), "trivia"), (ProposerKnobs(stylistic=1.0), "style")],
    ids=["wrong", "stylistic"],
)
async def test_criteria_beside_the_point_are_written_about_what_differs(knobs, kind):
    first = f"## Weeks\n\n{text('lunar almanac', 'compost plan')}"
    rubric = await contrasted(knobs, first=first, second=text())
    assert [feature.kind for feature in subjects(rubric)[1:]] == [kind]
    assert {f.kind for f in subjects(await proposer(knobs).initial(PROMPT))} == {kind}


async def test_overlapping_criteria_repeat_a_quality_in_other_words():
    knobs = ProposerKnobs(overlapping=1.0)
    rubric = await contrasted(knobs, first=text("compost plan"), second=text())
    assert {feature.name for feature in subjects(rubric)} == {"drainage plan"}
    assert len({c.text for c in rubric.criteria}) == 4


async def test_where_all_words_are_used_up_nothing_overlaps():
    knobs = ProposerKnobs(overlapping=1.0, adds=10)
    rubric = await contrasted(knobs, first=text("compost plan"), second=text())
    assert len(rubric.criteria) == 5


async def test_inverted_criteria_ask_for_absence():
    rubric = await contrasted(
        ProposerKnobs(inverted=1.0), first=text("compost plan"), second=text()
    )
    assert question(rubric.criteria[1].text).absent
    initial = await proposer(ProposerKnobs(inverted=1.0)).initial(PROMPT)
    assert all(question(criterion.text).absent for criterion in initial.criteria)


@pytest.mark.parametrize(("preferred", "absent"), [("a", False), ("b", True)])
async def test_knowing_the_better_response_prevents_inversions_against_it(preferred, absent):
    rubric = await contrasted(
        ProposerKnobs(inverted=1.0),
        first=text("compost plan"),
        second=text(),
        preferred=preferred,
    )
    assert question(rubric.criteria[1].text).absent is absent


@pytest.mark.parametrize(
    ("first", "second", "absent"), [("compost plan", None, False), (None, "compost plan", True)]
)
async def test_favouring_the_first_turns_criteria_its_way(first, second, absent):
    sides = [text(name) if name else text() for name in (first, second)]
    knobs = ProposerKnobs(favours_first=1.0)
    rubric = await contrasted(knobs, first=sides[0], second=sides[1])
    assert question(rubric.criteria[1].text).absent is absent


async def test_misweighing_draws_weights_at_random():
    weights = set()
    for number in range(12):
        knobs = ProposerKnobs(misweighed=1.0, known=1)
        rubric = await proposer(knobs).initial(WORLD.prompt(number))
        true = WORLD.truth(number).weights[WORLD.qualities.index(subjects(rubric)[0])]
        weights.add(rubric.criteria[0].weight - true)
    assert len(weights) > 1


async def complete(message: str) -> list[dict[str, object]]:
    request = Request(messages=(Message(role="user", content=message),), role="proposer")
    items: list[dict[str, object]] = json.loads((await WorldProposer(WORLD).complete(request)).text)
    return items


def blocks(**texts: str) -> str:
    return "\n".join(f"<{k}-{'0' * 16}>\n{v}\n</{k}-{'0' * 16}>" for k, v in texts.items())


async def test_a_criterion_without_a_weight_is_weighed_anew_and_checks_are_kept():
    known = [{"criterion": "Sets out the compost map.", "check": {"check": "words"}}]
    message = blocks(
        prompt=PROMPT.text, rubric=json.dumps(known), response1=text(), response2=text()
    )
    (item,) = await complete(message)
    number = [q.name for q in WORLD.qualities].index("compost map")
    assert item == {**known[0], "weight": WORLD.truth(0).weights[number]}


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Write a rubric for a poem.", "plot no"),
        (blocks(prompt=PROMPT.text, rubric="[]"), "response1"),
    ],
)
async def test_a_message_that_lacks_something_is_a_failed_call(message, said):
    with pytest.raises(CallFailed, match=said):
        await complete(message)


async def test_equal_messages_have_equal_replies_and_a_refusal_another():
    great, low = WORLD.respond(0, GREAT), WORLD.respond(0, LOW)
    contrast = Contrast(first=great, second=low)
    pool = WORLD.pool(0, [GREAT])
    author = proposer()
    start = await author.initial(PROMPT)
    once = await author.refine(pool, start, contrast, round=1)
    assert once == await author.refine(pool, start, contrast, round=1)
    again = await author.refine(pool, start, contrast, round=1, refused="it ties them")
    assert again.criteria != once.criteria


@pytest.mark.parametrize(
    "wrong",
    [{"wrong": -1.0}, {"stylistic": 2.0}, {"misweighed": 1.1}, {"wrong": 0.6, "overlapping": 0.6}],
)
def test_chances_that_cannot_be_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        ProposerKnobs(**wrong)


def test_models_carry_the_name_they_were_given():
    assert WorldProposer(WORLD, name="mine").name == "mine"
    assert replace(ProposerKnobs(), adds=1).adds == 1
