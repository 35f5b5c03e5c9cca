import pytest

from uppertail.errors import InputError
from uppertail.models.config import ModelConfig
from uppertail.models.prices import Price
from uppertail.models.providers import PROVIDERS, read_key, resolve
from uppertail.models.settings import ModelSettings


def test_a_provider_knows_its_url_and_key() -> None:
    config = resolve("openai/gpt-4.1-mini")
    assert config.name == "gpt-4.1-mini@https://api.openai.com/v1"
    assert (config.key_env, config.key_required) == ("OPENAI_API_KEY", True)


def test_the_model_of_a_provider_may_hold_slashes() -> None:
    assert resolve("vllm/Qwen/Qwen3-8B").model == "Qwen/Qwen3-8B"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_provider_resolves(provider: str) -> None:
    config = resolve(f"{provider}/some-model")
    assert config.provider == provider
    local = config.base_urls[0].startswith("http://127.0.0.1:")
    assert config.key_required is not local


def test_a_server_is_named_by_its_url() -> None:
    config = resolve("Qwen/Qwen3-8B@http://gpu1:8000/v1")
    assert (config.model, config.base_urls) == ("Qwen/Qwen3-8B", ("http://gpu1:8000/v1",))
    assert (config.key_env, config.key_required) == ("UPPERTAIL_API_KEY", False)


def test_several_servers_are_named_with_commas() -> None:
    config = resolve("m@http://gpu1:8000/v1/, https://gpu2/v1,")
    assert config.base_urls == ("http://gpu1:8000/v1", "https://gpu2/v1")


@pytest.mark.parametrize("name", ["gpt-4.1", "nobody/gpt-4.1", "openai/", "", "m@host:80"])
def test_other_names_are_refused_with_what_was_expected(name: str) -> None:
    with pytest.raises(InputError, match=r"expected provider/model .*openai, anthropic"):
        resolve(name)


def test_a_section_overrides_field_by_field() -> None:
    price = Price(input=1.0, output=2.0)
    settings = {"openai/gpt-4.1": ModelSettings(concurrency=8, price=price)}
    config = resolve("openai/gpt-4.1", settings)
    assert (config.concurrency, config.price, config.attempts) == (8, price, 6)
    assert resolve("openai/gpt-4.1-mini", settings).concurrency == 64


def test_a_section_with_urls_is_a_model_of_its_own() -> None:
    section = ModelSettings(model="Qwen3-8B", base_urls=("http://gpu1:8000/v1/",))
    config = resolve("judge", {"judge": section})
    assert config.name == "Qwen3-8B@http://gpu1:8000/v1"


def test_a_section_without_a_model_sends_its_own_name() -> None:
    config = resolve("judge", {"judge": ModelSettings(base_urls=("http://gpu1/v1",))})
    assert config.model == "judge"


def test_a_section_of_an_unknown_model_needs_urls() -> None:
    with pytest.raises(InputError, match="a section of the settings file that gives base_urls"):
        resolve("judge", {"judge": ModelSettings(concurrency=3)})


def test_a_key_that_a_section_names_is_required() -> None:
    section = ModelSettings(base_urls=("http://gpu1/v1",), key_env="GATEWAY_KEY")
    with pytest.raises(InputError, match="environment variable GATEWAY_KEY"):
        read_key(resolve("judge", {"judge": section}), {})


def test_a_hosted_model_without_a_key_is_refused_by_the_name_of_the_variable() -> None:
    with pytest.raises(InputError, match="environment variable MISTRAL_API_KEY"):
        read_key(resolve("mistral/mistral-medium-2508"), {"MISTRAL_API_KEY": " "})


def test_a_local_model_needs_no_key_and_uses_the_one_that_is_set() -> None:
    config = resolve("vllm/m")
    assert read_key(config, {}) is None
    assert read_key(config, {"VLLM_API_KEY": "token\n"}) == "token"


def test_a_model_may_have_no_key_at_all() -> None:
    config = ModelConfig(model="m", base_urls=("http://gpu1/v1",))
    assert read_key(config, {"OPENAI_API_KEY": "k"}) is None


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
def test_what_cannot_be_a_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(InputError, match="OPENAI_API_KEY does not hold a key") as caught:
        read_key(resolve("openai/m"), {"OPENAI_API_KEY": key})
    assert key not in str(caught.value)
