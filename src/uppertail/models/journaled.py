"""A model whose calls are paid once: journal, single flight and account around any model."""

from __future__ import annotations

from functools import partial

from uppertail.errors import CallFailed, ModelUnusable
from uppertail.models.account import Account
from uppertail.models.flight import Flights
from uppertail.models.interface import Model, Reply, Request
from uppertail.models.journal import Answer, CallStore, call_key
from uppertail.models.prices import Price


class Journaled:
    """Answers from `store` where it can, else asks `model` and stores the answer first.

    Identical requests that overlap in time make one call. What a call cost is counted as
    soon as its reply is there, whatever becomes of the reply later.

    Raises:
        InputError: the account has a limit and there is no `price`.
    """

    def __init__(
        self,
        model: Model,
        store: CallStore,
        account: Account,
        *,
        price: Price | None = None,
    ) -> None:
        account.admit(model.name, price)
        self._model = model
        self._store = store
        self._account = account
        self._price = price
        self._flights: Flights[Answer] = Flights()
        self._stored = 0
        """Answers stored so far."""

    @property
    def name(self) -> str:
        """The name of the model inside."""
        return self._model.name

    async def complete(self, request: Request) -> Reply:
        """Return the stored reply to `request`, or the reply to a new call.

        Raises:
            StorageError: the store cannot be read or written.
            CallFailed, ModelUnusable, BudgetExhausted: as every model.
        """
        key = call_key(self.name, request)
        answer = await self._look_up(key)
        if answer is None:
            ask, again = partial(self._ask, key, request), partial(self._take_over, key, request)
            answer, asked = await self._flights.join(key, ask, again=again)
            if asked:
                return answer.reply
        self._account.found(self.name, request.role, answer)
        return answer.reply

    async def _look_up(self, key: str) -> Answer | None:
        """Return the stored answer; look again where one was stored meanwhile, it may be it."""
        while True:
            before = self._stored
            answer = await self._store.get(key)
            if answer is not None or self._stored == before:
                return answer

    async def _take_over(self, key: str, request: Request) -> Answer:
        """Make the call of one who was cancelled, unless its answer was being stored just then."""
        stored = await self._look_up(key)
        if stored is None:
            return await self._ask(key, request)
        self._account.found(self.name, request.role, stored)
        return stored

    async def _ask(self, key: str, request: Request) -> Answer:
        async with self._account.hold(self.name, request, self._price):
            answer = await self._paid(request)
        stored = await self._store.put(key, answer, model=self.name, request=request)
        self._stored += 1
        return stored

    async def _paid(self, request: Request) -> Answer:
        try:
            reply = await self._model.complete(request)
        except (CallFailed, ModelUnusable):
            self._account.failed(self.name, request.role)
            raise
        usd = None if self._price is None else self._price.cost(reply.usage)
        answer = Answer(reply=reply, usd=usd)
        self._account.paid(self.name, request.role, answer)
        return answer
