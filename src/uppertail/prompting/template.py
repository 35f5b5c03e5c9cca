"""Prompt templates: text with `{{slots}}`, versioned by hash, filled in a single pass."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path

from uppertail.errors import InputError

_SLOT = re.compile(r"\{\{\s*([A-Za-z]\w*)\s*\}\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A text with `{{slots}}`."""

    name: str
    """The file that it was read from, for messages."""
    text: str

    @property
    def version(self) -> str:
        """12 hexadecimal digits of a hash of the text."""
        return version_of(self.text)

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the slots, in order of first appearance."""
        return tuple(dict.fromkeys(_SLOT.findall(self.text)))

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the text with each slot replaced by its value.

        Values are inserted as they are and never scanned again, so that a value that
        holds braces, or the name of another slot, stays what it is.

        Raises:
            KeyError: a slot has no value; `parse` has made sure that none is unknown.
        """
        texts, slots = _pieces(self.text)
        filled = [
            part for slot, text in zip(slots, texts, strict=False) for part in (text, values[slot])
        ]
        return "".join((*filled, texts[-1]))


@lru_cache(maxsize=64)  # every call fills one of a few templates
def _pieces(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what stands around the slots, and their names: one text more than slots."""
    found = _SLOT.split(text)
    return tuple(found[::2]), tuple(found[1::2])


def version_of(*texts: str) -> str:
    """Return 12 hexadecimal digits that change with any of `texts`."""
    digest = blake2b(digest_size=6)
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def parse(
    name: str,
    text: str,
    *,
    required: tuple[str, ...],
    optional: tuple[str, ...] = (),
    parts: Mapping[str, str] | None = None,
) -> Template:
    """Return the template `text` after its parts are included.

    Args:
        name: where the text comes from, for messages.
        text: the text with slots.
        required: the slots that must be there.
        optional: the slots that may be there.
        parts: texts by slot name that are included now and count for the version; they
            may hold slots of their own.

    Raises:
        InputError: a slot is missing or unknown, or the text is blank.
    """
    parts = parts or {}
    template = Template(name=name, text=include(text, parts))
    if not text.strip():
        raise InputError("the template is empty", file=name)
    known = (*required, *optional)
    for slot in template.slots:
        if slot not in known:
            allowed = _braced((*known, *parts))
            raise InputError(f"unknown slot {_braced((slot,))}; the slots are {allowed}", file=name)
    missing = [slot for slot in required if slot not in template.slots]
    if missing:
        raise InputError(f"the template lacks {_braced(missing)}", file=name)
    return template


def include(text: str, parts: Mapping[str, str]) -> str:
    """Return `text` with the slots that `parts` names replaced, and all others left alone."""
    return _SLOT.sub(lambda slot: parts.get(slot[1], slot[0]), text)


def read_user_template(path: str | Path) -> str:
    """Return the text of a user's template.

    Raises:
        InputError: it cannot be read, or is not UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"expected UTF-8 text; byte {error.start} is not", file=path) from error
    except OSError as error:
        why = error.strerror or "cannot be read"
        raise InputError(f"the template cannot be read: {why}", file=path) from error


@cache
def shipped(package: str, name: str) -> str:
    """Return the text of the file `templates/name` that lies beside the code of `package`."""
    return files(package).joinpath("templates", name).read_text(encoding="utf-8").strip()


def _braced(slots: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"{{{{{slot}}}}}" for slot in slots)
