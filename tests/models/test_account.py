import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uppertail.errors import BudgetExhausted, InputError
from uppertail.models.account import FIRST_GUESS, Account, expected_usage, likely_tokens
from uppertail.models.interface import CallRole, Reply, Request, Usage
from uppertail.models.journal import Answer
from uppertail.models.prices import Price
from uppertail.models.spend import Bill
from uppertail.types import Message

DOLLAR_A_TOKEN = Price(input=1e6, output=1e6)


def request(prompt: int = 1, reply: int | None = 1) -> Request:
    """A request that is expected to take `prompt` and `reply` tokens."""
    text = Message(role="user", content="x" * 4 * prompt)
    return Request(messages=(text,), role="verifier", max_tokens=reply)


def answer(prompt: int = 1, reply: int = 1, usd: float | None = 2.0, seconds: float = 0.5):
    usage = Usage(prompt_tokens=prompt, completion_tokens=reply)
    return Answer(reply=Reply(text="", usage=usage, seconds=seconds), usd=usd)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


# What a call is expected to need


def test_a_call_is_expected_to_need_a_token_for_four_characters_and_its_limit():
    assert expected_usage(request(prompt=3, reply=7)) == Usage(prompt_tokens=3, completion_tokens=7)


def test_part_of_a_token_counts_as_a_token_and_messages_are_added():
    messages = (Message(role="system", content="abc"), Message(role="user", content="de"))
    asked = Request(messages=messages, role="judge")
    assert expected_usage(asked, typical=12.4) == Usage(prompt_tokens=2, completion_tokens=12)


def test_a_rate_counts_what_a_reply_usually_takes_where_its_limit_is_far_above():
    assert likely_tokens(request(prompt=100, reply=10)) == 110
    assert likely_tokens(request(prompt=100, reply=None)) == 100 + FIRST_GUESS
    assert likely_tokens(request(prompt=100, reply=100_000)) == 100 + FIRST_GUESS


# Counting


def test_paid_and_found_calls_are_told_apart_by_role_and_model():
    account = Account(earlier_usd=5.0)
    account.paid("m", "verifier", answer(prompt=10, reply=2, usd=0.5, seconds=2.0))
    account.paid("m", "verifier", answer(prompt=10, reply=2, usd=0.5, seconds=2.0))
    account.found("m", "verifier", answer(usd=0.25))
    account.found("m", "proposer", answer(usd=0.25))
    account.failed("a", "verifier")
    spend = account.spend()
    assert [(role.role, role.model) for role in spend.roles] == [
        ("proposer", "m"),
        ("verifier", "a"),
        ("verifier", "m"),
    ]
    verifier = spend.roles[2]
    assert verifier.paid == Bill(
        calls=2, usage=Usage(prompt_tokens=20, completion_tokens=4), usd=1.0
    )
    assert verifier.found.calls == 1
    assert verifier.latency is not None
    assert verifier.latency.p50_seconds == pytest.approx(2.0, rel=0.026)
    assert spend.roles[0].latency is None
    assert (spend.paid.usd, spend.found.usd, spend.earlier_usd) == (1.0, 0.5, 5.0)
    assert (spend.failures, spend.roles[1].failures) == (1, 1)


def test_an_unknown_price_makes_the_total_unknown_and_never_zero():
    account = Account()
    account.paid("m", "verifier", answer(usd=None))
    assert account.spend().paid.usd is None


async def test_calls_under_way_are_counted_until_they_end():
    account = Account()
    async with account.hold("m", request(), None):
        assert account.spend().in_flight == 1
    assert account.spend().in_flight == 0


# The limit


def test_a_limit_below_zero_or_not_a_number_is_refused():
    for limit in (-1.0, float("nan")):
        with pytest.raises(InputError, match="budget_usd"):
            Account(limit_usd=limit)


def test_a_budget_refuses_a_model_without_a_price_and_names_the_section_to_add():
    with pytest.raises(InputError, match=r'put \[models\."vllm/judge"\.price\]'):
        Account(limit_usd=1.0).admit("vllm/judge", None)


