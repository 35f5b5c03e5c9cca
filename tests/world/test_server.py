"""The server over its sockets, met by the real client and by a bare one."""

import asyncio
import contextlib
import json
import subprocess
import sys

import aiohttp
import pytest

from uppertail.errors import CallFailed, InputError
from uppertail.models import Journal, ModelConfig, ModelSession
from uppertail.models.interface import Request
from uppertail.propose.llm import LLMProposer
from uppertail.refine import Settings, refine
from uppertail.types import Message
from uppertail.verify.llm import LLMVerifier
from uppertail.world import GREAT, World
from uppertail.world.server import WorldServer, named_answer, opened, parser
from uppertail.world.server_answers import WorldAnswers, hashed_answer
from uppertail.world.server_faults import KINDS, Faults, Latency, Times


def asked(text="Hi", model="m"):
    return {"model": model, "messages": [{"role": "user", "content": text}]}


async def post(server, body):
    """Return status, headers and parsed body of one bare call."""
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{server.url}/chat/completions", json=body) as response,
    ):
        return response.status, response.headers, json.loads(await response.read())


async def counters(server):
    url = server.url.removesuffix("/v1") + "/counters"
    async with aiohttp.ClientSession() as client, client.get(url) as response:
        return await response.json()


def only(kind, share=1.0, seconds=0.01):
    return Faults(rates={kind: share}, seconds=seconds)


def slow(seconds):
    return lambda asked: Times(0.0, seconds)


async def ask(server, texts, *, concurrency=64, attempts=6):
    """Ask through the real endpoint; return replies, and None where a call was lost."""
    config = ModelConfig(
        model="m", base_urls=(server.url,), concurrency=concurrency, attempts=attempts
    )
    with Journal(":memory:") as store:
        async with ModelSession(store) as session:
            model = session.open(config)

            async def one(text):
                message = Message(role="user", content=text)
                try:
                    return await model.complete(Request(messages=(message,), role="verifier"))
                except CallFailed:
                    return None

            return await asyncio.gather(*(one(text) for text in texts))


async def test_an_answer_carries_its_usage():
    async with WorldServer(lambda body: "four tokens here") as server:
        status, _, reply = await post(server, asked("12345678"))
    assert status == 200
    assert reply["choices"][0]["message"]["content"] == "four tokens here"
    assert reply["usage"]["prompt_tokens"] == 4  # "user\n12345678\n"
    assert reply["usage"]["completion_tokens"] == 4
    assert reply["usage"]["total_tokens"] == 8


async def test_it_listens_on_loopback_only():
    async with WorldServer() as server:
        assert server.url.startswith("http://127.0.0.1:")


async def test_cached_tokens_are_reported_to_the_real_client():
    prompt = "Shared. " * 100
    async with WorldServer(cache_blocks=1000) as server:
        first = (await ask(server, [prompt + "one"]))[0]
        second = (await ask(server, [prompt + "two"]))[0]
        seen = await counters(server)
    assert first.usage.cached_tokens == 0
    assert second.usage.cached_tokens == 800 // 64 * 16
    assert seen["cached_tokens"] == second.usage.cached_tokens


async def test_each_model_has_its_own_cache():
    async with WorldServer(cache_blocks=1000) as server:
        for model in ("a", "b"):
            reply = (await post(server, asked("Shared. " * 100, model)))[2]
            assert reply["usage"]["prompt_tokens_details"]["cached_tokens"] == 0


async def test_a_prompt_is_found_only_once_it_has_been_read():
    async with WorldServer(cache_blocks=99, latency=lambda a: Times(0.05, 0.0)) as server:
        replies = await asyncio.gather(*(post(server, asked("word " * 99)) for _ in range(2)))
        later = await post(server, asked("word " * 99))
    cached = [r[2]["usage"]["prompt_tokens_details"]["cached_tokens"] for r in (*replies, later)]
    assert cached[:2] == [0, 0]
    assert cached[2] > 0


async def test_slots_bound_the_calls_in_service_and_a_queue_loses_none():
    async with WorldServer(slots=3, queue=None, latency=slow(0.01)) as server:
        statuses = await asyncio.gather(*(post(server, asked(str(i))) for i in range(12)))
    assert {status for status, _, _ in statuses} == {200}
    assert server.counters.most_in_service == 3
    assert server.counters.most_waiting >= 1
    assert server.counters.slot_seconds == pytest.approx(0.12)


async def test_without_a_queue_what_finds_no_slot_is_turned_away():
    async with WorldServer(slots=1, latency=slow(0.2)) as server:
        replies = await asyncio.gather(*(post(server, asked(str(i))) for i in range(4)))
    assert sorted(status for status, _, _ in replies) == [200, 429, 429, 429]
    assert server.counters.rejected == 3
    assert all("Retry-After" in headers for status, headers, _ in replies if status == 429)


