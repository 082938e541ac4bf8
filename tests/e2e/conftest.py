"""The sandbox, the recording proxy and the replay, put together as the commands do it, for clients of any kind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest
from respool.cassettes.faults import Faults
from respool.cassettes.matching import Matching
from respool.cassettes.reader import Reader
from respool.cassettes.writer import Writer
from respool.proxy.pace import Pace
from respool.proxy.record import Recorder
from respool.proxy.replay import Replayer
from respool.proxy.sandbox.server import Sandbox, serve_sandbox
from respool.proxy.server import serve
from respool.proxy.upstream import Origin, Upstream


@dataclass
class Recording:
    """A recording proxy in service, in front of a sandbox. `url` has no base path."""

    url: str
    sandbox: Sandbox
    recorder: Recorder
    said: list[str] = field(default_factory=list)


@dataclass
class Replay:
    """A replay in service. Its sandbox is gone."""

    url: str
    replayer: Replayer
    said: list[str] = field(default_factory=list)


class Kept(NamedTuple):
    """A call as the cassette has it. `operation` is its number."""

    operation: int
    method: str
    target: bytes
    status: int
    body: bytes


class Stage:
    """`record` into a cassette, then `replay` it."""

    @staticmethod
    @asynccontextmanager
    async def record(path: Path, *, base: str = "/v1", **sandbox_options) -> AsyncIterator[Recording]:
        said: list[str] = []
        async with serve_sandbox(**sandbox_options) as sandbox:
            upstream = Upstream(Origin.parse(sandbox.url + base))
            with Writer.create(path, meta={"upstream": upstream.origin.url}) as writer:
                recorder = Recorder(upstream, writer, narrate=said.append)
                async with serve(recorder, name="record", narrate=said.append, drain=2) as listening:
                    yield Recording(listening.url, sandbox.sandbox, recorder, said)

    @staticmethod
    @asynccontextmanager
    async def replay(
        path: Path, *, pace: Pace | None = None, faults: Faults | None = None, **matching
    ) -> AsyncIterator[Replay]:
        said: list[str] = []
        with Reader.open(path) as reader:
            replayer = Replayer(reader, matching=Matching(**matching), pace=pace, faults=faults, narrate=said.append)
            async with serve(replayer, name="replay", narrate=said.append, drain=2) as listening:
                yield Replay(listening.url, replayer, said)

    @staticmethod
    def kept(path: Path) -> list[Kept]:
        """What a cassette holds, in order of arrival."""
        with Reader.open(path) as reader:
            calls = []
            for row in reader.rows():
                interaction = reader.interaction(row)
                request, response = interaction.request, interaction.response
                body = response.body.read() if response else b""
                calls.append(Kept(row.summary.operation, request.method, request.target, row.summary.status, body))
            return calls


@pytest.fixture(scope="session")
def stage() -> type[Stage]:
    return Stage
