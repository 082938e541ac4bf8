"""Recording: the client's call goes to the upstream, the upstream's bytes go to the client at once, and a copy is kept.

Nothing is ever answered from the recording, so calls that reach the upstream are the calls that clients made. A failure
to write the recording never stops the proxying: it is said, and it shows in the exit status.
"""

import asyncio
from collections.abc import Callable

from aiohttp import ClientError, web
from aiohttp.http_exceptions import HttpProcessingError

from ..cassettes.errors import CassetteError, UpstreamError
from ..cassettes.interaction import End, Headers
from ..cassettes.writer import Writer
from . import wire
from .answer import Answer, OwnedTasks, Stream, error_answer
from .passage import Passage
from .redirects import own_location
from .upstream import Broken, Exchange, Head, Upstream

BODY_IDLE_SECONDS = 30.0
"""How long a client may be silent within a request body."""
READ_ON_SECONDS = 1.0
READ_ON_BYTES = 1 << 20
"""When a client leaves early, an answer that is nearly there is read on for the recording, up to these."""


class ClientFault(Exception):
    """The request body broke off or fell silent."""


class Recorder:
    """Handles calls in the modes `record` (with a writer) and `live` (without one)."""

    def __init__(self, upstream: Upstream, writer: Writer | None, *, narrate: Callable[[str], None]) -> None:
        self._upstream = upstream
        self._writer = writer
        self._narrate = narrate
        self._reading_on = OwnedTasks()
        self._open: set[Passage] = set()
        self._stopping = False
        self.calls = 0
        self.failures = 0
        self.failed: CassetteError | None = None

    async def handle(self, request: web.BaseRequest, session: str, target: bytes) -> Answer:
        self.calls += 1
        passage = None
        if self._writer is not None and self.failed is None:
            passage = Passage(self._writer, request, session, target)
            self._open.add(passage)
        call = _Call(self, request, passage, session, target)
        try:
            return await call.run(self._upstream)
        except asyncio.CancelledError:
            call.leave()
            raise

    async def stop(self, timeout: float) -> None:
        """Let what is being read on end, store what is still open as cut by the proxy, and hang up."""
        self._stopping = True
        await self._reading_on.settle(min(timeout, READ_ON_SECONDS))
        for passage in list(self._open):
            self.store(passage, End.PROXY_CUT)
        self._upstream.close()

    @property
    def stopping(self) -> bool:
        return self._stopping

    @property
    def origin(self) -> str:
        """The upstream's origin as it begins a `Location`."""
        return f"{self._upstream.origin.scheme}://{self._upstream.origin.authority}"

    def store(self, passage: Passage | None, end: End) -> None:
        if passage is None or passage not in self._open:
            return
        self._open.discard(passage)
        if self.failed is not None:
            return
        try:
            passage.store(end)
        except CassetteError as error:
            self.failed = error
            self._narrate(f"respool: THE RECORDING HAS STOPPED: {error.message}. {error.hint} Calls still go through.")

    def failure(self, error: UpstreamError) -> None:
        self.failures += 1
        if self._stopping:
            return  # the proxy hung up itself, and that is already being said
        self._narrate(f"respool: {error.message}" + (f" ({error.hint})" if error.hint else ""))

    def read_on(self, passage: Passage, exchange: Exchange) -> None:
        """The client has left: read an answer that is nearly there, in a task of the recorder's own."""
        self._reading_on.start(self._read_on(passage, exchange))

    async def _read_on(self, passage: Passage, exchange: Exchange) -> None:
        end = End.CLIENT_CUT
        try:
            async with asyncio.timeout(READ_ON_SECONDS):
                if passage.response_body is None:
                    passage.take_head(await exchange.head())
                if not passage.streams:
                    end = End.COMPLETE
                    async for piece in exchange.body():
                        passage.take_piece(piece)
                        if passage.response_body is not None and passage.response_body.size > READ_ON_BYTES:
                            end = End.CLIENT_CUT
                            break
        except (TimeoutError, asyncio.CancelledError):
            # Too far off, or the proxy stops: the client's leaving is what ended it either way.
            end = End.CLIENT_CUT
        except (Broken, UpstreamError):
            end = End.CLIENT_CUT
        finally:
            self.store(passage, end)
            exchange.release()


