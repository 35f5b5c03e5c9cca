"""The account of a process: who spent what, and the money limit that no call may pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from uppertail.errors import BudgetExhausted, InputError
from uppertail.models.interface import CallRole, Request, Usage
from uppertail.models.journal import Answer
from uppertail.models.prices import Price
from uppertail.models.spend import Bill, Latencies, RoleSpend, Spend, total

CHARACTERS_PER_TOKEN = 4
"""A usual figure for English text; other scripts have fewer."""
FIRST_GUESS = 1024
"""Tokens of a reply of which nothing is known: no limit was set and none has come yet."""


def expected_usage(request: Request, *, typical: float = FIRST_GUESS) -> Usage:
    """Return the tokens that `request` is expected to need.

    The prompt's characters divided by 4, and `max_tokens`, or `typical` without it.
    """
    characters = sum(len(message.content) for message in request.messages)
    completion = request.max_tokens if request.max_tokens is not None else round(typical)
    return Usage(prompt_tokens=-(-characters // CHARACTERS_PER_TOKEN), completion_tokens=completion)


def likely_tokens(request: Request) -> int:
    """Return the tokens, prompt and completion, that count for `request` against a rate.

    As `expected_usage`, but a limit far above what replies usually take does not count: the
    server's own count replaces this one within the minute, while money that is spent stays so.
    """
    usage = expected_usage(request)
    return usage.prompt_tokens + min(usage.completion_tokens, FIRST_GUESS)


class _Tally:
    """A bill that grows."""

    def __init__(self) -> None:
        self.calls = self.prompt = self.cached = self.completion = self.reasoning = 0
        self.usd: float | None = 0.0

    def add(self, answer: Answer) -> None:
        usage = answer.reply.usage
        self.calls += 1
        self.prompt += usage.prompt_tokens
        self.cached += usage.cached_tokens
        self.completion += usage.completion_tokens
        self.reasoning += usage.reasoning_tokens
        if self.usd is not None:
            self.usd = None if answer.usd is None else self.usd + answer.usd

    def bill(self) -> Bill:
        usage = Usage(
            prompt_tokens=self.prompt,
            cached_tokens=self.cached,
            completion_tokens=self.completion,
            reasoning_tokens=self.reasoning,
        )
        return Bill(calls=self.calls, usage=usage, usd=self.usd)


class _Ledger:
    """What one role spent on one model so far."""

    def __init__(self, model: str, role: CallRole) -> None:
        self.model = model
        self.role = role
        self.paid = _Tally()
        self.found = _Tally()
        self.failures = 0
        self.latencies = Latencies()

    def typical(self) -> float:
        """Return the mean length of a reply in tokens."""
        calls = self.paid.calls + self.found.calls
        return (self.paid.completion + self.found.completion) / calls if calls else FIRST_GUESS

    def snapshot(self) -> RoleSpend:
        return RoleSpend(
            role=self.role,
            model=self.model,
            paid=self.paid.bill(),
            found=self.found.bill(),
            failures=self.failures,
            latency=self.latencies.snapshot(),
        )


class Account:
    """Counts the calls of all roles of a process and keeps them within a money limit.

    Before a call its expected price is set aside. Spent and set-aside money together never
    pass the limit, so the limit holds as long as no call costs more than was expected of it.

    Args:
        limit_usd: most that the run may spend, earlier processes included; None for no limit.
        earlier_usd: what they have spent.
    """

    def __init__(self, *, limit_usd: float | None = None, earlier_usd: float = 0.0) -> None:
        if limit_usd is not None and not limit_usd >= 0:
            raise InputError("expected an amount of at least 0", field="budget_usd")
        self._limit = limit_usd
        self._earlier = earlier_usd
        self._paid = 0.0
        self._held: dict[object, float] = {}
        self._settled = asyncio.Event()
        self._ledgers: dict[tuple[CallRole, str], _Ledger] = {}

    def carry(self, usd: float) -> None:
        """Count money that an earlier process of the run has spent."""
        self._earlier += usd

    def admit(self, called: str, price: Price | None) -> None:
        """See that a model can be kept within the limit. Call it before anything is sent.

        Raises:
            InputError: there is a limit and the price is unknown.
        """
        if self._limit is not None and price is None:
            raise InputError(
                f"a budget needs the price of {called!r}, which is not known; put "
                f'[models."{called}".price] with input and output (US dollars per million tokens) '
                "into the settings file, or leave out --budget-usd"
            )

    @asynccontextmanager
    async def hold(self, model: str, request: Request, price: Price | None) -> AsyncIterator[None]:
        """Set the expected price of a call aside for as long as it is under way.

        Where only calls under way stand between this one and the limit, it waits for them:
        they mostly cost less than was set aside.

        Raises:
            BudgetExhausted: the call could pass the limit even if nothing else were under way.
        """
        usd = 0.0
        if self._limit is not None and price is not None:
            usd = price.cost(
                expected_usage(request, typical=self._ledger(model, request.role).typical())
            )
            await self._room(usd, limit=self._limit, model=model)
        ticket = object()
        self._held[ticket] = usd
        try:
            yield
        finally:
            del self._held[ticket]
            self._settled.set()

    async def _room(self, usd: float, *, limit: float, model: str) -> None:
        spent = self._earlier + self._paid
        while spent + sum(self._held.values()) + usd > limit:
            if spent + usd > limit:
                raise BudgetExhausted(
                    f"the budget of ${limit:.2f} does not cover the next call: ${spent:.4f} is "
                    f"spent, and a call to {model} may cost ${usd:.4f}; a higher --budget-usd "
                    "goes on where this run stops"
                )
            self._settled.clear()
            await self._settled.wait()
            spent = self._earlier + self._paid

    def paid(self, model: str, role: CallRole, answer: Answer) -> None:
        """Count a call that was answered now. Call it inside `hold`."""
        ledger = self._ledger(model, role)
        ledger.paid.add(answer)
        ledger.latencies.add(answer.reply.seconds)
        self._paid += answer.usd or 0.0

    def found(self, model: str, role: CallRole, answer: Answer) -> None:
        """Count a request that needed no call."""
        self._ledger(model, role).found.add(answer)

    def failed(self, model: str, role: CallRole) -> None:
        """Count a call that got no reply."""
        self._ledger(model, role).failures += 1

    def spend(self) -> Spend:
        """Return what was spent so far."""
        roles = tuple(self._ledgers[key].snapshot() for key in sorted(self._ledgers))
        return Spend(
            roles=roles,
            paid=total(role.paid for role in roles),
            found=total(role.found for role in roles),
            earlier_usd=self._earlier,
            limit_usd=self._limit,
            in_flight=len(self._held),
        )

    def _ledger(self, model: str, role: CallRole) -> _Ledger:
        ledger = self._ledgers.get((role, model))
        if ledger is None:
            ledger = self._ledgers[role, model] = _Ledger(model, role)
        return ledger
