"""A folder of cassettes in service: session `refund~gw3` is answered by `refund.cassette`, opened at its first call.

`~gw3` only keeps parallel tests apart: all sessions of a cassette share what is open of it. A name may stand in plain
segments too: `/@suite/refund~gw3/v1/...` is the longest name that is there (while recording: what stands before the
upstream's base path). What is done with a cassette, `modes` decides at its first call. A session that is idle for long is
dropped; a recording whose sessions all are is sealed. Opening and sealing read and write files, so both run in threads, as
tasks of the shelf's own: a client that leaves meanwhile disturbs neither.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any

from ..cassettes.errors import CassetteError, UpstreamError
from ..cassettes.folder import MOST_PARTS, Folder, NoCassetteError, is_name
from ..cassettes.reader import Reader
from ..cassettes.secrets.cleaning import DEFAULT as CLEANING
from ..cassettes.secrets.cleaning import Cleaning
from .control.calls import shown_name
from .health import Health
from .library import Place
from .modes import Action, State, Way, decide
from .players import IDLE_SECONDS, MOST_SESSIONS
from .replay import Replayer
from .sessions import DEFAULT
from .upstream import Upstream
from .volumes import Recorded, Recording, Replaying, Totals, Volume, begin, look_into

MOST_OPEN = 256
"""Cassettes open at once; the one used longest ago is closed for another, its sessions begin anew when they come back."""
MOST_NAMED = 8
"""Names that an error lists."""
SEAL_SECONDS = 2.0
SWEEP_SECONDS = 30.0


class Shelf:
    """A `Resolver` (see `library`) for the cassettes of a folder. `close` it after it was stopped."""

    def __init__(
        self,
        folder: Folder,
        *,
        way: Way = Way.REPLAY,
        replayer: Callable[[Reader], Replayer],
        recording: Recording | None = None,
        idle: float = IDLE_SECONDS,
        most_open: int = MOST_OPEN,
        clock: Callable[[], float] = time.monotonic,
        narrate: Callable[[str], None],
        cleaning: Cleaning = CLEANING,
    ) -> None:
        """`cleaning`: by which it is told that a name is a secret, and names no file."""
        self._cleaning = cleaning
        self._folder = folder
        self._way = way
        self._replayer = replayer
        self._recording = recording
        self._base = recording.origin.base.encode() if recording is not None else b""
        self._idle = idle
        self._most_open = most_open
        self._clock = clock
        self._narrate = narrate
        self._seats: OrderedDict[str, tuple[Volume, float]] = OrderedDict()
        """Sessions by name, with what answers them and when they were last used; the longest ago first."""
        self._volumes: dict[str, Volume] = {}
        self._old: set[Replaying] = set()
        """Volumes whose file was replaced since: their sessions keep them."""
        self._changing: dict[str, asyncio.Task[None]] = {}
        """Cassettes that are being opened or sealed."""
        self._ours: set[str] = set()
        """Cassettes that were recorded here: when they come back, they are added to."""
        self._sweeper: asyncio.Task[None] | None = None
        self._stopping = False
        self.totals = Totals()

    async def find(self, session: str, target: bytes) -> Place:
        """Where a call leads. Raises CassetteError or UpstreamError where that is nowhere."""
        name, target = self._split(session, target)
        now = self._clock()
        seat = self._seats.get(name)
        if seat is None or now - seat[1] > self._idle:
            if shown_name(name, cleaning=self._cleaning) != name:
                raise NoCassetteError(
                    "a name that looks like a secret names no cassette: it would stand in that of a file"
                )
            cassette, _, instance = name.partition("~")
            if "/" in instance:
                raise NoCassetteError(f"what follows ~ in {name} has no slash: the cassette's name ends there")
            self._drop_idle(now)
            volume = await self._open_or_wait(cassette)
            volume.sessions.add(name)
            if len(self._seats) >= MOST_SESSIONS and name not in self._seats:
                self._drop(next(iter(self._seats)))
        else:
            volume = seat[0]
        volume.used = now
        self._seats[name] = volume, now
        self._seats.move_to_end(name)
        return Place(volume, name, target)

    def health(self) -> Health:
        failed = any(isinstance(volume, Recorded) and volume.recorder.failed for volume in self._volumes.values())
        return Health(
            cassettes=len(self._volumes) + len(self._old),
            sessions=len(self._seats),
            failed=failed or bool(self.totals.failed),
        )

    async def told_of(self, session: str) -> dict[str, Any] | None:
        """The report on a session of a replay, for the control API; None where there is none."""
        seat = self._seats.get(session)
        return await seat[0].told_of(session) if seat is not None and isinstance(seat[0], Replaying) else None

    def begin_anew(self, session: str) -> bool:
        """Drop a session of a replay, for the control API; False where there is none."""
        if session not in self._seats or not isinstance(self._seats[session][0], Replaying):
            return False
        self._drop(session)
        return True

    async def sweep(self) -> None:
        """Drop what is idle; seal the recordings that nobody uses any more."""
        self._drop_idle(self._clock())
        for volume in list(self._volumes.values()):
            if isinstance(volume, Recorded) and not volume.sessions and not volume.running:
                await self._seal(volume)

    async def stop(self, timeout: float) -> None:
        """Seal every recording. Replays can be read until `close`."""
        self._stopping = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.wait([self._sweeper])
        if self._changing:
            await asyncio.wait(list(self._changing.values()))
        recorded = [volume for volume in self._volumes.values() if isinstance(volume, Recorded)]
        await asyncio.gather(*(self._seal(volume, timeout) for volume in recorded))

    def close(self) -> None:
        """Close all that is open. No call may run any more."""
        for volume in (*self._volumes.values(), *self._old):
            if isinstance(volume, Replaying):
                volume.count(self.totals)
                volume.close()
        self._volumes.clear()
        self._old.clear()
        self._seats.clear()
        self._folder.close()

    def _split(self, session: str, target: bytes) -> tuple[str, bytes]:
        """Take from the target what belongs to the session's name."""
        if session == DEFAULT or "/" in session or "~" in session:
            return session, target
        if self._base:
            at = target.partition(b"?")[0].find(self._base + b"/")
            name = session + target[: max(at, 0)].decode("utf-8", "replace")
            if at > 0 and is_name(name.partition("~")[0]):
                return name, target[at:]
            if at == 0:
                return session, target
        name, taken, found, longest = session, 0, 0, session
        for part in target.partition(b"?")[0].split(b"/")[1:MOST_PARTS]:
            if "~" in name or not self._folder.has_folder(name):
                break
            name += "/" + part.decode("utf-8", "replace")
            taken += 1 + len(part)
            if self._folder.has(name.partition("~")[0]):
                found, longest = taken, name
        return longest, target[found:] if target[found:].startswith(b"/") else b"/" + target[found:]

    async def _open_or_wait(self, cassette: str) -> Volume:
        """The volume of a cassette that can take a new session."""
        while True:
            if self._stopping:
                raise CassetteError("respool is stopping, and opens no more cassettes")
            changing = self._changing.get(cassette)
            volume = self._volumes.get(cassette)
            if changing is None and volume is not None:
                if isinstance(volume, Recorded) or volume.stamp == self._folder.stamp(cassette):
                    return volume
                self._set_aside(volume)
            await asyncio.shield(changing or self._own(cassette, self._open(cassette)))

    async def _open(self, cassette: str) -> None:
        await self._make_room()
        way = Way.APPEND if cassette in self._ours and self._way in (Way.RECORD, Way.OVERWRITE) else self._way
        found, stamp = await asyncio.to_thread(look_into, self._folder, cassette)
        try:
            if found.state is State.ABSENT and (way is Way.REPLAY or self._recording is None):
                there = ", ".join(await asyncio.to_thread(self._folder.names, MOST_NAMED))
                what = f"there is no cassette {cassette}: {found.path} does not exist"
                if way is not Way.REPLAY:
                    what += ", and there is no --upstream to record it from"
                raise NoCassetteError(
                    what,
                    f"/@NAME in front of the path names one of these: {there}" if there else "the folder has none yet",
                )
            action = decide(way, found)
            if action in (Action.REPLAY, Action.REPLAY_WHOLE) and found.reader is not None:
                reader = found.reader
                if reader.warning:
                    self._narrate(f"respool: {reader.warning}")
                replayer = await asyncio.to_thread(self._replayer, reader)
                volume: Volume = Replaying(cassette, reader, replayer, stamp)
                found.reader = None  # it is the volume's now
            else:
                volume = await self._record(cassette, action)
        finally:
            found.close()
        volume.used = self._clock()
        self._volumes[cassette] = volume
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().create_task(self._sweep_for_ever())

    async def _record(self, cassette: str, action: Action) -> Recorded:
        recording = self._recording
        if recording is None:
            raise UpstreamError(f"{cassette} would be recorded, but there is no upstream", "give --upstream URL")
        upstream = Upstream(recording.origin)
        try:
            await upstream.check()  # nothing is begun for a recording that cannot be
            writer = await asyncio.to_thread(
                begin, self._folder, cassette, action, recording.meta, durable=recording.durable
            )
        except BaseException:
            upstream.close()
            raise
        self._narrate(f"respool: recording {writer.path}")
        if writer.warning:
            self._narrate(f"respool: {writer.warning}")
        return Recorded(cassette, writer, recording.recorder(upstream, writer))

    async def _make_room(self) -> None:
        """Close the cassette that was used longest ago when too many are open; one without sessions first."""
        while len(self._volumes) + len(self._old) >= self._most_open:
            idle = [volume for volume in (*self._volumes.values(), *self._old) if not volume.running]
            if not idle:
                raise CassetteError(f"{self._most_open} cassettes are in use at once, which is the most")
            volume = min(idle, key=lambda volume: (bool(volume.sessions), volume.used))
            if volume.sessions:
                self._narrate(
                    f"respool: {self._most_open} cassettes are open, so {volume.name} is closed; its sessions begin anew"
                )
                for session in list(volume.sessions):
                    self._drop(session)
            if isinstance(volume, Replaying):
                self._retire(volume)
            else:
                await self._seal(volume)

    def _set_aside(self, volume: Volume) -> None:
        """The file by this name is another now: who plays the old one may go on."""
        del self._volumes[volume.name]
        if isinstance(volume, Replaying):
            self._old.add(volume)
            if not volume.sessions:
                self._retire(volume)

    def _retire(self, volume: Replaying) -> None:
        self._old.discard(volume)
        if self._volumes.get(volume.name) is volume:
            del self._volumes[volume.name]
        volume.count(self.totals)
        volume.retire()

    async def _seal(self, volume: Volume, timeout: float = SEAL_SECONDS) -> None:
        if isinstance(volume, Recorded) and self._volumes.get(volume.name) is volume:
            del self._volumes[volume.name]
            for session in list(volume.sessions):
                self._drop(session)
            await asyncio.shield(self._own(volume.name, self._finish(volume, timeout)))

    async def _finish(self, volume: Recorded, timeout: float) -> None:
        if await volume.seal(timeout, self.totals):
            self._ours.add(volume.name)

    def _drop_idle(self, now: float) -> None:
        while self._seats:
            name, (volume, used) = next(iter(self._seats.items()))
            if now - used <= self._idle:
                return
            self._drop(name)
            if isinstance(volume, Replaying) and volume in self._old and not volume.sessions:
                self._retire(volume)

    def _drop(self, session: str) -> None:
        volume, _ = self._seats.pop(session)
        volume.forget(session)

    def _own(self, cassette: str, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run work on a cassette as a task that `stop` waits for."""
        task = self._changing[cassette] = asyncio.get_running_loop().create_task(work)

        def done(task: asyncio.Task[None]) -> None:
            if self._changing.get(cassette) is task:
                del self._changing[cassette]
            if not task.cancelled():
                task.exception()  # it is for who waits; nobody may any more

        task.add_done_callback(done)
        return task

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(min(SWEEP_SECONDS, self._idle / 4 + 0.05))
            await self.sweep()
