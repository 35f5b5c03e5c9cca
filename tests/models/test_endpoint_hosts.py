"""A model on several servers: where its calls go, and what one server's trouble costs."""

import asyncio
import logging
import time
from collections.abc import Mapping
from random import Random

import pytest

from tests.models.rig import BROKEN, KEY, REFUSED, Rig, Script, error, in_turn, request, said
from uppertail.errors import CallFailed, ModelUnusable
from uppertail.models.config import ModelConfig
from uppertail.models.endpoint import Endpoint
from uppertail.models.failures import Failure, HttpAnswer
from uppertail.models.limits import Limiter

BOTH = ("http://a/v1", "http://b/v1")


def split(a: HttpAnswer | Failure, b: HttpAnswer | Failure) -> Script:
    """Answer `a` at the first server and `b` at the second."""
    return lambda url, body: a if url.startswith("http://a") else b


def at_a(rig: Rig) -> int:
    """Return how many calls the first server got."""
    return sum(url.startswith("http://a") for url in rig.wires.urls)


class Race:
    """Two servers, of which A fails within 1 ms and B answers in 200; time passes 100 fold."""

    def __init__(self) -> None:
        self.failed = 0

    async def post(
        self, url: str, body: bytes, *, headers: Mapping[str, str], timeout_seconds: float
    ) -> HttpAnswer | Failure:
        """Answer after the server's time."""
        if url.startswith("http://a"):
            self.failed += 1
            await sleep(0.001)
            return error(500)
        await sleep(0.2)
        return said()


def clock() -> float:
    return time.monotonic() * 100


async def sleep(seconds: float) -> None:
    await asyncio.sleep(seconds / 100)


async def test_a_server_that_fails_fast_takes_no_calls_from_one_that_works_slowly() -> None:
    config = ModelConfig(model="m", base_urls=BOTH, concurrency=32)
    race = Race()
    endpoint = Endpoint(
        config,
        Limiter(32, clock=clock, sleep=sleep),
        race,
        environ={},
        random=Random(0),
        clock=clock,
        sleep=sleep,
    )
    calls = (endpoint.complete(request(f"{n}")) for n in range(400))
    replies = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(reply, Exception) for reply in replies) == 0
    assert race.failed < 100


@pytest.mark.parametrize("trouble", [error(500), error(429), BROKEN])
async def test_a_call_that_one_server_failed_goes_to_another(
    trouble: HttpAnswer | Failure,
) -> None:
    rig = Rig(split(trouble, said()), base_urls=BOTH, attempts=2)
    assert (await rig.ask()).text == "yes"
    assert (at_a(rig), rig.tries) == (1, 2)


async def test_a_busy_server_holds_no_calls_that_another_one_can_take() -> None:
    rig = Rig(split(error(429, Retry_After="50"), said()), base_urls=BOTH)
    for number in range(5):
        await rig.ask(f"{number}")
    assert rig.clock.now < 5.0
    assert at_a(rig) == 1


async def test_where_all_are_busy_calls_wait_for_the_first_to_come_back() -> None:
    busy = split(error(429, Retry_After="50"), error(429, Retry_After="20"))
    back = in_turn(said())
    rig = Rig(
        lambda url, body: busy(url, body) if rig.tries <= 2 else back(url, body), base_urls=BOTH
    )
    await rig.ask()
    assert 20.0 <= rig.clock.now < 25.0


async def test_a_server_error_with_a_pause_is_not_waited_for_where_another_is_there() -> None:
    rig = Rig(split(error(500, Retry_After="50"), said()), base_urls=BOTH)
    await rig.ask()
    assert rig.clock.now < 1.0


