"""Replay: a request becomes a key, the key a place in its thread's line, and the place bytes that lie ready.

No connection to anywhere is opened. A request that no recording answers gets a 502 that says why.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Literal
from urllib.parse import urlsplit

from aiohttp import web

from ..cassettes.errors import CassetteError
from ..cassettes.interaction import Body, Headers, Request
from ..cassettes.keys import variant_of
from ..cassettes.misses import explain
from ..cassettes.positions import Served, Session
from ..cassettes.reader import Reader
from ..cassettes.redaction import redact_request
from ..cassettes.summary import STREAM, Row
from ..cassettes.tape import Tape
from . import wire
from .answer import Answer, Stream, error_answer, json_answer, wants_close
from .incoming import ClientFault, body_at_hand, body_pieces, is_here
from .pace import Pace
from .prepared import Prepared, PreparedAnswers, prepare, timed_pieces
from .redirects import own_location
from .spellings import LargeKey, Spellings, decoded

IN_MEMORY = 16 << 20
"""Request bodies above this are keyed as they stream by, and are not kept for an explanation."""
MOST_SESSIONS = 10_000
"""Sessions kept at once; the one that was used longest ago is dropped, and begins anew when it comes back."""


class Replayer:
    """Handles calls in the mode `replay`, for one cassette and any number of sessions."""

    def __init__(
        self,
        reader: Reader,
        *,
        polls: Literal["compress", "recorded"] = "compress",
        pace: Pace | None = None,
        strict: bool = False,
        narrate: Callable[[str], None],
    ) -> None:
        self._reader = reader
        self._tape = Tape(reader, polls=polls, strict=strict)
        self._hurry = polls == "compress"
        self._pace = pace or Pace()
        self._narrate = narrate
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._answers = PreparedAnswers(self._build)
        self._spellings = Spellings(reader.file_id)
        upstream = reader.meta.get("upstream")
        self._origin = upstream if isinstance(upstream, str) else ""
        self.calls = 0
        self.misses = 0
        self.inexact = 0
        self.damaged = 0

    def session(self, name: str) -> Session:
        """The session of that name, made at its first use."""
        session = self._sessions.get(name)
        if session is None:
            session = self._sessions[name] = Session(self._tape)
            if len(self._sessions) > MOST_SESSIONS:
                self._sessions.popitem(last=False)
        else:
            self._sessions.move_to_end(name)
        return session

    @property
    def base(self) -> str:
        """The path that clients' base URL had when the cassette was recorded, such as `/v1`."""
        try:
            return urlsplit(self._origin).path.rstrip("/")
        except ValueError:
            return (
                ""  # what a cassette says of itself may be nonsense; the paths below any base are served all the same
            )

    @property
    def sessions(self) -> list[str]:
        return list(self._sessions)

    async def handle(self, request: web.BaseRequest, session: str, target: bytes) -> Answer:
        self.calls += 1
        try:
            return await self._answer(request, session, target)
        except CassetteError as error:
            self._lament(error)
            return error_answer(500, error.message, "cassette_damaged", keep_alive=is_here(request))

    async def _answer(self, request: web.BaseRequest, session: str, target: bytes) -> Answer:
        headers: Headers = request.raw_headers
        try:
            if is_here(request):
                data = body_at_hand(request)
                key, variant = self._spellings.identify(request.method, target, headers, data)
            else:
                data, key, variant = await self._read(request, target, headers)
        except ClientFault as fault:
            return fault.answer()
        player = self.session(session)
        served = player.serve(key, variant=variant)
        if served is None:
            body = Body.of(decoded(headers, data))
            return self._miss(player, Request(request.method, target, headers, body), session, request)
        return await self._serve(request, session, served)

    async def stop(self, timeout: float) -> None:
        """Nothing is left to wait for: answers are written by the calls themselves."""

    async def _read(self, request: web.BaseRequest, target: bytes, headers: Headers) -> tuple[bytes, int, int]:
        """Read a body that is still on its way. A large one is keyed as it comes and not kept. Raises ClientFault."""
        pieces: list[bytes] = []
        size = 0
        large: LargeKey | None = None
        async for piece in body_pieces(request):
            size += len(piece)
            if large is not None:
                large.feed(piece)
                continue
            pieces.append(piece)
            if size > IN_MEMORY:
                large = LargeKey(request.method, target, headers)
                for earlier in pieces:
                    large.feed(earlier)
                pieces.clear()
        if large is not None:
            return b"", large.finish(), variant_of(headers, self._reader.file_id)
        data = b"".join(pieces)
        return data, *self._spellings.identify(request.method, target, headers, data)

    def _build(self, row: Row) -> Prepared:
        interaction = self._reader.interaction(row)
        return prepare(interaction, hurry=self._hurry, streams=bool(row.summary.flags & STREAM))

    async def _serve(self, request: web.BaseRequest, session: str, served: Served) -> Answer:
        row = served.row
        if row.summary.status == 0:
            return Stream(request).cut()  # nothing came back when it was recorded, and nothing comes back now
        ready = self._answers.get(row)
        if served.how == "ahead":
            self.inexact += 1
            return await self._write(request, session, ready, ((b"x-respool-inexact", b"ahead"),))
        if ready.whole is not None and not wants_close(request) and request.version >= (1, 1):
            return Answer(ready.whole)
        return await self._write(request, session, ready, ())

    async def _write(
        self, request: web.BaseRequest, session: str, ready: Prepared, more: tuple[tuple[bytes, bytes], ...]
    ) -> Answer:
        stream = Stream(request)
        host = wire.header_value(request.raw_headers, b"host") or b""
        headers = (
            own_location(ready.headers, _origin(self._origin), host, session)
            if ready.redirects
            else list(ready.headers)
        )
        loop = asyncio.get_running_loop()
        began = loop.time()
        response = ready.interaction.response
        paced = response is not None and bool(response.marks)
        if response is not None and paced:
            await self._pace.until(began, response.head_us, clock=loop.time)
        stream.start(ready.status_line, [*headers, *more], body=ready.body, length=ready.length, close=ready.cut)
        if ready.whole is not None:
            if body := ready.whole.partition(b"\r\n\r\n")[2]:
                await stream.send(body)
        elif response is not None and ready.body:
            try:
                for piece, moment in ready.pieces or timed_pieces(response):
                    if paced:
                        await self._pace.until(began, moment, clock=loop.time)
                    await stream.send(piece)
            except CassetteError as error:
                self._lament(error)
                return stream.cut()
        return stream.cut() if ready.cut else stream.finish()

    def _lament(self, error: CassetteError) -> None:
        """The cassette opened, but a part of it that a call needed is not whole."""
        self.damaged += 1
        self._narrate(f"respool: {error.message}" + (f" ({error.hint})" if error.hint else ""))

    def _miss(self, player: Session, asked: Request, session: str, request: web.BaseRequest) -> Answer:
        self.misses += 1
        miss = explain(self._reader, player, redact_request(asked))
        where = "" if session == "default" else f" (session {session})"
        self._narrate(f"respool: miss{where}: {miss.message} {miss.hint}".rstrip())
        return json_answer(
            502, miss.to_json(), headers=((b"X-Should-Retry", b"false"),), keep_alive=not wants_close(request)
        )


def _origin(upstream: str) -> str:
    """The origin of a recorded upstream URL: what a recorded `Location` begins with."""
    scheme, mark, rest = upstream.partition("://")
    return scheme + mark + rest.partition("/")[0] if mark else "\0"
