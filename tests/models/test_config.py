import pytest

from uppertail.errors import InputError
from uppertail.models.config import ModelConfig


def config(**fields: object) -> ModelConfig:
    given = {"model": "m", "base_urls": ("http://127.0.0.1:8000/v1",)} | fields
    return ModelConfig(**given)  # type: ignore[arg-type]


def test_the_name_is_the_model_and_where_it_is() -> None:
    assert config().name == "m@http://127.0.0.1:8000/v1"


def test_the_order_of_the_servers_does_not_change_the_name() -> None:
    one = config(base_urls=("http://a/v1", "http://b/v1"))
    other = config(base_urls=("http://b/v1", "http://a/v1"))
    assert one.name == other.name


def test_fields_that_change_answers_change_the_name() -> None:
    plain = config()
    thinking = config(extra={"chat_template_kwargs": {"enable_thinking": True}})
    silent = config(extra={"chat_template_kwargs": {"enable_thinking": False}})
    assert len({plain.name, thinking.name, silent.name}) == 3


def test_the_order_of_extra_fields_does_not_change_the_name() -> None:
    assert config(extra={"a": 1, "b": 2}).name == config(extra={"b": 2, "a": 1}).name


def test_limits_do_not_change_the_name() -> None:
    assert config(concurrency=3, rpm=5.0, timeout_seconds=1.0).name == config().name


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("127.0.0.1:8000/v1", "expected http://host:port/v1"),
        ("ftp://host/v1", "expected http://host:port/v1"),
        ("http:///v1", "expected http://host:port/v1"),
        ("http://host:99999/v1", "expected http://host:port/v1"),
        ("http://host:0/v1", "expected http://host:port/v1"),
        ("http://host/v1?api-version=1", "takes no query"),
        ("http://host/v1#top", "takes no query"),
    ],
)
def test_what_is_no_base_url_is_refused(url: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        config(base_urls=(url,))


def test_a_url_that_holds_a_password_is_refused_without_showing_it() -> None:
    with pytest.raises(InputError, match="key_env") as caught:
        config(base_urls=("http://me:s3cret@host/v1",))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("name", ["concurrency", "attempts", "timeout_seconds", "rpm", "tpm"])
def test_limits_must_be_above_zero(name: str) -> None:
    with pytest.raises(InputError, match=f"field '{name}': expected a number above 0"):
        config(**{name: 0})


@pytest.mark.parametrize("fields", [{"model": " "}, {"base_urls": ()}])
def test_a_model_needs_a_name_and_a_server(fields: dict[str, object]) -> None:
    with pytest.raises(InputError, match="a model name and at least one base URL"):
        config(**fields)


def test_fields_that_this_package_sets_cannot_be_overridden() -> None:
    with pytest.raises(InputError, match="messages, stream"):
        config(extra={"stream": True, "messages": []})
