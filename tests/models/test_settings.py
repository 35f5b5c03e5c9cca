from pathlib import Path

import pytest

from uppertail.errors import InputError
from uppertail.models.prices import Price
from uppertail.models.settings import ModelSettings, load_settings


def write(folder: Path, text: str) -> Path:
    path = folder / "models.toml"
    path.write_text(text, "utf-8")
    return path


def test_sections_are_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        [models."vllm/Qwen3-8B"]
        base_urls = ["http://gpu1:8000/v1", "http://gpu2:8000/v1"]
        concurrency = 256
        timeout_seconds = 30
        [models."vllm/Qwen3-8B".extra.chat_template_kwargs]
        enable_thinking = false
        [models."vllm/Qwen3-8B".price]
        input = 0
        output = 0.5
        """,
    )
    section = load_settings(path)["vllm/Qwen3-8B"]
    assert section.given() == {
        "base_urls": ("http://gpu1:8000/v1", "http://gpu2:8000/v1"),
        "concurrency": 256,
        "timeout_seconds": 30.0,
        "extra": {"chat_template_kwargs": {"enable_thinking": False}},
        "price": Price(input=0, output=0.5),
    }


def test_a_file_without_sections_changes_nothing(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path, "")) == {}


def test_a_section_may_be_empty(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path, "[models.a]")) == {"a": ModelSettings()}


@pytest.mark.parametrize(
    ("text", "field", "problem"),
    [
        ("[model.a]", "model", "unknown key; expected models"),
        ("models = 3", "models", "expected sections"),
        ("[models]\na = 3", 'models."a"', "expected a section"),
        ("[models.a]\nretries = 3", 'models."a".retries', "unknown key; expected model, base_urls"),
        ("[models.a.price]\ninputs = 3", 'models."a".price.inputs', "unknown key; expected input"),
        ("[models.a.price]\ninput = 3", 'models."a".price', "required field `output`"),
        ("[models.a.price]\ninput=-1\noutput=1", 'models."a".price.input', ">= 0"),
        ("[models.a]\nprice = 3", 'models."a".price', "expected `object | null`, got `int`"),
        ("[models.a]\nconcurrency = 0", 'models."a".concurrency', "expected `int` >= 1"),
        ("[models.a]\nconcurrency = '9'", 'models."a".concurrency', "got `str`"),
        ("[models.a]\nrpm = 0", 'models."a".rpm', "expected `float` > 0"),
        ("[models.a]\nbase_urls = []", 'models."a".base_urls', "length >= 1"),
        ("[models.a]\nbase_urls = 'http://a'", 'models."a".base_urls', "got `str`"),
        ("[models.a.extra]\nstream = true", 'models."a".extra.stream', "cannot be set"),
    ],
)
def test_what_is_wrong_is_refused_by_its_place(
    tmp_path: Path, text: str, field: str, problem: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load_settings(path)
    message = str(caught.value)
    assert message.startswith(f"{path}, field {field!r}: ")
    assert problem in message


def test_a_file_that_is_no_toml_is_refused_with_the_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected TOML: .*line 2"):
        load_settings(write(tmp_path, "[models.a]\nconcurrency = \n"))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml: cannot be read: No such file"):
        load_settings(tmp_path / "none.toml")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="expected UTF-8"):
        load_settings(path)
