"""A judge that costs next to nothing: so many slots, so many seconds a call, eight verdicts.

    python benchmarks/reward_server_judge.py SLOTS SECONDS

It prints its address, and answers POST like OpenAI's chat completions and GET with the number
of calls so far. It shares two cores with the server that is measured, so it is a bare
protocol on sockets: about 0.05 ms a call. Calls that find no slot wait their turn.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import deque
from hashlib import blake2b
from typing import cast

CRITERIA = 8


class Slots:
    """Takes calls in, serves as many at a time as there are slots, and counts them."""

    def __init__(self, slots: int, seconds: float) -> None:
        self.free = slots
        self.seconds = seconds
        self.calls = 0
        # Ready before the first call: what is made when the time is up would come on top of it.
        self._answers = [framed(completion(bits)) for bits in range(256)]
        self.waiting: deque[tuple[asyncio.Transport, bytes]] = deque()

    def take(self, transport: asyncio.Transport, body: bytes) -> None:
        """Serve a call now, or once a slot is free."""
        if not self.free:
            self.waiting.append((transport, body))
            return
        self.free -= 1
        loop = asyncio.get_running_loop()
        loop.call_later(self.seconds, self._done, transport, body)

    def _done(self, transport: asyncio.Transport, body: bytes) -> None:
        self.free += 1
        if not transport.is_closing():  # the client may have been killed
            self.calls += 1
            transport.write(self._answers[blake2b(body, digest_size=1).digest()[0]])
        while self.waiting and self.free:
            transport, body = self.waiting.popleft()
            if not transport.is_closing():
                self.take(transport, body)


class Connection(asyncio.Protocol):
    """One kept connection, a request at a time."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer once the whole request is there."""
        self._held += data
        head, end, body = self._held.partition(b"\r\n\r\n")
        if not end:
            return
        if head.startswith(b"GET"):
            self._held = b""
            self._transport.write(framed(str(self._slots.calls).encode()))
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) >= length:
            self._held = body[length:]
            self._slots.take(self._transport, body[:length])


def completion(bits: int) -> bytes:
    """Return eight verdicts, one a bit; a hash of the request says which."""
    verdicts = {f"c{n + 1}": "yes" if bits >> n & 1 else "no" for n in range(CRITERIA)}
    message = {"role": "assistant", "content": json.dumps(verdicts)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 800, "completion_tokens": 40}
    return json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()


def framed(body: bytes) -> bytes:
    """Return an HTTP response."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


async def judge(slots: int, seconds: float) -> None:
    """Answer until killed."""
    serving = Slots(slots, seconds)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(serving), "127.0.0.1", 0, backlog=2048)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(judge(int(sys.argv[1]), float(sys.argv[2])))
