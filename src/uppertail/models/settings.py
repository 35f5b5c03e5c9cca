"""The user's settings file: `[models."name"]` sections of a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from uppertail.errors import InputError
from uppertail.models.config import OURS
from uppertail.models.prices import Price

T = TypeVar("T")
Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Text = Annotated[str, msgspec.Meta(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """What a settings file says about one model; None where it says nothing."""

    model: Text | None = None
    base_urls: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1)] | None = None
    key_env: Text | None = None
    concurrency: Count | None = None
    rpm: Positive | None = None
    tpm: Positive | None = None
    timeout_seconds: Positive | None = None
    attempts: Count | None = None
    patience_seconds: Positive | None = None
    price: Price | None = None
    extra: dict[str, object] | None = None

    def given(self) -> dict[str, object]:
        """Return the fields that the file gives, by name."""
        pairs = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: value for name, value in pairs if value is not None}


def load_settings(path: Path) -> Mapping[str, ModelSettings]:
    """Return the model sections of a settings file, by model name.

    Raises:
        InputError: the file cannot be read, or holds a key or a value that it must not.
    """
    table = _read(path)
    _refuse_unknown(table, ("models",), path, "")
    models = table.get("models", {})
    if not isinstance(models, dict):
        raise InputError('expected sections [models."name"]', file=path, field="models")
    return {name: _section(section, path, name) for name, section in models.items()}


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", file=path) from error
    except UnicodeDecodeError as error:
        raise InputError("expected UTF-8 text", file=path) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"expected TOML: {error}", file=path) from error


def _section(section: object, path: Path, name: str) -> ModelSettings:
    place = f'models."{name}"'
    if not isinstance(section, dict):
        raise InputError("expected a section of fields", file=path, field=place)
    _refuse_unknown(section, [f.name for f in fields(ModelSettings)], path, place)
    price = section.get("price")
    if isinstance(price, dict):
        _refuse_unknown(price, [f.name for f in fields(Price)], path, f"{place}.price")
    settings = _convert(section, ModelSettings, path, place)
    for key in sorted(OURS & (settings.extra or {}).keys()):
        raise InputError("this key cannot be set", file=path, field=f"{place}.extra.{key}")
    return settings


def _refuse_unknown(
    table: Mapping[str, object], known: Sequence[str], path: Path, place: str
) -> None:
    for key in table:
        if key not in known:
            where = f"{place}.{key}" if place else key
            raise InputError(f"unknown key; expected {', '.join(known)}", file=path, field=where)


def _convert(section: dict[str, object], to: type[T], path: Path, place: str) -> T:
    try:
        return msgspec.convert(section, to)
    except msgspec.ValidationError as error:
        problem, _, inner = str(error).partition(" - at `$")
        where = place + inner.rstrip("`")
        raise InputError(problem[:1].lower() + problem[1:], file=path, field=where) from error
