"""A call to an upstream that knows things by other ids than the client: both bodies, the target and headers are rewritten.

Whoever forwards the call speaks the old ids and hears the old ids; only the connection carries the new ones. Answers that
are no JSON and no event stream (files) pass as they are. An event stream passes piece by piece as it comes.
"""

import asyncio
from collections.abc import AsyncIterator

from ..cassettes.coding import CodingError, Decoder, undoable
from ..cassettes.ids import IdMap, holds_ids
from ..cassettes.interaction import Headers
from ..cassettes.redaction import is_header_slot
from ..cassettes.renaming import Rewriter
from . import wire
from .replies import Head
from .spellings import decoded
from .upstream import Broken, Connection, Exchange, Upstream
from .ways import Detour

COUNTED = 1 << 20
"""Bytes of an answer that are read whole so that it keeps a Content-Length; a longer one goes to the client in chunks."""
SLICE = 256 << 10
"""Bytes of a request that are rewritten at a time."""


class TranslatedUpstream(Detour):
    """The way of one call whose whole request body is known."""

    def __init__(self, upstream: Upstream, ids: IdMap, body: bytes) -> None:
        super().__init__(upstream)
        self._to = upstream
        self._ids = ids
        self._body = body

    async def exchange(self, method: str) -> Exchange:
        """Begin the call. Raises UpstreamError when the upstream cannot be reached."""

        def make(upstream: Upstream, connection: Connection, method: str) -> Exchange:
            return TranslatedExchange(upstream, connection, method, ids=self._ids, body=self._body)

        return await self._to.exchange(method, make=make)


class TranslatedExchange(Exchange):
    """An exchange that rewrites what it sends and hears."""

    def __init__(self, upstream: Upstream, connection: Connection, method: str, *, ids: IdMap, body: bytes) -> None:
        super().__init__(upstream, connection, method)
        self._ids = ids
        self._asked = body
        self._head: Head | None = None
        self._rewriter: Rewriter | None = None
        self._decoder: Decoder | None = None
        self._counted = False
        self._received: list[bytes] = []

    async def send(self, data: bytes, *, last: bool) -> None:
        """Take the head of the request from `data`; the body is the one that is known, in new ids."""
        first, *lines = data.partition(b"\r\n\r\n")[0].split(b"\r\n")
        headers = tuple((name, value) for name, _, value in (line.partition(b": ") for line in lines))
        await super().send(await translated_request(first, headers, self._asked, self._ids), last=True)

    async def reply(self) -> None:
        """No answer is taken whole: its ids are to be rewritten."""

    async def head(self) -> Head:
        """The head in old ids. May be asked for again, by whoever reads on after a client that left."""
        if self._head is None:
            self._head = self._begin(await super().head())
        if not self._counted or self._rewriter is None:
            return self._head
        if not self._whole:
            async for piece in self._translated(self._rewriter):
                self._received.append(piece)
        length = (b"Content-Length", b"%d" % sum(map(len, self._received)))
        return Head(self._head.status, self._head.reason, (*self._head.headers, length))

    async def body(self) -> AsyncIterator[bytes]:
        for piece in self._received:
            yield piece
        if self._counted:
            return
        pieces = super().body() if self._rewriter is None else self._translated(self._rewriter)
        async for piece in pieces:
            yield piece

    def _begin(self, head: Head) -> Head:
        """Find out how the body is to be read."""
        headers = [(name, value if is_header_slot(name) else self._ids.to_old(value)) for name, value in head.headers]
        kind = wire.header_value(head.headers, b"content-type") or b""
        encoding = wire.header_value(head.headers, b"content-encoding")
        coding = undoable(encoding)
        if wire.has_body(self._method, head.status) and holds_ids(kind) and (coding or not encoding):
            self._rewriter = self._ids.stream_to_old()
            self._decoder = Decoder(coding) if coding else None
            length = wire.header_value(head.headers, b"content-length") or b""
            self._counted = length.isdigit() and len(length) < 10 and int(length) <= COUNTED
            headers = [line for line in headers if line[0].lower() not in {b"content-length", b"content-encoding"}]
        return Head(head.status, head.reason, tuple(headers))

    async def _translated(self, rewriter: Rewriter) -> AsyncIterator[bytes]:
        async for piece in super().body():
            try:
                decoded = self._decoder.feed(piece) if self._decoder is not None else piece
            except CodingError as error:
                raise Broken(f"the upstream's answer cannot be decoded: {error}") from None
            if ready := rewriter.feed(decoded):
                yield ready
        if rest := rewriter.finish():
            yield rest


async def translated_request(first: bytes, headers: Headers, body: bytes, ids: IdMap) -> bytes:
    """A whole request in new ids. `first` is its request line; answers are asked for without a content coding."""
    method, _, rest = first.partition(b" ")
    target, _, version = rest.rpartition(b" ")
    gone = {b"content-length", b"transfer-encoding", b"accept-encoding"}
    if holds_ids(wire.header_value(headers, b"content-type") or b""):
        plain = decoded(headers, body)
        if plain and plain is not body:
            body = plain
            gone.add(b"content-encoding")
        body = await _in_new_ids(body, ids)
    lines = [
        (name, value if is_header_slot(name) else ids.to_new(value))
        for name, value in headers
        if name.lower() not in gone
    ]
    lines.append((b"Accept-Encoding", b"identity"))
    if body or method not in {b"GET", b"HEAD", b"OPTIONS"}:
        lines.append((b"Content-Length", b"%d" % len(body)))
    return wire.write_head(b" ".join((method, ids.to_new(target), version)), lines) + body


async def _in_new_ids(body: bytes, ids: IdMap) -> bytes:
    rewriter = ids.stream_to_new()
    pieces: list[bytes] = []
    for at in range(0, len(body), SLICE):
        pieces.append(rewriter.feed(body[at : at + SLICE]))
        await asyncio.sleep(0)  # other calls get their turn
    return b"".join([*pieces, rewriter.finish()])
