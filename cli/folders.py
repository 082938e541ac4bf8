"""Serving a folder of cassettes: what is opened and closed around it, and what is said at the end."""

import argparse
import socket
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from ..cassettes.amounts import counted
from ..cassettes.errors import CassetteError
from ..cassettes.folder import Folder
from ..cassettes.secrets.cleaning import Cleaning
from ..cassettes.secrets.finder import Replacer
from ..cassettes.storage import make_folder
from ..cassettes.writer import Writer
from ..proxy.control.hub import Hub
from ..proxy.library import Library
from ..proxy.modes import Way
from ..proxy.record import Recorder
from ..proxy.server import listen
from ..proxy.shelf import Shelf
from ..proxy.upstream import Upstream
from ..proxy.volumes import Recording, Totals
from .loop import Stop, Stopped
from .recordings import check_rules, cut_here, failed_upstream, meta_of
from .redacting import cleaning_of, policy_of
from .running import narrate
from .serving import faults_of, injected, replayer_factory, serve_until_stopped, told_to, upstream_of

CACHE_BYTES = 4 << 20
"""Answers that each cassette keeps ready: there may be hundreds of them."""


async def serve_folder(arguments: argparse.Namespace, way: Way, stop: Stop) -> int:
    path: Path = arguments.cassette
    with listen(arguments.host, arguments.port) as listener:
        try:
            async with AsyncExitStack() as stack:
                recording = None
                hub = Hub(way.value.partition(" ")[0], cassettes=(path,))
                if way is not Way.REPLAY and arguments.upstream is not None:
                    # Where `auto` finds all that it needs, no upstream has to be there.
                    entered = upstream_of(arguments.upstream, stop, check=way is not Way.AUTO)
                    origin = (await stack.enter_async_context(entered)).origin
                    check_rules(arguments, None)
                    cleaning = cleaning_of(arguments, path / "any.cassette")
                    recording = Recording(
                        origin=origin,
                        meta=lambda cassette: meta_of(arguments, cassette, origin, cleaning),
                        recorder=partial(_recorder, cleaning.replacer, told_to(hub, arguments, cleaning)),
                        durable=arguments.durable,
                    )
                    make_folder(path)
                return await _serve(arguments, way, recording, listener, stop, hub)
        except Stopped:
            return 0


def _recorder(replacer: Replacer, hub: Hub | None, upstream: Upstream, writer: Writer) -> Recorder:
    return Recorder(upstream, writer, narrate=narrate, replacer=replacer, hub=hub)


async def _serve(
    arguments: argparse.Namespace,
    way: Way,
    recording: Recording | None,
    listener: socket.socket,
    stop: Stop,
    hub: Hub,
) -> int:
    folder = Folder(arguments.cassette)
    faults = faults_of(arguments)
    cleaning = Cleaning(policy_of(arguments, folder.path / "any.cassette"))
    looking = told_to(hub, arguments, cleaning)
    shelf = Shelf(
        folder,
        way=way,
        replayer=replayer_factory(arguments, stop, faults=faults, cache=CACHE_BYTES, hub=looking),
        recording=recording,
        idle=arguments.session_idle,
        narrate=narrate,
        cleaning=cleaning,
    )
    try:
        if way is Way.REPLAY and not folder.names(1):
            raise CassetteError(
                f"the folder {folder.path} holds no cassette", "`respool serve --mode record` records into a folder"
            )
        library = Library(resolver=shelf, narrate=narrate, hub=looking, cleaning=cleaning)
        hub.director = shelf
        await serve_until_stopped(library, "", listener, stop, hub=hub, arguments=arguments)
    finally:
        shelf.close()
    status = _told(shelf.totals, library.unknown)
    if faults is not None:
        narrate(f"respool: {injected(faults)}")
    return max(status, library.exit_status)


def _told(totals: Totals, unknown: int) -> int:
    """Say what it came to; returns the exit status."""
    if totals.recorded:
        what = counted(totals.cassettes_recorded, "cassette")
        narrate(f"respool: recorded {counted(totals.recorded, 'call')} to {what}")
    if totals.failures:
        narrate(f"respool: {failed_upstream(totals.failures)}")
    if totals.cut:
        narrate(f"respool: {cut_here(totals.cut)}")
    for failed in totals.failed:
        narrate(f"respool: a recording is not whole: {failed.message}; {failed.hint}".rstrip("; "))
    if totals.lost:
        narrate(f"respool: {counted(totals.lost, 'call')} could not be recorded, see above")
    if totals.sessions or not totals.recorded:
        said = f"respool: replayed {counted(totals.replayed, 'call')} in {counted(totals.sessions, 'session')}"
        if totals.inexact:
            said += f", {totals.inexact} of them ahead of their place"
        said += f"; {counted(totals.misses, 'miss', 'misses')}" if totals.misses else "; no misses"
        if totals.damaged:
            said += f"; {counted(totals.damaged, 'call')} not answered, because a cassette is damaged"
        narrate(said)
    if unknown:
        narrate(
            f"respool: {counted(unknown, 'call')} of sessions that lead to no cassette that could be used, see above"
        )
    if totals.failed or totals.lost or totals.damaged:
        return CassetteError.exit_status
    return 1 if totals.misses else 0