@pytest.mark.parametrize("kind", ["busy", "error", "hang", "drop", "malformed", "drip"])
async def test_the_real_client_gets_through(kind):
    texts = [f"call {i}" for i in range(20)]
    async with WorldServer(faults=only(kind, 0.4)) as server:
        replies = await ask(server, texts, attempts=12)
        seen = await counters(server)
    assert [r.text for r in replies] == [hashed_answer(asked(t)) for t in texts]
    assert seen["faults"][kind] > 0
    assert seen["answered"] == 20


async def test_a_refusal_is_a_reply_that_says_so():
    async with WorldServer(faults=only("refusal")) as server:
        reply = (await ask(server, ["Hi"]))[0]
    assert reply.finish == "content_filter"


async def test_a_truncated_answer_says_so():
    async with WorldServer(lambda body: "12345678", faults=only("truncate")) as server:
        reply = (await ask(server, ["Hi"]))[0]
    assert (reply.text, reply.finish) == ("1234", "length")


async def test_hostile_replies_reach_the_client_whole_or_are_lost():
    async with WorldServer(faults=only("hostile")) as server:
        replies = await ask(server, [f"call {i}" for i in range(40)], attempts=2)
    assert all(reply is None or "An answer that mentions" in reply.text for reply in replies)
    assert any(reply is not None for reply in replies)


async def test_faults_do_not_depend_on_the_order_of_calls():
    texts = [f"call {i}" for i in range(60)]
    seen = []
    for order in (texts, texts[::-1]):
        async with WorldServer(faults=Faults.evenly(0.5, seconds=0.005)) as server:
            for text in order:
                with contextlib.suppress(aiohttp.ClientError, ValueError):
                    await post(server, asked(text))
            seen.append(server.counters.faults)
    assert seen[0] == seen[1]
    assert set(seen[0]) <= set(KINDS)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"messages": []}'])
async def test_a_request_that_is_none_is_refused(body):
    async with (
        WorldServer() as server,
        aiohttp.ClientSession() as client,
        client.post(f"{server.url}/chat/completions", data=body) as response,
    ):
        assert response.status == 400


async def test_the_world_is_refined_over_http_as_in_process():
    world = World(seed=2)
    pool = world.pool(0, [GREAT], per_policy=4)
    async with WorldServer(WorldAnswers(world)) as server:
        with Journal(":memory:") as store:
            async with ModelSession(store) as session:
                proposer, verifier = (
                    session.open(ModelConfig(model=name, base_urls=(server.url,)))
                    for name in ("proposer", "verifier")
                )
                ended = await refine(
                    pool,
                    proposer=LLMProposer(proposer),
                    verifier=LLMVerifier(verifier),
                    settings=Settings(rounds=1),
                )
    assert not ended.losses
    assert len(ended.rubrics) == 2
    assert all(item.score.value is not None for item in ended.scored)


async def test_what_the_world_cannot_answer_is_an_error_of_the_call():
    async with WorldServer(WorldAnswers(World())) as server:
        status, _, reply = await post(server, asked("Hi", "gpt"))
    assert status == 400
    assert "no model is called 'gpt'" in reply["error"]["message"]


class TestOptions:
    def test_a_fault_overrides_its_even_share(self):
        server = opened(parser().parse_args(["--faults", "0.2", "--fault", "busy=0.5"]))
        assert server._faults.rates["busy"] == 0.5
        assert server._faults.rates["error"] == pytest.approx(0.02)

    def test_latencies_are_told_by_token(self):
        options = ["--each", "1", "--prompt-token", "2", "--token", "3", "--sigma", "0"]
        latency = opened(parser().parse_args(options))._latency
        assert latency == Latency(each=1, prompt_token=2, completion_token=3, sigma=0)

    def test_an_answer_is_named_by_module_and_function(self):
        assert named_answer("uppertail.world.server_answers:hashed_answer") is hashed_answer

    @pytest.mark.parametrize("where", ["nowhere:f", "json:nothing", "json", ""])
    def test_an_answer_that_is_not_there_is_named(self, where):
        with pytest.raises(InputError, match="names no function"):
            named_answer(where)

    def test_a_world_is_named_by_its_seed(self):
        assert isinstance(opened(parser().parse_args(["--world", "3"]))._answer, WorldAnswers)


def test_the_program_prints_its_url_first_and_serves():
    command = [sys.executable, "-m", "uppertail.world.server", "--faults", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:")
        finally:
            process.kill()


def test_the_program_says_what_is_wrong_with_an_option():
    command = [sys.executable, "-m", "uppertail.world.server", "--fault", "fire=0.1"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "no fault is called 'fire'" in ended.stderr
