"""The serving commands themselves: what is opened, in which order it is closed, and what is said at the end."""

import argparse
import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from .. import __version__
from ..cassettes.errors import CassetteError
from ..cassettes.reader import Reader
from ..cassettes.writer import Writer
from ..proxy.pace import Pace
from ..proxy.record import Recorder
from ..proxy.replay import Replayer
from ..proxy.server import DRAIN_SECONDS, Mode, listen, serve
from ..proxy.upstream import Origin, Upstream
from .loop import Stop
from .running import narrate, ready


def size(count: int) -> str:
    """Bytes as people read them."""
    if count < 10_000:
        return f"{count} bytes"
    return f"{count / 1e3:,.0f} kB" if count < 10_000_000 else f"{count / 1e6:,.1f} MB"


def times(count: int, noun: str, plural: str = "") -> str:
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


class Stopped(Exception):
    """A signal came before the server was ready."""


async def _unless_stopped(stop: Stop, work: Coroutine[Any, Any, None]) -> None:
    """Do the work, or raise Stopped as soon as a signal comes."""
    loop = asyncio.get_running_loop()
    doing, waiting = loop.create_task(work), loop.create_task(stop.wait())
    try:
        await asyncio.wait([doing, waiting], return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise Stopped
        doing.result()
    finally:
        doing.cancel()
        waiting.cancel()
        await asyncio.wait([doing, waiting])


@asynccontextmanager
async def upstream_of(url: str, stop: Stop) -> AsyncIterator[Upstream]:
    """The upstream that the user named, found to be there. Raises UpstreamError when it is not, Stopped at a signal."""
    async with AsyncExitStack() as stack:
        if url == "sandbox":
            from ..proxy.sandbox.server import serve_sandbox

            running = await stack.enter_async_context(serve_sandbox())
            url = running.url + "/v1"
        upstream = Upstream(Origin.parse(url))
        stack.callback(upstream.close)
        await _unless_stopped(stop, upstream.check())
        yield upstream


async def _serve(mode: Mode, name: str, base: str, listener: socket.socket, stop: Stop) -> None:
    """Serve until a signal comes, then drain; a second signal ends the draining."""
    async with serve(mode, name=name, listener=listener, narrate=narrate, hurry=stop.hurry) as listening:
        gc.freeze()  # what was loaded by now stays: the collector need not look at it again and again
        ready(listening.url + base)
        await stop.wait()
        if listening.running():
            narrate(f"respool: waiting up to {DRAIN_SECONDS:.0f} s for running calls; a second signal cuts them")


async def record(arguments: argparse.Namespace, stop: Stop) -> int:
    path = arguments.cassette
    # The port and the upstream first: nothing is begun, and nothing replaced, for a recording that cannot be.
    with listen(arguments.host, arguments.port) as listener:
        try:
            async with upstream_of(arguments.upstream, stop) as upstream:
                return await _record(arguments, path, upstream, listener, stop)
        except Stopped:
            return 0


async def _record(
    arguments: argparse.Namespace, path: Path, upstream: Upstream, listener: socket.socket, stop: Stop
) -> int:
    writer = _writer(arguments, path, upstream)
    recorder = Recorder(upstream, writer, narrate=narrate)
    before = writer.count
    try:
        await _serve(recorder, "record", upstream.origin.base, listener, stop)
    finally:
        # Whatever ended the serving, what was recorded is kept; where nothing was, nothing is left behind.
        if recorder.failed is not None:
            writer.abandon()
        elif writer.count == before:
            writer.discard()
        else:
            await asyncio.to_thread(writer.close)
    return _told(recorder, writer, writer.count - before)


def _writer(arguments: argparse.Namespace, path: Path, upstream: Upstream) -> Writer:
    if arguments.append and path.exists():
        writer = Writer.append_to(path)
        _warn_of_another_upstream(path, upstream)
        return writer
    meta = {"created_by": f"respool {__version__}", "upstream": upstream.origin.url}
    return Writer.create(path, meta=meta, overwrite=arguments.overwrite)


def _told(recorder: Recorder, writer: Writer, added: int) -> int:
    """Say how a recording ended; returns the exit status."""
    if recorder.failed is not None:
        narrate(f"respool: the recording is not whole: {recorder.failed.message}")
        narrate(f"  the {times(added, 'call')} before that are kept; {recorder.failed.hint}".rstrip("; "))
        return CassetteError.exit_status
    if not added and not recorder.lost:
        narrate("respool: no calls came, so no cassette was written")
        return 0
    narrate(f"respool: recorded {times(added, 'call')} to {writer.path} ({size(writer.bytes_written)} written)")
    if recorder.failures:
        narrate(f"respool: {times(recorder.failures, 'call')} failed at the upstream, and are recorded as failed")
    if recorder.lost:
        narrate(f"respool: {times(recorder.lost, 'call')} could not be recorded, see above")
        return CassetteError.exit_status
    return 0


def _warn_of_another_upstream(path: Path, upstream: Upstream) -> None:
    with Reader.open(path) as reader:
        before = reader.meta.get("upstream")
    if isinstance(before, str) and before != upstream.origin.url:
        narrate(f"respool: {path} was recorded from {before}; what is added now comes from {upstream.origin.url}")


async def live(arguments: argparse.Namespace, stop: Stop) -> int:
    with listen(arguments.host, arguments.port) as listener:
        try:
            async with upstream_of(arguments.upstream, stop) as upstream:
                recorder = Recorder(upstream, None, narrate=narrate)
                await _serve(recorder, "live", upstream.origin.base, listener, stop)
        except Stopped:
            return 0
    narrate(f"respool: forwarded {times(recorder.calls, 'call')}; nothing was kept")
    return 0


async def replay(arguments: argparse.Namespace, stop: Stop) -> int:
    pace = Pace.parse(arguments.pace)
    with Reader.open(arguments.cassette) as reader, listen(arguments.host, arguments.port) as listener:
        if not reader.sealed:
            narrate(
                f"respool: {arguments.cassette} was not closed cleanly; its {times(len(reader), 'whole call')} are served"
            )
        replayer = Replayer(reader, polls=arguments.polls, pace=pace, strict=arguments.strict, narrate=narrate)
        await _serve(replayer, "replay", replayer.base, listener, stop)
        answered = times(replayer.calls - replayer.misses - replayer.damaged, "call")
        said = f"respool: replayed {answered} in {times(len(replayer.sessions), 'session')}"
        if replayer.inexact:
            said += f", {replayer.inexact} of them ahead of their place"
        said += f"; {times(replayer.misses, 'miss', 'misses')}" if replayer.misses else "; no misses"
        if replayer.damaged:
            narrate(f"{said}; {times(replayer.damaged, 'call')} not answered, because the cassette is damaged")
            return CassetteError.exit_status
        narrate(said)
    return 1 if replayer.misses else 0


async def sandbox(arguments: argparse.Namespace, stop: Stop) -> int:
    from ..proxy.sandbox.rules import read_rules
    from ..proxy.sandbox.server import serve_sandbox

    file = read_rules(arguments.script) if arguments.script else None
    async with serve_sandbox(
        host=arguments.host,
        port=arguments.port,
        seed=arguments.seed,
        latency=arguments.latency / 1000,
        rules=file.rules if file else (),
        script=file.script if file else None,
    ) as served:
        ready(served.url + "/v1")
        await stop.wait()
    narrate(f"respool: the sandbox answered {served.sandbox.calls:,} calls and forgets them")
    return 0
