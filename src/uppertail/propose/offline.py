"""The embedded proposer: reads requirements out of prompts and finds what better candidates share.

It calls no model. Each criterion that it writes carries an exact check.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import fsum

from uppertail.checks import (
    LANGUAGES,
    Case,
    Check,
    Excludes,
    Format,
    Language,
    ListItems,
    Mentions,
    Placeholders,
    Sections,
    Title,
    Words,
)
from uppertail.checks.base import Bounded
from uppertail.checks.language import language_of
from uppertail.propose.interface import Contrast
from uppertail.propose.requirements import read_requirements
from uppertail.types import Criterion, Lineage, Pool, Prompt, Response, Rubric

MAX_ADDED = 2
"""Most criteria that one refinement adds."""
MAX_FOUND = 6
"""Most criteria, found by contrast, that a rubric ever holds."""
MIN_EACH = 2
"""Least number of candidates with a feature, and without it, that can speak for it."""
MIN_SUPPORT = 0.65
"""Least chance that a candidate with the feature outscores one without it; ties count half."""

REFUSALS = (
    "I cannot help with",
    "I can't help with",
    "I cannot assist with",
    "I can't assist with",
    "I'm unable to help",
    "I am unable to help",
    "I'm sorry, but I can't",
    "I'm sorry, but I cannot",
    "I cannot fulfill",
    "I can't fulfill",
    "as an AI language model",
)
LEFTOVERS = ("lorem ipsum", "insert text here", "to be completed", "TODO")

_QUOTED = re.compile(r"[\"“]([^\"“”\n]{2,40})[\"”]")
_NAME = re.compile(
    r"(?<![.!?:*<\[\n\"“] )(?<=[a-z,;'’)\d] )([A-Z][\w'’-]{1,30}(?: [A-Z][\w'’-]{1,30}){0,2})"
)
_NUMBER = re.compile(r"(?<![\w.,$])(\d{4}|\d{1,3}(?:,\d{3})+|\d+\.\d+)(?![\w%]|[.,]\d)")
_DOCUMENT = re.compile(
    r"\b(?:report|proposal|guide|tutorial|plan|manual|documentation|handbook|overview|itinerary"
    r"|rubric|resume|curriculum vitae|white ?paper|outline|wiki|readme|how-to)\b",
    re.IGNORECASE,
)
_LISTABLE = re.compile(
    r"\b(?:list|steps?|tips|ideas|ways|reasons|examples|pros and cons|recommendations|ingredients"
    r"|recipe|checklist|options)\b",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\b(?:python|javascript|java|c\+\+|rust|sql|bash|code|function|script|regex|html|css)\b",
    re.IGNORECASE,
)
_TEMPLATE = re.compile(
    r"\[[^\]\n]{1,60}\]|\bplaceholders?\b|\btemplate\b|\bbrackets?\b", re.IGNORECASE
)
_TRANSLATE = re.compile(r"\btranslat", re.IGNORECASE)
_FORM = """
    please answer response respond request include including exactly sentence sentences
    paragraph paragraphs section sections should without another following format language
    capital letters lowercase uppercase keyword keywords commas question questions explain
    describe provide write writing create generate entire output highlight highlighted markdown
    wrapped bracket brackets double quotation between before because example examples change
    different anything something really simple detailed possible several number called contain
    contains containing making think would about could their there these those where which while
    repeat asterisk asterisks symbols separated bullet points first second third appear appears
    least times
