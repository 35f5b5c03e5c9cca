"""The prefix cache of an inference server: which beginning of a prompt it has seen before."""

from __future__ import annotations

from collections import OrderedDict

CHARACTERS = 4
"""Characters that count as one token."""
BLOCK = 16
"""Tokens of a block; only whole blocks are shared. vLLM's default."""


def tokens(text: str) -> int:
    """Return the number of tokens that `text` counts as, rounded up."""
    return -(-len(text) // CHARACTERS)


def block_keys(text: str) -> tuple[int, ...]:
    """Return a key for each whole block of `text`; equal keys mean equal beginnings up to there.

    The keys are those of this process only.
    """
    size = BLOCK * CHARACTERS
    keys: list[int] = []
    key = 0
    for start in range(0, len(text) - size + 1, size):
        key = hash((key, text[start : start + size]))
        keys.append(key)
    return tuple(keys)


class PrefixCache:
    """Blocks of the prompts that one model has read, the least recently used dropped first.

    A radix tree in the form that servers give it: a block's key covers all blocks before it,
    so that following the keys from the first one on walks down the tree.

    Args:
        blocks: most blocks that are kept; 0 keeps none.
    """

    def __init__(self, blocks: int) -> None:
        self._most = blocks
        self._held: OrderedDict[int, None] = OrderedDict()

    def __len__(self) -> int:
        """The number of blocks that are held."""
        return len(self._held)

    def found(self, keys: tuple[int, ...]) -> int:
        """Return how many tokens at the beginning of a prompt are held, a multiple of 16."""
        count = 0
        for key in keys:
            if key not in self._held:
                break
            count += 1
        return count * BLOCK

    def add(self, keys: tuple[int, ...]) -> None:
        """Hold a prompt that has been read, the end of it dropped before its beginning."""
        for key in reversed(keys):
            self._held[key] = None
            self._held.move_to_end(key)
        while len(self._held) > self._most:
            self._held.popitem(last=False)
