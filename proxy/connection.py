"""One client connection: aiohttp's own request handler, with the parts replaced that would say too much.

aiohttp answers a malformed request with what it could not parse and logs it with a traceback; both may hold a
credential. Here such a request gets a plain error in the API's shape, and stderr gets a line without foreign text.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from ..cassettes.crashes import told
from .answer import error_answer
from .narration import Narration

KEEP_ALIVE_SECONDS = 75.0
"""How long a connection may be idle, or take to send a head; aiohttp's `run_app` would wait an hour."""
MOST_FIELD_BYTES = 65536

silent = logging.getLogger("respool.aiohttp")
silent.addHandler(logging.NullHandler())
silent.propagate = False
"""aiohttp logs requests that it cannot parse, with all that they hold; this goes nowhere."""


class Connection(RequestHandler):
    """A `RequestHandler` that logs nothing and echoes nothing."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer a request that could not be parsed, or a fault of respool's own. The connection closes."""
        manager = self._manager
        if status >= 500 and exc is not None and isinstance(manager, ConnectionServer):
            manager.fault(exc)
        if request.writer.output_size > 0:
            raise ConnectionAbortedError("an answer was begun and cannot be finished")
        if status == 400:
            if isinstance(manager, ConnectionServer) and manager.narration is not None:
                manager.narration.unreadable()
            answer = error_answer(
                400, "respool could not parse this HTTP request", "malformed_request", keep_alive=False
            )
        else:
            answer = error_answer(status, "respool failed on this call", "internal_error", keep_alive=False)
        return answer  # type: ignore[return-value]  # speaks the protocol that RequestHandler needs, see Answer


def quiet(
    server: web.Server, loop: asyncio.AbstractEventLoop, *, lingering: float = 10.0, auto_decompress: bool = True
) -> Connection:
    """A client's connection to any server of aiohttp's."""
    return Connection(
        server,
        loop=loop,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        access_log=None,  # type: ignore[arg-type]  # None is how aiohttp is told to log nothing
        logger=silent,
        max_line_size=MOST_FIELD_BYTES,
        max_field_size=MOST_FIELD_BYTES,
        max_headers=256,
        lingering_time=lingering,
        auto_decompress=auto_decompress,
    )


def _unsent(transport: asyncio.Transport) -> int:
    return transport.get_write_buffer_size()


class ConnectionServer(web.Server):
    """Makes a `Connection` for each client. Cancels a call whose client goes away."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Any],
        *,
        narrate: Callable[[str], None],
        narration: Narration | None = None,
    ) -> None:
        super().__init__(handler, handler_cancellation=True)
        self._narrate = narrate
        self.narration = narration
        self.faults = 0
        self._over = False

    def __call__(self) -> Connection:
        return quiet(self, asyncio.get_running_loop(), lingering=2.0, auto_decompress=False)

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if self._over:
            transport.abort()  # it was let in while the port was being closed

    async def shutdown(self, timeout: float | None = None) -> None:
        """End all calls, each within `timeout` seconds, and close all connections, those too whose client does not read."""
        self._over = True
        transports = list(self._connections.values())
        await super().shutdown(timeout)
        end = asyncio.get_running_loop().time() + (timeout or 0.0)
        # No transport tells when it has sent everything.
        while any(map(_unsent, transports)) and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        for transport in transports:
            transport.abort()
        await asyncio.sleep(0)  # then they are closed

    def fault(self, error: BaseException) -> None:
        """Say where respool itself failed. The error's own text is left out: it may hold what a client sent."""
        self.faults += 1
        self._narrate(f"respool: internal error: {told(error, most=3)}; the call was answered 500")
