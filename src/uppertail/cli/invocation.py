"""One invocation of `refine` or `score` as a value: what a run stores and `resume` repeats."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from uppertail.cli.options import MethodOptions, RunOptions, VerifyOptions, settings
from uppertail.data.run_folder import RunConfig
from uppertail.errors import InputError
from uppertail.refine.settings import Settings

Asked = TypeVar("Asked")
Command = Literal["refine", "score"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What was asked on the command line."""

    command: Command
    source: str
    responses: str | None = None
    method: MethodOptions
    verify: VerifyOptions
    run: RunOptions

    @property
    def settings(self) -> Settings:
        """The settings of the refinement loop."""
        return settings(self.method, self.verify)

    @property
    def folder(self) -> Path:
        """The run folder: the one named, else runs/COMMAND-INPUT."""
        if self.run.out is not None:
            return Path(self.run.out)
        return default_folder(self.command, self.source)

    def inputs(self) -> dict[str, object]:
        """Return what identifies the input files: a hash of each.

        Raises:
            InputError: an input file cannot be read.

        """
        rubrics = self.method.rubrics
        return {
            "prompts": fingerprint(located(self.source, "pools.jsonl")),
            "responses": self.responses and fingerprint(self.responses),
            "rubrics": rubrics and fingerprint(located(rubrics, "rubrics.jsonl")),
        }

    def config(self, inputs: Mapping[str, object], roles: Mapping[str, object]) -> RunConfig:
        """Return what the run folder will hold of this invocation.

        Args:
            inputs: what identifies the input files.
            roles: what identifies proposer and verifier: names, template hashes, protocol.

        """
        identity = {**inputs, **roles, **msgspec.to_builtins(self.settings)}
        options = msgspec.to_builtins(self.anchored())
        return RunConfig(command=self.command, identity=identity, options=options)

    def anchored(self) -> Invocation:
        """Return the same invocation with absolute paths, to be repeated from any folder."""
        method, verify = self.method, self.verify
        return replace(
            self,
            source=absolute(self.source),
            responses=self.responses and absolute(self.responses),
            method=replace(
                method,
                rubrics=method.rubrics and absolute(method.rubrics),
                initial_template=method.initial_template and absolute(method.initial_template),
                refine_template=method.refine_template and absolute(method.refine_template),
            ),
            verify=replace(
                verify,
                verifier_template=verify.verifier_template and absolute(verify.verifier_template),
            ),
            run=anchored(self.run, self.folder),
        )


def anchored(run: RunOptions, folder: Path) -> RunOptions:
    """Return the run's options with absolute paths and its folder spelled out."""
    return replace(
        run,
        out=str(folder.resolve()),
        models_file=run.models_file and absolute(run.models_file),
        cache=run.cache and absolute(run.cache),
    )


def absolute(source: str) -> str:
    """Return a local path spelled out; the name itself of what is not a local file."""
    return source if source.startswith("hf:") else str(Path(source).resolve())


def default_folder(command: str, source: str) -> Path:
    """Return where a run goes that names no folder: runs/COMMAND-INPUT."""
    name = Path(source.rstrip("/")).name or "input"
    stem = name.removesuffix(".gz").rsplit(".", 1)[0] if "." in name else name
    return Path("runs") / f"{command}-{stem.replace(':', '-')}"


def located(source: str, file: str) -> str:
    """Return an input's path; a run folder stands for the file in it that fits."""
    path = Path(source)
    return str(path / file) if path.is_dir() else source


def fingerprint(source: str) -> str:
    """Return a hash of a file's bytes, or the name itself of what is not a local file.

    Raises:
        InputError: there is no such file, or it cannot be read.

    """
    if source.startswith("hf:"):
        return source
    try:
        with Path(source).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=source) from error


def recall(config: RunConfig, to: type[Asked]) -> Asked:
    """Return the invocation that a run folder holds.

    Raises:
        InputError: it was written by another version of this package.

    """
    try:
        return msgspec.convert(dict(config.options), to)
    except msgspec.ValidationError as error:
        raise InputError(
            f"the run's options cannot be read: {error}", file="config.json"
        ) from error
