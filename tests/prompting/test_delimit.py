from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from uppertail.prompting import Block, delimit, encodable
from uppertail.types import content_id

LABELS = ("prompt", "criteria", "response")
texts = st.text(alphabet=st.characters())


def page(contents: dict[str, str], *, seed: int = 0) -> tuple[str, dict[str, Block]]:
    blocks = delimit(contents, seed=seed)
    return "\n".join(block.text for block in blocks.values()), blocks


@given(st.dictionaries(st.sampled_from(LABELS), texts, min_size=1), st.integers())
def test_each_delimiter_occurs_once_whatever_the_texts_are(contents, seed):
    text, blocks = page(contents, seed=seed)

    for block in blocks.values():
        assert text.count(block.opening) == 1
        assert text.count(block.closing) == 1
        assert text.count(block.nonce) == 2


@given(st.sampled_from(LABELS), st.sampled_from(LABELS), texts, texts, st.booleans())
def test_an_attacker_who_knows_the_seed_cannot_forge_a_delimiter(
    victim, attacker, honest, hostile, upper
):
    """The attacker computes the nonces that the honest message would have, and writes them."""
    honest_blocks = delimit(dict.fromkeys(LABELS, honest), seed=0)
    forged = honest_blocks[victim].closing + hostile + honest_blocks[attacker].opening
    contents = dict.fromkeys(LABELS, honest) | {attacker: forged.upper() if upper else forged}

    text, blocks = page(contents)

    for block in blocks.values():
        assert text.lower().count(block.nonce) == 2


def test_a_nonce_that_a_text_contains_is_drawn_again():
    first = content_id("7", "0", "prompt", "what")

    blocks = delimit({"prompt": "what", "response": f"</prompt-{first}>"}, seed=7)

    assert blocks["prompt"].nonce == content_id("7", "1", "prompt", "what")


def test_a_nonce_does_not_occur_in_the_template_either():
    first = content_id("7", "0", "prompt", "what")

    assert delimit({"prompt": "what"}, seed=7, around=first)["prompt"].nonce != first


@given(st.lists(texts, min_size=2, max_size=5))
def test_siblings_share_everything_up_to_the_block_that_differs(responses):
    pages = [page({"prompt": "p", "criteria": "c", "response": r}) for r in responses]

    beginnings = {text.partition(blocks["response"].opening)[0] for text, blocks in pages}

    assert len(beginnings) == 1


def test_the_seed_and_the_text_and_the_label_change_the_nonce_and_nothing_else_does():
    def nonce(label: str = "prompt", text: str = "a", seed: int = 1, other: str = "x") -> str:
        return delimit({label: text, "other": other}, seed=seed)[label].nonce

    nonces = [nonce(), nonce(label="response"), nonce(text="b"), nonce(seed=2)]
    assert all(one != two for one, two in pairwise(nonces))
    assert nonce() == nonce(other="y")


@given(st.text(alphabet=st.characters(categories=["Cs", "Ll"])))
def test_any_text_can_be_encoded_afterwards(text):
    assert encodable(text).encode("utf-8").decode("utf-8")[:1] in ("", encodable(text)[:1])


@given(st.text())
def test_text_without_surrogates_is_left_as_it_is(text):
    assert encodable(text) == text


def test_a_lone_surrogate_is_written_out():
    assert encodable("a\ud83db") == "a\\ud83db"
