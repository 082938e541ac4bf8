"""`respool record --tail`: what is opened, in which order it is closed, and what is said at the end."""

import argparse
import asyncio
from functools import partial

from .. import __version__
from ..cassettes.amounts import counted, size
from ..cassettes.errors import CassetteError
from ..cassettes.ids import IdMap, pair_of
from ..cassettes.prefix import Prefix
from ..cassettes.settings import notes_of
from ..cassettes.writer import Writer
from ..proxy.control.hub import Hub
from ..proxy.server import listen
from ..proxy.tail import Tail
from . import serving
from .loop import Stop, Stopped
from .recordings import rules_of
from .redacting import cleaning_of
from .running import narrate


async def tail(arguments: argparse.Namespace, stop: Stop) -> int:
    path = arguments.output or arguments.cassette
    ids = IdMap(pair_of(text) for text in arguments.map)
    cleaning = cleaning_of(arguments, path)
    with Prefix.open(arguments.cassette) as prefix, listen(arguments.host, arguments.port) as listener:
        prefix.end_at(arguments.tail, thread=arguments.thread)
        rules = rules_of(arguments, prefix.path, prefix.meta)
        try:
            async with serving.upstream_of(arguments.upstream, stop) as upstream:
                meta = {"created_by": f"respool {__version__}", "upstream": upstream.origin.url, **notes_of(rules)}
                writer = prefix.copy_to(path, meta=meta, overwrite=arguments.overwrite, durable=arguments.durable)
                hub = Hub("record", upstream=upstream.origin.url, cassettes=(path,))
                begin = partial(
                    Tail,
                    prefix,
                    upstream,
                    writer,
                    ids=ids,
                    rules=rules,
                    narrate=narrate,
                    replacer=cleaning.replacer,
                    hub=serving.told_to(hub, arguments, cleaning),
                )
                try:  # in a thread, because with rules the whole cassette is read
                    mode = await asyncio.to_thread(begin, progress=serving.progress(len(prefix), stop))
                except BaseException:
                    writer.discard()
                    raise
                kept = writer.count
                try:
                    await serving.serve_until_stopped(
                        mode, upstream.origin.base, listener, stop, hub=hub, arguments=arguments
                    )
                finally:
                    await _end(mode, writer, kept)
        except Stopped:
            return 0
        return _told(mode, prefix, writer, kept)


async def _end(mode: Tail, writer: Writer, kept: int) -> None:
    """Only a tail that really came about gets the cassette's name; else what was there stays."""
    if mode.recorder.failed is not None:
        writer.abandon()
    elif not mode.live or mode.fault is not None or writer.count == kept:
        writer.discard()
    else:
        await asyncio.to_thread(writer.close)


def _told(mode: Tail, prefix: Prefix, writer: Writer, kept: int) -> int:
    """Say how it ended; returns the exit status."""
    if mode.fault is not None:
        narrate(f"respool: nothing was written: {mode.fault.message}")
        if mode.fault.hint:
            narrate(f"  {mode.fault.hint}")
        return mode.fault.exit_status
    if not mode.live:
        narrate(f"respool: nothing was written: the client never made write {prefix.end} of {prefix.thread}")
        return 1
    if mode.recorder.failed is not None:
        narrate(f"respool: the recording is not whole: {mode.recorder.failed.message}")
        return CassetteError.exit_status
    added = writer.count - kept
    if not added:
        narrate(f"respool: nothing was written: no call came after write {prefix.end} of {prefix.thread}")
        return 1
    narrate(
        f"respool: recorded {counted(added, 'call')} behind {counted(kept, 'kept one')} to {writer.path} "
        f"({size(writer.bytes_written)} written)"
    )
    recorder = mode.recorder
    if recorder.failures:
        narrate(f"respool: {counted(recorder.failures, 'call')} failed at the upstream, and are recorded as failed")
    if recorder.lost:
        narrate(f"respool: {counted(recorder.lost, 'call')} could not be recorded, see above")
        return CassetteError.exit_status
    if mode.replayer.misses:
        narrate(f"respool: {counted(mode.replayer.misses, 'miss', 'misses')} in the kept part, see above")
        return 1
    return 0
