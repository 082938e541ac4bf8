"""The sandbox over HTTP: one upstream in memory, below any of the base paths that vendors use.

`Sandbox` is the upstream itself; `serve_sandbox` gives it a port for as long as a block lasts. Nothing here touches the
disk, and no work goes on between calls.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import formatdate
from typing import NamedTuple
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from ...cassettes.operations import split_target
from ..admission import gate
from ..connection import quiet
from ..doors import Doors
from ..server import listen
from .arrival import MAX_BODY, check_credential, receive
from .assistants import first_assistant
from .calls import Answer, Call, Upload, select_shape
from .clock import Calendar, Clock, Instant
from .errors import ApiError
from .routes import Route, find_route
from .rules import Rule
from .shapes import Shape
from .stream import send_events
from .world import World

MAX_SEEN = 10_000
"""Requests that `Sandbox.requests` remembers."""
MAX_QUERY = 100
"""Parameters of a query."""
SHUTDOWN = 0.25
"""Seconds that streams in progress are given when the sandbox stops."""
POLL_AFTER = 0.2
"""Seconds of the sandbox's clock after which a client should ask for a run again."""


class _Arrived(NamedTuple):
    """A request that is whole and makes sense so far. From here on nothing waits, so that calls take turns."""

    route: Route
    ids: dict[str, str]
    query: dict[str, str]
    shape: Shape
    body: bytes
    upload: Upload | None


class Sandbox(World):
    """An upstream that speaks both versions of the threads API.

    `seed`: the same calls, in the same order, get the same bytes; ids come from it, and times count the writes from a
    fixed start. `latency`: seconds by the clock before each answer. `script`: what happens in each run (see `script`);
    `rules`: the same, by the user's last message. `clock`: what runs move by, instead of real time `speed` times as
    fast. Raises `UsageError` for a script that cannot be read.
    """

    def __init__(
        self,
        *,
        seed: int | None = None,
        latency: float = 0.0,
        script: str | None = None,
        rules: Sequence[Rule] = (),
        clock: Clock | None = None,
        speed: float = 1.0,
    ) -> None:
        super().__init__(seed=seed, script=script, rules=rules, clock=clock, speed=speed)
        self.calls = 0
        self.requests: deque[tuple[str, bytes]] = deque(maxlen=MAX_SEEN)
        self._seeded = seed is not None
        self._calendar = Calendar(self.clock, counting=self._seeded and clock is None)
        self._latency = latency
        self._poll_after = str(max(1, round(POLL_AFTER * 1000 / (speed if clock is None else 1))))
        assistant = first_assistant(int(self._calendar.instant(writes=False).stamp))
        self.store.assistants[assistant.id] = assistant

    def application(self, doors: Doors | None = None) -> web.Application:
        """The sandbox as a web application. With `doors`, only for requests that the data port would let in."""
        guards = () if doors is None else (guard(doors),)
        application = web.Application(client_max_size=MAX_BODY, middlewares=guards)
        application.router.add_route("*", "/{path:.*}", self._serve)
        return application

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        began = time.perf_counter()
        self.calls += 1
        number = self.calls
        target = request.raw_path.encode("utf-8", "surrogateescape")
        self.requests.append((request.method, target))
        if self._latency:
            await self.clock.sleep(self._latency)
        at = None
        try:
            arrived = await self._receive(request, target)
            at = self._calendar.instant(writes=request.method != "GET")
            answer = self._answer(arrived, at)
        except ApiError as refusal:
            answer = Answer(refusal.payload(), status=refusal.status, headers=refusal.headers)
        at = at or self._calendar.instant(writes=False)
        headers = self._headers(number, began, at, answer)
        if answer.events is not None and answer.thread is not None:
            return await send_events(self, request, headers, answer.events, answer.thread)
        body = answer.content
        if body is None:
            body = json.dumps(answer.payload, ensure_ascii=False, indent=2).encode()
        return web.Response(body=body, status=answer.status, headers=headers)

    async def _receive(self, request: web.Request, target: bytes) -> _Arrived:
        base, path, query = split_target(target)
        check_credential(request.headers)
        route, ids = find_route(request.method, path.decode("latin-1"), (base + path).decode("latin-1"))
        shape = select_shape(request.headers.get("OpenAI-Beta"))
        try:
            fields = dict(parse_qsl(query[1:].decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_QUERY))
        except ValueError:
            raise ApiError(400, f"A query has {MAX_QUERY} parameters at most.") from None
        return _Arrived(route, ids, fields, shape, *await receive(request))

    def _answer(self, arrived: _Arrived, at: Instant) -> Answer:
        route, ids, query, shape, body, upload = arrived
        return route.handler(Call(self, route.name, ids, query, body, shape, at, upload))

    def _headers(self, number: int, began: float, at: Instant, answer: Answer) -> dict[str, str]:
        """The host's own headers. Those of a seeded sandbox are always the same, `Date` included."""
        spent = self.names.processing_ms(number) if self._seeded else int((time.perf_counter() - began) * 1000)
        headers = {
            "Content-Type": answer.content_type,
            "Server": "respool-sandbox",
            "openai-version": "2020-10-01",
            "openai-organization": "sandbox-org",
            "openai-project": "proj_sandbox",
            "openai-processing-ms": str(spent),
            "x-request-id": self.names.request(number),
        }
        if self._seeded:
            headers["Date"] = formatdate(at.stamp, usegmt=True)
        if answer.poll:
            headers["openai-poll-after-ms"] = self._poll_after
        return headers | answer.headers


def guard(doors: Doors) -> Middleware:
    """Refuses what the data port refuses: a page in the user's browser can reach this port as well."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = gate(request, doors)
        if isinstance(refusal, bytes):
            return await handler(request)
        refused = ApiError(refusal.status, refusal.message, type="respool_error", code=refusal.code)
        response = web.json_response(refused.payload(), status=refusal.status)
        response.force_close()
        return response

    return check


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox that listens. `url` has no base path: `{url}/v1` is a base URL for a client, and so is `url` itself."""

    url: str
    sandbox: Sandbox


@asynccontextmanager
async def serve_sandbox(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    seed: int | None = None,
    latency: float = 0.0,
    script: str | None = None,
    rules: Sequence[Rule] = (),
    clock: Clock | None = None,
    speed: float = 1.0,
    allow_hosts: Sequence[str] = (),
) -> AsyncIterator[RunningSandbox]:
    """Serve a sandbox while the block lasts; port 0 takes a free one. The other options are `Sandbox`'s own.

    `allow_hosts` are more names under which clients may call it, see `Doors`.
    Raises `UsageError` when the address cannot be had.
    """
    sandbox = Sandbox(seed=seed, latency=latency, script=script, rules=rules, clock=clock, speed=speed)
    with listen(host, port, forwards=False) as listener:
        bound, taken = listener.getsockname()[:2]
        application = sandbox.application(Doors(bound, taken, allow_hosts))
        runner = web.AppRunner(application, shutdown_timeout=SHUTDOWN)
        await runner.setup()
        server = runner.server
        if server is None:
            raise RuntimeError("the sandbox was not set up")
        loop = asyncio.get_running_loop()
        service = await loop.create_server(lambda: quiet(server, loop), sock=listener)
        try:
            name = f"[{host}]" if ":" in host else host
            yield RunningSandbox(f"http://{name}:{listener.getsockname()[1]}", sandbox)
        finally:
            service.close()
            await runner.cleanup()
