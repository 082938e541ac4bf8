"""What respool is measured against, and the upstream that recorders forward to: each a server of a few lines.

`python benchmarks/references.py KIND [options]` serves on a free port of 127.0.0.1, prints its URL on stdout, and ends at
SIGTERM or when stdin does. All run on uvloop.

`constant`: aiohttp's low-level server, always the same answer. `stream`: the same, a chunked answer of many pieces.
`forward`: aiohttp's server and client, the plain way to write a proxy. `upstream`: a bare asyncio protocol, always the same
answer.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable

import uvloop
from aiohttp import ClientSession, DummyCookieJar, TCPConnector, web

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_HEAD = (
    b"HTTP/1.1 200 OK\r\nDate: Mon, 02 Mar 2026 09:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    b"openai-version: 2020-10-01\r\nopenai-organization: parcel-and-sons\r\nopenai-processing-ms: 103\r\n"
    b"x-request-id: req_141e6049e71f4b0db30241a835d577c0\r\nstrict-transport-security: max-age=31536000\r\n"
    b"cf-cache-status: DYNAMIC\r\nX-Content-Type-Options: nosniff\r\nServer: cloudflare\r\n\r\n"
)


def body_of(length: int) -> bytes:
    """A JSON object of exactly this many bytes (20 at least)."""
    return b'{"text": "' + b"x" * (length - 12) + b'"}'


def constant(length: int) -> Handler:
    body = body_of(length)

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        return web.Response(body=body, content_type="application/json")

    return handle


def stream(length: int, pieces: int) -> Handler:
    piece = body_of(max(20, length // pieces))

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for _ in range(pieces):
            await response.write(piece)
        await response.write_eof()
        return response

    return handle


def forward(session: ClientSession, upstream: str) -> Handler:
    own = frozenset({"host", "connection", "transfer-encoding", "content-length"})

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in own]
        async with session.request(
            request.method, upstream + request.path_qs, headers=headers, data=await request.read() or None
        ) as answer:
            body = await answer.read()
            kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in own]
            return web.Response(status=answer.status, reason=answer.reason, headers=kept, body=body)

    return handle


class Upstream(asyncio.Protocol):
    """Counts off requests that have a known length, and answers each with the same bytes."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a TCP connection's transport is one

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end].lower()
            at = head.find(b"\r\ncontent-length:")
            length = int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._held) < end + 4 + length:
                return
            self._held = self._held[end + 4 + length :]
            if self._transport is not None:
                self._transport.write(self._answer)


async def serve(chosen: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    loop.add_reader(sys.stdin.fileno(), stopped.set)  # nothing is ever sent there: readable means that it ended
    connector = TCPConnector(limit=0, loop=loop)
    session = ClientSession(connector=connector, auto_decompress=False, cookie_jar=DummyCookieJar())
    handlers: dict[str, Callable[[], Handler]] = {
        "constant": lambda: constant(chosen.length),
        "stream": lambda: stream(chosen.length, chosen.pieces),
        "forward": lambda: forward(session, chosen.upstream),
    }
    if chosen.kind == "upstream":
        answer = _HEAD % chosen.length + body_of(chosen.length)
        listener = await loop.create_server(lambda: Upstream(answer), "127.0.0.1", 0, backlog=1024)
    else:
        server = web.Server(handlers[chosen.kind](), access_log=None)
        listener = await loop.create_server(server, "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}", flush=True)
    await stopped.wait()
    listener.close()
    await session.close()


def main() -> int:
    parser = argparse.ArgumentParser(description="Serve one of the references.")
    parser.add_argument("kind", choices=["constant", "stream", "forward", "upstream"])
    parser.add_argument("--length", type=int, default=1200, help="bytes of the answer's body")
    parser.add_argument("--pieces", type=int, default=40, help="pieces of a streamed answer")
    parser.add_argument("--upstream", default="", help="where `forward` forwards to")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
