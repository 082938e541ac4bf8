"""Makes recorded calls anew against a live upstream: their bytes, with the ids that the upstream gave in place of recorded ones.

Who performs decides what is called and what an answer means; here is only how: headers and credentials, patience with an
upstream that has no room just now, and the pace at which a run is asked for. Nothing of a call is kept.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from typing import NamedTuple

from ..cassettes.errors import RespoolError, UpstreamError
from ..cassettes.ids import IdMap
from ..cassettes.interaction import Headers, Interaction, Request
from ..cassettes.operations import find_operation, split_target
from ..cassettes.redaction import PLACEHOLDER, is_header_slot
from . import wire
from .translation import translated_request
from .upstream import Broken, Exchange, Upstream

RUN_SECONDS = 600.0
"""How long a run, or a stream, may take. The clients' own patience is as long."""
POLL_SECONDS = 0.5
"""Between two looks at a run, where the upstream does not say."""
LARGEST = 64 << 20
"""Bytes of an answer that are read."""
ATTEMPTS = 4
"""How often a call is made that the upstream has no room for."""
NO_ROOM = frozenset({429})

_STREAM = b"text/event-stream"
_ABOUT_A_BODY = frozenset({b"content-type", b"content-encoding"})


_UNSAFE = re.compile(rb"[\x00-\x20\x7f]")
_BROKEN_LINE = re.compile(rb"[\r\n\0]")


class Diverged(RespoolError):
    """The upstream went another way than the recording. Exit status 1."""


class Unrepeatable(Diverged):
    """A recorded call lacks what it would need to be made anew."""


class Caller(NamedTuple):
    """On whose behalf calls are made: the base path below which they go, and header lines that replace recorded ones."""

    base: bytes
    headers: Headers


class Live(NamedTuple):
    """An answer of the upstream. `cut` says in words why a stream is not whole; nothing where it is."""

    status: int
    headers: Headers
    body: bytes
    cut: str = ""

    @property
    def kind(self) -> bytes:
        """The value of `Content-Type`."""
        return wire.header_value(self.headers, b"content-type") or b""


