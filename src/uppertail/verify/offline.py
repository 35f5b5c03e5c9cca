"""The embedded verifier: programs decide, no model is called."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache

from uppertail.checks import Check, Covers, read_check
from uppertail.checks.coverage import content_words
from uppertail.types import Criterion, Outcome, Prompt, Response, Unscored, Why, content_id
from uppertail.verify.checked import decide
from uppertail.verify.interface import VerdictMemory

# A criterion is taken for a statement of fact unless one of these says that it is a demand.
_ABOUT_THE_RESPONSE = re.compile(
    r"\b(?:response|answer|reply|output|assistant|user|prompt|instructions?|should|must|ought)\b"
    r"|^(?:(?:the|its|all|any|each|every|no) (?:\w+ )?)?(?:text|essay|summary|writing|tone|style|story"
    r"|poem|letter|email|code|explanation|argument|language|content|information|details?|examples?"
    r"|format|formatting|grammar|paragraphs?|sentences?|words?|points?|claims?|facts?|sources?)\b"
    r"|^(?:is|are|has|have|does|do|must|can|contains?|includes?|mentions?|explains?|describes?"
    r"|provides?|gives?|uses?|avoids?|lists?|states?|says?|shows?|discusses|discuss|identif(?:y|ies)"
    r"|offers?|makes?|keeps?|writes?|begins?|starts?|ends?|stays?|follows?|addresses|address"
    r"|answers?|asks?|cites?|compares?|concludes?|demonstrates?|ensures?|focus(?:es)?|highlights?"
    r"|maintains?|notes?|presents?|refers?|suggests?|summari[sz]es?|supports?|correctly|clearly"
    r"|accurately|well|be)\b|\?$",
    re.IGNORECASE,
)
# A verb, a name or a number: "concise and friendly" has none of them and states nothing.
_FACTUAL = re.compile(
    r"\S\s+(?:(?:is|are|was|were|has|have|had|do|does|did|will|would|can|could|may|might|became"
    r"|began|bought|brought|came|caught|fell|felt|found|gave|got|grew|held|kept|knew|led|left|lost"
    r"|made|met|paid|put|ran|said|saw|sent|set|sold|spent|told|took|went|won|wrote)\b"
    r"|\w+(?:ed|[^s\W]s|n['’]t)\b|(?-i:[A-Z])|[0-9])",
    re.IGNORECASE,
)
_LONGEST_STATEMENT = 500
_FEWEST_WORDS = 2


class OfflineVerifier:
    """Decides each criterion by its check, or by the check that its text states.

    A plain statement of fact ("Paris is the capital of France.") is decided by `Covers`,
    approximately. What no program can decide ("The response is polite.") is unscored.
    The latest outcomes are remembered: rounds of refinement ask the same again.
    """

    def __init__(self, *, remembered: int = 8192) -> None:
        self._remembered = remembered
        self._known: OrderedDict[tuple[str, str], Outcome] = OrderedDict()

    @property
    def name(self) -> str:
        """Identity that travels with scores."""
        return "offline"

    async def verify(
        self,
        prompt: Prompt,
        response: Response,
        criteria: Sequence[Criterion],
        memory: VerdictMemory,
    ) -> tuple[Outcome, ...]:
        """Return one outcome a criterion, in the same order."""
        mark = content_id(response.text)
        return tuple(self._outcome(mark, criterion, response.text) for criterion in criteria)

    def _outcome(self, mark: str, criterion: Criterion, text: str) -> Outcome:
        key = (mark, criterion.id)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        outcome = self._known[key] = _outcome(criterion, text)
        if len(self._known) > self._remembered:
            self._known.popitem(last=False)
        return outcome


def _outcome(criterion: Criterion, text: str) -> Outcome:
    check = criterion.check or check_of(criterion.text)
    if check is None:
        return Unscored(
            why=Why.NO_DECIDER,
            detail="neither a check nor a statement that a program can decide; use a model",
        )
    return decide(check, text)


@lru_cache(maxsize=1024)
def check_of(text: str) -> Check | None:
    """Return the check that decides a criterion of this text, or None where no program can.

    What speaks of the response, or demands something of it, is read by `read_check` alone:
    that its words turn up in the response would mean nothing. Anything else is taken for a
    statement of fact, if it has two content words, at most 500 characters, and a verb, a
    name or a number.
    """
    statement = text.strip()
    if check := read_check(statement):
        return check
    if len(statement) > _LONGEST_STATEMENT or _ABOUT_THE_RESPONSE.search(statement):
        return None
    if content_words(statement) < _FEWEST_WORDS or not _FACTUAL.search(statement):
        return None
    return Covers(statement=statement)
