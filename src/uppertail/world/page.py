"""What a model of the world finds in a message that the real templates rendered.

Only the delimited blocks are read, by their labels, and the criteria's ids. The words
around the blocks belong to templates that users may exchange, and say nothing here.
"""

from __future__ import annotations

import json
import re

from uppertail.errors import CallFailed
from uppertail.models.interface import Reply, Request, Usage

_OPENING = re.compile(r"<([A-Za-z]\w*)-([0-9a-f]{16})>\n")
_CRITERION = re.compile(r"^- (\w+): (.+)$", re.MULTILINE)
_PREFERRED = re.compile(r"Response ([12]) is known to be the better")


def blocks(text: str) -> dict[str, str]:
    """Return the delimited texts by label. What looks like a tag within a block is not one."""
    found: dict[str, str] = {}
    at = 0
    while opening := _OPENING.search(text, at):
        end = text.find(f"\n</{opening[1]}-{opening[2]}>", opening.end() - 1)
        at = opening.end() if end < 0 else end
        if end >= 0:
            found.setdefault(opening[1], text[opening.end() : end])
    return found


def need(found: dict[str, str], *labels: str) -> list[str]:
    """Return the blocks of these labels.

    Raises:
        CallFailed: the message holds no such block; the error names it.
    """
    for label in labels:
        if label not in found:
            seen = ", ".join(found) or "none"
            raise CallFailed(f"the message holds no block {label!r}; its blocks: {seen}")
    return [found[label] for label in labels]


def criteria_by_id(block: str) -> dict[str, str]:
    """Return the criteria of a verifier's message by the ids that the reply must use."""
    return dict(_CRITERION.findall(block))


def rubric_items(block: str) -> list[dict[str, object]]:
    """Return the items of the rubric in a proposer's message, as they stand there.

    Raises:
        CallFailed: the block is no JSON array of objects.
    """
    try:
        items = json.loads(block)
    except ValueError as error:
        raise CallFailed(f"the rubric in the message is no JSON: {error}") from error
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise CallFailed("the rubric in the message is no JSON array of objects")
    return items


def preferred(text: str) -> int | None:
    """Return which response, 1 or 2, the message says is the better one; None if it is silent."""
    found = _PREFERRED.search(text)
    return int(found[1]) if found else None


def conversation(request: Request) -> str:
    """Return all that was said, which keys the draws of one call."""
    return "\n".join(message.content for message in request.messages)


def reply(asked: str, answer: str) -> Reply:
    """Return `answer` with token counts of four characters each."""
    tokens = Usage(prompt_tokens=-(-len(asked) // 4), completion_tokens=-(-len(answer) // 4))
    return Reply(text=answer, usage=tokens)
