import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uppertail.report.markup import HIDDEN, Html, clip, escape, join, plain, tag

anything = st.text(st.characters(exclude_categories=()), max_size=60)


def test_markup_shows_as_text():
    assert escape("<b a='x'>&\"") == "&lt;b a=&#39;x&#39;&gt;&amp;&quot;"


def test_hidden_characters_are_named_and_runs_are_counted():
    assert escape("a\u202eb") == 'a<i class=u title="RIGHT-TO-LEFT OVERRIDE">U+202E</i>b'
    assert escape("\x00" * 3) == "<i class=u>U+0000 ×3</i>"
    assert plain("a\u2066b") == "a⟨U+2066⟩b"


def test_emoji_and_persian_keep_their_joiners():
    family = "\U0001f469\u200d\U0001f467 می\u200cخواهم"

    assert escape(family) == family


def test_carriage_returns_of_line_ends_vanish_and_others_show():
    assert escape("a\r\nb") == "a\nb"
    assert "U+000D" in escape("a\rb")


def test_every_control_format_surrogate_and_separator_is_hidden():
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    seen = {"\n", "\t", "\u200c", "\u200d"}
    missed = [
        f"U+{code:04X}"
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in hidden
        and chr(code) not in seen
        and not HIDDEN.match(chr(code))
    ]

    assert missed == []


@given(anything)
def test_any_text_becomes_harmless_and_writable(text):
    shown = escape(text)
    inner = shown.replace("<i class=u>", "").replace("</i>", "")

    shown.encode("utf-8")
    plain(text).encode("utf-8")
    assert not HIDDEN.search(shown)
    assert '"' not in inner.replace(' title="', "").replace('">', "")


@given(anything, st.integers(0, 200))
def test_a_clip_never_passes_its_limit_and_says_how_much_it_shows(text, limit):
    found = clip(text, limit=limit)
    text = text.replace("\r\n", "\n")

    assert len(found.html.encode()) <= limit
    assert 0 <= found.shown <= found.total == len(text)
    assert found.html == escape(text[: found.shown])
    assert found.whole == (found.html == escape(text))


def test_a_clip_ends_at_a_word_where_one_is_near():
    assert clip("the quick brown fox", limit=17).html == "the quick brown"
    assert clip("x" * 50, limit=10).html == "x" * 10


@pytest.mark.parametrize("value", ['"><script>', "'\u202e", "\ud800"])
def test_attributes_cannot_be_left(value):
    element = tag("a", "x", title=value)

    element.encode("utf-8")
    assert element.count('"') == 2
    assert "<script" not in element


def test_tags_escape_text_and_keep_markup():
    inner = tag("b", "<i>", 3, None)

    assert inner == "<b>&lt;i&gt;3</b>"
    assert tag("p", inner, hidden=True, id=None, open=False, class_="a b", data_x=1.50) == (
        '<p hidden class="a b" data-x="1.5"><b>&lt;i&gt;3</b></p>'
    )
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8">'
    assert join(["<", Html("<br>")]) == "&lt;<br>"
