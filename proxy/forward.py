"""One call on its way: the request to the upstream, the answer to the client as it comes, a copy of both to the passage."""

import asyncio
from typing import Protocol

from aiohttp import ClientError, web

from ..cassettes.errors import UpstreamError
from ..cassettes.interaction import End
from . import wire
from .answer import Answer, Stream, error_answer
from .incoming import ClientFault, body_at_hand, body_pieces, is_here
from .passage import Passage
from .redirects import own_location
from .replies import Head, Reply
from .upstream import Broken, Exchange, HungUp
from .ways import Way

HEAR_OUT_SECONDS = 2.0


class Keeping(Protocol):
    """What a forwarded call tells the recorder."""

    @property
    def stopping(self) -> bool: ...

    def store(self, passage: Passage | None, end: End) -> None: ...

    def failure(self, error: UpstreamError) -> None: ...

    def read_on(self, passage: Passage, exchange: Exchange) -> None: ...


class Forwarding:
    """One call being forwarded. `body` is the request's, where it has been read already."""

    def __init__(
        self,
        recorder: Keeping,
        upstream: Way,
        request: web.BaseRequest,
        passage: Passage | None,
        session: str,
        target: bytes,
        *,
        body: bytes | None = None,
    ) -> None:
        self._recorder = recorder
        self._upstream = upstream
        self._request = request
        self._passage = passage
        self._session = session
        self._target = target
        self._given = body
        self._exchange: Exchange | None = None
        self._stream = Stream(request)
        self._body: bytes | None = None
        self._sent = False
        self._fault: ClientFault | None = None
        self._chunked = wire.header_value(request.raw_headers, b"transfer-encoding") is not None

    async def run(self) -> Answer:
        request = self._request
        try:
            if self._given is not None or is_here(request):
                # Before dialling: a client may leave meanwhile.
                self._take(body_at_hand(request) if self._given is None else self._given)
                self._ended()
            try:
                self._exchange = await self._upstream.exchange(request.method)
            except UpstreamError:
                await self._read_rest()
                raise
            answer = await self._pass(self._exchange)
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
        if isinstance(error, HungUp):
            recorder.store(passage, End.PROXY_CUT)
            if self._stream.started:
                return self._stream.cut()
            return error_answer(503, error.message, "proxy_stopped", retry=True, keep_alive=False)
        if isinstance(error, ClientFault):
            recorder.store(passage, End.CLIENT_CUT)
            if self._stream.started:
                return self._stream.cut()
            return error.answer()
        if isinstance(error, Broken):
            error = UpstreamError(str(error))
        recorder.failure(error)
        if self._stream.started:
            recorder.store(passage, End.UPSTREAM_CUT)
            return self._stream.cut()
        message = error.message + (f": {error.hint}" if error.hint else "")
        answer = self._own_answer(502, message, "upstream_failed", retry=error.retry)
        recorder.store(passage, End.UPSTREAM_FAILED)
        return answer

    def leave(self) -> None:
        """The client has gone (or the proxy stops). The upstream call ends within a second, and what came is stored."""
        recorder, passage, exchange = self._recorder, self._passage, self._exchange
        if exchange is None or passage is None or recorder.stopping or not self._sent or passage.goes_on:
            recorder.store(passage, End.PROXY_CUT if recorder.stopping else End.CLIENT_CUT)
            if exchange is not None:
                exchange.release()
            return
        recorder.read_on(passage, exchange)

    async def _pass(self, exchange: Exchange) -> Answer:
        head = wire.write_head(
            b"%b %b HTTP/1.1" % (self._request.method.encode(), self._target), self._request_headers()
        )
        data = self._body
        if data is not None:
            await exchange.send(head + (wire.chunk(data) if self._chunked and data else data) + self._tail(), last=True)
            self._sent = True
            reply = await exchange.reply()
            answer = self._pass_on(reply) if reply is not None else await self._answer(exchange)
        else:
            await exchange.send(head, last=False)
            sender = asyncio.get_running_loop().create_task(self._send_body(exchange))
            try:
                answer = await self._answer(exchange)
            finally:
                sender.cancel()  # when the answer came before the whole request, the upstream does not want the rest
                await asyncio.wait([sender])
            if not sender.cancelled():
                sender.result()  # a fault of its own does not go unheard
        try:
            await self._hear_out()
        finally:
            self._recorder.store(self._passage, End.COMPLETE)  # the answer was whole, whatever the client does now
        return answer

    def _take(self, data: bytes) -> None:
        self._body = data
        if self._passage is not None and data:
            self._passage.take_request(data)

    def _ended(self) -> None:
        if self._passage is not None:
            self._passage.request_whole = True

    async def _hear_out(self) -> None:
        """After an early answer: hear the rest of the request for the recording, if it comes soon."""
        passage = self._passage
        if passage is None or passage.request_whole:
            return
        try:
            async with asyncio.timeout(HEAR_OUT_SECONDS):
                async for data in body_pieces(self._request, invite=False):
                    passage.take_request(data)
            passage.request_whole = True
        except (TimeoutError, ClientFault):
            return  # it is kept as a request that did not arrive whole

    def _tail(self) -> bytes:
        return wire.LAST_CHUNK if self._chunked else b""

    def _request_headers(self) -> list[tuple[bytes, bytes]]:
        """What goes upstream: the client's lines in order and spelling, with `Host` and the framing put right."""
        host = self._upstream.host
        # `Expect` is answered here, see incoming.body_pieces.
        leave_out = (b"expect", b"content-length") if self._chunked else (b"expect",)
        lines = wire.end_to_end(self._request.raw_headers, leave_out=leave_out)
        for place, (name, _) in enumerate(lines):
            if len(name) == 4 and name.lower() == b"host":
                lines[place] = (name, host)
                break
        else:
            lines.insert(0, (b"Host", host))
        if self._chunked:
            lines.append((b"Transfer-Encoding", b"chunked"))
        return lines

    async def _send_body(self, exchange: Exchange) -> None:
        try:
            async for data in body_pieces(self._request):
                if self._passage is not None:
                    self._passage.take_request(data)
                await exchange.send(wire.chunk(data) if self._chunked else data, last=False)
            self._ended()
            await exchange.send(self._tail(), last=True)
            self._sent = True
        except (Broken, HungUp):
            return  # the upstream took no more; what it says about that is on its way
        except ClientFault as fault:
            self._fault = fault
            exchange.release()  # ends the wait for an answer that cannot come

    async def _read_rest(self) -> None:
        """No upstream: the request is still read, so that the recording knows what was asked."""
        if self._body is None:
            async for data in body_pieces(self._request):
                if self._passage is not None:
                    self._passage.take_request(data)
            self._ended()

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
        stream.start(
            wire.status_line(head.status, head.reason), headers, body=body, length=length, hold=exchange.at_hand
        )
        async for piece in exchange.body():
            if passage is not None:
                passage.take_piece(piece)
            await stream.send(piece)
        return stream.finish()

    def _pass_on(self, reply: Reply) -> Answer:
        """Give the client an answer that came whole: one that is plain, with a length and a body."""
        head = reply.head
        if self._passage is not None:
            self._passage.take_head(head)
            if reply.body:
                self._passage.take_piece(reply.body)
        headers = self._location(wire.end_to_end(head.headers))
        return self._stream.send_whole(wire.status_line(head.status, head.reason), headers, reply.body)

    def _location(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """A redirect within the upstream leads back through the proxy; else its client would leave the recording."""
        if wire.header_value(headers, b"location") is None:
            return headers
        host = wire.header_value(self._request.raw_headers, b"host") or b""
        return own_location(headers, self._upstream.origin.root, host, self._session)

    def _own_answer(self, status: int, message: str, code: str, *, retry: bool) -> Answer:
        """An answer in the upstream's place, recorded as what the client got."""
        answer = error_answer(status, message, code, retry=retry, keep_alive=is_here(self._request))
        if self._passage is not None:
            first, _, body = answer.data.partition(b"\r\n\r\n")
            lines = [line.partition(b": ") for line in first.split(b"\r\n")[1:]]
            head = Head(status, b"", tuple((name, value) for name, _, value in lines))
            self._passage.take_head(head)
            self._passage.take_piece(body)
        return answer
