"""The serving commands themselves: what is opened, in which order it is closed, and what is said at the end."""

import argparse
import asyncio
import gc
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from ..cassettes.amounts import counted
from ..cassettes.errors import CassetteError
from ..cassettes.faults import Faults
from ..cassettes.matching import Matching
from ..cassettes.reader import Reader
from ..cassettes.rekeyed import Progress
from ..cassettes.secrets.cleaning import DEFAULT, Cleaning
from ..cassettes.secrets.policy import policy_of_today
from ..proxy.control.hub import Hub
from ..proxy.control.memory import Memory
from ..proxy.control.server import control
from ..proxy.narration import Narration
from ..proxy.pace import Pace
from ..proxy.prepared import CACHE_BYTES
from ..proxy.record import Recorder
from ..proxy.replay import Replayer
from ..proxy.server import DRAIN_SECONDS, Mode, listen, serve
from ..proxy.upstream import Origin, Upstream
from .loop import Stop, Stopped
from .recordings import PACKED_FROM, begin, check_rules, pack_finished, rules_of, told
from .redacting import cleaning_of, policy_of
from .running import narrate, ready


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
    mode: Mode, base: str, listener: socket.socket, stop: Stop, *, hub: Hub, arguments: argparse.Namespace
) -> None:
    """Serve until a signal comes, then drain; a second signal ends the draining. Meanwhile the control API tells of `hub`."""
    host, port = listener.getsockname()[:2]
    hub.address = (f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}") + base
    async with (
        control(hub, arguments.control, port, narrate=narrate),
        serve(
            mode,
            name=hub.mode,
            listener=listener,
            narrate=narrate,
            allow_hosts=arguments.allow_host,
            hurry=stop.hurry,
            narration=hub.narration,
        ) as listening,
    ):
        if not ip_address(listening.host.partition("%")[0]).is_loopback:
            narrate(
                f"respool: {listening.host} is not this machine alone: everybody who reaches port {listening.port} can use it"
            )
        gc.freeze()  # what was loaded by now stays: the collector need not look at it again and again
        ready(listening.url + base)
        await stop.wait()
        if hub.interception is not None:
            hub.interception.stop()  # nobody is waited for any more
            hub.interception = None
        if listening.running():
            narrate(f"respool: waiting up to {DRAIN_SECONDS:.0f} s for running calls; a second signal cuts them")


def told_to(hub: Hub, arguments: argparse.Namespace, cleaning: Cleaning = DEFAULT) -> Hub | None:
    """The hub for a mode to tell of its calls; None where nobody can look on, which costs nothing."""
    hub.cleaning = cleaning
    if arguments.verbose and hub.narration is None:
        hub.narration = Narration(narrate, cleaning)
    return None if arguments.control == "off" and not arguments.verbose else hub


async def record(arguments: argparse.Namespace, stop: Stop) -> int:
    path = arguments.cassette
    check_rules(arguments, path)
    cleaning = cleaning_of(arguments, path)
    # The port and the upstream first: nothing is begun, and nothing replaced, for a recording that cannot be.
    with listen(arguments.host, arguments.port) as listener:
        try:
            async with upstream_of(arguments.upstream, stop) as upstream:
                return await _record(arguments, path, cleaning, upstream, listener, stop)
        except Stopped:
            return 0


async def _record(
    arguments: argparse.Namespace,
    path: Path,
    cleaning: Cleaning,
    upstream: Upstream,
    listener: socket.socket,
    stop: Stop,
) -> int:
    writer = begin(arguments, path, cleaning, upstream)
    hub = Hub("record", upstream=upstream.origin.url, cassettes=(path,))
    recorder = Recorder(
        upstream, writer, narrate=narrate, replacer=cleaning.replacer, hub=told_to(hub, arguments, cleaning)
    )
    before = writer.count
    try:
        await serve_until_stopped(recorder, upstream.origin.base, listener, stop, hub=hub, arguments=arguments)
    finally:
        # Whatever ended the serving, what was recorded is kept; where nothing was, nothing is left behind.
        if recorder.failed is not None:
            writer.abandon()
        elif writer.count == before:
            writer.discard()
        else:
            await asyncio.to_thread(writer.close)
    status = told(recorder, writer, writer.count - before)
    if status == 0 and writer.bytes_written >= PACKED_FROM:
        await asyncio.to_thread(pack_finished, path, stop)
    return status


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
    policy = policy_of(arguments, None)
    with listen(arguments.host, arguments.port) as listener:
        try:
            async with upstream_of(arguments.upstream, stop) as upstream:
                hub = Hub("live", upstream=upstream.origin.url)
                looking = told_to(hub, arguments, Cleaning(policy))
                memory = Memory(policy.note()) if looking else None
                recorder = Recorder(upstream, memory, narrate=narrate, hub=looking)
                await serve_until_stopped(recorder, upstream.origin.base, listener, stop, hub=hub, arguments=arguments)
        except Stopped:
            return 0
    narrate(f"respool: forwarded {counted(recorder.calls, 'call')}; nothing was kept")
    return 0


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
    arguments: argparse.Namespace,
    stop: Stop,
    *,
    faults: Faults | None = None,
    cache: int = CACHE_BYTES,
    hub: Hub | None = None,
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
            hub=hub,
        )

    return make


async def replay(arguments: argparse.Namespace, stop: Stop) -> int:
    hub = Hub("replay", cassettes=(arguments.cassette,))
    faults = faults_of(arguments)
    with Reader.open(arguments.cassette) as reader, listen(arguments.host, arguments.port) as listener:
        looking = told_to(hub, arguments, Cleaning(policy_of_today(reader.meta)))
        make = replayer_factory(arguments, stop, faults=faults, hub=looking)
        if reader.warning:
            narrate(f"respool: {reader.warning}")
        try:
            replayer = await asyncio.to_thread(make, reader)
        except Stopped:
            return 0
        hub.director, hub.upstream = replayer, replayer.upstream
        await serve_until_stopped(replayer, replayer.base, listener, stop, hub=hub, arguments=arguments)
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
        allow_hosts=arguments.allow_host,
    ) as served:
        ready(served.url + "/v1")
        await stop.wait()
    narrate(f"respool: the sandbox answered {counted(served.sandbox.calls, 'call')} and forgets them")
    return 0