"""
_FORM_WORDS = frozenset(_FORM.split())
"""Words of the asking, which say nothing of the topic."""
_MOST_READ = 20_000


class OfflineProposer:
    """Writes rubrics whose every criterion a program can decide.

    The initial rubric holds the prompt's explicit requirements (hard rules, weight 3), or,
    where it states none, a few general ones (principles, weight 1). A refinement keeps the
    criteria and adds principles that tell the pair apart and that the pool supports; where
    there is none it returns the same criteria, and with them the same rubric id, so that
    the caller sees that nothing changed.
    """

    @property
    def name(self) -> str:
        """Identity that travels in a rubric's lineage."""
        return "offline"

    async def initial(self, prompt: Prompt) -> Rubric:
        """Return the rubric that the prompt's own words state."""
        criteria = requirements_of(prompt) or general_criteria(prompt)
        return Rubric(prompt_id=prompt.id, criteria=criteria, lineage=Lineage(model=self.name))

    async def refine(
        self,
        pool: Pool,
        rubric: Rubric,
        contrast: Contrast,
        *,
        round: int,
        refused: str | None = None,
    ) -> Rubric:
        """Return `rubric` with what else tells the two responses apart, if the pool supports it.

        After a refusal it has nothing else to offer and returns the criteria unchanged.
        """
        found = () if refused is not None else _contrasting(pool, rubric, contrast)
        return Rubric(
            prompt_id=rubric.prompt_id,
            criteria=rubric.criteria + found,
            lineage=Lineage(
                round=round,
                parent=rubric.id,
                pair=(contrast.first.id, contrast.second.id),
                model=self.name,
            ),
        )


def requirements_of(prompt: Prompt) -> tuple[Criterion, ...]:
    """Return the explicit requirements of a conversation: of the system and of the user.

    Where a later message contradicts an earlier one, the later one counts.
    """
    kept: list[Criterion] = []
    for message in prompt.messages:
        if message.role == "assistant":
            continue
        new = read_requirements(message.content)
        kept = [old for old in kept if not any(_contradict(old.check, c.check) for c in new)]
        kept += [c for c in new if c not in kept]
    return tuple(kept)


def _contradict(old: Check | None, new: Check | None) -> bool:
    """Return whether no response can meet both checks, which are about the same thing."""
    if type(old) is not type(new):
        return False
    if isinstance(old, Bounded) and isinstance(new, Bounded):
        low = max(old.at_least or 0, new.at_least or 0)
        high = min((c.at_most for c in (old, new) if c.at_most is not None), default=low)
        return _subject(old) == _subject(new) and low > high
    return isinstance(old, Language | Case | Format) and old != new


def _subject(check: Bounded) -> tuple[object, ...]:
    """Return what a check counts: its fields other than the bounds."""
    names = (name for name in check.__struct_fields__ if name not in {"at_least", "at_most"})
    return tuple(getattr(check, name) for name in names)


def general_criteria(prompt: Prompt) -> tuple[Criterion, ...]:
    """Return what can be asked of an answer to any prompt, as far as a program can decide it.

    It is little on purpose. That an answer uses the prompt's main words, or does not refuse,
    was tried as well: the first told good from bad no better than a coin, and the second is
    wrong wherever refusing is right, which no program can tell from the prompt.
    """
    language = _language(prompt)
    checks: tuple[Check, ...] = (Words(at_least=1), *((language,) if language else ()))
    return tuple(_principle(check) for check in checks)


