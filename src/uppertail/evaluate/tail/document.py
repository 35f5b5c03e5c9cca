"""One HTML file that needs no network: style inside, no script, and a policy that loads nothing."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from uppertail.report.markup import Html, plain, tag


def document(title: str, *content: Html | None) -> str:
    """Return the whole document in the style of the run report."""
    style = Html(_asset("uppertail.report", "report.css") + _asset(__package__, "tail.css"))
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", plain(title[:200])),
        tag("style", style),
    )
    whole = tag("html", head, tag("body", tag("main", *content)), lang="en")
    return f"<!doctype html>\n{whole}\n"


def _asset(package: str | None, name: str) -> str:
    assert package is not None  # this module is never run as a script
    return files(package).joinpath(name).read_text(encoding="utf-8")
