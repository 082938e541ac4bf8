"""Upstreams that do exactly what a test says, and a proxy in front of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from respool.cassettes.interaction import Body, Interaction
from respool.cassettes.matching import Matching
from respool.cassettes.reader import Reader
from respool.cassettes.writer import Writer
from respool.proxy.pace import Pace
from respool.proxy.record import Recorder
from respool.proxy.replay import Replayer
from respool.proxy.server import Listening, serve
from respool.proxy.upstream import Origin, Upstream

Script = Callable[["Heard", asyncio.StreamWriter], Awaitable[None]]


NAMES = ("p", "proxy", "127.0.0.1")
"""What raw requests of tests may call the proxy, with no port. What is refused is for the tests of the doors."""


class Heard:
    """One request as the upstream got it, byte for byte."""

    def __init__(self, head: bytes, body: bytes, reader: asyncio.StreamReader) -> None:
        self.head = head
        self.body = body
        self.reader = reader

    @property
    def line(self) -> bytes:
        return self.head.split(b"\r\n", 1)[0]

    @property
    def headers(self) -> list[bytes]:
        return self.head.split(b"\r\n")[1:-2]


class RawUpstream:
    """A server on a free port that reads requests and lets `script` write whatever it likes."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.heard: list[Heard] = []
        self.connections = 0
        self.gone = asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await self._body(head, reader)
                heard = Heard(head, body, reader)
                self.heard.append(heard)
                await self.script(heard, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            self.gone.set()
        finally:
            writer.close()

    async def _body(self, head: bytes, reader: asyncio.StreamReader) -> bytes:
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        if fields.get(b"transfer-encoding") == b"chunked":
            body = b""
            while size := int((await reader.readline()).strip(), 16):
                body += await reader.readexactly(size)
                await reader.readexactly(2)
            await reader.readline()
            return body
        return await reader.readexactly(int(fields.get(b"content-length", 0)))


@asynccontextmanager
async def raw_upstream(script: Script, *, kind: type[RawUpstream] = RawUpstream) -> AsyncIterator[RawUpstream]:
    upstream = kind(script)
    server = await asyncio.start_server(upstream.connected, "127.0.0.1", 0)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        for task in upstream.tasks:
            task.cancel()
        if upstream.tasks:
            await asyncio.wait(upstream.tasks)


class Recording:
    """A recording proxy in service; `stored()` closes it and reads what it kept."""

    def __init__(self, path: Path, recorder: Recorder, listening: Listening, said: list[str]) -> None:
        self.path = path
        self.recorder = recorder
        self.url = listening.url
        self.port = listening.port
        self.said = said


@asynccontextmanager
async def recording(upstream_url: str, path: Path) -> AsyncIterator[Recording]:
    said: list[str] = []
    upstream = Upstream(Origin.parse(upstream_url))
    writer = Writer.create(path, meta={"upstream": upstream.origin.url})
    recorder = Recorder(upstream, writer, narrate=said.append)
    async with serve(recorder, name="record", narrate=said.append, allow_hosts=NAMES, drain=1) as listening:
        yield Recording(path, recorder, listening, said)
    if recorder.failed is None:
        writer.close()
    else:
        writer.abandon()


@asynccontextmanager
async def replaying(path: Path, *, pace: Pace | None = None, **matching) -> AsyncIterator[Recording]:
    said: list[str] = []
    with Reader.open(path) as reader:
        replayer = Replayer(reader, matching=Matching(**matching), pace=pace, narrate=said.append)
        async with serve(replayer, name="replay", narrate=said.append, allow_hosts=NAMES, drain=1) as listening:
            yield Recording(path, replayer, listening, said)


def interactions(path: Path) -> list[Interaction]:
    with Reader.open(path) as reader:
        kept = [reader.interaction(row) for row in reader.rows()]
        return [held(interaction) for interaction in kept]


def held(interaction: Interaction) -> Interaction:
    """The same interaction with small bodies in memory, so that it outlives its reader."""
    response = interaction.response
    if response is not None and response.body.length < 1 << 20:
        response = replace(response, body=Body.of(response.body.read()))
    return replace(interaction, response=response)


async def raw_call(port: int, data: bytes, *, timeout: float = 10) -> bytes:
    """Send bytes, close our side's writing never, read until the server closes or a whole counted answer is there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        async with asyncio.timeout(timeout):
            return await reader.read(-1)
    finally:
        writer.close()


class Proxies:
    """The builders above, for tests to take as one fixture."""

    RawUpstream = RawUpstream
    raw_upstream = staticmethod(raw_upstream)
    recording = staticmethod(recording)
    reading = staticmethod(Reader.open)
    replaying = staticmethod(replaying)
    interactions = staticmethod(interactions)
    raw_call = staticmethod(raw_call)


@pytest.fixture
def proxies() -> type[Proxies]:
    return Proxies