class Performer:
    """Calls made anew, one at a time. `patience` is how long one may take, and how long a run is asked for."""

    def __init__(self, upstream: Upstream, ids: IdMap, *, patience: float) -> None:
        self._upstream = upstream
        self._ids = ids
        self.patience = patience

    async def call(
        self,
        recorded: Interaction,
        caller: Caller,
        *,
        waits_out: frozenset[int] = NO_ROOM,
        keep_cut: bool = False,
    ) -> Live:
        """Make a recorded call anew; again, where the answer is one of `waits_out` and a retry may help.

        With `keep_cut` a stream that breaks off or takes too long is given as far as it came. Raises UpstreamError, Broken,
        Diverged.
        """
        for _ in range(ATTEMPTS - 1):
            live = await self._call_once(recorded, caller, keep_cut=keep_cut)
            hopeless = (wire.header_value(live.headers, b"x-should-retry") or b"").strip().lower() == b"false"
            if live.status not in waits_out or hopeless:
                return live
            await asyncio.sleep(retry_after(live.headers))
        return await self._call_once(recorded, caller, keep_cut=keep_cut)

    async def polls(
        self, look: Interaction, caller: Caller, *, waits_out: frozenset[int] = NO_ROOM
    ) -> AsyncIterator[Live]:
        """Answers to a read that is made again and again, at the pace that the upstream asks for, while patience lasts."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self.patience
        while True:
            live = await self.call(look, caller, waits_out=waits_out)
            yield live
            left = end - loop.time()
            if left <= 0:
                return
            await asyncio.sleep(min(pause(live.headers), left))

    async def _call_once(self, recorded: Interaction, caller: Caller, *, keep_cut: bool) -> Live:
        request = recorded.request
        data = await translated_request(*self._written(request, caller), request.body.read(), self._ids)
        exchange = await self._upstream.exchange(request.method)
        pieces: list[bytes] = []
        head, cut = None, ""
        try:
            async with asyncio.timeout(self.patience):
                await exchange.send(data, last=True)
                head = await exchange.head()
                await _gather(exchange, pieces)
        except TimeoutError:
            cut = f"was not over after {self.patience:g} s"
            if head is None or not keep_cut or not _is_stream(head.headers):
                raise UpstreamError(f"the upstream took longer than {self.patience:g} s for a recorded call") from None
        except Broken:
            cut = "broke off"
            if head is None or not keep_cut or not _is_stream(head.headers):
                raise
        finally:
            exchange.release()
        return Live(head.status, head.headers, b"".join(pieces), cut)

    def _written(self, request: Request, caller: Caller) -> tuple[bytes, Headers]:
        """The request line and header lines of a call, in recorded ids."""
        _, path, query = split_target(request.target)
        if PLACEHOLDER in query:
            raise Unrepeatable(
                "a recorded call has a credential in its query, which was taken out of the recording",
                "record it anew with the credential in a header",
            )
        lines = [value for line in request.headers for value in line]
        if _UNSAFE.search(request.method.encode() + path + query) or any(map(_BROKEN_LINE.search, lines)):
            raise Unrepeatable("a recorded call holds characters that no request can have")
        replaced = {name.lower() for name, _ in caller.headers}
        gone = {b"host", b"expect", b"idempotency-key", *replaced} | (
            {b"content-encoding"} if request.coding else set()
        )
        lines = [line for line in wire.end_to_end(request.headers, leave_out=gone) if not is_header_slot(line[0])]
        lines = [(b"Host", self._upstream.origin.authority.encode()), *lines, *caller.headers]
        return b"%b %b HTTP/1.1" % (request.method.encode(), caller.base + path + query), tuple(lines)


async def _gather(exchange: Exchange, pieces: list[bytes]) -> None:
    size = 0
    async for piece in exchange.body():
        size += len(piece)
        if size > LARGEST:
            raise Diverged(f"the upstream answered with more than {LARGEST >> 20} MiB to a recorded call")
        pieces.append(piece)


def run_look(thread: str, run: str, like: Request) -> Interaction:
    """A look at a run, with the headers of a call like those that the recording has."""
    path = f"/threads/{thread}/runs/{run}".encode() + _api_version(like.target)
    headers = tuple(line for line in like.headers if line[0].lower() not in _ABOUT_A_BODY)
    return Interaction(0, 0, Request("GET", path, headers), None)


def operation_of(recorded: Interaction) -> tuple[str, dict[str, str]]:
    """The name of a call's operation (empty: none of the API's) and the ids in its path."""
    _, path, _ = split_target(recorded.request.target)
    operation, ids = find_operation(recorded.request.method, path)
    return (operation.name if operation else ""), dict(ids)


def answer_of(recorded: Interaction) -> tuple[bytes, bytes]:
    """The body and content type of a recorded answer; nothing where it is too large to look at."""
    response = recorded.response
    if response is None or response.body.length > LARGEST:
        return b"", b""
    return response.body.read(), wire.header_value(response.headers, b"content-type") or b""


def tools_of(run: dict[str, object]) -> Counter[str]:
    """The functions that a run asks for."""
    value: object = run
    for name in ("required_action", "submit_tool_outputs", "tool_calls"):
        value = value.get(name) if isinstance(value, dict) else None
    names: Counter[str] = Counter()
    for call in value if isinstance(value, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            names[str(function.get("name"))] += 1
    return names


def retry_after(headers: Headers) -> float:
    """Seconds until a refused call may be made again."""
    for name, unit in ((b"retry-after-ms", 1000), (b"retry-after", 1)):
        asked = wire.header_value(headers, name) or b""
        if asked.isdigit() and len(asked) < 9:
            return min(int(asked) / unit, 60.0)
    return 1.0


def pause(headers: Headers) -> float:
    """Seconds until a run may be asked for again."""
    asked = wire.header_value(headers, b"openai-poll-after-ms") or b""
    return min(max(int(asked) / 1000, 0.01), 5.0) if asked.isdigit() and len(asked) < 9 else POLL_SECONDS


def _is_stream(headers: Headers) -> bool:
    return (wire.header_value(headers, b"content-type") or b"").lower().startswith(_STREAM)


def _api_version(target: bytes) -> bytes:
    """What some vendors want to see in every query."""
    query = split_target(target)[2][1:]
    return b"".join(b"?" + pair for pair in query.split(b"&") if pair.startswith(b"api-version="))[:200]
