"""What docs/models.md says is what the code does."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

from uppertail.models.providers import PROVIDERS, resolve
from uppertail.models.settings import ModelSettings, load_settings

PAGE = Path(__file__).parents[2] / "docs" / "models.md"


def test_every_provider_is_on_the_page_with_its_url_and_key() -> None:
    rows = re.findall(r"\| `(\w+)` \| `(\w+)`(, optional)? \| `(http\S+)` \|", PAGE.read_text())
    listed = {name: (url, key, not optional) for name, key, optional, url in rows}
    known = {name: (p.base_url, p.key_env, p.key_required) for name, p in PROVIDERS.items()}
    assert listed == known


def test_the_settings_example_is_read_and_names_every_field(tmp_path: Path) -> None:
    match = re.search(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert match is not None
    path = tmp_path / "models.toml"
    path.write_text(match[1])
    settings = load_settings(path)
    for name in settings:
        resolve(name, settings)
    named = {key for section in tomllib.loads(match[1])["models"].values() for key in section}
    assert named == {field.name for field in fields(ModelSettings)}