def test_without_a_budget_or_with_a_price_every_model_is_admitted():
    without, priced = Account(), Account(limit_usd=1.0)
    without.admit("m", None)
    priced.admit("m", DOLLAR_A_TOKEN)
    assert (without.spend().limit_usd, priced.spend().limit_usd) == (None, 1.0)


async def test_a_call_that_could_pass_the_limit_is_refused():
    account = Account(limit_usd=10.0, earlier_usd=7.0)
    account.carry(1.5)
    with pytest.raises(BudgetExhausted, match=r"\$10\.00.*\$8\.5000 is spent.*\$2\.0000"):
        async with account.hold("m", request(), DOLLAR_A_TOKEN):
            pytest.fail("it was sent")
    assert account.spend().in_flight == 0


async def test_a_call_that_just_fits_is_allowed():
    account = Account(limit_usd=2.0)
    async with account.hold("m", request(), DOLLAR_A_TOKEN):
        assert account.spend().in_flight == 1


async def test_a_call_waits_while_only_calls_under_way_stand_between_it_and_the_limit():
    account = Account(limit_usd=10.0)
    entered = asyncio.Event()

    async def second() -> None:
        async with account.hold("m", request(reply=5), DOLLAR_A_TOKEN):
            entered.set()

    async with account.hold("m", request(reply=8), DOLLAR_A_TOKEN):
        waiting = asyncio.create_task(second())
        await settle()
        assert not entered.is_set()
        account.paid("m", "verifier", answer(usd=3.0))
    await asyncio.wait_for(waiting, 10)
    assert entered.is_set()


async def test_a_waiting_call_is_refused_once_the_money_is_really_spent():
    account = Account(limit_usd=10.0)

    async def second() -> None:
        async with account.hold("m", request(reply=5), DOLLAR_A_TOKEN):
            pytest.fail("it was sent")

    async with account.hold("m", request(reply=8), DOLLAR_A_TOKEN):
        waiting = asyncio.create_task(second())
        await settle()
        account.paid("m", "verifier", answer(usd=9.0))
    with pytest.raises(BudgetExhausted):
        await asyncio.wait_for(waiting, 10)


async def test_a_call_without_a_token_limit_is_expected_to_take_as_long_as_those_before_it():
    account = Account(limit_usd=FIRST_GUESS)
    with pytest.raises(BudgetExhausted):
        async with account.hold("m", request(reply=None), DOLLAR_A_TOKEN):
            pass
    account.found("m", "verifier", answer(reply=30))
    account.paid("m", "verifier", answer(reply=10, usd=FIRST_GUESS - 21.0))
    async with account.hold("m", request(reply=None), DOLLAR_A_TOKEN):
        pass


calls = st.lists(
    st.tuples(
        st.integers(1, 20),  # expected reply
        st.floats(0, 1),  # share of it that is really used
        st.sampled_from(["answer", "fail", "cancel"]),
        st.integers(0, 3),  # turns of the loop that it takes
    ),
    max_size=20,
)


@settings(max_examples=80, deadline=None)
@given(st.floats(0, 100), st.floats(0, 30), calls)
def test_the_limit_is_never_passed_and_every_call_ends(limit, earlier, plan):
    async def run() -> None:
        account = Account(limit_usd=limit, earlier_usd=earlier)
        role: CallRole = "verifier"

        async def one(reply: int, share: float, fate: str, turns: int) -> None:
            async with account.hold("m", request(prompt=1, reply=reply), DOLLAR_A_TOKEN):
                for _ in range(turns):
                    await asyncio.sleep(0)
                if fate == "fail":
                    raise ConnectionError
                account.paid("m", role, answer(usd=(1 + reply) * share))
                spend = account.spend()
                assert spend.earlier_usd + (spend.paid.usd or 0) <= max(limit, earlier) + 1e-9

        tasks = []
        for reply, share, fate, turns in plan:
            tasks.append(asyncio.create_task(one(reply, share, fate, turns)))
            await asyncio.sleep(0)
            if fate == "cancel":
                tasks[-1].cancel()
        results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        allowed = (BudgetExhausted, ConnectionError, asyncio.CancelledError, type(None))
        assert all(isinstance(result, allowed) for result in results), results
        assert account.spend().in_flight == 0

    asyncio.run(run())
