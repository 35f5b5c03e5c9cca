"""The embedded proposer: initial rubrics from the prompt, refinement from the pool."""

from collections.abc import Iterable

from uppertail.checks import (
    Case,
    Check,
    Excludes,
    Format,
    Language,
    ListItems,
    Mentions,
    Placeholders,
    Sections,
    Sentences,
    Without,
    Words,
)
from uppertail.propose.interface import Contrast, Proposer
from uppertail.propose.offline import (
    MAX_ADDED,
    MAX_FOUND,
    OfflineProposer,
    general_criteria,
    requirements_of,
)
from uppertail.types import Criterion, Lineage, Message, Pool, Prompt, Response, Role, Rubric

PROPOSER: Proposer = OfflineProposer()


def conversation(*turns: tuple[Role, str]) -> Prompt:
    return Prompt(id="p", messages=tuple(Message(role=r, content=c) for r, c in turns))


def checks(criteria: Iterable[Criterion]) -> list[Check | None]:
    return [criterion.check for criterion in criteria]


def pool_of(prompt: str, *texts: str) -> Pool:
    responses = tuple(Response(id=f"r{i}", text=text) for i, text in enumerate(texts))
    return Pool(prompt=Prompt.plain(prompt, id="p"), responses=responses)


async def refined(
    pool: Pool,
    *,
    rubric: Rubric | None = None,
    pair: tuple[int, int] = (0, -1),
    preferred: str | None = None,
    refused: str | None = None,
    round: int = 1,
) -> tuple[Rubric, Rubric]:
    rubric = rubric or await PROPOSER.initial(pool.prompt)
    first, second = (pool.responses[i] for i in pair)
    contrast = Contrast(first=first, second=second, preferred=preferred)
    return rubric, await PROPOSER.refine(pool, rubric, contrast, round=round, refused=refused)


def added(parent: Rubric, child: Rubric) -> list[Check | None]:
    assert child.criteria[: len(parent.criteria)] == parent.criteria
    return checks(child.criteria[len(parent.criteria) :])


async def test_the_initial_rubric_holds_the_requirements_of_the_prompt() -> None:
    rubric = await PROPOSER.initial(Prompt.plain("Write a poem without commas.", id="p"))
    assert checks(rubric.criteria) == [Without(characters=",")]
    assert rubric.prompt_id == "p"
    assert rubric.lineage == Lineage(round=0, model="offline")


async def test_a_prompt_without_requirements_gets_general_principles() -> None:
    rubric = await PROPOSER.initial(
        Prompt.plain("Why does the sky look blue in the day and red in the evening?")
    )
    assert checks(rubric.criteria) == [Words(at_least=1), Language(code="en")]
    assert all(c.kind == "principle" and c.weight == 1 for c in rubric.criteria)


def test_no_language_is_asked_for_where_the_prompt_is_short_or_speaks_of_another() -> None:
    for prompt in (
        "Why?",
        "Please translate this sentence for me, it is for my good friend Anna.",
        "What would somebody in the streets of Rome say in Italian to a friend?",
        "Write a Python function that adds up all of the numbers that it is given.",
        "1 2 3 4 5 6 7 8 9 10",
    ):
        assert checks(general_criteria(Prompt.plain(prompt))) == [Words(at_least=1)]


def test_requirements_of_system_and_user_are_read_and_those_of_answers_are_not() -> None:
    prompt = conversation(
        ("system", "Never use commas."),
        ("user", "Hello"),
        ("assistant", "Say it in at least 900 words."),
        ("user", "Write at most 5 sentences."),
    )
    assert checks(requirements_of(prompt)) == [Without(characters=","), Sentences(at_most=5)]


def test_a_later_message_overrules_what_it_contradicts() -> None:
    prompt = conversation(
        ("system", "Reply in German. Answer in lowercase letters. Use at least 300 words."),
        ("user", "Reply in French. Use at least 3 bullet points, at most 100 words."),
    )
    found = checks(requirements_of(prompt))
    assert Words(at_most=100) in found
    assert Words(at_least=300) not in found
    assert ListItems(at_least=3, style="bullet") in found
    assert [type(c) for c in found].count(Language) + [type(c) for c in found].count(Case) == 2


def test_bounds_that_can_both_be_met_are_both_kept() -> None:
    prompt = conversation(
        ("system", "Write at least 50 words. Use the word tea at least 3 times."),
        ("user", "Write at most 100 words. Use the word jam at most 2 times."),
    )
    found = checks(requirements_of(prompt))
    assert Words(at_least=50) in found
    assert Words(at_most=100) in found
    assert len(found) == 4
    twice = conversation(("system", "Reply in JSON format."), ("user", "Reply in XML format."))
    assert checks(requirements_of(twice)) == [Format(format="xml")]
    both = conversation(("system", "At least 50 words."), ("user", "At least 80 words."))
    assert checks(requirements_of(both)) == [Words(at_least=50), Words(at_least=80)]


GOOD = "Marie Curie found radium\n# One\nx\n# Two\ny"
BAD = "She, too, found it."
ASK = "Write a report on what the chemist Marie Curie did, without commas."


async def test_refinement_adds_what_better_candidates_share_and_the_prompt_gives_reason_for() -> (
    None
):
    parent, child = await refined(pool_of(ASK, GOOD, GOOD + "!", BAD, BAD + " Yes, so."))
    assert added(parent, child) == [Sections(at_least=2), Mentions(terms=("Marie Curie",))]
    new = child.criteria[len(parent.criteria) :]
    assert all(c.kind == "principle" and c.weight == 1 for c in new)
    assert child.lineage == Lineage(round=1, parent=parent.id, pair=("r0", "r3"), model="offline")


