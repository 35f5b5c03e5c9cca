import pytest
from hypothesis import given
from hypothesis import strategies as st

from uppertail.models.interface import Usage
from uppertail.models.prices import Price, price_of
from uppertail.models.providers import PROVIDERS, resolve
from uppertail.models.settings import ModelSettings

COUNTS = st.integers(min_value=0, max_value=10**9)


def test_cached_tokens_cost_their_own_price() -> None:
    price = Price(input=2.0, cached_input=0.5, output=8.0)
    usage = Usage(prompt_tokens=1_000_000, cached_tokens=400_000, completion_tokens=250_000)
    assert price.cost(usage) == pytest.approx(0.6 * 2.0 + 0.4 * 0.5 + 0.25 * 8.0)


def test_cached_tokens_cost_as_others_where_nobody_said() -> None:
    usage = Usage(prompt_tokens=1_000_000, cached_tokens=400_000)
    assert Price(input=2.0, output=8.0).cost(usage) == pytest.approx(2.0)


@given(COUNTS, COUNTS, COUNTS)
def test_a_cost_is_never_negative_whatever_the_server_counted(
    prompt: int, cached: int, completion: int
) -> None:
    price = Price(input=2.0, cached_input=0.5, output=8.0)
    usage = Usage(prompt_tokens=prompt, cached_tokens=cached, completion_tokens=completion)
    assert price.cost(usage) >= 0.0


@pytest.mark.parametrize(
    "name",
    [
        "openai/gpt-5",
        "openai/gpt-4o-2024-05-13",
        "openai/gpt-4.1",
        "openai/gpt-4.1-mini",
        "openai/o3",
        "openai/o1-2024-12-17",
        "openai/o4-mini",
        "gemini/gemini-2.5-flash",
        "gemini/gemini-2.5-flash-lite",
        "gemini/gemini-2.5-pro",
        "anthropic/claude-sonnet-4-20250514",
        "anthropic/claude-3-7-sonnet-20250219",
        "fireworks/accounts/fireworks/models/deepseek-v3",
        "fireworks/accounts/fireworks/models/deepseek-r1",
        "fireworks/accounts/fireworks/models/kimi-k2-instruct",
        "fireworks/accounts/fireworks/models/glm-4p5",
        "fireworks/accounts/fireworks/models/qwen3-235b-a22b-instruct-2507",
        "mistral/mistral-medium-latest",
    ],
)
def test_the_models_of_the_paper_have_a_price(name: str) -> None:
    price = price_of(resolve(name))
    assert price is not None
    assert 0 < price.input <= price.output
    assert price.cached_input is None or price.cached_input < price.input


def test_an_exact_snapshot_comes_before_its_family() -> None:
    old = price_of(resolve("openai/gpt-4o-2024-05-13"))
    new = price_of(resolve("openai/gpt-4o-2024-11-20"))
    assert old is not None
    assert new is not None
    assert old.input > new.input


@pytest.mark.parametrize("gateway", ["openrouter", "litellm"])
def test_a_gateway_is_looked_up_by_the_vendor(gateway: str) -> None:
    assert price_of(resolve(f"{gateway}/openai/gpt-4.1")) == price_of(resolve("openai/gpt-4.1"))


@pytest.mark.parametrize("name", ["vllm/gpt-4.1", "gpt-4.1@http://gpu1/v1", "openai/unheard-of"])
def test_what_nobody_priced_has_no_price(name: str) -> None:
    assert price_of(resolve(name)) is None


def test_the_users_price_comes_first() -> None:
    price = Price(input=0.0, output=0.0)
    assert price_of(resolve("openai/o3", {"openai/o3": ModelSettings(price=price)})) == price


def test_every_provider_with_prices_is_a_known_one() -> None:
    from uppertail.models.prices import _bundled

    assert _bundled().keys() <= PROVIDERS.keys()
