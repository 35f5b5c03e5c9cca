"""How many sentences a text has."""

from __future__ import annotations

import re
from itertools import pairwise

_MARKS = re.compile(r"<<|>>|[\"“”«»()\[\]{}*_#`|'‘’]")
_BLOCK = 4_000


def num_sentences(text: str) -> int:
    """Return the number of sentences in `text`, in any of some 300 languages.

    Quotation marks, brackets and markdown are taken out first, because the splitter
    keeps what they enclose in one piece. A line break ends no sentence, so a heading
    belongs to the sentence after it. Nor does a full stop that touches an XML tag.
    """
    import sentencex

    sound = text.encode("utf-8", "replace").decode("utf-8")  # the splitter refuses lone surrogates
    plain = " ".join(_MARKS.sub("", sound).split())
    if not plain:
        return 0
    ends, rest = 0, ""
    # In blocks, because the splitter takes quadratic time on some texts. The last piece of
    # a block may go on in the next one.
    for start in range(0, len(plain), _BLOCK):
        pieces: list[str] = sentencex.segment("en", rest + plain[start : start + _BLOCK])
        ends += sum(
            after[0] != "<" or before.endswith(" ") for before, after in pairwise(pieces) if after
        )
        rest = pieces[-1][-_BLOCK:]
    return ends + 1
