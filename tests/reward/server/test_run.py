"""Sockets and draining."""

import asyncio
import signal
import socket
import sys

import aiohttp
import pytest

from tests.reward.server.rig import Lengths, served
from uppertail.errors import InputError
from uppertail.reward.server.limits import Limits
from uppertail.reward.server.run import listen, spread, url_of


async def test_a_server_that_is_told_to_stop_finishes_what_is_in_flight():
    go = asyncio.Event()
    scorer = Lengths(wait=go.wait)
    async with served(scorer) as rig:
        first = asyncio.create_task(rig.score("abc"))
        await scorer.began.wait()
        rig.server.handle_exit(signal.SIGTERM, None)
        ready, told = await rig.get("/readyz")
        alive, _ = await rig.get("/healthz")
        status, refused = await rig.score("late")
        assert not first.done()
        go.set()
        assert (await first)[1]["rewards"] == [0.3]
        assert await rig.ended == 0
        with pytest.raises(aiohttp.ClientConnectionError):
            await rig.get("/healthz")
    assert (ready, alive, status) == (503, 200, 503)
    assert "draining" in told
    assert refused["error"]["code"] == "draining"


async def test_what_takes_too_long_to_drain_is_given_up_and_counted():
    scorer = Lengths(wait=asyncio.Event().wait)
    async with served(scorer, limits=Limits(drain_s=0.0)) as rig:
        asked = asyncio.create_task(rig.score("abc", "def"))
        await scorer.began.wait()
        rig.server.handle_exit(signal.SIGTERM, None)
        assert await rig.ended == 2
        with pytest.raises(aiohttp.ClientError):
            await asked


async def test_a_second_signal_stops_at_once():
    scorer = Lengths(wait=asyncio.Event().wait)
    async with served(scorer, limits=Limits(drain_s=3600)) as rig:
        asked = asyncio.create_task(rig.score("abc"))
        await scorer.began.wait()
        rig.server.handle_exit(signal.SIGINT, None)
        rig.server.handle_exit(signal.SIGTERM, None)  # a parent passes Ctrl-C on
        assert not await rig.server.on_tick(1)
        rig.server.handle_exit(signal.SIGINT, None)
        assert await rig.ended == 1
        with pytest.raises(aiohttp.ClientError):
            await asked


def test_a_port_that_is_taken_is_named():
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} of 127.0.0.1 is taken"):
            listen("127.0.0.1", port)


@pytest.mark.skipif(sys.platform != "linux", reason="one socket for all here")
def test_connections_are_dealt_out_among_workers_and_the_port_stays_taken():
    workers = spread(listen("127.0.0.1", 0), 2)
    address = workers[0].getsockname()
    clients = [socket.create_connection(address) for _ in range(64)]
    try:
        with pytest.raises(InputError, match=f"port {address[1]} of 127.0.0.1 is taken"):
            listen(*address)
        for worker in workers:
            worker.settimeout(5)
            worker.accept()[0].close()
    finally:
        for one in (*clients, *workers):
            one.close()


def test_a_port_that_another_took_in_the_same_moment_is_named():
    free = listen("127.0.0.1", 0)
    host, port = free.getsockname()
    free.close()
    with listen(host, port) as other, pytest.raises(InputError, match=f"port {port} of {host}"):
        spread(other.dup(), 2)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7"])
def test_an_address_that_is_not_ours_is_refused(host):
    with pytest.raises(InputError, match=f"cannot listen on {host}"):
        listen(host, 0)


def test_the_url_is_one_that_this_machine_can_ask():
    with listen("127.0.0.1", 0) as v4, listen("0.0.0.0", 0) as every:
        assert url_of(v4) == f"http://127.0.0.1:{v4.getsockname()[1]}"
        assert url_of(every) == f"http://127.0.0.1:{every.getsockname()[1]}"


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine speaks no IPv6")
def test_an_address_of_version_six_stands_in_brackets():
    with listen("::1", 0) as listener:
        assert url_of(listener) == f"http://[::1]:{listener.getsockname()[1]}"
