import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from uppertail.errors import CallFailed
from uppertail.models.interface import Reply, Request
from uppertail.models.scripted import Scripted
from uppertail.models.warm import WarmFirst
from uppertail.types import Message


class Server:
    """Holds every call until the test lets it go, and knows which ones it has seen."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.open: dict[str, asyncio.Future[Reply | Exception]] = {}

    async def __call__(self, request: Request) -> Reply | Exception:
        text = request.messages[0].content
        self.seen.append(text)
        self.open[text] = asyncio.get_running_loop().create_future()
        try:
            return await self.open[text]
        finally:
            del self.open[text]

    async def answer(self, *texts: str) -> None:
        for text in texts:
            self.open[text].set_result(Reply(text=text))
        await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def request(text: str, prefix: str = "p") -> Request:
    return Request(messages=(Message(role="user", content=text),), role="verifier", prefix=prefix)


def ask(model: WarmFirst, *texts: str, prefix: str = "p") -> list[asyncio.Task[Reply]]:
    return [asyncio.create_task(model.complete(request(text, prefix))) for text in texts]


async def test_the_first_call_of_a_prefix_goes_alone_and_its_siblings_follow_together():
    server = Server()
    calls = ask(WarmFirst(Scripted(server)), "a", "b", "c")
    await settle()
    assert server.seen == ["a"]
    await server.answer("a")
    assert server.seen == ["a", "b", "c"]
    await server.answer("b", "c")
    assert [(await call).text for call in calls] == ["a", "b", "c"]


async def test_other_prefixes_and_requests_without_one_do_not_wait():
    server = Server()
    model = WarmFirst(Scripted(server))
    calls = ask(model, "a", "b") + ask(model, "q", prefix="q") + ask(model, "x", "y", prefix="")
    await settle()
    assert sorted(server.seen) == ["a", "q", "x", "y"]
    await server.answer("a", "q", "x", "y")
    await server.answer("b")
    await asyncio.gather(*calls)


async def test_a_prefix_that_was_answered_once_is_warm():
    server = Server()
    model = WarmFirst(Scripted(server))
    first = ask(model, "a")
    await settle()
    await server.answer("a")
    later = ask(model, "b", "c")
    await settle()
    assert server.seen == ["a", "b", "c"]
    await server.answer("b", "c")
    await asyncio.gather(*first, *later)


async def test_when_the_first_call_fails_its_siblings_go_and_the_next_one_leads_again():
    server = Server()
    model = WarmFirst(Scripted(server))
    first, *siblings = ask(model, "a", "b", "c")
    await settle()
    server.open["a"].set_result(CallFailed("busy"))
    await settle()
    with pytest.raises(CallFailed, match="busy"):
        await first
    assert server.seen == ["a", "b", "c"]
    later = ask(model, "d", "e")
    await settle()
    assert server.seen == ["a", "b", "c", "d"]
    await server.answer("b", "c", "d")
    await server.answer("e")
    await asyncio.gather(*siblings, *later)


async def test_when_the_first_call_is_cancelled_one_sibling_takes_its_place():
    server = Server()
    first, *siblings = ask(WarmFirst(Scripted(server)), "a", "b", "c")
    await settle()
    first.cancel()
    await settle()
    assert server.seen == ["a", "b"]
    await server.answer("b")
    await server.answer("c")
    assert [(await call).text for call in siblings] == ["b", "c"]


async def test_cancelling_a_sibling_that_waits_disturbs_nobody():
    server = Server()
    first, second, third = ask(WarmFirst(Scripted(server)), "a", "b", "c")
    await settle()
    second.cancel()
    await settle()
    assert not first.done()
    await server.answer("a")
    await server.answer("c")
    assert [(await call).text for call in (first, third)] == ["a", "c"]
    assert server.seen == ["a", "c"]


async def test_siblings_that_wait_take_no_slot_of_the_limiter_inside():
    slots = asyncio.Semaphore(1)

    async def slow(asked: Request) -> str:
        async with slots:
            await asyncio.sleep(0)
            return asked.messages[0].content

    model = WarmFirst(Scripted(slow))
    calls = ask(model, *"abcdef") + ask(model, *"ghi", prefix="q")
    replies = await asyncio.wait_for(asyncio.gather(*calls), 10)
    assert "".join(reply.text for reply in replies) == "abcdefghi"


async def test_only_the_prefixes_used_last_are_remembered():
    model = WarmFirst(Scripted(lambda asked: ""), remembered=2)
    for prefix in ("p", "q", "p", "r"):
        await model.complete(request("x", prefix))
    server = Server()
    model._model = Scripted(server)
    calls = ask(model, "p1", "p2", prefix="p") + ask(model, "q1", "q2", prefix="q")
    await settle()
    assert sorted(server.seen) == ["p1", "p2", "q1"]
    await server.answer("p1", "p2", "q1")
    await server.answer("q2")
    await asyncio.gather(*calls)


def test_it_has_the_name_of_the_model_inside():
    assert WarmFirst(Scripted(lambda asked: "", name="judge")).name == "judge"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "p", "q"]),
            st.sampled_from(["answer", "fail", "cancel"]),
            st.integers(0, 3),
        ),
        max_size=12,
    )
)
def test_every_request_ends_whatever_fails_or_is_cancelled(plan):
    async def run() -> None:
        slots = asyncio.Semaphore(2)

        async def server(asked: Request) -> Reply | Exception:
            fate = asked.template
            async with slots:
                await asyncio.sleep(0)
                return CallFailed("no") if fate == "fail" else Reply(text="yes")

        model = WarmFirst(Scripted(server), remembered=1)
        calls = []
        for number, (prefix, fate, pause) in enumerate(plan):
            asked = replace(request(str(number), prefix), template=fate)
            calls.append(asyncio.create_task(model.complete(asked)))
            for _ in range(pause):
                await asyncio.sleep(0)
            if fate == "cancel":
                calls[-1].cancel()
        results = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 10)
        for result, (_, fate, _) in zip(results, plan, strict=True):
            if fate == "answer":
                assert result == Reply(text="yes")
            elif fate == "fail":
                assert isinstance(result, CallFailed)
        assert model._waiting == {}

    asyncio.run(run())
