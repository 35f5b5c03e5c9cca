"""What is known about a model before it is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

from uppertail.errors import InputError
from uppertail.models.prices import Price
from uppertail.types import content_id

OURS = frozenset({"model", "messages", "stream", "n"})
"""Fields of a request that `extra` may not touch: this package depends on them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """How to reach a model, and how hard it may be pressed. It holds no key."""

    model: str
    """The name that is sent."""
    base_urls: tuple[str, ...]
    """Servers of this model up to and with the version, such as "http://127.0.0.1:8000/v1"."""
    provider: str = ""
    """Key of the provider table; empty for a server that was named by its URL."""
    key_env: str | None = None
    """Environment variable that holds the key."""
    key_required: bool = False
    concurrency: int = 64
    """Most calls in flight, over all base URLs together."""
    rpm: float | None = None
    """Most requests a minute; None for no limit."""
    tpm: float | None = None
    """Most tokens a minute, prompt and completion; None for no limit."""
    timeout_seconds: float = 120.0
    """For one try, from sending to the last byte."""
    attempts: int = 6
    """Tries that may fail before a call is given up."""
    patience_seconds: float = 60.0
    """How long a server that has answered before may be unreachable until the run stops, and
    how long a call waits for a server that is too busy until that costs attempts."""
    price: Price | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
    """JSON object merged into every request body, such as `chat_template_kwargs`."""

    def __post_init__(self) -> None:
        """Refuse what can never work.

        Raises:
            InputError: a field is out of range, or a base URL is not one.
        """
        if not self.model.strip() or not self.base_urls:
            raise InputError("expected a model name and at least one base URL")
        for url in self.base_urls:
            _check_url(url)
        for name in ("concurrency", "attempts", "timeout_seconds", "rpm", "tpm"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"expected a number above 0, found {value!r}", field=name)
        if clash := sorted(OURS & self.extra.keys()):
            raise InputError(f"these keys cannot be set: {', '.join(clash)}", field="extra")

    @property
    def name(self) -> str:
        """Identity in journal keys and verdicts: "model@url,url", and a hash of `extra` if any.

        The order of the URLs does not matter. `extra` is part of it because it changes answers.
        """
        where = ",".join(sorted(self.base_urls))
        if not self.extra:
            return f"{self.model}@{where}"
        extra = msgspec.json.encode(self.extra, order="deterministic").decode()
        return f"{self.model}@{where}#{content_id(extra)[:8]}"


def _check_url(url: str) -> None:
    """Refuse a base URL that is malformed or would put a secret into names and logs."""
    try:
        parts = urlsplit(url)
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_ok = urlsplit(""), False
    if parts.username is not None or parts.password is not None:
        raise InputError(
            "a base URL must not hold a user name or password: put the key into an "
            "environment variable and name it in key_env"
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_ok:
        raise InputError(f"{url!r} is not a base URL; expected http://host:port/v1")
    if parts.query or parts.fragment:
        raise InputError(f"a base URL takes no query: {url.partition('?')[0]!r} would do")
