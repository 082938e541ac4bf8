"""What a handler gives back to aiohttp's connection: bytes that are already a whole HTTP message.

aiohttp's own Response re-spells headers and adds `Date` and `Server`; an answer of the recording must not. An `Answer`
speaks the little protocol that aiohttp's `RequestHandler` expects of a response: `prepare`, `write_eof`, `keep_alive`.
"""

import asyncio
import json
from typing import TYPE_CHECKING

from aiohttp import web

from ..cassettes.interaction import Body, Response
from . import wire

if TYPE_CHECKING:
    from aiohttp.web_protocol import RequestHandler


class Answer:
    """A whole message to write (`data`), or the note that the handler has written it all (`data` empty)."""

    __slots__ = ("data", "keep_alive")

    def __init__(self, data: bytes = b"", *, keep_alive: bool = True) -> None:
        self.data = data
        self.keep_alive = keep_alive

    async def prepare(self, request: web.BaseRequest) -> None:
        if not self.data:
            return
        self.keep_alive = self.keep_alive and request.keep_alive  # a client that said `close` waits for the end
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client went away")
        # To HEAD, an answer of respool's own goes without its body, else it would be read as the next answer.
        transport.write(self.data if request.method != "HEAD" else self.data[: self.data.index(b"\r\n\r\n") + 4])
        if request.protocol.writing_paused:
            await drain(request.protocol)

    async def write_eof(self) -> None:
        return


CLIENT_SECONDS = 900.0
"""How long a client may take nothing of an answer: long enough for a debugger's breakpoint, but not for ever."""


async def drain(protocol: "RequestHandler") -> None:
    """Wait until the client has taken what was written. Raises ConnectionError when it has gone or takes nothing."""
    try:
        async with asyncio.timeout(CLIENT_SECONDS):
            # aiohttp's own back-pressure; its public face is StreamWriter, which adds a framing of its own.
            await protocol._drain_helper()
    except TimeoutError:
        raise ConnectionAbortedError(f"the client took nothing for {CLIENT_SECONDS:.0f} s") from None


def wants_close(request: web.BaseRequest) -> bool:
    return not request.keep_alive


def json_answer(
    status: int, body: bytes, *, headers: tuple[tuple[bytes, bytes], ...] = (), keep_alive: bool = True
) -> Answer:
    """An answer that respool gives itself."""
    lines = [(b"Content-Type", b"application/json"), *headers, (b"Content-Length", b"%d" % len(body))]
    if not keep_alive:
        lines.append((b"Connection", b"close"))
    return Answer(wire.write_head(wire.status_line(status), lines) + body, keep_alive=keep_alive)


def error_body(message: str, code: str | None, *, kind: str = "respool_error", param: str | None = None) -> bytes:
    """An error in the API's own shape, so that a client library shows its message."""
    return json.dumps({"error": {"message": message, "type": kind, "param": param, "code": code}}, indent=2).encode()


def error_answer(status: int, message: str, code: str, *, retry: bool = False, keep_alive: bool = True) -> Answer:
    """An error of respool's own. `retry` tells client libraries whether to try again (`x-should-retry`)."""
    return json_answer(
        status,
        error_body(message, code),
        headers=((b"X-Should-Retry", b"true" if retry else b"false"),),
        keep_alive=keep_alive,
    )


def response_of(answer: Answer) -> Response:
    """A whole answer as it would be recorded."""
    head, _, body = answer.data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    headers = tuple((name, value) for name, _, value in (line.partition(b": ") for line in lines))
    return Response(int(first.split(b" ", 2)[1]), b"", headers, Body.of(body))


class Stream:
    """Writes an answer piece by piece, each piece as soon as it is given.

    The framing is the recording's or the upstream's: a known length, chunks, or (for an HTTP/1.0 client, or when the
    length is unknown and chunks are not allowed) the end of the connection.
    """

    __slots__ = ("_chunked", "_held", "_protocol", "_request", "keep_alive", "started")

    def __init__(self, request: web.BaseRequest) -> None:
        self._request = request
        self._protocol = request.protocol
        self._chunked = False
        self._held: list[bytes] | None = None
        self.keep_alive = not wants_close(request)
        self.started = False

    def start(
        self,
        status_line: bytes,
        headers: list[tuple[bytes, bytes]],
        *,
        body: bool,
        length: bool,
        close: bool = False,
        hold: bool = False,
    ) -> None:
        """Write the head. `headers` are end-to-end lines; `length` says that they hold a Content-Length.

        With `hold` all is written at once by `finish`: for an answer whose whole body is at hand.
        """
        if body and not length:
            if self._request.version >= (1, 1):
                self._chunked = True
                headers.append((b"Transfer-Encoding", b"chunked"))
            else:
                self.keep_alive = False
        if close:
            self.keep_alive = False
        if not self.keep_alive:
            headers.append((b"Connection", b"close"))
        elif self._request.version < (1, 1):
            headers.append((b"Connection", b"keep-alive"))
        self.started = True
        self._held = [] if hold else None
        self._write(wire.write_head(status_line, headers))

    def send_whole(self, status_line: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> Answer:
        """Write an answer that is all there, in one piece. `headers` hold its Content-Length."""
        self.started = True
        if not self.keep_alive:
            headers.append((b"Connection", b"close"))
        elif self._request.version < (1, 1):
            headers.append((b"Connection", b"keep-alive"))
        self._write(wire.write_head(status_line, headers) + body)
        return Answer(keep_alive=self.keep_alive)

    def _write(self, data: bytes) -> None:
        if self._held is not None:
            self._held.append(data)
            return
        transport = self._protocol.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client went away")
        self._request.writer.output_size += len(data)  # so that no error answer is written behind what was sent
        transport.write(data)

    async def send(self, data: bytes) -> None:
        self._write(wire.chunk(data) if self._chunked else data)
        if self._held is None and self._protocol.writing_paused:
            await drain(self._protocol)

    def finish(self) -> Answer:
        """End the body properly."""
        if self._chunked:
            self._write(wire.LAST_CHUNK)
        self._release()
        return Answer(keep_alive=self.keep_alive)

    def _release(self) -> None:
        if self._held is not None:
            held, self._held = b"".join(self._held), None
            self._write(held)

    def cut(self) -> Answer:
        """Break off: the connection closes, and a chunked or counted body is seen to be short."""
        self.keep_alive = False
        transport = self._protocol.transport
        if transport is not None:
            if not transport.is_closing():
                self._release()
            transport.close()
        return Answer(keep_alive=False)


class OwnedTasks:
    """Tasks that outlive the call that began them, with an owner that waits for each of them.

    The owner calls `settle` before it goes; what is not done by then is cancelled and awaited.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, coroutine: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self, timeout: float) -> None:
        """Give the tasks `timeout` seconds, then cancel them; return when all have ended."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=timeout)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
