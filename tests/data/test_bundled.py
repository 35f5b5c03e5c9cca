"""The bundled pools hold what the demo needs: hard rules that tie the best, content that parts them."""

from dataclasses import dataclass
from importlib.resources import as_file, files
from itertools import pairwise

import pytest

from uppertail.checks import (
    Case,
    Check,
    EndsWith,
    Excludes,
    Format,
    Highlights,
    Includes,
    Language,
    ListItems,
    Mentions,
    Paragraphs,
    Parts,
    Placeholders,
    Postscript,
    Quoted,
    Repeats,
    Sections,
    Sentences,
    StartsWith,
    Title,
    Without,
    Words,
)
from uppertail.data.pools import PoolRow, read_pools
from uppertail.types import Pool, Response

Rows = tuple[PoolRow, ...]

EXCELLENT = 0.9
"""Labels from here on are excellent; those below `FAILED` are failures."""
FAILED = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a bundled prompt asks for, read by a person."""

    rules: tuple[Check, ...]
    """Its explicit requirements."""
    facts: tuple[str, ...]
    """Names, numbers and terms that it wants to see in the answer."""


ASKED = {
    "trail-notice": Asked(
        rules=(
            Words(at_least=90, at_most=130),
            Title(),
            Excludes(words=("unfortunately",)),
            Postscript(),
        ),
        facts=(
            "3 March",
            "21 March",
            "Miller's Creek",
            "Ridge Road",
            "2.4 km",
            "north gate",
            "Dagmar",
            "Otter Lake",
            "Ines Okafor",
            "555-0142",
        ),
    ),
    "lamp-announcement": Asked(
        rules=(
            Paragraphs(at_least=3, at_most=3),
            Includes(words=("warm", "repair")),
            Highlights(at_least=2),
            Without(characters="!"),
        ),
        facts=(
            "Lumen K2",
            "4 November",
            "89 euros",
            "aluminium",
            "30 hours",
            "3 mm",
            "Noor Halabi",
            "Rotterdam",
            "ten years",
        ),
    ),
    "meeting-summary": Asked(
        rules=(
            ListItems(at_least=5, at_most=5, style="bullet"),
            Words(at_most=110),
            Excludes(words=("basically",)),
            EndsWith(text="Next sync: Thursday at 10:00."),
        ),
        facts=(
            "6.2 seconds",
            "Priya",
            "Wednesday",
            "4471",
            "4472",
            "Jonas",
            "Mei",
            "Porto",
            "Friday",
            "12 to 19 August",
            "Omar",
            "Windows 8",
            "Sven",
        ),
    ),
    "recipe-card": Asked(
        rules=(
            Format(format="json"),
            Includes(
                words=(
                    '"name"',
                    '"serves"',
                    '"minutes"',
                    '"ingredients"',
                    '"steps"',
                    '"note"',
                )
            ),
            Words(at_most=140),
        ),
        facts=(
            "250 g",
            "400 ml",
            "700 ml",
            "2 carrots",
            "turmeric",
            "lime",
            "3 minutes",
            "15 minutes",
            "gluten",
            "2 months",
        ),
    ),
    "water-notice": Asked(
        rules=(
            Parts(separator="******", count=2),
            Words(at_most=150),
            Without(characters="!"),
            Includes(words=("water",)),
        ),
        facts=(
            "Building 7",
            "14 May",
            "9:00",
            "11:30",
            "Ahmed Rahal",
            "main valve",
            "kettle",
            "bucket",
            "lift",
            "Lindqvist",
            "3B",
        ),
    ),
    "release-notes": Asked(
        rules=(
            Sections(marker="SECTION", at_least=3, at_most=3),
            StartsWith(text="Quarry 4.2.0"),
            Words(at_most=159),
            Excludes(words=("simply", "exciting")),
        ),
        facts=(
            "CSV",
            "3 times",
            "#1187",
            "quarry diff",
            "#1203",
            "1970",
            "#1164",
            "Yuki Tanabe",
            "legacy-auth",
            "5.0",
            "Python 3.9",
        ),
    ),
    "volcano-for-children": Asked(
        rules=(
            Case(case="lower"),
            Sentences(at_least=6),
            Words(at_most=110),
            EndsWith(text="and that is how a mountain burps."),
        ),
        facts=("magma", "bubbles", "crust", "lava", "lemonade", "stromboli", "italy", "2000 years"),
    ),
    "bug-report": Asked(
        rules=(
            Sections(at_least=4, at_most=4),
            ListItems(at_least=4, style="numbered"),
            Words(at_most=149),
            Excludes(words=("angry", "annoying")),
            Without(characters="!"),
        ),
        facts=(
            "Rosa Lindgren",
            "3.8.1",
            "Pixel 7",
            "Android 14",
            "12 pages",
            "80 %",
            "E-417",
            "wifi",
            "mobile data",
            "2 May",
        ),
    ),
    "lisbon-plan": Asked(
        rules=(
            Paragraphs(at_least=3, at_most=3, divider="***"),
            Placeholders(at_least=5),
            Repeats(word="budget", at_least=2),
            Excludes(words=("cheap", "must-see")),
        ),
        facts=(
            "October",
            "vegetarian",
            "640 euros",
            "tram 28",
            "Belém Tower",
            "tile museum",
            "Sintra",
            "Rossio",
            "40 minutes",
        ),
    ),
    "press-statement": Asked(
        rules=(
            Includes(words=("safety comes first",)),
            Words(at_least=100, at_most=150),
            Excludes(words=("explosion", "panic")),
            Quoted(),
            Postscript(),
        ),
        facts=(
            "14 June",
            "6:40",
            "Aurora",
            "Hallviken",
            "212",
            "18",
            "50 minutes",
            "Lena Moritz",
            "Maritime Safety Board",
            "30 June",
            "0800 5577",
        ),
    ),
    "study-plan": Asked(
        rules=(
            ListItems(at_least=7, at_most=7, style="bullet"),
            Words(at_least=90, at_most=140),
            Repeats(word="review", at_least=3),
            EndsWith(text="Good luck, Tomasz."),
        ),
        facts=(
            "9 June",
            "chapters",
            "45 minutes",
            "football",
            "Wednesday",
            "mitosis",
            "Mrs. Adeyemi",
            "2019",
            "2021",
        ),
    ),
    "spanish-reply": Asked(
        rules=(
            Language(code="es"),
            Words(at_least=70, at_most=110),
            StartsWith(text="Estimada señora Quiroga"),
            Excludes(words=("lamentablemente",)),
            Without(characters="!"),
        ),
        facts=(
            "58213",
            "hervidor",
            "37",
            "viernes",
            "5 euros",
            "48 horas",
            "etiqueta",
            "HOLA10",
            "Tomás Ibarra",
        ),
    ),
}


@pytest.fixture(scope="module")
def rows() -> Rows:
    with as_file(files("uppertail.data").joinpath("bundled", "pools.jsonl")) as path:
        return tuple(read_pools(path))


@pytest.fixture(scope="module")
def pools(rows: Rows) -> dict[str, Pool]:
    return {row.pool.prompt.id: row.pool for row in rows}


@pytest.fixture(params=ASKED)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def asked(name: str) -> Asked:
    return ASKED[name]


@pytest.fixture
def pool(name: str, pools: dict[str, Pool]) -> Pool:
    return pools[name]


def label(response: Response) -> float:
    assert response.label is not None
    return response.label


def ranked(pool: Pool) -> list[Response]:
    return sorted(pool.responses, key=label, reverse=True)


def keeps(response: Response, asked: Asked) -> bool:
    return all(rule.holds(response.text) for rule in asked.rules)


def facts_in(response: Response, asked: Asked) -> int:
    return sum(Mentions(terms=(fact,)).holds(response.text) for fact in asked.facts)


def test_there_are_twelve_prompts_with_eight_responses_of_the_same_eight_models(rows: Rows) -> None:
    assert [row.pool.prompt.id for row in rows] == list(ASKED)
    models = {tuple(r.model for r in row.pool.responses) for row in rows}
    assert len(models) == 1
    assert len(set(models.pop())) == 8


def test_nothing_is_quarantined_and_nothing_is_repeated(rows: Rows) -> None:
    assert not any(row.quarantined for row in rows)
    responses = [r for row in rows for r in row.pool.responses]
    assert len({r.id for r in responses}) == len({r.text for r in responses}) == 96


def test_one_prompt_is_a_conversation(rows: Rows) -> None:
    talks = [row.pool.prompt for row in rows if len(row.pool.prompt.messages) > 1]
    assert [[m.role for m in prompt.messages] for prompt in talks] == [["system", "user"]]


def test_some_response_holds_an_emoji_and_right_to_left_text(rows: Rows) -> None:
    texts = [r.text for row in rows for r in row.pool.responses]
    assert any("\N{DROPLET}" in text and "\N{ARABIC LETTER ALEF}" in text for text in texts)


def test_no_model_is_the_best_everywhere(pools: dict[str, Pool]) -> None:
    assert len({ranked(pool)[0].model for pool in pools.values()}) >= 3


def test_labels_lie_between_0_and_1_and_no_two_are_close(pool: Pool) -> None:
    labels = [label(r) for r in ranked(pool)]
    assert labels[0] <= 1
    assert labels[-1] >= 0
    assert all(better - worse >= 0.05 for better, worse in pairwise(labels))


def test_two_responses_are_excellent_and_one_is_a_failure(pool: Pool) -> None:
    labels = [label(r) for r in pool.responses]
    assert sum(value >= EXCELLENT for value in labels) == 2
    assert sum(value < FAILED for value in labels) == 1


def test_excellent_responses_keep_every_explicit_rule(pool: Pool, asked: Asked) -> None:
    assert all(keeps(r, asked) for r in ranked(pool)[:2])


def test_the_worst_four_break_a_rule_and_the_failure_breaks_two(pool: Pool, asked: Asked) -> None:
    assert not any(keeps(r, asked) for r in ranked(pool)[4:])
    assert sum(not rule.holds(ranked(pool)[-1].text) for rule in asked.rules) >= 2


def test_the_rules_alone_leave_three_of_the_best_four_tied(pool: Pool, asked: Asked) -> None:
    assert sum(keeps(r, asked) for r in ranked(pool)[:4]) == 3


def test_only_the_best_response_mentions_every_fact_and_keeps_every_rule(
    pool: Pool, asked: Asked
) -> None:
    best, *others = ranked(pool)
    assert facts_in(best, asked) == len(asked.facts)
    assert not any(keeps(r, asked) and facts_in(r, asked) == len(asked.facts) for r in others)


def test_among_those_that_tie_more_facts_go_with_a_higher_label(pool: Pool, asked: Asked) -> None:
    counts = [facts_in(r, asked) for r in ranked(pool) if keeps(r, asked)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[1] > counts[2]


def test_the_failure_mentions_less_than_half_of_the_facts(pool: Pool, asked: Asked) -> None:
    assert facts_in(ranked(pool)[-1], asked) < len(asked.facts) / 2
