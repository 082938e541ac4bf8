"""The recording of a test: into PATH.partial, which gets its name only when the test passed.

Until then nothing touches an old cassette; a recording that is not kept is removed with its folder, if that was new. With the
upstream `sandbox` each recording has a fresh one with a fixed seed, so that it does not depend on what ran before.
"""

import asyncio
import os
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

from aiohttp import web

from ... import __version__
from ...cassettes.amounts import counted
from ...cassettes.errors import CassetteError
from ...cassettes.reports import Report
from ...cassettes.secrets.pseudonyms import Pseudonyms, key_path, read_key
from ...cassettes.settings import notes_of, redaction_for, settings_for
from ...cassettes.storage import make_folder
from ...cassettes.text import safe
from ...cassettes.writer import Writer
from ..answer import Answer
from ..record import Recorder
from ..upstream import Origin, Upstream
from .host import Host
from .settings import Wanted
from .takes import UNHEARD, Handle, Tally

SETTLE_SECONDS = 2.0
"""How long a finished test's running calls may take: a client has the last byte before the recorder has noted the end."""
SEED = 1


class _Counted:
    """A recorder that knows how many calls are on their way."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.running = 0

    async def handle(self, request: web.BaseRequest, session: str, target: bytes) -> Answer:
        self.running += 1
        try:
            return await self._recorder.handle(request, session, target)
        finally:
            self.running -= 1

    async def stop(self, timeout: float) -> None:
        await self._recorder.stop(timeout)

    async def settle(self, seconds: float) -> None:
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        # aiohttp tells nobody when a call has ended, so this looks again and again.
        while self.running and clock() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


class Recording:
    """A take that forwards to the upstream and keeps a copy."""

    def __init__(self, host: Host, wanted: Wanted, session: str, *, upstream: str) -> None:
        self._host = host
        self._path = wanted.path
        self._shown = wanted.shown
        self._options = wanted.options
        self._session = session
        self._stack = AsyncExitStack()
        self._made: list[Path] = []
        self._closed = False
        self._said = ""
        base = host.ask(lambda: self._begin(upstream))
        self.handle = Handle(f"{host.url}/@{session}{base}", session, wanted.path, "record", self)

    async def _begin(self, url: str) -> str:
        try:
            if url == "sandbox":
                from ..sandbox.server import serve_sandbox

                url = (await self._stack.enter_async_context(serve_sandbox(seed=SEED))).url + "/v1"
            upstream = Upstream(Origin.parse(url))
            self._stack.callback(upstream.close)
            await upstream.check()
            settings = settings_for(self._path, ignore=self._options.ignore, match_headers=self._options.match_headers)
            found = redaction_for(self._path)
            replacer = Pseudonyms(read_key(key_path(os.environ, found.key_file)))
            notes = notes_of(settings.rules) | found.policy.note()
            meta = {"created_by": f"respool {__version__}", "upstream": upstream.origin.url, **notes}
            self._writer = self._create(meta)
        except BaseException:
            await self._stack.aclose()
            raise
        self._recorder = Recorder(upstream, self._writer, narrate=self._host.said.append, replacer=replacer)
        self._counted = _Counted(self._recorder)
        self._host.library.open(self._session, self._counted)
        return upstream.origin.base

    def _create(self, meta: dict[str, Any]) -> Writer:
        folder = self._path.parent
        for _ in range(3):
            missing = [path for path in (folder, *folder.parents) if not path.exists()]
            make_folder(folder)
            self._made += [path for path in missing if path not in self._made]
            try:
                return Writer.create(self._path, meta=meta, overwrite=True)
            except CassetteError:
                if folder.is_dir():
                    raise
                # Another worker, whose own recording came to nothing, has removed the empty folder just now.
        raise CassetteError(f"the folder {folder} is removed again and again", "make it before the tests run")

    def tally(self) -> Tally:
        return Tally(0, 0)

    def report(self) -> Report:
        return Report(
            exact=self._recorder.calls,
            held=0,
            ahead=0,
            misses=(),
            miss_count=0,
            played=0,
            unplayed=(),
            unplayed_count=0,
        )

    def story(self) -> str:
        first = (
            f"recording of {self._shown}, session {self._session}: {counted(self._recorder.calls, 'call')} forwarded"
        )
        return "\n".join([first, *([] if self._recorder.calls else [UNHEARD]), *map(safe, self._host.said)])

    def close(self, *, keep: bool) -> str:
        if not self._closed:
            self._closed = True
            self._said = self._host.ask(lambda: self._end(keep=keep))
        return self._said

    async def _end(self, *, keep: bool) -> str:
        writer, recorder = self._writer, self._recorder
        self._host.library.close(self._session)
        try:
            if keep:
                await self._counted.settle(SETTLE_SECONDS)
            await recorder.stop(SETTLE_SECONDS if keep else 0)
            await self._stack.aclose()
            if keep:
                if recorder.failed is not None:
                    raise CassetteError(
                        f"{self._path} was not recorded: {recorder.failed.message}", recorder.failed.hint
                    )
                if recorder.lost:
                    raise CassetteError(
                        f"{self._path} was not recorded: {recorder.lost} of its calls could not be stored"
                    )
                if writer.count:
                    await asyncio.to_thread(writer.close)
        finally:
            if not writer.closed:
                writer.discard()
            if not self._path.exists():
                for folder in self._made:
                    with suppress(OSError):  # not empty: another test's cassette is in it
                        folder.rmdir()
        old = "the old cassette is as it was" if self._path.exists() else "no cassette was written"
        if not keep:
            return f"not recorded: {old}: {self._shown}"
        if not writer.count:
            return f"made no calls: {old}: {self._shown}"
        failures = f", {recorder.failures} of them failed at the upstream" if recorder.failures else ""
        return f"recorded {counted(writer.count, 'call')}{failures}: {self._shown}"
