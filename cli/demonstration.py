"""The demo's story: record, take the upstream away, replay, compare; told on stdout as it happens."""

import asyncio
import os
import time
from pathlib import Path
from urllib.parse import urlsplit

from .. import __version__
from ..cassettes.errors import CassetteError
from ..cassettes.file_names import sibling
from ..cassettes.reader import Reader
from ..cassettes.secrets.policy import PLAIN
from ..cassettes.text import safe
from ..cassettes.writer import Writer
from ..proxy.record import Recorder
from ..proxy.replay import Replayer
from ..proxy.sandbox.server import serve_sandbox
from ..proxy.server import serve
from ..proxy.upstream import Origin, Upstream
from .conversation import Client, Exchange, converse
from .running import narrate


def say(text: str = "") -> None:
    print(safe(text), flush=True)


async def demonstrate(path: Path) -> int:
    say("respool demo: record a conversation, take the upstream away, replay it")
    say()
    recorded, upstream = await _record(path)
    say()
    replayed = await _replay(path)
    say()
    different = _compare(recorded, replayed)
    say()
    say(f"   {upstream} had been stopped before the replay began.")
    say(f"   Look at what was recorded:  respool show {path}")
    return 1 if different else 0


async def _record(path: Path) -> tuple[Client, str]:
    async with serve_sandbox() as sandbox:
        upstream = Upstream(Origin.parse(sandbox.url + "/v1"))
        meta = {"created_by": f"respool {__version__}", "upstream": upstream.origin.url, "demo": True, **PLAIN.note()}
        writer = Writer.create(path, meta=meta, overwrite=_is_ours(path))
        try:
            recorder = Recorder(upstream, writer, narrate=narrate)
            async with serve(recorder, name="record", narrate=narrate) as proxy:
                say(f"1. An upstream in memory on {sandbox.url}, and in front of it a recording proxy on {proxy.url}.")
                say("   A plain HTTP client holds a conversation through the proxy:")
                client = await _converse(proxy.url)
            writer.close()
        finally:
            writer.discard()
        _tell(client)
    size = writer.bytes_written
    say(
        f"   {client.calls} calls in {client.seconds:.2f} s, recorded to {path} ({size / 1000:.0f} kB). The upstream is stopped."
    )
    return client, sandbox.url


def _is_ours(path: Path) -> bool:
    """Whether an earlier demo left something at `path`. What anybody else left there is not replaced: CassetteError."""
    found = [there for there in (path, sibling(path, ".partial")) if os.path.lexists(there)]
    for there in found:
        try:
            with Reader.open(there) as reader:
                ours = reader.meta.get("demo") is True
        except CassetteError:
            ours = False
        if not ours:
            raise CassetteError(
                f"{there} is there already, and no demo left it", "give another name: respool demo --cassette FILE"
            )
    return bool(found)


async def _replay(path: Path) -> Client:
    with Reader.open(path) as reader:
        replayer = Replayer(reader, narrate=narrate)
        async with serve(replayer, name="replay", narrate=narrate) as proxy:
            say(f"2. The same client, the same calls, and only the cassette, on {proxy.url}:")
            client = await _converse(proxy.url)
    _tell(client)
    say(f"   {client.calls} calls in {client.seconds * 1000:.0f} ms.")
    return client


async def _converse(url: str) -> Client:
    parts = urlsplit(url)
    client = Client(parts.hostname or "", parts.port or 0, "/v1")
    began = time.perf_counter()
    try:
        await asyncio.to_thread(converse, client)
    finally:
        client.close()
    client.seconds = time.perf_counter() - began
    return client


def _tell(client: Client) -> None:
    for exchange in client.transcript:
        polls = f"{exchange.polls} polls" if exchange.polls > 1 else ""
        first = f"first event after {exchange.first_piece * 1000:.0f} ms" if "streamed" in exchange.label else ""
        notes = ", ".join(note for note in (exchange.note, polls, first) if note)
        say(f"      {exchange.label:<21} {exchange.status}  {exchange.seconds * 1000:>7.1f} ms   {notes}".rstrip())


def _compare(recorded: Client, replayed: Client) -> int:
    """Compare two transcripts byte for byte; returns how many exchanges differ."""
    pairs = list(zip(recorded.transcript, replayed.transcript, strict=False))
    different = [(old, new) for old, new in pairs if not _equal(old, new)]
    missing = abs(len(recorded.transcript) - len(replayed.transcript))
    folded = recorded.calls - len(recorded.transcript)
    equal = len(pairs) - len(different)
    say(f"3. Compared byte for byte: {equal} of {len(recorded.transcript)} answers are equal.")
    if folded:
        say(f"   ({folded} recorded polls had brought no change; a replay leaves them out.)")
    for old, new in different:
        say(
            f"   DIFFERENT {old.label}: recorded {old.status}, {len(old.body)} bytes; replayed {new.status}, {len(new.body)}"
        )
    if missing:
        say(f"   DIFFERENT: {missing} answers stand on one side only")
    if not different and not missing:
        ratio = recorded.seconds / replayed.seconds
        say(
            f"   {recorded.seconds:.2f} s recorded, {replayed.seconds * 1000:.0f} ms replayed: {ratio:.0f} times as fast."
        )
    return len(different) + missing


def _equal(old: Exchange, new: Exchange) -> bool:
    return (old.label, old.status, old.body) == (new.label, new.status, new.body)
