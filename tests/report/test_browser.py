"""The page in a real browser: hostile text stays text, and nothing runs but our script."""

import re
import shutil
import subprocess
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from tests.report.synthetic import BY, facts, rounds, run, tied
from uppertail.refine.result import Loss, Refinement, Scored, Status
from uppertail.report import ReportBuilder
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

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next((path for name in NAMES if (path := shutil.which(name))), None)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PLACES = (
    "prompt",
    "response",
    "model",
    "criterion",
    "reason",
    "note",
    "detail",
    "id",
    "title",
    "setting",
)

needs_browser = pytest.mark.skipif(
    BROWSER is None, reason="no chromium or google-chrome; run scripts/install-browser"
)


def hostile(place: str) -> str:
    """Return text that breaks out of most contexts, with a mark of where it was put."""
    attack = f"document.title='broken';document.body.dataset.broken='{place}'"
    return (
        f"[{place}]</td></div></summary></details></title></style></script><script>{attack}</script>"
        f'<img src=x onerror="{attack}"><svg onload="{attack}">"\'><b id=injected>&lt;\u202egnp.exe\u2066'
    )


def attacked() -> str:
    """Return a page with hostile text in every place that takes text."""
    pool = Pool(
        prompt=Prompt.plain(hostile("prompt"), id=hostile("id")),
        responses=(
            Response(id="r0", text=hostile("response"), model=hostile("model")),
            Response(id="r1", text="fine"),
        ),
    )
    start = Rubric(prompt_id=pool.prompt.id, criteria=(Criterion(text="plain"),))
    child = replace(
        start, criteria=(Criterion(text=hostile("criterion")),), lineage=Lineage(round=1)
    )
    outcomes: dict[str, tuple[Outcome]] = {
        "r0": (Verdict(met=True, by=BY),),
        "r1": (Unscored(why=Why.UNREADABLE, detail=hostile("detail")),),
    }
    rows = tuple(
        Scored(response_id=key, score=score(child.criteria, o), outcomes=o)
        for key, o in outcomes.items()
    )
    first, second = rounds(tied, tied)
    result = Refinement(
        prompt_id=pool.prompt.id,
        status=Status.PARTIAL,
        rubrics=(start, child),
        rounds=(
            replace(first, pair=("r0", "r1"), outcome="accepted"),
            replace(second, pair=("r1", "r0"), outcome="lost", note=hostile("note")),
        ),
        scored=rows,
        losses=(Loss(stage="propose", round=2, why=hostile("reason"), response_id="r0"),),
    )
    builder = ReportBuilder(title=hostile("title"))
    builder.add(pool, result)
    return builder.render(replace(facts(), settings={"template": hostile("setting")}))


def dumped(html: str, folder: Path, anchor: str = "") -> str:
    """Return the document as the browser holds it after it has run."""
    file = folder / "report.html"
    file.write_text(html, encoding="utf-8")
    done = subprocess.run(
        [
            str(BROWSER),
            *FLAGS,
            f"--user-data-dir={folder / 'profile'}",
            "--dump-dom",
            file.as_uri() + anchor,
        ],
        capture_output=True,
        timeout=120,
        check=True,
    )
    return done.stdout.decode("utf-8")


@needs_browser
@pytest.mark.parametrize("policy", [True, False], ids=["with its policy", "by escaping alone"])
def test_hostile_text_is_shown_and_never_run(tmp_path, policy):
    html = attacked()
    if not policy:
        html, removed = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
        assert removed == 1
    dom = dumped(html, tmp_path)
    body = dom[dom.index("<body") :]
    words = unescape(
        re.sub(r"<[^>]*>", "", re.sub(r"<script>.*?</script>", "", body, flags=re.DOTALL))
    )

    assert "<title>[title]" in dom
    assert "data-broken" not in dom
    assert 'id="injected"' not in dom
    assert "<img" not in dom
    assert dom.count("<script") == 1
    for place in PLACES:
        assert f"[{place}]</td>" in words, place
    assert "\u202e" not in dom
    assert "\u2066" not in dom
    assert "U+202E" in words


@needs_browser
def test_the_probe_notices_a_page_that_does_run_foreign_script(tmp_path):
    bare = f"<!doctype html><title>x</title><body>{hostile('prompt')}"

    assert 'data-broken="prompt"' in dumped(bare, tmp_path)


@needs_browser
def test_our_script_runs_under_the_policy_and_opens_what_a_link_names(tmp_path):
    builder = ReportBuilder(title="A run", seed=0)
    for pool, result in run(6, words=30, responses=4, rounds=2):
        builder.add(pool, result)
    html = builder.render(facts())
    target = re.findall(r'id="(p\d+r2)"', html)[0]
    dom = dumped(html, tmp_path, f"#{target}")
    prompt = target.split("r")[0]

    assert re.search(rf'<details class="p" id="{prompt}"[^>]* open=""', dom)
    assert re.search(rf'<details id="{target}"[^>]* open=""', dom)
    assert '<div class="tools">' in dom


@needs_browser
@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_never_scrolls_sideways(tmp_path, width):
    builder = ReportBuilder(title="A run with " + "a-very-long-unbroken-title" * 8, seed=0)
    for pool, result in run(8, words=60, responses=16, rounds=6):
        builder.add(pool, result)
    html = builder.render(facts()).replace('<details class="p"', '<details open class="p"')
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    (tmp_path / "inner.html").write_text(html, encoding="utf-8")
    frame = (
        f'<iframe src="inner.html" style="width:{width}px;height:900px;border:0"></iframe><script>'
        "onload=()=>{const d=document.querySelector('iframe').contentDocument.documentElement;"
        "document.title=`${d.scrollWidth}/${d.clientWidth}`}</script>"
    )
    file = tmp_path / "frame.html"
    file.write_text(frame)
    done = subprocess.run(
        [
            str(BROWSER),
            *FLAGS,
            "--allow-file-access-from-files",
            "--hide-scrollbars",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--dump-dom",
            file.as_uri(),
        ],
        capture_output=True,
        timeout=120,
        check=True,
    )
    ((scroll, client),) = re.findall(r"<title>(\d+)/(\d+)</title>", done.stdout.decode())

    assert int(client) == width
    assert int(scroll) <= width
