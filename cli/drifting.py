"""`respool drift`: what is opened, what is sent, what a signal does, and what is said at the end."""

import argparse
import asyncio
import os
import re
from collections.abc import Callable

from ..cassettes.amounts import counted
from ..cassettes.drift.agenda import created
from ..cassettes.errors import UpstreamError, UsageError
from ..cassettes.ids import IdMap, pair_of
from ..cassettes.interaction import Headers, Request
from ..cassettes.reader import Reader
from ..cassettes.redaction import scrub_text, secrets_of
from ..cassettes.secrets.cleaning import Cleaning
from ..cassettes.secrets.policy import policy_of_today
from ..cassettes.text import clip, safe
from ..proxy.drift import Drift
from . import serving
from .loop import Stop, Stopped
from .opening import opened
from .running import clear_progress, narrate, progress_of

INTERRUPTED = 130
KEY = "OPENAI_API_KEY"

_CREDENTIALS = frozenset({b"authorization", b"api-key", b"x-api-key"})
_HEADER = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?[ \t]*"
)
_OURS = frozenset({b"host", b"content-length", b"transfer-encoding", b"connection", b"accept-encoding"})
"""Headers that the call itself decides."""


async def drift(arguments: argparse.Namespace, stop: Stop) -> int:
    ids = IdMap(pair_of(text) for text in arguments.map)
    headers = _headers(arguments.header, sandbox=arguments.upstream == "sandbox")
    with opened(arguments.cassette) as reader:
        cleaning = Cleaning(policy_of_today(reader.meta))
        voice = _Voice(secrets_of(Request("GET", b"/", headers)), cleaning, progress_of("performing"))
        threads = _chosen(reader, arguments.thread, ids)
        try:
            async with serving.upstream_of(arguments.upstream, stop) as upstream:
                work = Drift(
                    reader,
                    upstream,
                    ids=ids,
                    headers=headers,
                    narrate=voice.tell,
                    patience=arguments.run_timeout,
                    progress=voice.progress,
                )
                return await _performed(work, threads, arguments, stop, voice)
        except Stopped:
            return INTERRUPTED


class _Voice:
    """What is said, without the credentials that were sent (an upstream may quote them), and others that it tells."""

    def __init__(
        self, secrets: tuple[bytes, ...], cleaning: Cleaning, progress: Callable[[int, int], None] | None
    ) -> None:
        self.progress = progress
        self._secrets = secrets
        self._cleaning = cleaning

    def clean(self, text: str) -> str:
        return scrub_text(text, self._secrets, self._cleaning)

    def clear(self) -> None:
        """Take the progress off the line of the terminal that is written next."""
        if self.progress is not None:
            clear_progress()

    def tell(self, text: str) -> None:
        self.clear()
        narrate(self.clean(text))


async def _performed(work: Drift, threads: list[str], arguments: argparse.Namespace, stop: Stop, voice: _Voice) -> int:
    stopped = False
    try:
        await serving.unless_stopped(stop, work.perform(threads, alone=bool(arguments.thread)))
    except Stopped:
        stopped = True
    except UpstreamError as error:
        raise type(error)(voice.clean(error.message), error.hint) from None
    finally:
        if not arguments.keep:
            await _tidied(work, stop)
        voice.clear()
        for finding in work.findings:
            print(safe(voice.clean(finding.to_json() if arguments.json else str(finding))), flush=True)
    found = len(work.findings)
    if work.findings.left_out:
        voice.tell(f"respool: {work.findings.left_out:,} more differences are not told")
    if work.left_out:
        voice.tell(f"respool: {counted(work.left_out, 'read')} not made: the upstream never told what they name")
    voice.tell(
        f"respool: {'stopped early: ' if stopped else ''}{counted(found, 'difference') if found else 'no drift'}; performed "
        f"{counted(work.writes, 'write')} and {counted(work.reads, 'read')} of {counted(work.threads, 'thread')}"
    )
    if stopped:
        return INTERRUPTED
    return 1 if found else 0


async def _tidied(work: Drift, stop: Stop) -> None:
    """Delete what was created; a second signal says not to."""
    loop = asyncio.get_running_loop()
    doing, hurry = loop.create_task(work.clean_up()), loop.create_task(stop.hurry.wait())
    try:
        await asyncio.wait([doing, hurry], return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
        else:
            narrate("respool: what was created upstream is left there")
    finally:
        doing.cancel()
        hurry.cancel()
        await asyncio.wait([doing, hurry])


def _chosen(reader: Reader, asked: list[str], ids: IdMap) -> list[str]:
    """The threads to perform. Raises UsageError when there is nothing to perform."""
    hint = "say what the upstream calls it with --map OLD=NEW"
    scopes = reader.scopes()
    threads = [name for name in scopes if not name.startswith("/")]
    for name in asked:
        if name not in threads:
            some = ", ".join(clip(each, 80) for each in threads[:5]) or "none"
            raise UsageError(f"no thread {clip(name, 80)} in {reader.path}", f"it has {some}")
    if not scopes:
        raise UsageError(f"{reader.path} holds no calls, so there is nothing to perform")
    wanted = [name for name in threads if not asked or name in asked]
    mine = [name for name in wanted if ids.knows_old(name) or created(reader.rows_of_scope(name))]
    for name in wanted:
        if name not in mine:
            narrate(f"respool: {clip(name, 80)} is not performed: the recording did not create it; {hint}")
    if wanted and not mine:
        raise UsageError(f"{reader.path} created none of the threads that it holds", hint)
    return mine


def _headers(given: list[str], *, sandbox: bool) -> Headers:
    """The header lines of each call. A line that cannot be sent is not repeated: it may hold a credential."""
    lines: list[tuple[bytes, bytes]] = []
    for number, text in enumerate(given, 1):
        match = _HEADER.fullmatch(os.fsencode(text))
        if match is None or match[1].lower() in _OURS:
            raise UsageError(f"--header number {number} cannot be sent", "give it as 'Name: value', on one line")
        lines.append((match[1], match[2] or b""))
    key = os.environ.get(KEY, "").strip()
    if not _CREDENTIALS.isdisjoint(name.lower() for name, _ in lines):
        return tuple(lines)
    if key:
        if not key.isascii() or not key.isprintable():
            raise UsageError(f"{KEY} holds characters that no header can have")
        lines.append((b"Authorization", b"Bearer " + key.encode()))
    elif sandbox:
        lines.append((b"Authorization", b"Bearer sandbox"))
    return tuple(lines)
