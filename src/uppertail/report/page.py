"""The page as one file: style and script inside, and a policy that lets it load nothing."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files

from uppertail.report.accounts import failures, settings, spend
from uppertail.report.browser import Entry, browser
from uppertail.report.facts import RunFacts
from uppertail.report.markup import Html, plain, tag
from uppertail.report.sections import criteria, scores
from uppertail.report.shortlist import Chosen
from uppertail.report.summary import finding, header, tiles
from uppertail.report.tally import Tally

PARTS = (
    ("scores", "Ties and separations"),
    ("criteria", "Criteria"),
    ("prompts", "Prompts"),
    ("failures", "Lost and unscored"),
    ("spend", "Spend"),
    ("settings", "Settings"),
)


def page(title: str, tally: Tally, chosen: Sequence[Chosen[Entry]], facts: RunFacts) -> str:
    """Return the whole document. It encodes as UTF-8 whatever the texts hold."""
    style, script = _asset("report.css"), _asset("report.js")
    links = [tag("a", name, href=f"#{key}") for key, name in PARTS]
    body = tag(
        "main",
        header(title, facts),
        finding(tally),
        tiles(tally, facts),
        tag("nav", *links, aria_label="Sections"),
        scores(tally),
        criteria(tally),
        browser(chosen, tally.prompts),
        failures(tally, facts),
        spend(facts),
        settings(facts),
    )
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", plain(title[:200])),
        tag("style", style),
    ]
    whole = tag("html", tag("head", *head), tag("body", body, tag("script", script)), lang="en")
    return f"<!doctype html>\n{whole}\n"


def _asset(name: str) -> Html:
    """Return a file beside this module. It is ours, so it is not escaped."""
    return Html(files("uppertail.report").joinpath(name).read_text(encoding="utf-8"))


def _policy(style: Html, script: Html) -> str:
    """Return a policy under which only our own style and script run, and nothing is fetched."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: Html) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
