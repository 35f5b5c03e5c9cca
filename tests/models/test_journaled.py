import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from uppertail.errors import (
    BudgetExhausted,
    CallFailed,
    InputError,
    ModelUnusable,
    StorageError,
)
from uppertail.models.account import Account
from uppertail.models.interface import Reply, Request, Usage
from uppertail.models.journal import Answer, Journal, Spent
from uppertail.models.journaled import Journaled
from uppertail.models.prices import Price
from uppertail.models.scripted import Scripted
from uppertail.types import Message

DOLLAR_A_TOKEN = Price(input=1e6, output=1e6)
REPLY = Reply(text="yes", usage=Usage(prompt_tokens=2, completion_tokens=3), seconds=0.5)


def request(text: str = "hello", **changes) -> Request:
    base = Request(messages=(Message(role="user", content=text),), role="verifier", max_tokens=5)
    return replace(base, **changes)


@pytest.fixture
def journal():
    with Journal(":memory:") as opened:
        yield opened


async def test_a_call_is_made_once_and_its_answer_found_from_then_on(journal):
    inner, account = Scripted(lambda asked: REPLY, name="m"), Account()
    model = Journaled(inner, journal, account, price=DOLLAR_A_TOKEN)
    assert await model.complete(request()) == REPLY
    assert await model.complete(request(role="judge", prefix="p")) == REPLY
    assert inner.calls == 1
    spend = account.spend()
    assert (spend.paid.calls, spend.paid.usd) == (1, 5.0)
    assert (spend.found.calls, spend.found.usd) == (1, 5.0)


async def test_a_later_process_finds_the_answer_and_pays_nothing(tmp_path):
    with Journal(tmp_path / "j.db") as first:
        model = Journaled(Scripted(lambda asked: REPLY), first, Account(), price=DOLLAR_A_TOKEN)
        await model.complete(request())
    account = Account(limit_usd=0.0)
    with Journal(tmp_path / "j.db") as second:
        broken = Scripted(lambda asked: CallFailed("must not be called"))
        again = Journaled(broken, second, account, price=DOLLAR_A_TOKEN)
        assert await again.complete(request()) == REPLY
    assert (account.spend().paid.calls, account.spend().found.calls) == (0, 1)


async def test_models_of_different_names_do_not_share_answers(journal):
    one = Journaled(Scripted(lambda asked: "1", name="a"), journal, Account())
    two = Journaled(Scripted(lambda asked: "2", name="b"), journal, Account())
    replies = [await one.complete(request()), await two.complete(request())]
    assert [reply.text for reply in replies] == ["1", "2"]


async def test_the_answer_is_stored_before_it_is_used(journal):
    stored_when_used = []

    async def use(model: Journaled) -> None:
        await model.complete(request())
        stored_when_used.append(journal.database.rows("SELECT count(*) FROM calls")[0][0])

    await use(Journaled(Scripted(lambda asked: REPLY), journal, Account()))
    assert stored_when_used == [1]


@pytest.mark.parametrize("error", [CallFailed("busy"), ModelUnusable("wrong key")])
async def test_failures_are_counted_and_never_stored(journal, error):
    lines: list[Reply | Exception] = [error, REPLY]
    account = Account()
    model = Journaled(Scripted(lambda asked: lines.pop(0)), journal, account)
    with pytest.raises(type(error)):
        await model.complete(request())
    assert await model.complete(request()) == REPLY
    spend = account.spend()
    assert (spend.failures, spend.paid.calls, spend.in_flight) == (1, 1, 0)


async def test_an_answer_that_cannot_be_stored_is_paid_for_and_not_used():
    journal, account = Journal(":memory:"), Account()

    def answer(asked: Request) -> Reply:
        journal.database.rows("PRAGMA query_only = 1")
        return REPLY

    model = Journaled(Scripted(answer), journal, account, price=DOLLAR_A_TOKEN)
    with pytest.raises(StorageError):
        await model.complete(request())
    assert account.spend().paid.usd == 5.0
    journal.close()


async def test_a_call_that_could_pass_the_budget_is_not_sent(journal):
    inner = Scripted(lambda asked: REPLY)
    model = Journaled(inner, journal, Account(limit_usd=3.0), price=DOLLAR_A_TOKEN)
    with pytest.raises(BudgetExhausted):
        await model.complete(request())
    assert inner.calls == 0


def test_a_budget_and_no_price_are_refused_before_anything_is_sent(journal):
    with pytest.raises(InputError, match="price of 'scripted'"):
        Journaled(Scripted(lambda asked: REPLY), journal, Account(limit_usd=1.0))


async def test_when_the_one_who_asked_first_is_cancelled_one_of_the_others_asks(journal):
    end = asyncio.Event()

    async def answered(asked: Request) -> Reply:
        await end.wait()
        return REPLY

    inner, account = Scripted(answered), Account()
    model = Journaled(inner, journal, account)
    callers = [asyncio.create_task(model.complete(request())) for _ in range(3)]
    for _ in range(5):
        await asyncio.sleep(0)
    callers[0].cancel()
    await asyncio.sleep(0)
    end.set()
    assert await asyncio.gather(*callers[1:]) == [REPLY, REPLY]
    assert inner.calls == 2
    assert (account.spend().paid.calls, account.spend().found.calls) == (1, 1)


async def test_a_call_whose_answer_is_being_stored_is_not_made_again_by_who_takes_over(journal):
    inner, account = Scripted(lambda asked: REPLY), Account()
    model = Journaled(inner, journal, account)
    other = asyncio.create_task(model.complete(request(sample=9)))  # opens the turn
    first, second = (asyncio.create_task(model.complete(request())) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await other == await second == REPLY
    assert (first.cancelled(), inner.calls) == (True, 2)
    assert (account.spend().paid.calls, account.spend().found.calls) == (2, 1)


class Distant:
    """A store whose every step waits, as that of another machine does."""

    def __init__(self, waits: list[int]):
        self.waits = waits
        self.answers: dict[str, Answer] = {}

    async def wait(self) -> None:
        for _ in range(self.waits.pop() if self.waits else 0):
            await asyncio.sleep(0)

    async def get(self, key: str, /) -> Answer | None:
        await self.wait()
        found = self.answers.get(key)
        await self.wait()
        return found

    async def put(self, key: str, answer: Answer, /, *, model: str, request: Request) -> Answer:
        await self.wait()
        return self.answers.setdefault(key, answer)

    async def spent(self) -> tuple[Spent, ...]:
        return ()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=8),
    st.integers(0, 4),
    st.lists(st.integers(0, 4), max_size=20),
)
def test_any_interleaving_of_identical_requests_makes_exactly_one_call(arrivals, turns, waits):
    async def run() -> None:
        async def slow(asked: Request) -> Reply:
            for _ in range(turns):
                await asyncio.sleep(0)
            return replace(REPLY, text=f"answer {inner.calls}")

        inner, account = Scripted(slow), Account()
        model = Journaled(inner, Distant(waits), account)
        callers = []
        for pause in arrivals:
            callers.append(asyncio.create_task(model.complete(request())))
            for _ in range(pause):
                await asyncio.sleep(0)
        replies = await asyncio.gather(*callers)
        assert inner.calls == 1
        assert {reply.text for reply in replies} == {"answer 1"}
        spend = account.spend()
        assert (spend.paid.calls, spend.found.calls) == (1, len(arrivals) - 1)

    asyncio.run(run())
