"""Delimiters that the text between them cannot forge.

A hostile text (a prompt, a response, a rubric that a model wrote) stands between
`<label-nonce>` and `</label-nonce>`. The nonce is a 64-bit hash of the run's seed, the
label and the text itself, which gives three things at once:

- No text can close its own block or open another: the nonces of a message occur in none
  of its texts. Where one does (by a chance of 2^-64, or because somebody who knows the
  seed computed it), all nonces of that message are drawn again.
- Journal keys stay stable: the same texts under the same seed give the same message.
- Siblings keep a shared beginning: the nonce of a block does not depend on what follows
  it, so that two calls that differ only in their last block are equal up to that block.
  A random nonce for each call would break both.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from uppertail.text import encodable
from uppertail.types import content_id

__all__ = ["Block", "delimit", "encodable"]


class Block(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A text between delimiters."""

    label: str
    """What the text is; letters and digits only."""
    nonce: str
    """16 hexadecimal digits that no text of the message contains."""
    content: str

    @property
    def opening(self) -> str:
        """The line before the text; it occurs once in the message."""
        return f"<{self.label}-{self.nonce}>"

    @property
    def closing(self) -> str:
        """The line after the text; it occurs once in the message."""
        return f"</{self.label}-{self.nonce}>"

    @property
    def text(self) -> str:
        """The text between its delimiters."""
        return f"{self.opening}\n{self.content}\n{self.closing}"


def delimit(contents: Mapping[str, str], *, seed: int, around: str = "") -> dict[str, Block]:
    """Return a block for each label of `contents`.

    Args:
        contents: the texts of one message by label, in any order.
        seed: the run's seed, which keys the nonces.
        around: the rest of the message; no nonce occurs in it either.
    """
    draw = 0
    while True:
        made = [_block(seed, draw, label, text) for label, text in contents.items()]
        # A nonce holds no line break, so that none is found across the seam of two texts.
        texts = "\n".join([_lower(around), *(lower for _, lower in made)])
        if not any(block.nonce in texts for block, _ in made):
            return {block.label: block for block, _ in made}
        draw += 1


@lru_cache(maxsize=16)  # the same few templates all the time
def _lower(around: str) -> str:
    return around.lower()


@lru_cache(maxsize=128)  # calls that follow each other share their prompt and their rubric
def _block(seed: int, draw: int, label: str, text: str) -> tuple[Block, str]:
    """Return a block, and its text in small letters."""
    safe = encodable(text)
    nonce = content_id(str(seed), str(draw), label, safe)
    return Block(label=label, nonce=nonce, content=safe), safe.lower()
