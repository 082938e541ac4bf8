"""The client's request body, read with limits. Both ways begin with it."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import ClientError, web
from aiohttp.http_exceptions import HttpProcessingError

from .answer import Answer, error_answer
from .wire import header_value

IDLE_SECONDS = 30.0
"""How long a client may be silent within a request body; aiohttp itself would wait for ever."""

_UNREADABLE = (ClientError, HttpProcessingError, web.RequestPayloadError, ConnectionError)


class ClientFault(Exception):
    """The request body broke off, fell silent or could not be parsed."""

    def answer(self) -> Answer:
        return error_answer(408, str(self), "request_incomplete", keep_alive=False)


def is_here(request: web.BaseRequest) -> bool:
    """Whether the whole body has arrived."""
    return request.content.is_eof()


def body_at_hand(request: web.BaseRequest) -> bytes:
    """The body, all of which has arrived. Raises ClientFault."""
    try:
        return b"" if request.content.at_eof() else request.content.read_nowait()
    except _UNREADABLE:
        raise ClientFault("the request body could not be parsed") from None


async def body_pieces(request: web.BaseRequest, *, invite: bool = True) -> AsyncIterator[bytes]:
    """The body as it arrives. Raises ClientFault.

    A client that asks first (`Expect: 100-continue`) is told to go on, unless `invite` is off.
    """
    transport = request.transport
    expects = (header_value(request.raw_headers, b"expect") or b"").lower() == b"100-continue"
    if invite and expects and request.version >= (1, 1) and transport is not None:
        transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    while True:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                data = await request.content.readany()
        except TimeoutError:
            raise ClientFault(f"the request body stopped for {IDLE_SECONDS:.0f} s before its end") from None
        except _UNREADABLE:
            raise ClientFault("the request body broke off before its end") from None
        if not data:
            return
        yield data
