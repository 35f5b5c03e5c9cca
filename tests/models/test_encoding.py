import pytest
from hypothesis import given
from hypothesis import strategies as st

from uppertail.errors import StorageError
from uppertail.models.encoding import from_json, to_json
from uppertail.models.interface import Reply, Usage


def joined(text: str) -> str:
    """Return `text` with surrogates that form a pair joined, as every JSON reader does."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


texts = st.text(st.characters(exclude_categories=())).map(joined)
replies = st.builds(
    Reply,
    text=texts,
    reasoning=texts,
    finish=st.sampled_from(["stop", "length", "content_filter", "other"]),
    usage=st.builds(Usage, prompt_tokens=st.integers(0, 10**9)),
    seconds=st.floats(0, 1e6),
)


@given(replies)
def test_every_reply_reads_back_as_it_was_written(reply):
    written = to_json(reply)
    written.encode()
    assert from_json(written, Reply) == reply


def test_ordinary_text_is_stored_as_people_read_it():
    assert to_json(["naïve 🦊"]) == '["naïve 🦊"]'


def test_a_lone_surrogate_is_stored_as_its_escape():
    assert to_json(["naïve \ud800"]) == '["na\\u00efve \\ud800"]'


@pytest.mark.parametrize("damaged", ['{"text": "ye', '{"text": 3}', "[]", '{"text": "\x00"}', ""])
def test_damage_inside_a_stored_value_is_a_storage_error(damaged):
    with pytest.raises(StorageError, match="a stored reply is damaged"):
        from_json(damaged, Reply)
