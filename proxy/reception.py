"""The receiving end of a connection to the upstream: the short cut for plain answers, aiohttp's parser, and what it refuses."""

import asyncio

from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

from ..cassettes.errors import UpstreamError
from .replies import MOST_LINES, Reply, read_reply

MOST_LINE = 64 << 10
"""Bytes in one header line of an answer."""
_TOO_LARGE = ("Got more than", "Too many headers")
"""How aiohttp's messages begin: by the time they are here, nothing else of the error is left."""


class Connection(ResponseHandler):
    """aiohttp's response handler, which makes its parser only for an answer that needs one."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._fresh = False
        self._bodiless = False
        self._hoped: asyncio.Future[Reply | None] | None = None

    def begin(self, *, bodiless: bool) -> None:
        """A call begins. `bodiless`: its answer has no body whatever its head says (HEAD)."""
        self._fresh = True
        self._bodiless = bodiless
        self._hoped = None

    def hope(self) -> "asyncio.Future[Reply | None]":
        """Becomes the whole answer if that comes plain and in one piece, else None."""
        hoped = self._hoped = self._loop.create_future()
        if not self._fresh or self._bodiless:
            hoped.set_result(None)
        return hoped

    def data_received(self, data: bytes) -> None:
        if self._fresh:
            self._fresh = False
            hoped = self._hoped
            if hoped is not None and not hoped.done():
                reply = read_reply(data)
                hoped.set_result(reply)
                if reply is not None:
                    return
            self._parse()
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._fresh:
            self._fresh = False
            self._parse()
        super().connection_lost(exc)
        if self._hoped is not None and not self._hoped.done():
            self._hoped.set_result(None)

    def abort(self) -> None:
        """Hang up. Whoever waits for more of a body learns it at once, which aiohttp leaves to a timeout."""
        payload = self._payload
        super().abort()
        if payload is not None and not payload.is_eof():
            payload.set_exception(ConnectionAbortedError())

    def _parse(self) -> None:
        self.set_response_params(
            skip_payload=self._bodiless,
            read_until_eof=True,
            auto_decompress=False,
            max_line_size=MOST_LINE,
            max_field_size=MOST_LINE,
            max_headers=MOST_LINES,
        )


def unreadable(url: str, error: HttpProcessingError) -> UpstreamError:
    """What to say of a head that aiohttp's parser does not take: one that is too large is HTTP all the same."""
    if error.message.startswith(_TOO_LARGE):
        return UpstreamError(
            f"the head of an answer of {url} is too large to be passed on",
            f"{MOST_LINES} header lines of {MOST_LINE >> 10} KiB are the most",
        )
    return UpstreamError(f"{url} does not speak HTTP/1.1", "is this the right port, and http or https?")
