"""Rows to prompts: plain texts, instructions and conversations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import cast

from uppertail.data import columns
from uppertail.data.columns import Fields, id_in, pick, text_in
from uppertail.data.formats import Source, read_rows
from uppertail.data.place import Place, Row, shown
from uppertail.errors import InputError
from uppertail.types import Message, Prompt, Role, content_id


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRow:
    """A prompt and where it stands."""

    prompt: Prompt
    place: Place


def read_prompts(source: Source) -> Iterator[PromptRow]:
    """Yield the prompts of an input, in its order; other columns are not looked at.

    Memory grows by about 80 bytes a prompt (see `SeenIds`).

    Raises:
        InputError: a prompt is missing or malformed, or an id comes twice.
    """
    seen = SeenIds(source)
    for row in read_rows(source):
        prompt = prompt_in(row)
        seen.add(prompt.id, row.place)
        yield PromptRow(prompt=prompt, place=row.place)


def prompt_in(row: Row) -> Prompt:
    """Return the prompt of a row.

    Its id is the one given. Without one it is `prompt_{i}` for item i of a JSON array, as
    in the authors' files, and a hash of what is asked anywhere else.

    Raises:
        InputError: there is no prompt, or it is not a text or a list of messages.
    """
    messages = messages_in(row)
    given = id_in(row.fields, columns.PROMPT_ID, row.place)
    if given is None and row.index is not None:
        given = f"prompt_{row.index}"
    return Prompt(id=given or prompt_hash(messages), messages=messages)


def prompt_hash(messages: tuple[Message, ...]) -> str:
    """Return the id of a prompt that has none: for a plain text, the one `Prompt.plain` gives."""
    if len(messages) == 1 and messages[0].role == "user":
        return content_id(messages[0].content)
    return content_id(*(part for m in messages for part in (m.role, m.content)))


def messages_in(row: Row) -> tuple[Message, ...]:
    """Return the prompt of a row as messages of which the last is the user's."""
    name, value = pick(row.fields, columns.PROMPT)
    if isinstance(value, str):
        messages = _plain(row, name, value)
    elif isinstance(value, list):
        turns = tuple(conversation(value, row.place, name))
        answered = name in columns.CHAT and turns and turns[-1].role == "assistant"
        messages = turns[:-1] if answered else turns
    else:
        names = ", ".join(columns.PROMPT)
        found = "nothing" if value is None else shown(value)
        raise row.place.error(
            f"expected a prompt (a text or a list of messages under one of {names}), found {found}",
            field=name,
        )
    if not messages or messages[-1].role != "user":
        raise row.place.error("expected a conversation whose last turn is the user's", field=name)
    if not messages[-1].content.strip():
        raise row.place.error("expected a prompt, found an empty text", field=name)
    return messages


def _plain(row: Row, name: str, text: str) -> tuple[Message, ...]:
    below = text_in(row.fields, columns.INPUT, row.place) if name == "instruction" else None
    asked = Message(role="user", content=f"{text}\n\n{below}" if below else text)
    system = text_in(row.fields, columns.SYSTEM, row.place)
    return (Message(role="system", content=system), asked) if system else (asked,)


def conversation(turns: list[object], place: Place, field: str) -> Iterator[Message]:
    """Yield the messages of a list of turns.

    Raises:
        InputError: a turn has no known role or no text.
    """
    for number, turn in enumerate(turns):
        path = f"{field}[{number}]"
        if not isinstance(turn, dict):
            raise place.error(f"expected a message, found {shown(turn)}", field=path)
        yield Message(role=_role(turn, place, path), content=_content(turn, place, path))


def _role(turn: Fields, place: Place, path: str) -> Role:
    name, value = pick(turn, columns.ROLE)
    role = columns.ROLES.get(value) if isinstance(value, str) else None
    if role is None:
        known = ", ".join(sorted(columns.ROLES))
        raise place.error(f"expected one of {known}, found {shown(value)}", field=f"{path}.{name}")
    return cast("Role", role)


def _content(turn: Fields, place: Place, path: str) -> str:
    """Return the text of a turn; a list of text parts, as chat APIs have it, is joined."""
    name, value = pick(turn, columns.TURNS)
    parts = value if isinstance(value, list) else [value]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    if all(isinstance(text, str) for text in texts):
        return "".join(cast("list[str]", texts))
    raise place.error(f"expected a text, found {shown(value)}", field=f"{path}.{name}")


class SeenIds:
    """The prompt ids that an input has shown so far, as 8-byte hashes.

    A million ids take about 80 MB. The line of the first appearance is not kept: it is
    found by reading the input again, which also clears ids whose hashes merely collide.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._hashes: set[int] = set()

    def add(self, id: str, place: Place) -> None:
        """Remember `id`.

        Raises:
            InputError: the input has shown it before; both places are named.
        """
        key = int(content_id(id), 16)
        if key in self._hashes:
            self._refuse(id, place)
        self._hashes.add(key)

    def _refuse(self, id: str, place: Place) -> None:
        for row in takewhile(lambda row: row.place != place, read_rows(self._source)):
            if prompt_in(row).id == id:
                raise twice(id, place, row.place)


def twice(id: str, place: Place, first: Place) -> InputError:
    """Return the complaint that a prompt id comes twice."""
    return place.error(
        f"the prompt id {shown(id)} comes twice: first on {first.unit} {first.line}",
        field="prompt_id",
    )
