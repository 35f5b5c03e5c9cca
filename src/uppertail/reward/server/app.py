"""The web application: endpoints, and what becomes of everything that goes wrong in them."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from uppertail.models.encoding import to_json_bytes
from uppertail.reward.server.access import Access
from uppertail.reward.server.limits import Gate, Limits, Refused
from uppertail.reward.server.metrics import CONTENT_TYPE, Metrics
from uppertail.reward.server.openapi import document
from uppertail.reward.server.read import Reader, decode
from uppertail.reward.server.service import Served, Service, numbers
from uppertail.reward.server.trainers import openrlhf_rollouts, slime_rollout
from uppertail.reward.server.wire import (
    GetRewardAnswer,
    GetRewardRequest,
    Health,
    Problem,
    ProblemAnswer,
    RemoteRmRequest,
    ScoreAnswer,
    ScoreRequest,
)
from uppertail.score.interface import Reward

_log = logging.getLogger("uppertail.reward.server")
Work = Callable[[bytes], Awaitable[object]]
JSON = "application/json"


class Application:
    """The endpoints of one worker. `asgi` is what a web server runs."""

    def __init__(
        self,
        served: Served,
        *,
        limits: Limits | None = None,
        token: str | None = None,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.gate = Gate(limits or Limits())
        self.metrics = metrics or Metrics()
        self.service = Service(served, self.gate, self.metrics)
        self._access = Access(token)
        self._reader = Reader()
        self.clock = clock
        self._score = msgspec.json.Decoder(ScoreRequest)
        self._get_reward = msgspec.json.Decoder(GetRewardRequest)
        self._remote_rm = msgspec.json.Decoder(RemoteRmRequest)
        self._document = msgspec.json.encode(document())
        self.asgi = Router(self._routes())

    def _routes(self) -> list[Route]:
        posts = {
            "/score": self.score,
            "/get_reward": self.get_reward,
            "/remote_rm": self.remote_rm,
        }
        return [
            *(
                Route(path, _Endpoint(self, path, work), methods=["POST"])
                for path, work in posts.items()
            ),
            Route("/healthz", self._healthz),
            Route("/readyz", self._readyz),
            Route("/metrics", self._metrics),
            Route("/openapi.json", self._openapi),
        ]

    async def score(self, body: bytes) -> ScoreAnswer:
        """Answer `POST /score`."""
        asked = decode(self._score, body)
        rollouts = [
            self._reader.rollout(r, f"$.rollouts[{n}]") for n, r in enumerate(asked.rollouts)
        ]
        batch = await self.service.score(
            rollouts, rubrics=asked.rubrics, deadline_s=asked.deadline_s
        )
        results = list(batch.rewards)
        if not asked.detail:
            results = [_without_detail(reward) for reward in results]
        return ScoreAnswer(
            rewards=batch.values,
            results=results,
            facts=batch.metrics(),
            scorer=self.service.scorer(asked.rubrics).name,
        )

    async def get_reward(self, body: bytes) -> GetRewardAnswer:
        """Answer `POST /get_reward`."""
        asked = decode(self._get_reward, body)
        batch = await self.service.score(openrlhf_rollouts(asked, self._reader))
        values = numbers(batch.rewards)
        logs = {"scored": float(len(values))}
        return GetRewardAnswer(rewards=values, scores=values, extra_logs=logs)

    async def remote_rm(self, body: bytes) -> float:
        """Answer `POST /remote_rm`."""
        asked = decode(self._remote_rm, body)
        batch = await self.service.score([slime_rollout(asked, self._reader)])
        return numbers(batch.rewards)[0]

    async def answer(self, request: Request, work: Work) -> Response:
        """Return what `work` makes of a request's body, or what is wrong."""
        try:
            self._admit(request)
            body = await self._body(request)
            return _json(await work(body))
        except Refused as refused:
            self.metrics.refused(refused.code)
            return _problem(refused)
        except ClientDisconnect:  # nobody reads this answer
            return Response(status_code=400)
        except Exception:  # noqa: BLE001  a bug in one request must not end the others
            _log.exception("fault in %s", request.url.path)
            return _problem(Refused(500, "fault", "a fault of the server; see its log"))

    def _admit(self, request: Request) -> None:
        if not self._access.allows(_header(request, b"authorization")):
            raise Refused(
                401, "unauthorized", "expected the server's token: Authorization: Bearer …"
            )

    async def _body(self, request: Request) -> bytes:
        """Return the body.

        Raises:
            Refused: 413; it is too large.
        """
        most = self.gate.limits.body_bytes
        declared = _header(request, b"content-length") or ""
        if declared.isdigit() and int(declared) > most:
            raise _too_large(most)
        pieces, size = [], 0
        async for piece in request.stream():
            size += len(piece)
            if size > most:
                raise _too_large(most)
            pieces.append(piece)
        return b"".join(pieces)

    async def _healthz(self, _: Request) -> Response:
        return _json(Health(status="ok"))

    async def _readyz(self, request: Request) -> Response:
        trouble = self.service.trouble()
        if not trouble:
            return _json(Health(status="ok"))
        status = "draining" if self.gate.draining else "unready"
        known = self._access.allows(_header(request, b"authorization"))
        return _json(Health(status=status, detail=trouble if known else ""), 503)

    async def _metrics(self, request: Request) -> Response:
        return self._guarded(request, self.metrics.page, CONTENT_TYPE)

    async def _openapi(self, request: Request) -> Response:
        return self._guarded(request, lambda: self._document, JSON)

    def _guarded(self, request: Request, page: Callable[[], bytes], kind: str) -> Response:
        try:
            self._admit(request)
        except Refused as refused:
            return _problem(refused)
        return Response(page(), media_type=kind)


class _Endpoint:
    """What takes rollouts: plain ASGI, which spares Starlette's layers around functions."""

    def __init__(self, application: Application, path: str, work: Work) -> None:
        self._application = application
        self._path = path
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        application = self._application
        began = application.clock()
        response = await application.answer(Request(scope, receive), self._work)
        await response(scope, receive, send)  # counted afterwards: nobody waits for that
        seconds = application.clock() - began
        application.metrics.answered(self._path, response.status_code, seconds)


def _header(request: Request, name: bytes) -> str | None:
    """Return the first header of this name; Starlette would read them all, twice a request."""
    headers: list[tuple[bytes, bytes]] = request.scope["headers"]
    return next((value.decode("latin-1") for key, value in headers if key == name), None)


def _without_detail(reward: Reward) -> Reward:
    return Reward(value=reward.value, why=reward.why, score=reward.score, parts=reward.parts)


def _too_large(most: int) -> Refused:
    return Refused(
        413, "body_too_large", f"the body has more than {most} bytes; send fewer rollouts"
    )


def _json(value: object, status: int = 200) -> Response:
    return Response(encoded(value), status, media_type=JSON)


def encoded(value: object) -> bytes:
    """Return `value` as JSON; lone surrogates of a hostile judge's reasons go out escaped."""
    return to_json_bytes(value)


def _problem(refused: Refused) -> Response:
    problem = Problem(code=refused.code, message=str(refused), path=refused.path)
    response = _json(ProblemAnswer(error=problem), refused.status)
    if refused.retry_after is not None:
        response.headers["Retry-After"] = str(refused.retry_after)
    if refused.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
