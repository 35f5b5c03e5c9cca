"""A sample of every check, and a strategy that draws any check."""

from typing import get_args

from hypothesis import strategies as st

from uppertail.checks import (
    LANGUAGES,
    CapitalWords,
    Case,
    Check,
    Covers,
    EndsWith,
    Excludes,
    Format,
    Highlights,
    Includes,
    Language,
    Letters,
    ListItems,
    Mentions,
    OneOf,
    Paragraphs,
    ParagraphStarts,
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
from uppertail.checks.forms import Bounds
from uppertail.checks.lengths import Divider, ListStyle

SAMPLES: tuple[Check, ...] = (
    Words(at_least=3),
    Sentences(at_least=2, at_most=4),
    Paragraphs(at_most=3),
    Paragraphs(at_most=0),
    Paragraphs(at_least=2, divider="***"),
    ListItems(at_most=5),
    Sections(at_least=2),
    Sections(marker="SECTION", at_least=2),
    Highlights(at_least=1),
    Placeholders(at_least=1),
    Includes(words=("a b",)),
    Includes(words=("a", "b")),
    Excludes(words=("a b", "b")),
    Excludes(words=("b",)),
    Repeats(word="a a", at_least=1),
    Letters(letter='"', at_most=0),
    CapitalWords(at_least=3),
    Case(case="lower", language="en"),
    Case(case="upper"),
    Language(code="zh"),
    Without(characters=";,"),
    Without(characters=","),
    Title(),
    Postscript(marker="P.P.S"),
    Format(format="json"),
    Format(format="xml"),
    Format(format="markdown_table"),
    Format(format="code_block"),
    Quoted(),
    StartsWith(text="a"),
    EndsWith(text="b"),
    ParagraphStarts(paragraph=2, word="a"),
    ParagraphStarts(paragraph=1, word="a", paragraphs=1),
    ParagraphStarts(paragraph=1, word="a", paragraphs=2),
    Parts(separator="***", count=2),
    Parts(separator="#", count=3, different=False),
    OneOf(options=("a", "b")),
    ListItems(style="numbered", at_least=1, at_most=1),
    Mentions(terms=("a", "1,000")),
    Mentions(terms=("a", "b"), at_least=1),
    Covers(statement="One two.", share=0.7),
    Covers(statement="Words and 1,000 tables are not on the ab list."),
)

FORMATS = (
    Format(format="json"),
    Format(format="xml"),
    Format(format="markdown_table"),
    Format(format="code_block"),
)
_TEXT = st.text(min_size=1, max_size=12).filter(str.strip)
_TEXTS = st.lists(_TEXT, min_size=1, max_size=4, unique=True).map(tuple)
_CODE = st.sampled_from(sorted(LANGUAGES))


@st.composite
def _bounds(draw: st.DrawFn) -> Bounds:
    low, high = sorted((draw(st.integers(1, 2000)), draw(st.integers(1, 2000))))
    some: tuple[Bounds, ...] = (
        {"at_least": low},
        {"at_most": high},
        {"at_least": low, "at_most": high},
        {"at_most": 0},
    )
    return draw(st.sampled_from(some))


@st.composite
def checks(draw: st.DrawFn) -> Check:
    """Draw any check with any valid fields."""
    bounds = draw(_bounds())
    terms = draw(_TEXTS)
    paragraph = draw(st.integers(1, 5))
    check: Check = draw(
        st.one_of(
            st.sampled_from([Words, Sentences, Highlights, Placeholders, CapitalWords]).map(
                lambda kind: kind(**bounds)
            ),
            st.sampled_from(get_args(Divider)).map(lambda d: Paragraphs(divider=d, **bounds)),
            st.sampled_from(get_args(ListStyle)).map(lambda s: ListItems(style=s, **bounds)),
            (st.none() | _TEXT).map(lambda marker: Sections(marker=marker, **bounds)),
            _TEXTS.map(lambda texts: Includes(words=texts)),
            _TEXTS.map(lambda texts: Excludes(words=texts)),
            _TEXT.map(lambda text: Repeats(word=text, **bounds)),
            st.characters().filter(str.strip).map(lambda c: Letters(letter=c, **bounds)),
            st.builds(Case, case=st.sampled_from(["lower", "upper"]), language=st.none() | _CODE),
            _CODE.map(lambda code: Language(code=code)),
            st.lists(st.characters(), min_size=1, max_size=4, unique=True).map(
                lambda some: Without(characters="".join(some))
            ),
            st.sampled_from([Title(), Quoted()]),
            st.sampled_from(FORMATS),
            _TEXT.map(lambda text: Postscript(marker=text)),
            _TEXT.map(lambda text: StartsWith(text=text)),
            _TEXT.map(lambda text: EndsWith(text=text)),
            st.builds(
                ParagraphStarts,
                paragraph=st.just(paragraph),
                word=_TEXT,
                paragraphs=st.none() | st.integers(paragraph, 9),
            ),
            st.builds(Parts, separator=_TEXT, count=st.integers(2, 9), different=st.booleans()),
            _TEXTS.map(lambda texts: OneOf(options=texts)),
            st.builds(
                Mentions,
                terms=st.just(terms),
                at_least=st.none() | st.integers(1, len(terms)),
            ),
            st.builds(
                Covers,
                statement=_TEXT,
                share=st.floats(min_value=0, max_value=1, exclude_min=True),
            ),
        )
    )
    return check
