"""One open cassette of a folder: the mode that answers its calls, which sessions use it, and how it is opened and closed."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from ..cassettes.errors import CassetteError
from ..cassettes.folder import Folder, NoCassetteError
from ..cassettes.reader import Reader
from ..cassettes.storage import keep_partial
from ..cassettes.writer import Writer
from .answer import Answer
from .modes import Action, Found, State, look
from .record import Recorder
from .replay import Replayer
from .server import Mode
from .upstream import Origin, Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """How cassettes are recorded: from where, what opens each file, what handles the calls, and whether it is `durable`.

    See `Writer.create`.
    """

    origin: Origin
    meta: Callable[[Path], Mapping[str, Any]]
    recorder: Callable[[Upstream, Writer], Recorder]
    durable: bool = False


@dataclass(slots=True)
class Totals:
    """What all cassettes of a folder came to."""

    replayed: int = 0
    misses: int = 0
    inexact: int = 0
    damaged: int = 0
    refused: int = 0
    """Calls that an injected status answered."""
    sessions: int = 0
    recorded: int = 0
    cassettes_recorded: int = 0
    failures: int = 0
    cut: int = 0
    """Calls that were still running when respool was stopped."""
    lost: int = 0
    failed: list[CassetteError] = field(default_factory=list)
    """Why recordings are not whole."""


class Volume:
    """An open cassette. `stamp` is the file's when it was opened for replay (see `Folder.stamp`)."""

    def __init__(self, name: str, mode: Mode, *, stamp: tuple[int, ...] = ()) -> None:
        self.name = name
        self.mode = mode
        self.stamp = stamp
        self.sessions: set[str] = set()
        self.running = 0
        self.used = 0.0

    async def handle(self, request: web.BaseRequest, session: str, target: bytes) -> Answer:
        self.running += 1
        try:
            return await self.mode.handle(request, session, target)
        finally:
            self.running -= 1
            self.rested()

    def rested(self) -> None:
        """A call has ended."""

    async def stop(self, timeout: float) -> None:
        await self.mode.stop(timeout)

    def forget(self, session: str) -> None:
        """A session is dropped."""
        self.sessions.discard(session)


class Replaying(Volume):
    """A cassette in replay, one replayer for all its sessions."""

    def __init__(self, name: str, reader: Reader, replayer: Replayer, stamp: tuple[int, ...]) -> None:
        super().__init__(name, replayer, stamp=stamp)
        self.replayer = replayer
        self._reader = reader
        self.retired = False

    async def told_of(self, session: str) -> dict[str, Any] | None:
        """The report on a session. The cassette stays open for as long as that takes."""
        self.running += 1
        try:
            return await self.replayer.told_of(session)
        finally:
            self.running -= 1
            self.rested()

    def rested(self) -> None:
        if self.retired and not self.running:
            self._reader.close()

    def retire(self) -> None:
        """Close the cassette as soon as no call runs in it. No new call may come."""
        self.retired = True
        self.rested()

    def close(self) -> None:
        """Close it now, for no call runs any more."""
        self._reader.close()

    def forget(self, session: str) -> None:
        super().forget(session)
        self.replayer.forget(session)

    def count(self, totals: Totals) -> None:
        player = self.replayer
        totals.replayed += player.calls - player.misses - player.damaged - player.refused
        totals.refused += player.refused
        totals.misses += player.misses
        totals.inexact += player.inexact
        totals.damaged += player.damaged
        totals.sessions += player.sessions_made


class Recorded(Volume):
    """A cassette that is being recorded."""

    def __init__(self, name: str, writer: Writer, recorder: Recorder) -> None:
        super().__init__(name, recorder)
        self.recorder = recorder
        self._writer = writer
        self._before = writer.count

    async def seal(self, timeout: float, totals: Totals) -> int:
        """End the recording: its cassette gets its seal and its name, or is left as a partial where writing has failed.

        Returns how many calls it was.
        """
        recorder, writer = self.recorder, self._writer
        await recorder.stop(timeout)
        failed: CassetteError | None = recorder.failed
        try:
            if failed is not None:
                writer.abandon()
            elif writer.count == self._before:
                writer.discard()
            else:
                await asyncio.to_thread(writer.close)
        except CassetteError as error:
            failed = error
        except OSError as error:
            failed = CassetteError(f"{writer.path} could not be closed: {error.strerror or error}")
        added = writer.count - self._before
        totals.recorded += added
        totals.cassettes_recorded += bool(added)
        totals.failures += recorder.failures
        totals.cut += recorder.cut
        totals.lost += recorder.lost
        if failed is not None:
            totals.failed.append(failed)
        return added


def look_into(folder: Folder, name: str) -> tuple[Found, tuple[int, ...]]:
    """What is there by this name, and its stamp. Reads the disk; see `Folder.parent` for what it raises."""
    place = folder.place(name)
    stamp = folder.stamp(name)  # before it is opened: whoever replaces it in between is found out at the next session
    try:
        with folder.parent(name) as at:
            return look(place, at=at), stamp
    except NoCassetteError as error:  # a folder on the way is not there; recording makes it
        return Found(place, State.ABSENT, error=error), ()


def begin(
    folder: Folder, name: str, action: Action, meta: Callable[[Path], Mapping[str, Any]], *, durable: bool = False
) -> Writer:
    """Begin the recording that was decided on; folders on the way are made. Writes to the disk."""
    opening = meta(folder.place(name)) if action is not Action.APPEND else {}
    with folder.parent(name, make=True) as at:
        path = folder.place(name)
        if action is Action.ANEW:
            keep_partial(path, within=at)
        if action is Action.APPEND:
            return Writer.append_to(path, durable=durable, within=at)
        return Writer.create(path, meta=opening, overwrite=action is Action.OVERWRITE, durable=durable, within=at)
