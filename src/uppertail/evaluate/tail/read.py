"""Tables of scored responses, from files.

Rewards, labels and ids become columns of numbers as they are read; texts are measured
(length, list items, headings, bold) and dropped. A row takes 8 bytes a column; a report of ten
million rows with reward, gold and length peaks at about 2 GB.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from uppertail.errors import InputError
from uppertail.evaluate.tail.batches import arrow, batches, column_names
from uppertail.evaluate.tail.figure import plain
from uppertail.evaluate.tail.join import Codes, Keys, borda, look_up
from uppertail.evaluate.tail.table import Floats, Goods, Ints, Table
from uppertail.evaluate.tail.tracker import Checkpoint

PROMPT: Final = ("prompt_id", "prompt", "id")
RESPONSE: Final = ("response_id", "response")
REWARD: Final = ("reward", "proxy", "score", "value")
GOLD: Final = ("gold", "label")
TEXT: Final = ("response", "completion", "text")
FORMAT: Final = {
    "list items": r"(?m)^[ \t]*(?:[-*+]|[0-9]+[.)])[ \t]",
    "headings": r"(?m)^#{1,6} ",
    "bold": r"\*\*[^*\n]+\*\*",
}
"""What is counted in a text, besides its length, as RE2 patterns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column holds what. None: the usual names are tried."""

    prompt: str | None = None
    response: str | None = None
    """Id of the response; only to join `labels`."""
    reward: str | None = None
    gold: str | None = None
    against: str | None = None
    """A second reward, to compare."""
    retest: str | None = None
    """The first reward, scored again."""
    text: str | None = None
    length: str | None = None
    """A length, where there is no text."""
    chosen: str | None = None
    """With `rejected`: rewards of the two sides of a preference, one row a pair."""
    rejected: str | None = None
    gold_is: Goods = "score"
    """`rank`: 1 is the best, and higher numbers are worse."""


def read_table(path: Path, columns: Columns | None = None, *, labels: Path | None = None) -> Table:
    """Return the responses of a file, or of a finished run's folder.

    Args:
        path: .parquet, .csv or .jsonl with one row a response, or a folder with
            `scores.jsonl` and `responses.jsonl`.
        columns: which column holds what.
        labels: gold in a file of its own, joined on prompt and response ids: a column of
            labels, or of `chosen` and `rejected` response ids.

    Raises:
        InputError: a file, column or value is not what it must be.
        MissingExtra: pyarrow is not installed.
    """
    wanted = columns or Columns()
    if path.is_dir():
        return _read_run(path, wanted)
    if wanted.chosen or wanted.rejected:
        return _read_pairs(path, wanted)
    return _read_rows(path, wanted, labels)


def _read_rows(path: Path, wanted: Columns, labels: Path | None) -> Table:
    there = column_names(path)
    names = {
        "prompt": _find(path, there, wanted.prompt, PROMPT, "prompt ids"),
        "reward": _find(path, there, wanted.reward, REWARD, "rewards"),
        "gold": _maybe(path, there, wanted.gold, () if labels else GOLD),
        "against": _maybe(path, there, wanted.against),
        "retest": _maybe(path, there, wanted.retest),
        "length": _maybe(path, there, wanted.length),
    }
    if labels:
        names["response"] = _find(path, there, wanted.response, RESPONSE, "response ids")
    text = None if names["length"] else _maybe(path, there, wanted.text, TEXT)
    if text and text not in names.values():
        names["text"] = text
    read = _read(path, {key: name for key, name in names.items() if name})
    rewards = {str(names["reward"]): read.numbers["reward"]}
    if names["against"]:
        rewards[names["against"]] = read.numbers["against"]
    gold = read.numbers.get("gold")
    if labels:
        gold = _joined(labels, wanted, read)
    return Table(
        source=str(path),
        prompt=read.keys.prompt,
        rewards=rewards,
        gold=_upwards(gold, wanted.gold_is),
        retest=read.numbers.get("retest"),
        features=read.features,
    )


def _upwards(gold: Floats | None, gold_is: Goods) -> Floats | None:
    return -gold if gold is not None and gold_is == "rank" else gold


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """The columns of one file."""

    keys: Keys
    codes: Codes
    numbers: Mapping[str, Floats]
    features: Mapping[str, Floats]


def _read(path: Path, names: Mapping[str, str], codes: Codes | None = None) -> _Read:
    """Return the columns `names` (what they are, to their name in the file)."""
    codes = codes or Codes()
    ids = [key for key in ("prompt", "response", "chosen", "rejected") if key in names]
    parts: dict[str, list[Any]] = {key: [] for key in names if key != "text"}
    features: dict[str, list[Floats]] = {}
    for batch in batches(path, list(dict.fromkeys(names.values()))):
        for key, name in names.items():
            if key in ids:
                parts[key].append(codes.encode(key, batch[name], path, name))
            elif key != "text":
                parts[key].append(_numbers(batch[name], path, name))
        if "text" in names:
            for feature, values in _features(batch[names["text"]]).items():
                features.setdefault(feature, []).append(values)
    columns = {key: _whole(values) for key, values in parts.items()}
    measured = {name: _whole(values) for name, values in features.items()}
    if "length" in columns:
        measured["length"] = columns.pop("length")
    keys = Keys(*(columns.pop(key, None) for key in ("prompt", "response", "chosen", "rejected")))
    return _Read(keys=keys, codes=codes, numbers=columns, features=measured)


def _whole(parts: list[Any]) -> Any:  # noqa: ANN401  of ids or of numbers
    return np.concatenate(parts) if parts else np.zeros(0)


def _numbers(values: Any, path: Path, name: str) -> Floats:  # noqa: ANN401
    """Return an Arrow column as floats, null as NaN; booleans are 0 and 1."""
    pa = arrow()
    import pyarrow.compute as pc

    kind = values.type
    if not (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
    ):
        raise InputError(f"expected numbers, found {kind}", file=path, field=name)
    floats = pc.fill_null(values.cast(pa.float64()), float("nan"))
    return np.asarray(floats.to_numpy(zero_copy_only=False), dtype=np.float64)


def _features(text: Any) -> dict[str, Floats]:  # noqa: ANN401  an Arrow array
    """Return the length in characters and counts of markup; unknown where there is no text."""
    pa = arrow()
    import pyarrow.compute as pc

    if not (pa.types.is_string(text.type) or pa.types.is_large_string(text.type)):
        return {}
    counts = {"length": pc.utf8_length(text)}
    for name, pattern in FORMAT.items():
        counts[name] = pc.count_substring_regex(text, pattern)
    return {name: _numbers(values, Path(), name) for name, values in counts.items()}


def _find(
    path: Path, there: Iterable[str], asked: str | None, usual: tuple[str, ...], what: str
) -> str:
    found = _maybe(path, there, asked, usual)
    if found is None:
        raise InputError(
            f"no column of {what}: expected one of {', '.join(usual)}, or its name as an option; "
            f"found {', '.join(there) or 'none'}",
            file=path,
        )
    return found


def _maybe(
    path: Path, there: Iterable[str], asked: str | None, usual: tuple[str, ...] = ()
) -> str | None:
    if asked is not None and asked not in there:
        raise InputError(
            f"there is no such column; found {', '.join(there)}", file=path, field=asked
        )
    return asked or next((name for name in usual if name in there), None)


def _joined(labels: Path, wanted: Columns, rows: _Read) -> Floats:
    """Return gold for the rows, from a file of labels or of preferences."""
    there = column_names(labels)
    names = {"prompt": _find(labels, there, wanted.prompt, PROMPT, "prompt ids")}
    if "chosen" in there and "rejected" in there:
        names |= {"chosen": "chosen", "rejected": "rejected"}
        return borda(_read(labels, names, rows.codes).keys, rows.keys)
    names["response"] = _find(labels, there, wanted.response, RESPONSE, "response ids")
    names["gold"] = _find(labels, there, wanted.gold, GOLD, "labels")
    read = _read(labels, names, rows.codes)
    return look_up(read.keys, read.numbers["gold"], rows.keys)


def _read_pairs(path: Path, wanted: Columns) -> Table:
    """Return preferences as prompts of two responses, of gold 1 and 0."""
    there = column_names(path)
    names = {
        "chosen_reward": _find(path, there, wanted.chosen, (), "chosen rewards"),
        "rejected_reward": _find(path, there, wanted.rejected, (), "rejected rewards"),
    }
    read = _read(path, names)
    chosen, rejected = read.numbers["chosen_reward"], read.numbers["rejected_reward"]
    rows: Ints = np.arange(len(chosen))
    gold = np.repeat([1.0, 0.0], len(rows))
    return Table(
        source=str(path),
        prompt=np.tile(rows, 2),
        rewards={
            f"{names['chosen_reward']} / {names['rejected_reward']}": np.append(chosen, rejected)
        },
        gold=gold,
    )


def _read_run(folder: Path, wanted: Columns) -> Table:
    """Return the responses of a run with their scores, and their labels if there are any."""
    scores, responses = folder / "scores.jsonl", folder / "responses.jsonl"
    names = {"prompt": "prompt_id", "response": "response_id"}
    rows = _read(responses, {**names, "gold": "label", "text": "response"})
    scored = _read(scores, {**names, "reward": "score"}, rows.codes)
    gold = rows.numbers["gold"]
    return Table(
        source=str(folder),
        prompt=rows.keys.prompt,
        rewards={"score": look_up(scored.keys, scored.numbers["reward"], rows.keys)},
        gold=_upwards(gold, wanted.gold_is) if np.isfinite(gold).any() else None,
        features=rows.features,
    )


def read_checkpoints(
    path: Path, *, step: str, proxy: str, gold: str, kl: str
) -> tuple[Checkpoint, ...]:
    """Return the checkpoints of a file, in its order; columns other than the step may be missing.

    Raises:
        InputError: the file, its steps or a value is not what it must be.
    """
    there = column_names(path)
    names = {"step": _find(path, there, step, (), "steps")}
    names |= {
        key: name for key, name in (("proxy", proxy), ("gold", gold), ("kl", kl)) if name in there
    }
    numbers = _read(path, names).numbers
    if not np.isfinite(numbers["step"]).all():
        raise InputError("every row needs a step", file=path, field=step)
    return tuple(
        Checkpoint(
            step=int(at),
            **{key: plain(float(numbers[key][row])) for key in numbers if key != "step"},
        )
        for row, at in enumerate(numbers["step"])
    )
