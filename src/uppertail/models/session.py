"""All models of a process, with one journal, one account and one limiter a model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from uppertail.errors import InputError
from uppertail.models.account import Account
from uppertail.models.config import ModelConfig
from uppertail.models.interface import Model, Usage
from uppertail.models.journal import CallStore
from uppertail.models.journaled import Journaled
from uppertail.models.limits import Limiter
from uppertail.models.prices import Price, price_of
from uppertail.models.warm import WarmFirst

if TYPE_CHECKING:
    from uppertail.models.connections import Connections


class ModelSession:
    """Opens models, so that every role that opens the same one shares its limits.

    ```python
    with Journal("run/calls.db") as journal:
        async with ModelSession(journal, budget_usd=5.0) as models:
            verifier = models.open(resolve("openai/gpt-4.1-mini"))
    ```

    Args:
        store: the journal; it stays open when the session ends.
        budget_usd: most that the run may spend, what its journal has paid for included. What
            other processes add to the same journal from now on is not seen.
        environ: where keys are read from.
    """

    def __init__(
        self,
        store: CallStore,
        *,
        budget_usd: float | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.account = Account(limit_usd=budget_usd)
        self._store = store
        self._environ = environ
        self._unpriced: dict[str, Usage] = {}
        self._opened: dict[str, tuple[ModelConfig | Model, Journaled]] = {}
        self._connections: Connections | None = None

    async def __aenter__(self) -> Self:
        for spent in await self._store.spent():
            self.account.carry(spent.usd)
            self._unpriced[spent.model] = spent.unpriced
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._connections is not None:
            await self._connections.aclose()

    def open(
        self, model: ModelConfig | Model, *, price: Price | None = None, called: str | None = None
    ) -> Model:
        """Return the model, journalled and counted; the same object for the same name.

        Nothing is sent before the model is asked something.

        Args:
            model: a configuration, or a model of your own.
            price: what a model of your own costs; None where that is unknown.
            called: what the user calls it, for messages that name its settings section.

        Raises:
            InputError: its key is missing, it has no price although there is a budget, or
                another model of the same name is open.
        """
        opened = self._opened.get(model.name)
        if opened is not None:
            if opened[0] != model:
                raise InputError(
                    f"two different models are called {model.name!r}; expected one, with the "
                    "same settings in every role"
                )
            return opened[1]
        if isinstance(model, ModelConfig):
            price = price_of(model)
        called = called or (_called(model) if isinstance(model, ModelConfig) else model.name)
        self.account.admit(called, price)
        journaled = Journaled(WarmFirst(self._reach(model)), self._store, self.account, price=price)
        self._opened[model.name] = (model, journaled)
        self._carry(model.name, price)
        return journaled

    def _reach(self, model: ModelConfig | Model) -> Model:
        if not isinstance(model, ModelConfig):
            return model
        # An HTTP client takes its time to import: only who needs a server waits for it.
        from uppertail.models.connections import Connections
        from uppertail.models.endpoint import Endpoint

        if self._connections is None:
            self._connections = Connections()
        limiter = Limiter(model.concurrency, rpm=model.rpm, tpm=model.tpm)
        return Endpoint(model, limiter, self._connections, environ=self._environ)

    def _carry(self, name: str, price: Price | None) -> None:
        """Count the calls that were stored before the model's price was known."""
        if price is not None and name in self._unpriced:
            self.account.carry(price.cost(self._unpriced.pop(name)))


def _called(config: ModelConfig) -> str:
    """Return the name that `resolve` understands as this configuration."""
    if config.provider:
        return f"{config.provider}/{config.model}"
    return f"{config.model}@{','.join(config.base_urls)}"
