"""The serving commands themselves: what is opened, in which order it is closed, and what is said at the end."""

import argparse
import asyncio
import gc
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from .. import __version__
from ..cassettes.amounts import are, counted, size
from ..cassettes.errors import CassetteError, RespoolError
from ..cassettes.faults import Faults
from ..cassettes.matching import Matching
from ..cassettes.reader import Reader
from ..cassettes.rekeyed import Progress
from ..cassettes.rules import Rules
from ..cassettes.settings import as_toml, notes_of, settings_for
from ..cassettes.storage import keep_partial
from ..cassettes.writer import Writer
from ..proxy.pace import Pace
from ..proxy.prepared import CACHE_BYTES
from ..proxy.record import Recorder
from ..proxy.replay import Replayer
from ..proxy.server import DRAIN_SECONDS, Mode, listen, serve
from ..proxy.upstream import Origin, Upstream
from .loop import Stop
from .running import narrate, ready

PACKED_FROM, PACKED_TO = 4 << 20, 64 << 20
"""Bytes of a recording from which on it is packed when it ends, and up to which that takes a few seconds at most."""


class Stopped(RespoolError):
    """A signal came before the server, or a cassette of it, was ready."""

    exit_status = 0


async def unless_stopped(stop: Stop, work: Coroutine[Any, Any, None]) -> None:
    """Do the work, or raise Stopped as soon as a signal comes."""
    loop = asyncio.get_running_loop()
    doing, waiting = loop.create_task(work), loop.create_task(stop.wait())
    try:
        await asyncio.wait([doing, waiting], return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise Stopped("respool is stopping")
        doing.result()
    finally:
        doing.cancel()
        waiting.cancel()
        await asyncio.wait([doing, waiting])


@asynccontextmanager
async def upstream_of(url: str, stop: Stop, *, check: bool = True) -> AsyncIterator[Upstream]:
    """The upstream that the user named, found to be there. Raises UpstreamError when it is not, Stopped at a signal.

    Without `check` it may not be there: it is only dialled when it is needed.
    """
    async with AsyncExitStack() as stack:
        if url == "sandbox":
            from ..proxy.sandbox.server import serve_sandbox

            running = await stack.enter_async_context(serve_sandbox())
            url = running.url + "/v1"
        upstream = Upstream(Origin.parse(url))
        stack.callback(upstream.close)
        if check:
            await unless_stopped(stop, upstream.check())
        yield upstream


async def serve_until_stopped(
    mode: Mode, name: str, base: str, listener: socket.socket, stop: Stop, *, names: Sequence[str]
) -> None:
    """Serve until a signal comes, then drain; a second signal ends the draining. `names`: what `--allow-host` said."""
    async with serve(
        mode, name=name, listener=listener, narrate=narrate, allow_hosts=names, hurry=stop.hurry
    ) as listening:
        if not ip_address(listening.host.partition("%")[0]).is_loopback:
            narrate(
                f"respool: {listening.host} is not this machine alone: everybody who reaches port {listening.port} can use it"
            )
        gc.freeze()  # what was loaded by now stays: the collector need not look at it again and again
        ready(listening.url + base)
        await stop.wait()
        if listening.running():
            narrate(f"respool: waiting up to {DRAIN_SECONDS:.0f} s for running calls; a second signal cuts them")


async def record(arguments: argparse.Namespace, stop: Stop) -> int:
    path = arguments.cassette
    check_rules(arguments, path)
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
        await serve_until_stopped(recorder, "record", upstream.origin.base, listener, stop, names=arguments.allow_host)
    finally:
        # Whatever ended the serving, what was recorded is kept; where nothing was, nothing is left behind.
        if recorder.failed is not None:
            writer.abandon()
        elif writer.count == before:
            writer.discard()
        else:
            await asyncio.to_thread(writer.close)
    status = _told(recorder, writer, writer.count - before)
    if status == 0 and writer.bytes_written >= PACKED_FROM:
        await asyncio.to_thread(_pack, path, stop)
    return status


def _pack(path: Path, stop: Stop) -> None:
    """Make a finished cassette small, unless that would keep the user waiting: a second signal leaves it as it is."""
    from ..cassettes.packing import pack_in_place

    def hurried(*_: int) -> None:
        if stop.hurry.is_set():
            raise Stopped("respool is stopping")

    try:
        if path.stat().st_size > PACKED_TO:
            narrate(f"respool: `respool pack {path}` makes it some ten times smaller")
            return
        before, after = pack_in_place(path, progress=hurried)
        narrate(f"respool: packed it from {size(before)} to {size(after)}")
    except (RespoolError, OSError) as error:
        narrate(f"respool: it is left unpacked: {error}")


def _writer(arguments: argparse.Namespace, path: Path, upstream: Upstream) -> Writer:
    if arguments.append and path.exists():
        writer = Writer.append_to(path, durable=arguments.durable)
        if writer.warning:
            narrate(f"respool: {writer.warning}")
        with Reader.open(path) as reader:
            _warn_of_another_upstream(reader, upstream)
            _warn_of_new_rules(arguments, reader)
        return writer
    if getattr(arguments, "mode", "") == "auto" and os.path.lexists(path.with_name(path.name + ".partial")):
        narrate(f"respool: an interrupted recording is kept as {keep_partial(path)}")
    meta = meta_of(arguments, path, upstream.origin)
    return Writer.create(path, meta=meta, overwrite=arguments.overwrite, durable=arguments.durable)


def meta_of(arguments: argparse.Namespace, path: Path, origin: Origin) -> dict[str, Any]:
    """What opens a new cassette; the rules are among it, wherever they were found, so that they go where it goes."""
    rules = rules_of(arguments, path)
    return {"created_by": f"respool {__version__}", "upstream": origin.url, **notes_of(rules)}


def check_rules(arguments: argparse.Namespace, path: Path | None) -> None:
    """Raises UsageError where a rule for a new cassette, or a file with rules, cannot be used."""
    settings_for(path, ignore=arguments.ignore, match_headers=arguments.match_header)


def _told(recorder: Recorder, writer: Writer, added: int) -> int:
    """Say how a recording ended; returns the exit status."""
    if recorder.failed is not None:
        narrate(f"respool: the recording is not whole: {recorder.failed.message}")
        narrate(f"  the {counted(added, 'call')} before that {are(added)} kept; {recorder.failed.hint}".rstrip("; "))
        return CassetteError.exit_status
    if not added and not recorder.lost:
        appended = writer.count > 0
        narrate(
            f"respool: no calls came, so {f'nothing was added to {writer.path}' if appended else 'no cassette was written'}"
        )
        return 0
    narrate(f"respool: recorded {counted(added, 'call')} to {writer.path} ({size(writer.bytes_written)} written)")
    if recorder.failures:
        narrate(f"respool: {failed_upstream(recorder.failures)}")
    if recorder.cut:
        narrate(f"respool: {cut_here(recorder.cut)}")
    if recorder.lost:
        narrate(f"respool: {counted(recorder.lost, 'call')} could not be recorded, see above")
        return CassetteError.exit_status
    return 0


def failed_upstream(calls: int) -> str:
    return f"{counted(calls, 'call')} failed at the upstream, and {are(calls)} recorded as failed"


def cut_here(calls: int) -> str:
    ran = "was" if calls == 1 else "were"
    return f"{counted(calls, 'call')} {ran} still running when respool was stopped, and {are(calls)} recorded as cut"


def _warn_of_another_upstream(reader: Reader, upstream: Upstream) -> None:
    before = reader.meta.get("upstream")
    if isinstance(before, str) and before != upstream.origin.url:
        narrate(
            f"respool: {reader.path} was recorded from {before}; what is added now comes from {upstream.origin.url}"
        )


def _warn_of_new_rules(arguments: argparse.Namespace, reader: Reader) -> None:
    """The notes of a cassette stand at its head and are never written again."""
    new = settings_for(
        reader.path, ignore=arguments.ignore, match_headers=arguments.match_header, notes=reader.meta
    ).left_behind
    if new:
        narrate(
            f"respool: {reader.path} cannot be given rules any more; for a replay to have them, write into "
            f"{reader.path.name}.toml beside it: {as_toml(new)}"
        )


def progress(total: int, stop: Stop) -> Progress:
    """Says how far the rules are applied, every two seconds: most cassettes are done before the first time.

    It raises Stopped when a signal came meanwhile.
    """
    due = time.monotonic() + 2

    def report(done: int) -> None:
        nonlocal due
        if stop.has_come:
            raise Stopped("respool is stopping, and applies no more rules")
        if time.monotonic() >= due:
            due = time.monotonic() + 2
            narrate(f"respool: applying the rules: {done:,} of {counted(total, 'call')} looked at")

    return report


async def live(arguments: argparse.Namespace, stop: Stop) -> int:
    with listen(arguments.host, arguments.port) as listener:
        try:
            async with upstream_of(arguments.upstream, stop) as upstream:
                recorder = Recorder(upstream, None, narrate=narrate)
                await serve_until_stopped(
                    recorder, "live", upstream.origin.base, listener, stop, names=arguments.allow_host
                )
        except Stopped:
            return 0
    narrate(f"respool: forwarded {counted(recorder.calls, 'call')}; nothing was kept")
    return 0


def rules_of(arguments: argparse.Namespace, path: Path, notes: Mapping[str, Any] | None = None) -> Rules:
    """The rules for a cassette, said on stderr: the command line's, its own (`notes`), and those that stand beside it."""
    settings = settings_for(path, ignore=arguments.ignore, match_headers=arguments.match_header, notes=notes)
    if settings.rules:
        narrate(f"respool: {settings}")
    return settings.rules


def matching_of(arguments: argparse.Namespace, reader: Reader) -> Matching:
    """The settings of one cassette."""
    return Matching(
        polls=arguments.polls,
        strict=arguments.strict,
        rules=rules_of(arguments, reader.path, reader.meta),
        late_binding=not arguments.no_late_binding,
    )


def faults_of(arguments: argparse.Namespace) -> Faults | None:
    """The faults of the command line, counted together for all cassettes of a folder."""
    return Faults(arguments.fault, seed=arguments.fault_seed) if arguments.fault else None


def replayer_factory(
    arguments: argparse.Namespace, stop: Stop, *, faults: Faults | None = None, cache: int = CACHE_BYTES
) -> Callable[[Reader], Replayer]:
    """What makes the replayer of a cassette, with all that the command line says; each replay is made by it.

    With rules it reads the whole cassette: call it in a thread. It raises Stopped at a signal.
    """
    pace = Pace.parse(arguments.pace)

    def make(reader: Reader) -> Replayer:
        return Replayer(
            reader,
            matching=matching_of(arguments, reader),
            pace=pace,
            faults=faults,
            idle=arguments.session_idle,
            cache=cache,
            narrate=narrate,
            progress=progress(len(reader), stop),
        )

    return make


async def replay(arguments: argparse.Namespace, stop: Stop) -> int:
    make = replayer_factory(arguments, stop, faults=faults_of(arguments))
    with Reader.open(arguments.cassette) as reader, listen(arguments.host, arguments.port) as listener:
        if reader.warning:
            narrate(f"respool: {reader.warning}")
        try:
            replayer = await asyncio.to_thread(make, reader)
        except Stopped:
            return 0
        await serve_until_stopped(replayer, "replay", replayer.base, listener, stop, names=arguments.allow_host)
        answered = counted(replayer.calls - replayer.misses - replayer.damaged - replayer.refused, "call")
        said = f"respool: replayed {answered} in {counted(replayer.sessions_made, 'session')}"
        if replayer.inexact:
            said += f", {replayer.inexact} of them ahead of their place"
        said += f"; {counted(replayer.misses, 'miss', 'misses')}" if replayer.misses else "; no misses"
        if replayer.faults is not None:
            narrate(f"respool: {injected(replayer.faults)}")
        if replayer.damaged:
            narrate(f"{said}; {counted(replayer.damaged, 'call')} not answered, because the cassette is damaged")
            return CassetteError.exit_status
        narrate(said)
    return 1 if replayer.misses else 0


def injected(faults: Faults) -> str:
    """How often each rule has struck, in one sentence; rules that never did are named too."""
    each = "; ".join(f"{faults.struck[rule.text]:,} × {rule.text}" for rule in faults.rules)
    return f"injected {counted(faults.struck.total(), 'fault')}: {each}"


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
    narrate(f"respool: the sandbox answered {counted(served.sandbox.calls, 'call')} and forgets them")
    return 0
