"""A recording or replaying proxy with its control API on a real socket, an upstream that does what a test says, and callers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from respool.cassettes.faults import Faults
from respool.cassettes.matching import Matching
from respool.cassettes.reader import Reader
from respool.cassettes.secrets.policy import PLAIN, Policy
from respool.cassettes.writer import Writer
from respool.proxy.control.client import Client
from respool.proxy.control.hub import Hub
from respool.proxy.control.memory import Memory
from respool.proxy.control.server import control
from respool.proxy.pace import Pace
from respool.proxy.record import Recorder
from respool.proxy.replay import Replayer
from respool.proxy.server import serve
from respool.proxy.upstream import Origin, Upstream


@dataclass
class Controlled:
    """`ask` runs a blocking call of the client in a thread."""

    hub: Hub
    port: int
    address: str
    client: Client
    said: list[str]

    async def ask(self, call: Callable, *arguments):
        return await asyncio.to_thread(call, *arguments)

    async def until(self, seen: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not seen():
                await asyncio.sleep(0.01)

    async def call(self, method: str, target: str, body: bytes = b"", *headers: str) -> bytes:
        """Make a call at the data port, on a connection of its own; returns the whole answer."""
        lines = [f"{method} {target} HTTP/1.1", "Host: p", f"Content-Length: {len(body)}", *headers]
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode() + body)
            async with asyncio.timeout(20):
                return await reader.read(-1)
        finally:
            writer.close()


@asynccontextmanager
async def controlled(mode, hub: Hub, where: str, said: list[str]) -> AsyncIterator[Controlled]:
    async with control(hub, where, 1, narrate=said.append) as address:
        async with serve(mode, name=hub.mode, narrate=said.append, allow_hosts=("p",), drain=1) as listening:
            hub.address = listening.url
            with Client(address) as client:
                yield Controlled(hub, listening.port, address, client, said)


@asynccontextmanager
async def recorded(
    tmp_path: Path, url: str, *, keep: bool = True, where: str = "", name: str = "live.cassette", policy: Policy = PLAIN
) -> AsyncIterator[Controlled]:
    """A proxy that records what comes from an upstream; without `keep` it only forwards."""
    said: list[str] = []
    upstream = Upstream(Origin.parse(url))
    path = tmp_path / name
    writer = Writer.create(path, meta={"upstream": upstream.origin.url, **policy.note()}) if keep else Memory()
    hub = Hub("record" if keep else "live", upstream=url, cassettes=(path,) if keep else ())
    recorder = Recorder(upstream, writer, narrate=said.append, hub=hub)
    async with controlled(recorder, hub, where or str(tmp_path / "c.sock"), said) as one:
        yield one
    if isinstance(writer, Writer):
        writer.close()


@asynccontextmanager
async def replayed(
    tmp_path: Path, path: Path, *, pace: str = "instant", faults: Faults | None = None, **matching
) -> AsyncIterator[Controlled]:
    """A proxy that replays a cassette."""
    said: list[str] = []
    hub = Hub("replay", cassettes=(path,))
    with Reader.open(path) as reader:
        replayer = Replayer(
            reader,
            matching=Matching(**matching),
            pace=Pace.parse(pace),
            faults=faults,
            narrate=said.append,
            hub=hub,
        )
        hub.director = replayer
        async with controlled(replayer, hub, str(tmp_path / "c.sock"), said) as one:
            yield one


Script = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def upstream(script: Script) -> AsyncIterator[str]:
    """The URL of a server that lets `script` answer each request, of which it gets the head and the body."""
    tasks: set[asyncio.Task] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
                body = await reader.readexactly(int(fields.get(b"content-length", 0)))
                await script(head + body, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


def answering(body: bytes, *, kind: bytes = b"application/json", status: bytes = b"200 OK") -> Script:
    """A script that answers with these bytes."""

    async def script(asked: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (status, kind, len(body), body)
        )

    return script


def streaming(pieces: list[bytes], go: asyncio.Semaphore) -> Script:
    """A script that sends a stream of events, each piece once `go` was released for it."""

    async def script(asked: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in pieces:
            await go.acquire()
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    return script
