"""How many sentences a text has."""

import pytest

from uppertail.checks.sentences import num_sentences

COUNTS = {
    "": 0,
    '"***"': 0,
    "no full stop": 1,
    "One. Two! Three?": 3,
    "Dr. Smith came at 3.5 o'clock from the U.S. embassy.": 1,
    '"Stop!" he said. "Why?" she asked.': 4,
    "## A heading\n\nand its sentence.\nAnother.": 2,
    "**Bold.** *Slanted.* (In brackets.)": 3,
    "<a>One sentence.</a> <a>No second one, since no space follows.</a>": 1,
    "मैं घर गया। वह आया।": 2,
    "我回家了。他来了！": 2,
    "A lone \ud800 surrogate. Yes.": 2,
}


@pytest.mark.parametrize(("text", "count"), COUNTS.items(), ids=map(ascii, COUNTS))
def test_sentences_are_counted(text: str, count: int) -> None:
    assert num_sentences(text) == count


def test_a_long_text_is_counted_in_full() -> None:
    assert num_sentences("This is a sentence of some length. " * 1000) == 1000


def test_one_endless_sentence_is_one() -> None:
    assert num_sentences("word " * 10_000) == 1
