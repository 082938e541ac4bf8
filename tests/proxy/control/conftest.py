"""A recording or replaying proxy with its control API on a real socket, and blocking clients in threads."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from respool.cassettes.matching import Matching
from respool.cassettes.reader import Reader
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


@asynccontextmanager
async def controlled(mode, hub: Hub, where: str, said: list[str]) -> AsyncIterator[Controlled]:
    async with control(hub, where, 1, narrate=said.append) as address:
        async with serve(mode, name=hub.mode, narrate=said.append, allow_hosts=("p",), drain=1) as listening:
            hub.address = listening.url
            with Client(address) as client:
                yield Controlled(hub, listening.port, address, client, said)


@pytest.fixture
def recorded(tmp_path: Path):
    """A proxy that records what comes from an upstream; with `keep=False` it only forwards."""

    @asynccontextmanager
    async def begin(url: str, *, keep: bool = True, where: str = "") -> AsyncIterator[Controlled]:
        said: list[str] = []
        upstream = Upstream(Origin.parse(url))
        path = tmp_path / "live.cassette"
        writer = Writer.create(path, meta={"upstream": upstream.origin.url}) if keep else Memory()
        hub = Hub("record" if keep else "live", upstream=url, cassettes=(path,) if keep else ())
        recorder = Recorder(upstream, writer, narrate=said.append, hub=hub)
        async with controlled(recorder, hub, where or str(tmp_path / "c.sock"), said) as one:
            yield one
        if isinstance(writer, Writer):
            writer.close()

    return begin


@pytest.fixture
def replayed(tmp_path: Path):
    """A proxy that replays a cassette."""

    @asynccontextmanager
    async def begin(path: Path, *, pace: str = "instant", **matching) -> AsyncIterator[Controlled]:
        said: list[str] = []
        hub = Hub("replay", cassettes=(path,))
        with Reader.open(path) as reader:
            replayer = Replayer(
                reader, matching=Matching(**matching), pace=Pace.parse(pace), narrate=said.append, hub=hub
            )
            hub.director = replayer
            async with controlled(replayer, hub, str(tmp_path / "c.sock"), said) as one:
                yield one

    return begin


@pytest.fixture
def forwarding():
    """An upstream's script that answers with these bytes as JSON; a stream in these pieces, each when it is let."""

    def answering(body: bytes, *, kind: bytes = b"application/json", status: bytes = b"200 OK"):
        async def script(heard, writer):
            writer.write(
                b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (status, kind, len(body), body)
            )

        return script

    return answering


@pytest.fixture
def streaming():
    """An upstream's script that sends a stream of events: each piece once `go` was released for it."""

    def answering(pieces: list[bytes], go: asyncio.Semaphore):
        async def script(heard, writer):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in pieces:
                await go.acquire()
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                await writer.drain()
            writer.write(b"0\r\n\r\n")

        return script

    return answering
