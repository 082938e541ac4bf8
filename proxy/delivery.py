"""How the answer that a replay has found is written to its client: at its pace, with its faults, in the session's ids.

Answers lie ready (see `prepared`); one that is whole and that nothing happens to is handed back to be written as it is.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from aiohttp import web

from ..cassettes.errors import CassetteError
from ..cassettes.fault_rules import Rule
from ..cassettes.interaction import Body, End, Interaction
from ..cassettes.positions import Served
from ..cassettes.recording import Recording
from ..cassettes.summary import STREAM, Row
from . import wire
from .answer import Answer, Stream, wants_close
from .control.calls import clipped
from .control.hub import MOST_TOLD, Hub
from .injection import FaultyStream, Sleep, marks, words
from .pace import Pace
from .players import Player
from .prepared import Prepared, PreparedAnswers, prepare
from .redirects import own_location
from .renamed import renamed


class Delivery:
    """Writes the answers of one cassette. `lament` is told of those that turn out to be damaged on their way."""

    def __init__(
        self,
        recording: Recording,
        *,
        upstream: str,
        hurry: bool,
        pace: Pace,
        sleep: Sleep,
        cache: int,
        lament: Callable[[CassetteError], None],
        hub: Hub | None = None,
    ) -> None:
        self._hub = hub
        self._recording = recording
        self._origin = _origin(upstream)
        self._hurry = hurry
        self._pace = pace
        self._sleep = sleep
        self._lament = lament
        self._answers = PreparedAnswers(self._build, most=cache)
        self.inexact = 0
        """Calls that were served ahead of their place."""

    async def serve(
        self, request: web.BaseRequest, session: str, served: Served, player: Player, struck: Sequence[Rule] = ()
    ) -> Answer:
        """Answer a call with what serves it; `struck` are the faults that it meets."""
        answer = self._at_hand(request, served, player, struck)
        if self._hub is None:
            return answer or await self._serve(request, session, served, player, struck)
        interaction = self._interaction(served.row)
        if answer is not None and not self._hub.log.watched:  # it is over before anybody could look on
            self._hub.served(session, served.how, interaction, served.row, self._recording)
            return answer
        running = _Running(self._hub, session, interaction)
        running.strike(struck)
        try:
            return answer or await self._serve(request, session, served, player, struck, running)
        finally:
            if running.altered is not None:
                self._hub.end_made(running.call, "fault", running.altered)
            else:
                self._hub.end(running.call, served.how, interaction, served.row, self._recording)

    def _at_hand(
        self, request: web.BaseRequest, served: Served, player: Player, struck: Sequence[Rule]
    ) -> Answer | None:
        """The answer of a call that nothing happens to, where it lies ready whole."""
        named = player.binder is not None and player.binder.names
        if struck or player.fate is not None or named or served.how == "ahead" or not served.row.summary.status:
            return None
        return _whole(request, self._answers.get(served.row))

    async def _serve(
        self,
        request: web.BaseRequest,
        session: str,
        served: Served,
        player: Player,
        struck: Sequence[Rule],
        running: "_Running | None" = None,
    ) -> Answer:
        row = served.row
        if row.summary.status == 0:
            return Stream(request).cut()  # nothing came back when it was recorded, and nothing comes back now
        ready = self._answers.get(row)
        if player.fate is not None:
            ready, changed = player.fate.alter(row, ready, ready.interaction.request.target, hurry=self._hurry)
            struck = (*struck, *changed)
            if running is not None and changed:
                running.alter(ready.interaction, struck)
        if player.binder is not None and player.binder.names:
            ready = renamed(ready, player.binder.names)
        more: tuple[tuple[bytes, bytes], ...] = ()
        if served.how == "ahead":
            self.inexact += 1
            more = ((b"x-respool-inexact", b"ahead"),)
        whole = _whole(request, ready) if not more and not struck else None
        return whole or await self._write(request, session, ready, more, struck, running)

    async def _write(
        self,
        request: web.BaseRequest,
        session: str,
        ready: Prepared,
        more: tuple[tuple[bytes, bytes], ...],
        struck: Sequence[Rule] = (),
        running: "_Running | None" = None,
    ) -> Answer:
        stream = Stream(request)
        if struck:
            more += marks(struck)
            stream = FaultyStream(request, struck, length=_length(ready), sleep=self._sleep)
            stream.break_at_once()
        host = wire.header_value(request.raw_headers, b"host") or b""
        headers = own_location(ready.headers, self._origin, host, session) if ready.redirects else list(ready.headers)
        loop = asyncio.get_running_loop()
        began = loop.time()
        response = ready.interaction.response
        paced = response is not None and bool(response.marks)
        if response is not None and paced:
            await self._pace.until(began, response.head_us, clock=loop.time)
            if running is not None:
                running.head()
        stream.start(ready.status_line, [*headers, *more], body=ready.body, length=ready.length, close=ready.cut)
        if ready.whole is not None:
            if body := ready.whole.partition(b"\r\n\r\n")[2]:
                await stream.send(body)
        elif response is not None and ready.body:
            try:
                for piece, moment in ready.parts(response):
                    if paced:
                        await self._pace.until(began, moment, clock=loop.time)
                    await stream.send(piece)
                    if running is not None:
                        running.reach(moment)
            except CassetteError as error:
                self._lament(error)
                return stream.cut()
        return stream.cut() if ready.cut else stream.finish()

    def _interaction(self, row: Row) -> Interaction:
        """What was recorded, with the name of its scope."""
        if row.summary.status:
            return self._answers.get(row).interaction
        return self._named(self._recording.interaction(row), row)

    def _build(self, row: Row) -> Prepared:
        interaction = self._named(self._recording.interaction(row), row)
        return prepare(interaction, hurry=self._hurry, streams=bool(row.summary.flags & STREAM))

    def _named(self, interaction: Interaction, row: Row) -> Interaction:
        if interaction.scope:
            return interaction
        return replace(interaction, scope=self._recording.scope_name(row.summary.scope))


class _Running:
    """A call being served, as it is told to who looks on: of a stream as much of the recording as its moments have come."""

    def __init__(self, hub: Hub, session: str, interaction: Interaction) -> None:
        self._hub = hub
        self._interaction = interaction
        self._head = False
        self._sent = 0
        self._mark = 0
        self.altered: Interaction | None = None
        """What the client gets in the place of what was recorded, where faults changed it."""
        self.call = hub.begin(session, self._look)

    def strike(self, struck: Sequence[Rule]) -> None:
        self.call.noted = clipped(words(struck))

    def alter(self, interaction: Interaction, struck: Sequence[Rule]) -> None:
        self.strike(struck)
        scope, session = self._interaction.scope, self.call.session
        extra = {**interaction.extra, "fault": self.call.noted}
        self._interaction = self.altered = replace(interaction, scope=scope, session=session, extra=extra)

    def head(self) -> None:
        response = self._interaction.response
        if response is not None:
            self._head = True
            short = response.body.at_hand and response.body.length <= MOST_TOLD
            self._hub.headed(self.call, response.status, shown=self._shown if short else None)

    def reach(self, moment: int) -> None:
        response = self._interaction.response
        marks = response.marks if response is not None and self.call.shown is not None else ()
        while self._mark < len(marks) and marks[self._mark][1] <= moment:
            self._sent += marks[self._mark][0]
            self._mark += 1
        self._hub.grew(self.call)

    def _look(self) -> Interaction:
        response = self._interaction.response if self._head else None
        if response is not None:
            response = replace(response, body=Body.of(self.call.told), marks=())
        return replace(self._interaction, response=response, end=End.COMPLETE, extra={"running": True})

    def _shown(self) -> bytes:
        response = self._interaction.response
        return response.body.read()[: self._sent] if response is not None else b""


def _whole(request: web.BaseRequest, ready: Prepared) -> Answer | None:
    """The answer in one piece, where there is one and the connection stays open."""
    return None if ready.whole is None or wants_close(request) or request.version < (1, 1) else Answer(ready.whole)


def _length(ready: Prepared) -> int:
    """The bytes of a body as it is sent."""
    response = ready.interaction.response
    if ready.whole is not None:
        return len(ready.whole.partition(b"\r\n\r\n")[2])
    return sum(len(piece) for piece, _ in ready.pieces) or (response.body.length if response is not None else 0)


def _origin(upstream: str) -> str:
    """What a recorded `Location` begins with."""
    scheme, mark, rest = upstream.partition("://")
    return scheme + mark + rest.partition("/")[0] if mark else "\0"
