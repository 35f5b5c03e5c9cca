"""From a model's name to its configuration: providers, and servers named by their URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from uppertail.errors import InputError
from uppertail.models.config import ModelConfig
from uppertail.models.settings import ModelSettings

URL_KEY_ENV = "UPPERTAIL_API_KEY"
"""Holds the key, if one is needed, for servers that are named by their URL."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Where a provider's OpenAI-compatible API is, and where its key is."""

    base_url: str
    key_env: str | None
    key_required: bool = True


PROVIDERS: Mapping[str, Provider] = {
    "openai": Provider("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "anthropic": Provider("https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
    "gemini": Provider("https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
    "mistral": Provider("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "deepseek": Provider("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "together": Provider("https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    "fireworks": Provider("https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
    "openrouter": Provider("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "groq": Provider("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "xai": Provider("https://api.x.ai/v1", "XAI_API_KEY"),
    "ollama": Provider("http://127.0.0.1:11434/v1", "OLLAMA_API_KEY", key_required=False),
    "vllm": Provider("http://127.0.0.1:8000/v1", "VLLM_API_KEY", key_required=False),
    "sglang": Provider("http://127.0.0.1:30000/v1", "SGLANG_API_KEY", key_required=False),
    "lmstudio": Provider("http://127.0.0.1:1234/v1", "LM_API_TOKEN", key_required=False),
    "llamacpp": Provider("http://127.0.0.1:8080/v1", "LLAMA_API_KEY", key_required=False),
    "litellm": Provider("http://127.0.0.1:4000/v1", "LITELLM_API_KEY", key_required=False),
}
"""Ports of local servers are the ones they start on unless told otherwise."""


def resolve(name: str, settings: Mapping[str, ModelSettings] | None = None) -> ModelConfig:
    """Return the configuration of the model that `name` means.

    `name` is "provider/model", "model@http://host:port/v1[,http://other:port/v1]", or the name
    of a section of the settings file that gives `base_urls`. A section of exactly this name
    overrides field by field.

    Raises:
        InputError: the name is none of these, or a field cannot be.
    """
    section = (settings or {}).get(name)
    overrides = section.given() if section is not None else {}
    if section is not None and section.key_env is not None:
        overrides["key_required"] = True
    if section is not None and section.base_urls is not None:
        overrides["base_urls"] = tuple(url.rstrip("/") for url in section.base_urls)
    config = _named(name)
    if config is None:
        if "base_urls" not in overrides:
            raise InputError(_unknown(name))
        overrides = {"model": name, "key_env": URL_KEY_ENV} | overrides
        return ModelConfig(**overrides)  # type: ignore[arg-type]  # fields of ModelSettings
    return replace(config, **overrides)  # type: ignore[arg-type]


def _named(name: str) -> ModelConfig | None:
    """Return what the name alone says, or None where it says nothing."""
    model, at, urls = name.partition("@http")
    if at:
        split = (url.strip().rstrip("/") for url in f"http{urls}".split(","))
        return ModelConfig(model=model, base_urls=tuple(filter(None, split)), key_env=URL_KEY_ENV)
    label, _, model = name.partition("/")
    provider = PROVIDERS.get(label)
    if provider is None or not model:
        return None
    return ModelConfig(
        model=model,
        base_urls=(provider.base_url,),
        provider=label,
        key_env=provider.key_env,
        key_required=provider.key_required,
    )


def _unknown(name: str) -> str:
    return (
        f"{name!r} names no model; expected provider/model (providers: "
        f"{', '.join(PROVIDERS)}), model@http://host:port/v1, or a section of the settings "
        "file that gives base_urls"
    )


def read_key(config: ModelConfig, environ: Mapping[str, str]) -> str | None:
    """Return the model's key, or None where it needs none and none is set.

    Raises:
        InputError: the key is missing, or cannot be sent; the key itself is never shown.
    """
    if config.key_env is None:
        return None
    key = environ.get(config.key_env, "").strip()
    if not key:
        if config.key_required:
            raise InputError(
                f"{config.name} needs a key; expected it in the environment variable "
                f"{config.key_env}"
            )
        return None
    return sendable(key, config.key_env)


def sendable(secret: str, variable: str) -> str:
    """Return a key or token that an HTTP header can carry.

    Raises:
        InputError: it cannot; the message names the environment variable and not the secret.
    """
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise InputError(
            f"the environment variable {variable} does not hold a key; expected visible "
            "ASCII characters without spaces"
        )
    return secret
