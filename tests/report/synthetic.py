"""Made-up runs for the report's tests: seeded, of any size, with the failures a real one has."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Literal

from uppertail.checks import Words
from uppertail.refine.result import Loss, Refinement, Round, Scored, Status
from uppertail.report import RoleSpend, RunFacts
from uppertail.score import score
from uppertail.types import (
    Criterion,
    Decider,
    Lineage,
    Outcome,
    Pool,
    Prompt,
    Response,
    Rubric,
    Score,
    Unscored,
    Verdict,
    Why,
)

Ends = Literal["accepted", "refused", "lost"]
BY = Decider(model="judge", template="t", protocol="p")
MET, NOT_MET = Verdict(met=True, by=BY), Verdict(met=False, by=BY)
MODELS = ("atlas-70b", "birch-large", "cobalt-mini", "delta-r2")
TASKS = (
    "Write a memo to the finance team on why the quarterly close slipped",
    "Explain how vaccines train the immune system to a curious ten-year-old",
    "Plan a three-day walking trip around Lake Constance for two people in May",
    "Compare depreciation by straight line and by declining balance, with one worked example",
    "Summarise the case for and against congestion pricing in a mid-sized city",
    "Draft a polite refusal to a vendor who wants to raise prices in the middle of a contract",
)
POINTS = (
    "Names the specific cause of the delay and quantifies it in days",
    "States who owns each next step and by when",
    "Uses plain language that a reader outside the field can follow",
    "Gives at least one concrete, checkable example",
    "Acknowledges the strongest objection and answers it directly",
    "Keeps to the length that the prompt asks for",
    "Orders the points by importance to the reader",
    "Avoids unsupported superlatives and filler phrases",
    "Cites the source of every figure it relies on",
    "Distinguishes clearly between what is known and what is assumed",
    "Closes with a decision that the reader can take",
    "Explains the trade-off between cost and time with numbers",
)
WORDS = [
    "the",
    "plan",
    "keeps",
    "each",
    "step",
    "small",
    "so",
    "that",
    "anyone",
    "can",
    "check",
    "it",
    "before",
    "the",
    "next",
    "one",
    "begins",
    "and",
    "nobody",
    "has",
    "to",
    "guess",
    "what",
    "was",
    "meant",
    "while",
    "costs",
    "stay",
    "visible",
    "to",
    "every",
    "team",
    "that",
    "pays",
    "them",
    "which",
    "matters",
    "more",
    "than",
    "speed",
    "in",
    "the",
    "first",
    "week",
    "because",
    "early",
    "errors",
    "are",
    "the",
    "dearest",
    "ones",
]


PROSE = " ".join(Random(1).choices(WORDS, k=6000)).split()


def text(random: Random, words: int) -> str:
    """Return a stretch of made-up prose."""
    start = random.randrange(len(PROSE) - words)
    return " ".join(PROSE[start : start + words]).capitalize()


def run(
    prompts: int, *, responses: int = 16, rounds: int = 4, seed: int = 0, words: int = 260
) -> Iterator[tuple[Pool, Refinement]]:
    """Yield a run's prompts with their results."""
    for index in range(prompts):
        random = Random(f"{seed}:{index}")
        pool = _pool(index, random, responses, words)
        yield pool, _refinement(pool, random, rounds)


