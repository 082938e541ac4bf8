"""Injects faults into the answers of a replay: what a rule says becomes bytes, waits and broken connections.

A call that a status strikes is refused before the recording is asked: nothing moves. Every other struck call is served from
the recording, which moves on, as the upstream did. A write whose answer did not get to its end is kept for the client's retry:
the same call again gets the same recorded write. Decisions are made when a call arrives, so that waits do
not change what a session gets. A wait ends when the client leaves or the connection is closed.
"""

import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from aiohttp import web

from ..cassettes.courses import Line
from ..cassettes.dooms import Altered, Dooms
from ..cassettes.fault_rules import Break, Delay, FirstByte, Rule, Stall, Status
from ..cassettes.faults import Counts, Faults
from ..cassettes.interaction import Body
from ..cassettes.meanings import EVENT_END
from ..cassettes.positions import START, Served
from ..cassettes.summary import STREAM, Row
from .answer import Answer, Stream, error_body, json_answer, wants_close
from .prepared import Prepared, prepare

Sleep = Callable[[float], Awaitable[None]]

MOST_KEPT = 250
"""Writes of a session that are kept for a retry; the oldest goes first."""

_KINDS = {
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    408: ("requests", "timeout"),
    409: ("invalid_request_error", "conflict"),
    429: ("requests", "rate_limit_exceeded"),
}
"""Error type and code of a status; for others the type is by its hundred and the code is null, as the first host had it."""


class BrokenOff(Exception):
    """The answer was ended early on purpose, and the connection is gone."""


class Told(NamedTuple):
    """An answer that faults made, and which."""

    answer: Answer
    rules: tuple[Rule, ...]


class Fate:
    """What the faults of a replay do to one session."""

    def __init__(self, faults: Faults, session: str, recording: Line) -> None:
        self._counts: Counts = faults.counts(session)
        self._dooms = Dooms(self._counts, recording) if any(rule.of_runs for rule in faults.rules) else None
        self.kept: deque[tuple[int, Served]] = deque(maxlen=MOST_KEPT)
        """Recorded writes whose answers did not get to their end, each with the key of the client's call."""

    def strike(self, method: str, target: bytes, *, streams: bool) -> list[Rule]:
        """Count a call and return the rules that strike it."""
        struck = self._counts.call(method, target, streams=streams)
        for rule in struck:
            self._counts.tell(rule)
        return struck

    def answer(self, request: web.BaseRequest, target: bytes, data: bytes) -> "Told | Served | None":
        """What a run that asks once more answers to a call; None where the recording does."""
        said = self._dooms and self._dooms.answer(request.method, target, data)
        if said is None:
            return None
        if isinstance(said, Altered):
            keep = not wants_close(request)
            return Told(json_answer(said.status, said.body, headers=marks(said.rules), keep_alive=keep), said.rules)
        return Served(said, "exact", START)  # it was served before, and moves nothing

    def alter(self, row: Row, ready: Prepared, target: bytes, *, hurry: bool) -> tuple[Prepared, tuple[Rule, ...]]:
        """The answer as the session's faults by meaning have it, and the rules that changed it."""
        interaction = ready.interaction
        response = interaction.response
        if self._dooms is None or response is None or ready.cut:
            return ready, ()
        self._dooms.submit(row, target)
        altered = self._dooms.alter(row, response)
        if altered is None:
            return ready, ()
        pace = _marks(response.marks, altered.kept, len(altered.body))
        told = replace(
            response,
            status=altered.status,
            reason=response.reason if altered.status == response.status else b"",
            body=Body.of(altered.body),
            marks=pace,
        )
        streams = bool(row.summary.flags & STREAM)
        return prepare(replace(interaction, response=told), hurry=hurry, streams=streams), altered.rules

    def take(self, key: int) -> Served | None:
        """The first recorded write that an earlier call with this key did not get to its end."""
        found = [each for each in self.kept if each[0] == key]
        if not found:
            return None
        first = min(found, key=lambda each: each[1].row.summary.arrival)
        self.kept.remove(first)
        return first[1]

    def follow(self, pairs: list[tuple[Served, Served]]) -> None:
        """Calls that were answered stand for other recorded ones now (see `cassettes.binding`)."""
        now = {old.row.offset: new for old, new in pairs}
        self.kept = deque(((key, now.get(kept.row.offset, kept)) for key, kept in self.kept), MOST_KEPT)
        if self._dooms is not None:
            self._dooms.follow([(old.row, new.row) for old, new in pairs])

    @contextmanager
    def keeping(self, key: int, served: Served, struck: Sequence[Rule]) -> Iterator[None]:
        """Keep a struck write for the client's retry unless its answer is written to the end. Swallows BrokenOff.

        It is kept only then, so that equal writes side by side each have their own. `key` is that of the call as the client
        made it, which its retry has again, whatever its ids stand for by then.
        """
        try:
            yield
        except BaseException as error:  # a client that leaves cancels its call
            if struck and served.row.summary.writes:
                self.kept.append((key, served))
            if not isinstance(error, BrokenOff):
                raise


