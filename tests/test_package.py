"""The package as a whole: what it exports, who imports whom, what the README promises."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import uppertail

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "uppertail"
IO = {"pyreqwest", "asyncio", "socket", "sqlite3", "time", "random", "logging", "subprocess"}
PURE = (
    "types.py",
    "errors.py",
    "likeness.py",
    "text.py",
    "checks",
    "score",
    "propose/read.py",
    "verify/read.py",
    "verify/plan.py",
    "judge/read.py",
    "judge/ratings.py",
    "judge/plan.py",
    "judge/votes.py",
    "reward/shaping.py",
    "reward/marks.py",
    "reward/ranks.py",
    "prompting/reply.py",
    "prompting/delimit.py",
)
LEVELS = (
    {"checks", "errors", "likeness", "text"},
    {"types", "concurrent", "theory"},
    {"score", "models", "data"},
    {"prompting", "world"},
    {"propose", "verify", "sample", "judge"},
    {"refine", "reward"},
    {"report"},
    {"evaluate"},
    {"train"},
    {"cli"},
)
"""Each level may import its own and those above it in this list."""


def imports(file: Path) -> set[str]:
    """Top-level names that a module imports anywhere, ours as `uppertail.<part>`."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            parts = name.split(".")
            found.add(".".join(parts[:2]) if parts[0] == "uppertail" else parts[0])
    return found


def files(part: str) -> list[Path]:
    path = SOURCE / part
    return [path] if path.suffix else sorted(path.rglob("*.py"))


@pytest.mark.parametrize("part", PURE)
def test_a_pure_stage_imports_no_network_clock_file_or_chance(part):
    for file in files(part):
        assert not imports(file) & IO, file


def test_imports_point_one_way():
    level = {part: number for number, parts in enumerate(LEVELS) for part in parts}
    for file in SOURCE.rglob("*.py"):
        part = file.relative_to(SOURCE).parts[0].removesuffix(".py")
        if part not in level:
            continue
        used = {name.removeprefix("uppertail.") for name in imports(file) if "uppertail." in name}
        above = {name for name in used if level.get(name, -1) > level[part]}
        assert not above, f"{file.relative_to(SOURCE)} imports {sorted(above)}"


def test_the_public_names_are_sorted_and_there():
    assert sorted(uppertail.__all__) == uppertail.__all__
    assert all(hasattr(uppertail, name) for name in uppertail.__all__)


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, uppertail; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"pyreqwest", "rich", "cyclopts", "langdetect", "sentencex", "numpy", "sqlite3"}
    assert not heavy & set(done.stdout.split())


def test_the_readme_example_runs_as_it_stands():
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "at most 10 words" in done.stdout


def test_the_tree_in_the_readme_names_every_folder():
    readme = (ROOT / "README.md").read_text()
    for folder in SOURCE.iterdir():
        if folder.is_dir() and folder.name != "__pycache__":
            assert f"{folder.name}/" in readme, folder.name


def test_the_changelog_knows_the_version():
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text()
