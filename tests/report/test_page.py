"""The rendered page, read back as HTML."""

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tests.report.synthetic import (
    BY,
    FINAL_APART,
    FINAL_TIED,
    POOL,
    apart,
    facts,
    none,
    refinement,
    rounds,
    rubric,
    run,
    scored,
    tied,
    valued,
)
from uppertail.checks import Words
from uppertail.refine.result import Loss, Refinement, Scored, Status
from uppertail.report import ReportBuilder, RoleSpend, RunFacts
from uppertail.score import score
from uppertail.types import (
    Criterion,
    Lineage,
    Outcome,
    Pool,
    Prompt,
    Response,
    Rubric,
    Unscored,
    Verdict,
    Why,
)

LOOSE = {"meta", "input"}
"""Elements without an end tag."""


class Page(HTMLParser):
    """The words of a page, its ids and links; refuses tags that do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.ids: Counter[str] = Counter()
        self.links: set[str] = set()
        self.tags: Counter[str] = Counter()
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags[tag] += 1
        if "id" in found:
            self.ids[found["id"]] += 1
        if tag == "a":
            self.links.add(found["href"])
        if tag not in LOOSE:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags[tag] += 1

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self._open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\u00a0", " ").split())


def built(*results: Refinement, pool: Pool = POOL, run_facts: RunFacts | None = None) -> Page:
    builder = ReportBuilder(title="t")
    for result in results:
        builder.add(pool, result)
    return Page(builder.render(run_facts or RunFacts(command="refine")))


@pytest.fixture(scope="module")
def thousand() -> str:
    builder = ReportBuilder(title="A thousand prompts", seed=1)
    for pool, result in run(1000, words=400):
        builder.add(pool, result)
    return builder.render(facts())


def test_a_thousand_prompts_of_sixteen_fit_into_600_kilobytes(thousand):
    assert 200_000 < len(thousand.encode()) <= 600_000


def test_the_page_nests_and_every_link_leads_somewhere_once(thousand):
    page = Page(thousand)

    assert max(page.ids.values()) == 1
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert page.tags["details"] > 100


def test_the_page_loads_nothing_and_runs_only_its_own_script(thousand):
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', thousand)

    assert "default-src &#39;none&#39;" in policy
    assert "unsafe" not in policy
    assert not re.search(r"(src|srcset|action|poster)=|url\(|@import|\sstyle=|\son\w+=", thousand)
    assert set(re.findall(r'href="(.)', thousand)) == {"#"}


def test_the_same_run_gives_the_same_page():
    pages = []
    for _ in range(2):
        builder = ReportBuilder(title="t", seed=4)
        for pool, result in run(30, words=20):
            builder.add(pool, result)
        pages.append(builder.render(facts()))

    assert pages[0] == pages[1]


def test_the_page_stays_bounded_where_prompts_and_texts_grow():
    hostile = "<\u202e\u2066&\ud800" * 5000
    texts = [f"{hostile}{number}" for number in range(60)]
    big = Rubric(prompt_id="p", criteria=tuple(Criterion(text=text) for text in texts))
    pool = Pool(
        prompt=Prompt.plain(hostile, id=hostile),
        responses=tuple(
            Response(id=f"{hostile}{i}", text=hostile, model=hostile) for i in range(40)
        ),
    )
    no = Unscored(why=Why.MISSING, detail=hostile)
    rows = tuple(
        Scored(response_id=r.id, score=score(big.criteria, [no] * 60), outcomes=(no,) * 60)
        for r in pool.responses
    )
    losses = tuple(
        Loss(stage="verify", round=1, why=f"{i}{hostile}", response_id=hostile) for i in range(99)
    )
    result = replace(refinement(big, scored=rows), status=Status.PARTIAL, losses=losses)
    builder = ReportBuilder(title=hostile)
    for _ in range(4):
        builder.add(pool, result)
    many = {f"{i}{hostile}": hostile for i in range(200)}
    page = builder.render(
        RunFacts(
            command=hostile, settings=many, quarantined=dict.fromkeys(many, 1), started=hostile
        )
    )

    assert len(page.encode()) <= 640_000
    Page(page)


def test_the_first_sentence_says_whether_ties_fell_and_how_sure_that_is():
    better = refinement(rubric("a"), rounds=rounds(tied), scored=FINAL_APART)
    worse = refinement(rubric("a"), rounds=rounds(apart), scored=FINAL_TIED)

    assert "Fewer ties at the top after refinement." in built(*[better] * 20).text
    assert "More ties at the top after refinement." in built(*[worse] * 20).text
    assert "No clear change in ties at the top." in built(better, worse).text
    text = built(*[better] * 20).text
    assert "tied in 100 % of pools under the initial rubric, and tie in 0 % under the final" in text
    assert "−100 points (95 % interval −100 to" in text


def test_a_run_without_a_before_claims_no_change():
    only = refinement(rubric("a"), scored=FINAL_TIED)
    unseen = refinement(rubric("a"), rounds=rounds({}), scored=FINAL_TIED)

    assert "No round of refinement ran" in built(only).text
    assert "No round scored its pool first" in built(unseen).text
    assert "100 % of 1 pools" in built(only).text
    assert "nothing can be said of ties" in built(refinement(rubric("a"))).text


def test_an_empty_run_is_a_page_too():
    text = built().text

    assert "Nothing was lost." in text
    assert "No model was called." in text
    assert "No final verdicts" in text


def test_failures_are_shown_by_reason_and_never_as_numbers():
    failed = replace(
        refinement(), status=Status.FAILED, losses=(Loss(stage="propose", round=0, why="no reply"),)
    )
    partly = replace(
        refinement(rubric("a"), scored=scored({"r0": (None, "?"), "r1": (0.5, "y")})),
        status=Status.PARTIAL,
        losses=(Loss(stage="verify", round=1, why="missing 1", response_id="r0"),),
    )
    text = built(failed, partly, run_facts=facts()).text

    assert "1 partial · 1 failed" in text
    assert "no reply propose 1" in text
    assert "missing 1 verify 1" in text
    assert "missing the reply answered other criteria and not this one 1 50 %" in text
    assert "2 responses are unscored because their prompt has no rubric." in text
    assert "empty response 14" in text
    assert "There is no rubric, so nothing was scored." in text
    assert "unscored, 0 to 1" in text
    assert "Verdicts, round 1, r0: missing 1" in text


def test_a_prompt_shows_its_rubric_verdicts_and_the_pair_behind_each_change():
    start = Rubric(
        prompt_id="p",
        criteria=(
            Criterion(text="names an owner for each step", weight=2),
            Criterion(text="is short", kind="hard_rule", check=Words(at_most=50)),
            Criterion(text="uses flattery", weight=-1),
        ),
    )
    child = Rubric(
        prompt_id="p",
        criteria=(
            Criterion(text="names an owner and a date for each step", weight=3),
            Criterion(text="is short", kind="hard_rule", check=Words(at_most=40)),
            Criterion(text="uses flattery", weight=-2),
            Criterion(text="cites sources"),
        ),
        lineage=Lineage(round=1, parent=start.id, pair=("r1", "r0")),
    )
    yes, no, gone = Verdict(met=True, by=BY), Verdict(met=False, by=BY), Unscored(why=Why.TRUNCATED)
    outcomes: dict[str, tuple[Outcome, ...]] = {
        "r0": (yes, yes, no, yes),
        "r1": (yes, no, yes, gone),
    }
    rows = tuple(
        Scored(response_id=key, score=score(child.criteria, o, min_answered=0.5), outcomes=o)
        for key, o in outcomes.items()
    )
    first, second, third = rounds(tied, apart, none)
    history = (
        replace(first, pair=("r1", "r0"), outcome="accepted"),
        replace(second, pair=("r0", "elsewhere"), outcome="refused", note="still tied"),
        replace(third, pair=("r0", "r1"), outcome="lost", note="no reply"),
    )
    pool = replace(
        POOL,
        responses=(
            Response(id="r0", text="one", model="atlas", sample=2, label=0.5),
            Response(id="r1", text="two", duplicate_of="r0"),
        ),
    )
    text = built(refinement(start, child, rounds=history, scored=rows), pool=pool).text

    assert "~ w 2 → 3 names an owner and a date for each step" in text
    assert "is short (check changed)" in text
    assert "± w −1 → −2 uses flattery" in text
    assert "+ w 1 cites sources" in text
    assert (
        "Contrasted r1 with atlas #2 : 0.500 and 0.500 tied , then 0.500 and 0.900 apart ." in text
    )
    assert "Contrasted atlas #2 with elsewhere : 0.900 and unscored." in text
    assert "still tied" in text
    assert ": not scored." in text
    assert "label 0.5 · contrasted in rounds 1, 2, 3" in text
    assert "near-duplicate · contrasted in rounds 1, 3" in text
    assert "Criterion 4: truncated." in text
    assert "round 1" in text


def test_a_run_that_asked_for_no_final_scores_says_so():
    result = refinement(rubric("a"), rounds=rounds(tied))

    assert "No final scores were asked for." in built(result).text


def test_many_rounds_keep_to_their_room():
    text = built(refinement(rubric("a"), rounds=rounds(*[tied] * 20), scored=FINAL_APART))

    assert "12 more rounds not shown." in text.text
    assert "After round 19" in text.text


def test_money_that_is_not_known_is_not_zero():
    known = RoleSpend(calls=3, usd=1.5, prompt_tokens=10, cached_tokens=5)
    unknown = RoleSpend(calls=2)

    def text(**spend: RoleSpend) -> str:
        return built(run_facts=RunFacts(command="x", spend=spend)).text

    assert "$1.50 3 calls" in text(proposer=known)
    assert "$1.50 5 calls, some not priced" in text(proposer=known, verifier=unknown)
    assert "not priced 2 calls" in text(verifier=unknown)
    assert "no calls no model was asked" in text()
    assert "$1.50 3 calls" in text(proposer=known, verifier=RoleSpend())


def test_reworded_criteria_that_are_long_are_shortened():
    old = "".join(f"word{i} " for i in range(200))
    new = "".join(f"word{i} " for i in range(300))
    start, child = rubric(old), replace(rubric(new), lineage=Lineage(round=1))
    history = (replace(rounds(valued(0.5, 0.5))[0], pair=("r0", "r1"), outcome="accepted"),)
    page = built(refinement(start, child, rounds=history, scored=FINAL_APART))

    assert "… shortened" in page.text
