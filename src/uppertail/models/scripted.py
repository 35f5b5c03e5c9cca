"""Models without a server: answers from a function of yours, or from an earlier run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from uppertail.errors import CallFailed
from uppertail.models.interface import Reply, Request
from uppertail.models.journal import CallStore, call_key

Line = str | Reply | Exception
"""What a script may say: the text of a reply, a whole reply, or the error to raise."""


class Scripted:
    """A model that answers with what your function gives, for tests and simulations.

    ```python
    verifier = Scripted(lambda request: '{"c1": "yes"}')
    flaky = Scripted(lambda request: CallFailed("the server is busy"))
    ```

    The function may be `async`, where a test wants to decide when the answer comes.
    """

    def __init__(
        self, answer: Callable[[Request], Line | Awaitable[Line]], *, name: str = "scripted"
    ) -> None:
        self._answer = answer
        self._name = name
        self.calls = 0
        """Requests so far, failed ones included."""

    @property
    def name(self) -> str:
        """The name that it was given."""
        return self._name

    async def complete(self, request: Request) -> Reply:
        """Return what the function gives for `request`, or raise it where it is an error."""
        self.calls += 1
        line = self._answer(request)
        if not isinstance(line, str | Reply | Exception):
            line = await line
        if isinstance(line, Exception):
            raise line
        return Reply(text=line) if isinstance(line, str) else line


class Replay:
    """A model that answers only what a journal holds: an earlier run again, without a call.

    Args:
        store: the journal of the earlier run.
        name: the name of the model that was asked then.
    """

    def __init__(self, store: CallStore, name: str) -> None:
        self._store = store
        self._name = name

    @property
    def name(self) -> str:
        """The name of the model that was asked then."""
        return self._name

    async def complete(self, request: Request) -> Reply:
        """Return the stored reply to `request`.

        Raises:
            CallFailed: the journal holds no answer to it.
        """
        key = call_key(self._name, request)
        answer = await self._store.get(key)
        if answer is None:
            raise CallFailed(
                f"the journal holds no answer of {self._name!r} to this {request.role} call "
                f"(key {key[:12]}…): the request differs from those of the earlier run"
            )
        return answer.reply
