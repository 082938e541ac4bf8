"""`respool inspect --web`: the inspector in a browser, served by textual-serve on 127.0.0.1 behind a gate (`gate.py`).

Each page has an inspector of its own, in a process that ends with it, if need be by force; a few at a time. What textual-serve
does by itself is to serve everybody: the gate stands before every route of it, and before the web socket.
"""

import asyncio
import contextlib
import io
import re
import shlex
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.log import server_logger
from aiohttp.typedefs import Handler, Middleware
from aiohttp.web_protocol import RequestHandler
from textual_serve import app_service
from textual_serve.app_service import AppService
from textual_serve.server import Server

from ..cassettes.errors import UsageError
from ..cassettes.text import clip
from .gate import SOCKET, Gate

MOST_PAGES = 8
"""Inspectors at a time."""
MOST_TYPED = 1 << 20
"""Bytes of one message of a page."""
_FONT = re.compile(r"<link[^>]*//fonts\.googleapis\.com/[^>]*>")
_PATIENCE = 3.0
"""Seconds that an inspector is given to end by itself."""


app_service.log.disabled = True
"""What an inspector that could not start had to say is said by itself; textual-serve adds a line that has no sender."""
_silent = server_logger.getChild("respool")
_silent.disabled = True
"""aiohttp logs requests that it cannot parse, with all that they hold; this says nothing."""


class _Connection(RequestHandler):
    """A browser's connection. What cannot be parsed is neither told to its sender nor logged."""

    __slots__ = ()

    def handle_error(self, request: web.BaseRequest, status: int = 500, *_: Any, **told: Any) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionAbortedError("an answer was begun and cannot be finished")
        why = "this request could not be parsed" if status == 400 else "the inspector could not answer"
        answer = web.Response(status=status, text=why + "\n")
        answer.force_close()
        return answer


class _Terminal(AppService):
    """The terminal of a page. When its inspector ends, the page is told, also where it ended before it drew anything."""

    async def run(self) -> None:
        await super().run()
        await self.remote_close()


class Pages(Server):
    """textual-serve's page and files; the terminals behind them are its own, too, but here they end when their page does."""

    def __init__(self, command: str, title: str, public_url: str) -> None:
        super().__init__(command, title=title, public_url=public_url)
        self._open: set[web.WebSocketResponse] = set()

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing: stdout is for the link."""

    async def on_shutdown(self, app: web.Application) -> None:
        """Close the pages; what belongs to them ends then."""
        await asyncio.gather(*(page.close(code=1001) for page in list(self._open)), return_exceptions=True)

    async def application(self, gate: Gate) -> web.Application:
        """What is served, behind the gate."""
        application = await self._make_app()  # where its routes are made; it has no public name
        application.middlewares.append(_guarded(gate))
        return application

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """The page, with a name for its tab, and without the font that it would ask of another host."""
        page = await super().handle_index(request)
        if isinstance(page, web.Response):
            page.text = _FONT.sub("", page.text or "").replace(
                "<head>", f"<head><title>{escape(self.title)}</title>", 1
            )
        return page

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One page: an inspector that draws on it, until either is closed."""
        page = web.WebSocketResponse(heartbeat=15, max_msg_size=MOST_TYPED)
        await page.prepare(request)

        async def close() -> None:
            await page.close()

        service = _Terminal(
            self.command,
            write_bytes=page.send_bytes,
            write_str=page.send_str,
            close=close,
            download_manager=self.download_manager,
        )
        await service.start(_cells(request, "width", 80), _cells(request, "height", 24))
        self._open.add(page)
        try:
            await self._process_messages(page, service)
        except (AssertionError, ValueError, LookupError, TypeError, AttributeError):
            await page.close(code=1003, message=b"that is no message of this page")
        finally:
            self._open.discard(page)
            await _ended(service)
        return page


async def _ended(service: AppService) -> None:
    """Have the inspector end: it is asked to, and after a while made to."""
    process = service._process
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            await service.stop()
    if process is not None and process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _cells(request: web.Request, name: str, default: int) -> int:
    told = request.query.get(name, "")
    return min(max(int(told), 1), 1000) if told.isascii() and told.isdigit() and len(told) < 6 else default


class _Sayings(io.TextIOBase):
    """A stdout that is none: textual-serve writes there, twice, what an inspector that could not start had to say."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._last = ""

    def write(self, text: str, /) -> int:
        again = text == self._last
        self._last = "" if again else text
        for line in () if again else text.splitlines():
            self._say(line)
        return len(text)


async def serve(
    words: Sequence[str],
    port: int,
    *,
    ready: Callable[[str], None],
    say: Callable[[str], None],
    wait: Callable[[], Awaitable[None]],
) -> None:
    """Serve what `respool inspect` with these words shows, until `wait` returns.

    `ready` gets the link, `say` each line of trouble. Raises UsageError for a port that cannot be had.
    """
    listener = _listen(port)
    gate = Gate.at(f"127.0.0.1:{listener.getsockname()[1]}")
    # `exec`: textual-serve asks a shell to run it, and what is ended must be the inspector, not the shell.
    command = "exec " + shlex.join([sys.executable, "-m", "respool", "inspect", *words])
    pages = Pages(
        command,
        title=f"respool inspect {clip(Path(words[0]).name, 100) if words else ''}".rstrip(),
        public_url=f"http://{gate.address}",
    )
    runner = web.AppRunner(
        await pages.application(gate), access_log=None, shutdown_timeout=2 * _PATIENCE, handler_cancellation=False
    )
    with contextlib.redirect_stdout(_Sayings(say)):
        await runner.setup()
        service = await _listening(runner, listener)
        try:
            ready(gate.link)
            await wait()
        finally:
            service.close()
            await runner.cleanup()


async def _listening(runner: web.AppRunner, listener: socket.socket) -> asyncio.Server:
    server = runner.server
    if server is None:
        raise RuntimeError("the pages were not set up")
    loop = asyncio.get_running_loop()
    # No access log; a type checker does not know that None is how to say so.
    made = partial(_Connection, server, loop=loop, logger=_silent, access_log=None)  # type: ignore[arg-type]
    return await loop.create_server(made, sock=listener)


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise UsageError(f"port {port} cannot be had: {error.strerror}", "--port 0 takes a free one") from error
    return listener


def _guarded(gate: Gate) -> Middleware:
    pages = 0

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal pages
        status, why = gate.judge(request.method, request.path, request.headers, request.cookies)
        if status == 303:
            answer = web.Response(status=303, headers={**gate.headers, "Location": "/"})
            answer.set_cookie(gate.cookie_name, gate.cookie, httponly=True, samesite="Strict", path="/")
            return answer
        if status != 200:
            return web.Response(status=status, text=why + "\n", headers=gate.headers)
        if request.path != SOCKET:
            answer = await handler(request)
            answer.headers.update(gate.headers)
            return answer
        if pages >= MOST_PAGES:
            return web.Response(
                status=503, text=f"{pages} inspectors are open already; close one.\n", headers=gate.headers
            )
        pages += 1
        try:
            return await handler(request)
        finally:
            pages -= 1

    return guard