def marks(struck: Sequence[Rule]) -> tuple[tuple[bytes, bytes], ...]:
    """The headers by which an injected fault is seen."""
    return tuple((b"x-respool-fault", rule.text.encode("ascii")) for rule in struck)


def words(struck: Sequence[Rule]) -> str:
    """The rules that struck a call, each once, as they were given."""
    return "; ".join(dict.fromkeys(rule.text for rule in struck))


def refusal(struck: list[Rule]) -> Status | None:
    """The status that replaces the answer, where a rule says one."""
    return next((rule.effect for rule in struck if isinstance(rule.effect, Status)), None)


def refused(request: web.BaseRequest, status: Status, struck: list[Rule]) -> Answer:
    """An error in the API's shape. No `x-should-retry`: the client's own rules for the status are what is tried."""
    kind, code = _KINDS.get(status.status, ("server_error" if status.status >= 500 else "invalid_request_error", None))
    message = "; ".join(rule.text for rule in struck if rule.effect is status)
    body = error_body(f"respool injected this error ({message})", code, kind=kind)
    if request.method == "HEAD":
        body = b""
    return json_answer(
        status.status, body, headers=(*status.headers, *marks(struck)), keep_alive=not wants_close(request)
    )


async def delay(struck: Sequence[Rule], sleep: Sleep) -> None:
    """Wait as long as a rule says before anything is answered."""
    for rule in struck:
        if isinstance(rule.effect, Delay):
            await sleep(rule.effect.seconds)


def _marks(recorded: tuple[tuple[int, int], ...], kept: int, length: int) -> tuple[tuple[int, int], ...]:
    """The pace of an altered stream: what is kept comes when it came, the rest at once behind it."""
    if not recorded:
        return ()
    pace: list[tuple[int, int]] = []
    left = kept
    for size, moment in recorded:
        if left <= 0:
            break
        pace.append((min(size, left), moment))
        left -= size
    return (*pace, (length - kept, pace[-1][1] if pace else recorded[0][1]))


class FaultyStream(Stream):
    """A stream that waits and breaks off where its rules say. `length` is that of the whole body, in bytes."""

    __slots__ = ("_break", "_due", "_events", "_sent", "_sleep", "_tail")

    def __init__(self, request: web.BaseRequest, struck: Sequence[Rule], *, length: int, sleep: Sleep) -> None:
        super().__init__(request)
        self._sleep = sleep
        self._sent = 0
        self._events = 0
        self._tail = b""
        self._break: Break | None = None
        self._due: list[FirstByte | Stall | Break] = []
        for rule in struck:
            effect = rule.effect
            if isinstance(effect, Stall) and effect.count is None:
                effect = Stall(effect.seconds, length // 2, "bytes")
            if isinstance(effect, FirstByte | Stall | Break):
                self._due.append(effect)

    def break_at_once(self) -> None:
        """Reset the connection at once, where a rule says so. Raises BrokenOff."""
        if any(isinstance(effect, Break) and effect.count is None for effect in self._due):
            self._abort()
            raise BrokenOff

    async def send(self, data: bytes) -> None:
        """Send a piece, up to each place at which something is due. Raises BrokenOff."""
        while True:
            await self._do_what_is_due()
            if not data:
                return
            ends = [end for effect in self._due if (end := self._place(effect, data)) is not None]
            piece = data[: min(ends, default=len(data))]
            await super().send(piece)
            self._count(piece)
            data = data[len(piece) :]
            if not data and not any(self._reached(effect) for effect in self._due):
                return

    async def _do_what_is_due(self) -> None:
        for effect in [effect for effect in self._due if self._reached(effect)]:
            self._due.remove(effect)
            if not isinstance(effect, Break):
                await self._sleep(effect.seconds)
            elif effect.reset:
                self._abort()
                raise BrokenOff
            else:
                self.cut()
                raise BrokenOff

    def _reached(self, effect: FirstByte | Stall | Break) -> bool:
        if isinstance(effect, FirstByte):
            return True
        return (self._events if effect.unit == "events" else self._sent) >= (effect.count or 0)

    def _place(self, effect: FirstByte | Stall | Break, data: bytes) -> int | None:
        """Where in `data` the effect is due; None where it is not due in it."""
        if isinstance(effect, FirstByte):
            return 0
        if effect.unit == "bytes":
            left = (effect.count or 0) - self._sent
            return left if left <= len(data) else None
        missing = (effect.count or 0) - self._events
        joined = self._tail + data
        for match in EVENT_END.finditer(joined):
            missing -= 1
            if missing == 0:
                return match.end() - len(self._tail)
        return None

    def _count(self, piece: bytes) -> None:
        self._sent += len(piece)
        joined = self._tail + piece
        rest = 0
        for match in EVENT_END.finditer(joined):
            self._events += 1
            rest = match.end()
        self._tail = joined[max(rest, len(joined) - 3) :]

    def _abort(self) -> None:
        """Close with a reset. What the client has not read yet may be lost, as with any reset."""
        self.keep_alive = False
        transport: Any = self._protocol.transport
        if transport is None:
            return
        connected = transport.get_extra_info("socket")
        if connected is not None:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