@pytest.mark.parametrize("refusal", [error(401, f"bad {KEY}"), error(403), error(404)])
async def test_a_server_that_refuses_stops_nothing_while_another_works(
    refusal: HttpAnswer, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig(split(refusal, said()), base_urls=BOTH)
    with caplog.at_level(logging.WARNING):
        await asyncio.gather(*(rig.ask(f"{n}") for n in range(8)))
        await asyncio.gather(*(rig.ask(f"{n}") for n in range(8)))
    assert at_a(rig) == 4
    assert rig.clock.slept == []
    (said_once,) = caplog.messages
    assert said_once.startswith("http://a/v1 is left out: ")
    assert "HTTP 40" in said_once
    assert KEY not in said_once


@pytest.mark.parametrize("other", [error(401, "unknown key"), error(404, "unknown key")])
async def test_the_run_stops_when_every_server_refuses(other: HttpAnswer) -> None:
    rig = Rig(split(error(401), other), base_urls=BOTH)
    with pytest.raises(ModelUnusable, match="unknown key"):
        await rig.ask()
    assert rig.tries == 2


async def test_a_call_that_one_server_denies_is_put_to_the_others_before_it_is_lost() -> None:
    rig = Rig(in_turn(said(), said(), error(403, "not this")), base_urls=BOTH)
    await rig.ask("first")
    await rig.ask("second")
    with pytest.raises(CallFailed, match="not this"):
        await rig.ask("third")
    assert rig.tries == 4
    assert rig.clock.slept == []


async def test_a_server_that_is_down_does_not_hide_that_the_other_one_is_there() -> None:
    slow = in_turn(*[BROKEN] * 5, said())
    rig = Rig(
        lambda url, body: REFUSED if url.startswith("http://a") else slow(url, body),
        base_urls=BOTH,
        attempts=6,
    )
    assert (await rig.ask()).text == "yes"


async def test_a_server_that_refuses_and_one_that_is_down_stop_the_run_in_the_end() -> None:
    rig = Rig(split(error(401), REFUSED), base_urls=BOTH)
    with pytest.raises(ModelUnusable, match=r"nothing has answered at .* for 6"):
        await rig.ask()


async def test_a_server_that_comes_back_gets_its_share_again() -> None:
    down = in_turn(error(500), said())
    rig = Rig(
        lambda url, body: down(url, body) if url.startswith("http://a") else said(),
        base_urls=BOTH,
    )
    await rig.ask()
    rig.clock.now += 2.0
    await asyncio.gather(*(rig.ask(f"{n}") for n in range(9)))
    before = at_a(rig)
    await asyncio.gather(*(rig.ask(f"{n}") for n in range(20)))
    assert at_a(rig) == before + 10


async def test_a_parameter_that_a_server_does_not_take_is_no_failure_of_it() -> None:
    picky = error(400, "Unsupported parameter: 'temperature'")
    rig = Rig(
        lambda url, body: picky if "temperature" in body else said(),
        base_urls=BOTH,
    )
    await rig.ask(temperature=0.0)
    await asyncio.gather(*(rig.ask(f"{n}", temperature=0.0) for n in range(20)))
    assert at_a(rig) == 11


async def test_calls_of_one_prefix_stay_on_one_server() -> None:
    rig = Rig(in_turn(said()), base_urls=BOTH)
    for number in range(6):
        await rig.ask("warm", prefix=f"{number % 2}")
    assert rig.wires.urls[0::2] == [rig.wires.urls[0]] * 3
    assert rig.wires.urls[1::2] == [rig.wires.urls[1]] * 3
    await asyncio.gather(*(rig.ask(f"{n}", prefix="0") for n in range(4)))
    assert rig.wires.urls[6:] == [rig.wires.urls[0]] * 4


async def test_a_call_goes_to_another_server_where_one_cannot_be_reached() -> None:
    rig = Rig(
        lambda url, body: REFUSED if url.startswith("http://a") else said(),
        base_urls=("http://a/v1", "http://b/v1"),
    )
    for _ in range(4):
        await rig.ask()
    assert sum(url.startswith("http://a") for url in rig.wires.urls) == 1
    assert rig.clock.slept == []


async def test_calls_are_spread_over_the_servers() -> None:
    rig = Rig(in_turn(said()), base_urls=("http://a/v1", "http://b/v1"))
    await asyncio.gather(*(rig.ask(str(number)) for number in range(20)))
    assert sum(url.startswith("http://a") for url in rig.wires.urls) == 10


async def test_calls_of_a_prefix_that_was_sent_go_before_calls_that_came_earlier() -> None:
    rig = Rig(in_turn(said()), concurrency=1)
    await rig.ask("leader", prefix="p")
    new = [rig.ask(f"new {number}", prefix=f"q{number}") for number in range(3)]
    await asyncio.gather(*new, *(rig.ask(f"sibling {number}", prefix="p") for number in range(2)))
    sent = [str(body["messages"]) for body in rig.wires.bodies]
    order = [("sibling" if "sibling" in text else "new") for text in sent[1:]]
    # The first one was under way when the siblings came.
    assert order == ["new", "sibling", "sibling", "new", "new"]