def _pool(index: int, random: Random, responses: int, words: int) -> Pool:
    prompt = Prompt.plain(f"{random.choice(TASKS)}. {text(random, 30)}.", id=f"prompt-{index:05}")
    return Pool(
        prompt=prompt,
        responses=tuple(
            Response(
                id=f"r{place}",
                text=text(random, random.randint(words // 2, words)),
                model=MODELS[place % len(MODELS)],
                sample=place // len(MODELS),
            )
            for place in range(responses)
        ),
    )


def _refinement(pool: Pool, random: Random, rounds: int) -> Refinement:
    key = pool.prompt.id
    if random.random() < 0.012:
        lost = Loss(stage="propose", round=0, why="judge-4: no answer after 5 tries (HTTP 503)")
        return Refinement(
            prompt_id=key, status=Status.FAILED, rubrics=(), rounds=(), scored=(), losses=(lost,)
        )
    skill = {response.id: random.betavariate(4, 2) for response in pool.responses}
    points = list(POINTS)
    random.shuffle(points)
    rubric = Rubric(prompt_id=key, criteria=_criteria(random, points[:5]))
    rubrics, history, losses = [rubric], [], []
    for number in range(1, rounds + 1):
        scored = _scored(pool, rubrics[-1], skill)
        scores = {item.response_id: item.score for item in scored}
        best = sorted(
            (s for s in scored if s.score.value is not None), key=lambda s: -(s.score.value or 0)
        )
        kinds: tuple[Ends, ...] = ("accepted", "refused", "lost")
        outcome = random.choices(kinds, (90, 6, 2))[0]
        note = {
            "refused": "the pair still ties",
            "lost": 'reply holds no rubric: {"rubrics": [',
            "accepted": "",
        }[outcome]
        if outcome == "lost":
            losses.append(Loss(stage="propose", round=number, why=note))
        history.append(
            Round(
                number=number,
                rubric_id=rubrics[-1].id,
                scores=scores,
                pair=(best[0].response_id, best[1].response_id),
                outcome=outcome,
                note=note,
            )
        )
        if outcome == "accepted":
            rubrics.append(_child(rubrics[-1], random, points, number))
    scored = _scored(pool, rubrics[-1], skill, random if random.random() < 0.06 else None)
    losses += [
        Loss(stage="verify", round=rounds + 1, why=s.score.why, response_id=s.response_id)
        for s in scored
        if s.score.value is None
    ]
    status = Status.PARTIAL if losses else Status.DONE
    return Refinement(
        prompt_id=key,
        status=status,
        rubrics=tuple(rubrics),
        rounds=tuple(history),
        scored=scored,
        losses=tuple(losses),
    )


def _criteria(random: Random, points: list[str]) -> tuple[Criterion, ...]:
    ruled = Criterion(
        text="Has between 150 and 400 words",
        weight=2.0,
        kind="hard_rule",
        check=Words(at_least=150, at_most=400),
    )
    return (ruled, *(Criterion(text=point, weight=float(random.randint(1, 3))) for point in points))


def _child(parent: Rubric, random: Random, points: list[str], number: int) -> Rubric:
    criteria = list(parent.criteria)
    place = random.randrange(1, len(criteria))
    old = criteria[place]
    what = random.random()
    if what < 0.4:
        criteria[place] = Criterion(
            text=f"{old.text}, and says so in the opening lines", weight=old.weight
        )
    elif what < 0.6:
        criteria[place] = Criterion(text=old.text, weight=old.weight % 3 + 1)
    elif what < 0.7:
        del criteria[place]
    fresh = points[(4 + number) % len(points)]
    if all(fresh != c.text for c in criteria):
        criteria.append(Criterion(text=fresh, weight=float(random.randint(1, 3))))
    return Rubric(
        prompt_id=parent.prompt_id,
        criteria=tuple(criteria),
        lineage=Lineage(round=number, parent=parent.id, model="proposer"),
    )


def _scored(
    pool: Pool, rubric: Rubric, skill: dict[str, float], breaks: Random | None = None
) -> tuple[Scored, ...]:
    broken = set(breaks.sample([r.id for r in pool.responses], 2)) if breaks else set()
    # The same criterion gets the same verdicts in every round.
    draws = [Random(f"{pool.prompt.id}{criterion.text}") for criterion in rubric.criteria]
    hard = [draw.choice((0.0, 0.35, 0.55, 0.75, 0.85)) for draw in draws]
    found = []
    for response in pool.responses:
        outcomes: list[Outcome] = []
        for place, (draw, bar) in enumerate(zip(draws, hard, strict=True)):
            met = skill[response.id] + draw.uniform(-0.1, 0.1) > bar
            if response.id in broken and place % 3 == 1:
                why = (Why.TRUNCATED, Why.MISSING, Why.CALL_FAILED)[place // 3 % 3]
                outcomes.append(Unscored(why=why, detail="the reply ended at 1 024 tokens"))
            else:
                outcomes.append(MET if met else NOT_MET)
        value = score(rubric.criteria, outcomes)
        found.append(Scored(response_id=response.id, score=value, outcomes=tuple(outcomes)))
    return tuple(found)


def facts() -> RunFacts:
    """Return what a run of two hosted models could say of itself."""
    return RunFacts(
        command="refine",
        settings={
            "preset": "four-great-diverse",
            "rounds": "4",
            "pool size": "16",
            "seed": "0",
            "verifier mode": "chunks of 4",
            "verifier order": "prefix",
            "votes": "1",
        },
        models={"proposer": "openai/gpt-large", "verifier": "http://127.0.0.1:8000/v1 qwen-72b"},
        spend={
            "proposer": RoleSpend(
                calls=4981,
                prompt_tokens=8_912_331,
                cached_tokens=2_310_400,
                completion_tokens=2_114_097,
                usd=38.42,
                p50_seconds=6.1,
                p95_seconds=14.8,
            ),
            "verifier": RoleSpend(
                calls=212_480,
                prompt_tokens=301_114_009,
                cached_tokens=231_993_211,
                completion_tokens=6_312_442,
                usd=None,
                p50_seconds=0.42,
                p95_seconds=1.31,
            ),
        },
        quarantined={"empty response": 14, "text is an error message": 9},
        started="2026-03-02 09:14 UTC",
        finished="2026-03-02 10:41 UTC",
        wall_seconds=5220.0,
    )


def valued(*values: float | None) -> dict[str, Score]:
    """Return scores by response id r0, r1, …; None is unscored."""
    return {
        f"r{place}": Score(
            value=v, low=v or 0.0, high=1.0 if v is None else v, answered=float(v is not None)
        )
        for place, v in enumerate(values)
    }


def scored(table: dict[str, tuple[float | None, str]]) -> tuple[Scored, ...]:
    """Return responses with a score and verdicts written as "yn?"."""
    marks: dict[str, Outcome] = {
        "y": Verdict(met=True, by=BY),
        "n": Verdict(met=False, by=BY),
        "?": Unscored(why=Why.MISSING),
    }
    return tuple(
        Scored(
            response_id=key,
            score=next(iter(valued(value).values())),
            outcomes=tuple(marks[m] for m in verdicts),
        )
        for key, (value, verdicts) in table.items()
    )


def refinement(
    *rubrics: Rubric, rounds: tuple[Round, ...] = (), scored: tuple[Scored, ...] = ()
) -> Refinement:
    return Refinement(
        prompt_id="p", status=Status.DONE, rubrics=rubrics, rounds=rounds, scored=scored, losses=()
    )


def rubric(*texts: str) -> Rubric:
    return Rubric(prompt_id="p", criteria=tuple(Criterion(text=text) for text in texts))


def rounds(*steps: dict[str, Score]) -> tuple[Round, ...]:
    """Return skipped rounds that began with these scores."""
    return tuple(
        Round(number=i + 1, rubric_id="x", scores=scores, pair=None, outcome="skipped")
        for i, scores in enumerate(steps)
    )


POOL = Pool(
    prompt=Prompt.plain("x", id="p"),
    responses=tuple(Response(id=f"r{place}", text="t") for place in range(2)),
)

tied, apart, none = valued(0.5, 0.5), valued(0.9, 0.5), valued(None, None)
FINAL_APART = scored({"r0": (0.9, "y"), "r1": (0.2, "n")})
FINAL_TIED = scored({"r0": (0.9, "y"), "r1": (0.9, "y")})