async def test_refinement_adds_nothing_that_the_pool_speaks_against() -> None:
    good, bad = "She found it.", "Marie Curie, too, found radium."
    parent, child = await refined(pool_of(ASK, good, good + "!", bad, bad + "!"))
    assert added(parent, child) == []
    assert child.id == parent.id


async def test_refinement_adds_nothing_where_all_candidates_score_the_same() -> None:
    parent, child = await refined(pool_of(ASK, GOOD, GOOD + "!", "She did.", "She did it."))
    assert added(parent, child) == []


async def test_refinement_adds_nothing_that_only_one_candidate_has() -> None:
    parent, child = await refined(pool_of(ASK, GOOD, "She found it.", BAD, BAD + " Yes, so."))
    assert added(parent, child) == []


async def test_a_tied_pair_is_told_apart_by_what_the_rest_of_the_pool_supports() -> None:
    pool = pool_of(ASK, GOOD, "She found it.", GOOD + "!", BAD, BAD + " Yes, so.")
    parent, child = await refined(pool, pair=(1, 0))
    assert Mentions(terms=("Marie Curie",)) in added(parent, child)


async def test_a_known_preference_is_not_contradicted() -> None:
    pool = pool_of(ASK, GOOD, "She found it.", GOOD + "!", BAD, BAD + " Yes, so.")
    parent, child = await refined(pool, pair=(0, 1), preferred="r1")
    assert added(parent, child) == []


async def test_after_a_refusal_the_criteria_stay_as_they_are() -> None:
    pool = pool_of(ASK, GOOD, GOOD + "!", BAD, BAD + " Yes, so.")
    parent, child = await refined(pool, refused="too large")
    assert child.criteria == parent.criteria


async def test_what_a_rubric_asks_for_already_is_not_added_again() -> None:
    pool = pool_of(ASK, GOOD, GOOD + "!", BAD, BAD + " Yes, so.")
    _, first = await refined(pool)
    _, second = await refined(pool, rubric=first, round=2)
    assert second.criteria == first.criteria


async def test_a_rubric_without_checks_is_left_alone() -> None:
    rubric = Rubric(prompt_id="p", criteria=(Criterion(text="It is kind."),))
    pool = pool_of(ASK, GOOD, GOOD + "!", BAD, BAD + " Yes, so.")
    _, child = await refined(pool, rubric=rubric)
    assert child.criteria == rubric.criteria


async def test_the_number_of_found_criteria_is_bounded() -> None:
    names = "the towns Rome and Oslo and Bonn and Lima and Kyiv and Riga"
    pool = pool_of(f"Without commas, tell me of {names}.", names, names + "!", "a, b", "c, d")
    rubric, seen = await PROPOSER.initial(pool.prompt), []
    for round in range(1, 8):
        child = (await refined(pool, rubric=rubric, round=round))[1]
        seen.append(len(child.criteria) - len(rubric.criteria))
        rubric = child
    assert max(seen) == MAX_ADDED
    assert sum(seen) == MAX_FOUND


async def test_refusals_leftovers_and_other_languages_are_told_from_real_answers() -> None:
    ask = "Tell me with no commas how to bake good bread at home for the whole family."
    good = "Mix flour with water and salt and then wait for some hours before you bake it."
    pool = pool_of(
        ask,
        good,
        good + " Enjoy!",
        "Sorry, I cannot help with that.",
        "I, alas, I cannot help with it.",
    )
    parent, child = await refined(pool)
    assert [type(c) for c in added(parent, child)] == [Excludes]
    pool = pool_of(ask, good, good + " Enjoy!", "Hi, [name], mix it.", "Dear [name], mix it.")
    parent, child = await refined(pool)
    assert added(parent, child) == [Placeholders(at_most=0)]
    german = "Man mischt das Mehl mit Wasser, Salz und Hefe und wartet dann einige Stunden."
    pool = pool_of(ask, good, good + " Enjoy!", german, german + " Guten Appetit!")
    parent, child = await refined(pool)
    assert added(parent, child) == [Language(code="en")]


async def test_placeholders_are_no_fault_where_the_prompt_shows_some() -> None:
    ask = "With no commas, fill in this template: Dear [name]"
    pool = pool_of(ask, "Dear Ann", "Dear Bob", "Dear [name], hi", "Dear [name], ho")
    parent, child = await refined(pool)
    assert added(parent, child) == []


async def test_lists_and_code_are_looked_for_where_the_prompt_asks_for_such() -> None:
    pool = pool_of("Without commas, give me tips.", "- a\n- b", "- a\n- c", "a, b", "c, d")
    parent, child = await refined(pool)
    assert added(parent, child) == [ListItems(at_least=2)]
    code = "```\npass\n```"
    pool = pool_of("Write a Python script and use no commas.", code, code + "!", "a, b", "c, d")
    parent, child = await refined(pool)
    assert added(parent, child) == [Format(format="code_block")]


async def test_length_alone_is_never_a_reason() -> None:
    long = "word " * 400
    pool = pool_of("Write about the sea with no commas.", long, long + "!", "a, b", "c, d")
    parent, child = await refined(pool)
    assert added(parent, child) == []


async def test_names_are_not_looked_for_in_an_answer_that_must_be_in_another_language() -> None:
    ask = "Reply in German, with no commas, what Marie Curie did."
    pool = pool_of(ask, "Marie Curie fand Radium", "Marie Curie fand es", "a, b", "c, d")
    parent, child = await refined(pool)
    assert added(parent, child) == []
