import asyncio
import gc
import subprocess
import sys
from collections.abc import Callable, Sized
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from uppertail.errors import BudgetExhausted, InputError
from uppertail.models.config import ModelConfig
from uppertail.models.interface import Reply, Request, Usage
from uppertail.models.journal import Answer, Journal, call_key
from uppertail.models.prices import Price
from uppertail.models.scripted import Scripted
from uppertail.models.session import ModelSession
from uppertail.types import Message

DOLLAR_A_TOKEN = Price(input=1e6, output=1e6)


def request(text: str = "hello", **changes) -> Request:
    return Request(messages=(Message(role="user", content=text),), role="verifier", **changes)


class Server:
    """Answers every chat completion with "yes", and knows how many it held at once."""

    def __init__(self) -> None:
        self.calls = 0
        self.most = 0
        self.open: Callable[[], Sized] = tuple
        """Gives the connections that clients keep."""
        self._held = 0

    async def answer(self, asked: web.Request) -> web.Response:
        self.calls += 1
        self._held += 1
        self.most = max(self.most, self._held)
        await asyncio.sleep(0.005)
        self._held -= 1
        message = {"role": "assistant", "content": "yes"}
        return web.json_response(
            {
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 2, "completion_tokens": 1},
            }
        )


@asynccontextmanager
async def serving(server: Server):
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.server is not None
    listening = runner.server
    server.open = lambda: listening.connections
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


@pytest.fixture
def journal():
    with Journal(":memory:") as opened:
        yield opened


async def test_a_model_behind_http_is_asked_once_and_counted(journal):
    server = Server()
    async with serving(server) as url, ModelSession(journal) as models:
        config = ModelConfig(model="m", base_urls=(url,), price=DOLLAR_A_TOKEN)
        model = models.open(config)
        replies = [await model.complete(request()) for _ in range(3)]
        assert [reply.text for reply in replies] == ["yes"] * 3
        assert model.name == config.name
    assert server.calls == 1
    spend = models.account.spend()
    assert (spend.paid.calls, spend.found.calls, spend.paid.usd) == (1, 2, 3.0)


async def test_all_roles_of_one_model_share_one_limit(journal):
    server = Server()
    async with serving(server) as url, ModelSession(journal) as models:
        opened = [
            models.open(ModelConfig(model="m", base_urls=(url,), concurrency=2)) for _ in range(2)
        ]
        assert opened[0] is opened[1]
        await asyncio.gather(
            *(model.complete(request(str(n), sample=n)) for n in range(6) for model in opened)
        )
    assert server.most == 2
    assert server.calls == 6


async def test_different_models_have_limits_of_their_own(journal):
    server = Server()
    async with serving(server) as url, ModelSession(journal) as models:
        names = [
            models.open(ModelConfig(model=name, base_urls=(url,), concurrency=1)) for name in "ab"
        ]
        await asyncio.gather(
            *(model.complete(request(str(n))) for n in range(3) for model in names)
        )
    assert (server.most, server.calls) == (2, 6)


async def test_the_first_call_of_a_prefix_goes_ahead(journal):
    seen: list[str] = []
    first_may_end = asyncio.Event()

    async def answer(asked: Request) -> str:
        seen.append(asked.messages[0].content)
        await first_may_end.wait()
        return "yes"

    async with ModelSession(journal) as models:
        model = models.open(Scripted(answer))
        calls = [asyncio.create_task(model.complete(request(t, prefix="p"))) for t in "abc"]
        for _ in range(10):
            await asyncio.sleep(0)
        assert seen == ["a"]
        first_may_end.set()
        await asyncio.gather(*calls)
    assert sorted(seen) == ["a", "b", "c"]


async def test_closing_leaves_no_connection_open(journal, recwarn):
    server = Server()
    async with serving(server) as url:
        async with ModelSession(journal) as models:
            model = models.open(ModelConfig(model="m", base_urls=(url,)))
            await asyncio.gather(*(model.complete(request(str(n))) for n in range(4)))
            assert server.open()
        async with asyncio.timeout(1):  # by itself an idle connection ends after four seconds
            while server.open():  # noqa: ASYNC110 - it is the socket that is waited for
                await asyncio.sleep(0.01)
    del models, model
    gc.collect()
    assert [str(warning.message) for warning in recwarn] == []


async def test_two_models_of_one_name_are_refused(journal):
    async with ModelSession(journal) as models:
        scripted = Scripted(lambda asked: "1", name="judge")
        assert models.open(scripted) is models.open(scripted)
        with pytest.raises(InputError, match="'judge'"):
            models.open(Scripted(lambda asked: "2", name="judge"))


async def test_one_model_with_two_settings_is_refused(journal):
    url = "http://127.0.0.1:9/v1"
    async with ModelSession(journal) as models:
        models.open(ModelConfig(model="m", base_urls=(url,)))
        with pytest.raises(InputError, match="same settings in every role"):
            models.open(ModelConfig(model="m", base_urls=(url,), concurrency=2))


@pytest.mark.parametrize(
    ("config", "called", "section"),
    [
        (ModelConfig(model="j", base_urls=("http://h/v1",), provider="vllm"), None, "vllm/j"),
        (
            ModelConfig(model="j", base_urls=("http://h/v1", "http://g/v1")),
            None,
            "j@http://h/v1,http://g/v1",
        ),
        (ModelConfig(model="j", base_urls=("http://h/v1",)), "my judge", "my judge"),
        (Scripted(lambda asked: "", name="mine"), None, "mine"),
    ],
)
async def test_a_budget_and_an_unknown_price_name_the_section_to_add(
    journal, config, called, section
):
    async with ModelSession(journal, budget_usd=1.0) as models:
        with pytest.raises(InputError) as refused:
            models.open(config, called=called)
        assert f'[models."{section}".price]' in str(refused.value)


async def test_a_missing_key_is_refused_before_anything_is_sent(journal):
    config = ModelConfig(
        model="m", base_urls=("https://h/v1",), key_env="THE_KEY", key_required=True
    )
    async with ModelSession(journal, environ={}) as models:
        with pytest.raises(InputError, match="THE_KEY"):
            models.open(config)


async def test_a_resumed_run_counts_what_its_journal_has_paid_for(journal):
    spent = Reply(text="yes", usage=Usage(prompt_tokens=2, completion_tokens=3))
    for number, usd in enumerate((4.0, None)):
        asked = request(sample=number)
        answer = Answer(reply=spent, usd=usd)
        await journal.put(call_key("scripted", asked), answer, model="scripted", request=asked)
    async with ModelSession(journal, budget_usd=10.0) as models:
        model = models.open(Scripted(lambda asked: spent), price=DOLLAR_A_TOKEN)
        # 4 dollars as stored, and 5 for the call whose price was unknown when it was made
        assert models.account.spend().earlier_usd == 9.0
        assert await model.complete(request(sample=0)) == spent
        with pytest.raises(BudgetExhausted):
            await model.complete(request(sample=2, max_tokens=1))


def test_importing_the_package_imports_no_http_client():
    program = "import sys, uppertail.models; sys.exit('pyreqwest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