def _principle(check: Check) -> Criterion:
    """Return the criterion of weight 1 that `check` decides."""
    return Criterion(text=check.sentence(), weight=1.0, kind="principle", check=check)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A response of the pool and its share of the weight that exact checks decide."""

    response: Response
    score: float


def _contrasting(pool: Pool, rubric: Rubric, contrast: Contrast) -> tuple[Criterion, ...]:
    """Return criteria that tell the pair apart in the direction that the pool supports."""
    present = {criterion.text for criterion in rubric.criteria}
    room = MAX_FOUND - sum(c.kind == "principle" for c in rubric.criteria)
    decided = [c for c in rubric.criteria if c.check is not None and c.weight > 0]
    if room <= 0 or not decided:
        return ()
    candidates = [
        _Candidate(response=r, score=_score(decided, r)) for r in pool.responses if r.text.strip()
    ]
    better = _better(decided, contrast)
    found: list[tuple[float, Criterion]] = []
    for check in _features(pool.prompt, rubric):
        criterion = _principle(check)
        if criterion.text in present or not _separates(check, contrast, better):
            continue
        support = _support(check, candidates)
        if support is not None and support >= MIN_SUPPORT:
            found.append((support, criterion))
    found.sort(key=lambda item: -item[0])  # stable: equals stay in the order of the features
    return tuple(criterion for _, criterion in found[: min(MAX_ADDED, room)])


def _score(decided: Sequence[Criterion], response: Response) -> float:
    """Return the share of the weight of `decided` that the response earns, in [0, 1]."""
    met = fsum(c.weight for c in decided if c.check is not None and c.check.holds(response.text))
    return met / fsum(c.weight for c in decided)


def _better(decided: Sequence[Criterion], contrast: Contrast) -> str | None:
    """Return the id of the better response: as told, else by score; None where they tie."""
    if contrast.preferred is not None:
        return contrast.preferred
    first, second = _score(decided, contrast.first), _score(decided, contrast.second)
    if first == second:
        return None
    return contrast.first.id if first > second else contrast.second.id


def _separates(check: Check, contrast: Contrast, better: str | None) -> bool:
    """Return whether just one of the pair has the feature, and not the worse one."""
    first, second = check.holds(contrast.first.text), check.holds(contrast.second.text)
    if first == second:
        return False
    return better is None or better == (contrast.first.id if first else contrast.second.id)


def _support(check: Check, candidates: Sequence[_Candidate]) -> float | None:
    """Return the chance that a candidate with the feature outscores one without, ties half.

    None where too few candidates have it, or lack it, to tell.
    """
    with_it = [c.score for c in candidates if check.holds(c.response.text)]
    without = [c.score for c in candidates if not check.holds(c.response.text)]
    if min(len(with_it), len(without)) < MIN_EACH:
        return None
    wins = sum(1.0 if a > b else 0.5 for a in with_it for b in without if a >= b)
    return wins / (len(with_it) * len(without))


def _features(prompt: Prompt, rubric: Rubric) -> Iterator[Check]:
    """Yield the features worth looking at: ones that the prompt itself gives reason to expect.

    Length is none of them: better candidates are often longer, and rewarding that would
    teach the policy to be long.
    """
    words = _request(prompt)
    asked = {type(c.check) for c in rubric.criteria if c.check is not None}
    yield Excludes(words=REFUSALS)
    yield Excludes(words=LEFTOVERS)
    language = None if asked & {Language, Case} else _language(prompt)
    if language:
        yield language
    if not asked & {Format, Title, Sections, Case} and _DOCUMENT.search(words):
        yield Sections(at_least=2)
    if not asked & {Format, ListItems, Case} and _LISTABLE.search(words):
        yield ListItems(at_least=2)
    if not asked & {Format} and _CODE.search(words):
        yield Format(format="code_block")
    if not asked & {Placeholders} and not _TEMPLATE.search(words):
        yield Placeholders(at_most=0)
    if not any(isinstance(c.check, Language) and c.kind == "hard_rule" for c in rubric.criteria):
        yield from (Mentions(terms=(term,)) for term in _names(prompt, rubric))


def _request(prompt: Prompt) -> str:
    """Return the last message of the user."""
    return prompt.messages[-1].content[:_MOST_READ]


def _language(prompt: Prompt) -> Language | None:
    """Return that the answer is in the prompt's language, where that can be told and expected."""
    words = _request(prompt)
    named = re.search(rf"\b(?:{'|'.join(LANGUAGES.values())})\b", words)
    if (
        len(re.findall(r"\w+", words)) < 8
        or named
        or _TRANSLATE.search(words)
        or _CODE.search(words)
    ):
        return None
    code = language_of(words)
    return Language(code=code) if code in LANGUAGES else None


def _names(prompt: Prompt, rubric: Rubric) -> tuple[str, ...]:
    """Return the names, quoted terms and long numbers of the prompt, at most eight.

    What the rubric already asks for or forbids is left out.
    """
    words = _request(prompt)
    asked = " ".join(criterion.text for criterion in rubric.criteria).lower()
    found = [m[1].strip() for pattern in (_NAME, _QUOTED, _NUMBER) for m in pattern.finditer(words)]
    kept: dict[str, str] = {}
    for term in found:
        plain = term.strip(" .,;:!?'’").removesuffix("'s").removesuffix("’s")
        known = (
            plain.lower() in asked or plain.lower() in _FORM_WORDS or plain in LANGUAGES.values()
        )
        if len(plain) > 2 and len(plain.split()) <= 4 and not known and not plain.isupper():
            kept.setdefault(plain.lower(), plain)
    return tuple(kept.values())[:8]