class _Call:
    """One call being forwarded."""

    def __init__(
        self, recorder: Recorder, request: web.BaseRequest, passage: Passage | None, session: str, target: bytes
    ) -> None:
        self._recorder = recorder
        self._request = request
        self._passage = passage
        self._session = session
        self._target = target
        self._exchange: Exchange | None = None
        self._stream = Stream(request)
        self._sent = False
        self._fault: ClientFault | None = None

    async def run(self, upstream: Upstream) -> Answer:
        request = self._request
        try:
            try:
                self._exchange = await upstream.exchange(request.method)
            except UpstreamError:
                await self._read_rest()
                raise
            answer = await self._pass(upstream, self._exchange)
        except (UpstreamError, Broken, ClientFault) as error:
            answer = self._fail(self._fault or error)
        except (ConnectionError, ClientError):
            # A write to the client failed: it has left, only aiohttp has not told us by a cancellation yet.
            self.leave()
            return self._stream.cut()
        if self._exchange is not None:
            self._exchange.release()
        return answer

    def _fail(self, error: UpstreamError | Broken | ClientFault) -> Answer:
        """Say whose fault it was, store what there is, and answer if nothing was answered yet."""
        recorder, passage = self._recorder, self._passage
        if isinstance(error, ClientFault):
            recorder.store(passage, End.CLIENT_CUT)
            return error_answer(408, str(error), "request_incomplete", keep_alive=False)
        if isinstance(error, Broken):
            error = UpstreamError(str(error))
        recorder.failure(error)
        if self._stream.started:
            recorder.store(passage, End.UPSTREAM_CUT)
            return self._stream.cut()
        answer = self._own_answer(502, error.message + (f": {error.hint}" if error.hint else ""), "upstream_failed")
        recorder.store(passage, End.UPSTREAM_FAILED)
        return answer

    def leave(self) -> None:
        """The client has gone (or the proxy stops). The upstream call ends within a second, and what came is stored."""
        recorder, passage, exchange = self._recorder, self._passage, self._exchange
        if exchange is None or passage is None or recorder.stopping or not self._sent or passage.streams:
            recorder.store(passage, End.PROXY_CUT if recorder.stopping else End.CLIENT_CUT)
            if exchange is not None:
                exchange.release()
            return
        recorder.read_on(passage, exchange)

    async def _pass(self, upstream: Upstream, exchange: Exchange) -> Answer:
        request, passage = self._request, self._passage
        head = wire.write_head(
            b"%b %b HTTP/1.1" % (request.method.encode(), self._target),
            self._request_headers(upstream.origin.authority),
        )
        content = request.content
        if content.is_eof():
            data = content.read_nowait() if not content.at_eof() else b""
            if passage is not None and data:
                passage.request_body.feed(data)
            await exchange.send(
                head + (wire.chunk(data) if self._chunked() and data else data) + self._tail(), last=True
            )
            self._sent = True
            return await self._answer(exchange)
        await exchange.send(head, last=False)
        sender = asyncio.get_running_loop().create_task(self._send_body(exchange))
        try:
            return await self._answer(exchange)
        finally:
            sender.cancel()  # when the answer came before the whole request, the rest is not wanted
            await asyncio.wait([sender])

    def _chunked(self) -> bool:
        return wire.header_value(self._request.raw_headers, b"transfer-encoding") is not None

    def _tail(self) -> bytes:
        return wire.LAST_CHUNK if self._chunked() else b""

    def _request_headers(self, authority: str) -> list[tuple[bytes, bytes]]:
        """What goes upstream: the client's lines in order and spelling, with `Host` and the framing put right."""
        headers: Headers = self._request.raw_headers
        leave_out = [b"expect"]  # answered here, see _send_body
        if self._chunked():
            leave_out.append(b"content-length")
        lines = [
            (name, authority.encode() if name.lower() == b"host" else value)
            for name, value in wire.end_to_end(headers, leave_out=leave_out)
        ]
        if self._chunked():
            lines.append((b"Transfer-Encoding", b"chunked"))
        if not any(name.lower() == b"host" for name, _ in lines):
            lines.insert(0, (b"Host", authority.encode()))
        return lines

    async def _body_pieces(self):
        """The request body as it arrives. Raises ClientFault."""
        content = self._request.content
        if wire.header_value(self._request.raw_headers, b"expect") and self._request.transport is not None:
            self._request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while True:
            try:
                async with asyncio.timeout(BODY_IDLE_SECONDS):
                    data = await content.readany()
            except TimeoutError:
                raise ClientFault(f"the request body stopped for {BODY_IDLE_SECONDS:.0f} s before its end") from None
            except (ClientError, HttpProcessingError, web.RequestPayloadError, ConnectionError):
                raise ClientFault("the request body broke off before its end") from None
            if not data:
                return
            if self._passage is not None:
                self._passage.request_body.feed(data)
            yield data

    async def _send_body(self, exchange: Exchange) -> None:
        try:
            async for data in self._body_pieces():
                await exchange.send(wire.chunk(data) if self._chunked() else data, last=False)
            await exchange.send(self._tail(), last=True)
            self._sent = True
        except Broken:
            return  # the upstream took no more; what it says about that is on its way
        except ClientFault as fault:
            self._fault = fault
            exchange.release()  # ends the wait for an answer that cannot come

    async def _read_rest(self) -> None:
        """No upstream: the request is still read, so that the recording knows what was asked."""
        if not self._request.content.at_eof():
            async for _ in self._body_pieces():
                pass

    async def _answer(self, exchange: Exchange) -> Answer:
        passage, stream = self._passage, self._stream
        head = await exchange.head()
        if passage is not None:
            passage.take_head(head)
        method = self._request.method
        body = wire.has_body(method, head.status)
        leave_out = (
            () if not body or not wire.header_value(head.headers, b"transfer-encoding") else (b"content-length",)
        )
        headers = self._location(wire.end_to_end(head.headers, leave_out=leave_out))
        length = any(name.lower() == b"content-length" for name, _ in headers)
        stream.start(wire.status_line(head.status, head.reason), headers, body=body, length=length)
        async for piece in exchange.body():
            if passage is not None:
                passage.take_piece(piece)
            await stream.send(piece)
        answer = stream.finish()
        self._recorder.store(passage, End.COMPLETE)
        return answer

    def _location(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """A redirect within the upstream leads back through the proxy; else its client would leave the recording."""
        host = wire.header_value(self._request.raw_headers, b"host") or b""
        return own_location(headers, self._recorder.origin, host, self._session)

    def _own_answer(self, status: int, message: str, code: str) -> Answer:
        """An answer in the upstream's place, recorded as what the client got."""
        answer = error_answer(status, message, code, retry=True, keep_alive=self._request.content.is_eof())
        if self._passage is not None:
            first, _, body = answer.data.partition(b"\r\n\r\n")
            lines = [line.partition(b": ") for line in first.split(b"\r\n")[1:]]
            head = Head(status, b"", tuple((name, value) for name, _, value in lines), closes=False)
            self._passage.take_head(head)
            self._passage.take_piece(body)
        return answer
