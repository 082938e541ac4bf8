"""Replay: a request becomes a key, the key a place in its thread's line, and the place bytes that lie ready.

No connection to anywhere is opened. A request that no recording answers gets a 502 that says why. What is found is written
by `delivery`.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from ..cassettes.ambiguities import Ambiguities, Call
from ..cassettes.binding import Binder
from ..cassettes.errors import CassetteError
from ..cassettes.fault_rules import Rule
from ..cassettes.faults import Faults
from ..cassettes.interaction import Body, Headers, Request
from ..cassettes.matching import Matching
from ..cassettes.misses import explain, shown_request
from ..cassettes.operations import split_target
from ..cassettes.positions import Session
from ..cassettes.reader import Reader
from ..cassettes.redaction import secrets_of
from ..cassettes.rekeyed import Progress
from ..cassettes.reports import Report, report_in_steps, report_on
from ..cassettes.secrets.cleaning import Cleaning
from ..cassettes.secrets.policy import PLAIN
from ..cassettes.summary import CREATES, STREAM
from ..cassettes.tape import Tape
from ..cassettes.text import clip
from . import wire
from .answer import Answer, error_answer, json_answer, response_of, wants_close
from .control.calls import shown_name
from .control.hub import Hub
from .control.memory import made, missed
from .delivery import Delivery
from .health import Health
from .incoming import ClientFault, body_at_hand, body_pieces, is_here
from .injection import Fate, Sleep, Told, delay, refusal, refused, words
from .pace import Pace
from .players import IDLE_SECONDS, Player, Players
from .prepared import CACHE_BYTES
from .renamed import renamed_answer
from .spellings import LargeKey, Spellings, decoded

IN_MEMORY = 16 << 20
"""Request bodies above this are keyed as they stream by, and are not kept for an explanation."""


class Replayer:
    """Handles calls in the mode `replay`, for one cassette and any number of sessions."""

    def __init__(
        self,
        reader: Reader,
        *,
        matching: Matching | None = None,
        pace: Pace | None = None,
        faults: Faults | None = None,
        sleep: Sleep = asyncio.sleep,
        idle: float = IDLE_SECONDS,
        cache: int = CACHE_BYTES,
        narrate: Callable[[str], None],
        progress: Progress | None = None,
        hub: Hub | None = None,
    ) -> None:
        self._hub = hub
        self._reader = reader
        matching = matching or Matching()
        self.tape = Tape(reader, polls=matching.polls, strict=matching.strict, rules=matching.rules, progress=progress)
        self._cleaning = Cleaning((matching.rules.policy or PLAIN).of_today())
        self.faults = faults
        self._sleep = sleep
        self._narrate = narrate
        self._players = Players(self._player, idle=idle)
        self._spellings = Spellings(reader.file_id, matching.rules)
        self._ambiguities = Ambiguities(self.tape) if matching.late_binding else None
        upstream = reader.meta.get("upstream")
        self._upstream = upstream if isinstance(upstream, str) else ""
        self._delivery = Delivery(
            self.tape.recording,
            upstream=self._upstream,
            hurry=matching.polls == "compress",
            pace=pace or Pace(),
            sleep=sleep,
            cache=cache,
            lament=self._lament,
            hub=hub,
        )
        self.calls = 0
        self.misses = 0
        self.refused = 0
        """Calls that an injected status answered."""
        self.damaged = 0

    def player(self, name: str) -> Player:
        """The session of that name, made at its first use."""
        return self._players.get(name)

    def _player(self, name: str) -> Player:
        session = Session(self.tape)
        fate = Fate(self.faults, name, self._reader) if self.faults else None
        if self._ambiguities is None:
            return Player(session, fate)
        return Player(session, fate, Binder(session, self._ambiguities, moved=fate.follow if fate else None))

    def report(self, name: str) -> Report:
        """What a session came to so far. Reads every row of the recording."""
        player = self.player(name)
        return report_on(player.session, tuple(player.missed))

    async def told_of(self, session: str) -> dict[str, Any] | None:
        """The report on a session, for the control API; None where there is none. Calls are answered in between."""
        if session not in self._players:
            return None
        player = self.player(session)
        steps = report_in_steps(player.session, tuple(player.missed))
        while True:
            try:
                next(steps)
            except StopIteration as end:
                report: Report = end.value
                return report.to_json()
            await asyncio.sleep(0)

    def begin_anew(self, session: str) -> bool:
        """Drop a session, for the control API; False where there is none."""
        there = session in self._players
        self.forget(session)
        return there

    def forget(self, name: str) -> None:
        """Drop a session: it begins anew when it comes back."""
        self._players.drop(name)

    @property
    def base(self) -> str:
        """The path that clients' base URL had when the cassette was recorded, such as `/v1`."""
        try:
            return urlsplit(self._upstream).path.rstrip("/")
        except ValueError:
            return (
                ""  # what a cassette says of itself may be nonsense; the paths below any base are served all the same
            )

    @property
    def upstream(self) -> str:
        """Where the cassette was recorded, as it says."""
        return self._upstream

    @property
    def inexact(self) -> int:
        """Calls that were served ahead of their place."""
        return self._delivery.inexact

    @property
    def sessions(self) -> list[str]:
        return list(self._players)

    @property
    def sessions_made(self) -> int:
        """Sessions that were ever made; those that are left are `sessions`."""
        return self._players.made

    def health(self) -> Health:
        return Health(cassettes=1, sessions=len(self._players))

    async def handle(self, request: web.BaseRequest, session: str, target: bytes) -> Answer:
        self.calls += 1
        try:
            return await self._answer(request, session, target)
        except CassetteError as error:
            self._lament(error)
            answer = error_answer(500, error.message, "cassette_damaged", keep_alive=is_here(request))
            return self._told(request, session, target, answer, "not answered from the cassette")

    async def _answer(self, request: web.BaseRequest, session: str, target: bytes) -> Answer:
        headers: Headers = request.raw_headers
        try:
            if is_here(request):
                data = body_at_hand(request)
                key, variant = self._spellings.identify(request.method, target, headers, data)
            else:
                data, key, variant = await self._read(request, target, headers, self.player(session).binder)
        except ClientFault as fault:
            return self._told(request, session, target, fault.answer(), "refused")
        return await self.answer(request, session, target, data, key=key, variant=variant)

    async def answer(
        self, request: web.BaseRequest, session: str, target: bytes, data: bytes | None, *, key: int, variant: int
    ) -> Answer:
        """Answer a call whose body was read (None: it was too large to be kept) and whose key is known."""
        player = self._players.get(session)
        binder, fate = player.binder, player.fate
        asked = request.method, target, request.raw_headers, data, variant
        if fate is None and (binder is None or not binder.active):
            # The way of nearly every call: nothing to inject, and no id that may stand for another.
            served = player.session.serve(key, variant=variant)
            if served is None:
                return self._miss(player, Call(*asked), session, request)
            if binder is not None and served.row.summary.flags & CREATES:
                binder.created(Call(*asked), key, served)
            return await self._delivery.serve(request, session, served, player)
        call = Call(*asked)
        if binder is not None and binder.active:
            call = _plain(call)
        if fate is not None:
            return await self._fated(request, session, player, fate, call, key)
        served = player.serve(call, key)
        if served is None:
            return self._miss(player, call, session, request)
        return await self._delivery.serve(request, session, served, player)

    async def _fated(
        self, request: web.BaseRequest, session: str, player: Player, fate: Fate, call: Call, key: int
    ) -> Answer:
        """Answer a call of a session that meets faults. Those speak of what was recorded, so ids are put in its words."""
        asked, asked_key = call, key
        if player.binder is not None and player.binder.names:
            asked = player.binder.recorded(call)
            asked_key = self._key_of(asked) if asked.data is not None else key
        struck = fate.strike(asked.method, asked.target, streams=self._streams(asked_key, call.variant))
        if (status := refusal(struck)) is not None:
            self.refused += 1
            return await self._made(session, asked, struck, struck, refused(request, status, struck))
        said = fate.take(key) or fate.answer(request, asked.target, decoded(asked.headers, asked.data or b""))
        if isinstance(said, Told):
            answer = await self._made(session, asked, struck, [*struck, *said.rules], said.answer)
            return answer if player.binder is None else renamed_answer(answer, player.binder.names)
        served = said or player.serve(call, key)
        if served is None:
            return self._miss(player, call, session, request)
        with fate.keeping(key, served, struck):
            await delay(struck, self._sleep)
            return await self._delivery.serve(request, session, served, player, struck)
        return Answer(keep_alive=False)  # broken off, as a rule said

    def _told(self, request: web.BaseRequest, session: str, target: bytes, answer: Answer, what: str) -> Answer:
        """An answer that is none of the recording's, told to who wants to hear of each call."""
        if self._hub is not None and self._hub.narration is not None:
            self._hub.narration.answered(request.method, target, request.raw_headers, answer, what, session)
        return answer

    async def _made(
        self, session: str, asked: Call, struck: Sequence[Rule], made_by: Sequence[Rule], answer: Answer
    ) -> Answer:
        """Wait as the struck rules say, then give an answer that faults made. Both are told to who looks on."""
        if self._hub is None:
            await delay(struck, self._sleep)
            return answer
        rules = words(made_by)
        body = Body.of(decoded(asked.headers, asked.data or b""))
        request = Request(asked.method, asked.target, asked.headers, body)
        named = shown_name(session, secrets_of(request), cleaning=self._cleaning)
        answered = made(shown_request(request, self.tape.rules), response_of(answer), named, fault=rules)
        with self._hub.answering(session, answered, rules):
            await delay(struck, self._sleep)
        return answer

    def _streams(self, key: int, variant: int) -> bool:
        """Whether what was recorded for a key is a stream."""
        found = self.tape.candidates(key, variant)
        return found is not None and any(row.summary.flags & STREAM for row in found.rows)

    async def stop(self, timeout: float) -> None:
        """Nothing is left to wait for: answers are written by the calls themselves."""

    def _key_of(self, call: Call) -> int:
        return self._spellings.key(call.method, call.target, call.headers, call.data or b"")

    async def _read(
        self, request: web.BaseRequest, target: bytes, headers: Headers, binder: Binder | None
    ) -> tuple[bytes | None, int, int]:
        """Read a body that is still on its way. A large one is keyed as it comes and not kept. Raises ClientFault.

        Of a large one the ids of late binding are told in the target only.
        """
        pieces: list[bytes] = []
        size = 0
        large: LargeKey | None = None
        async for piece in body_pieces(request):
            size += len(piece)
            if large is not None:
                large.feed(piece)
                continue
            pieces.append(piece)
            if size > IN_MEMORY:
                large = self._spellings.begin(request.method, binder.target(target) if binder else target, headers)
                for earlier in pieces:
                    large.feed(earlier)
                pieces.clear()
        if large is not None:
            return None, large.finish(), large.variant
        data = b"".join(pieces)
        return data, *self._spellings.identify(request.method, target, headers, data)

    def _lament(self, error: CassetteError) -> None:
        """The cassette opened, but a part of it that a call needed is not whole."""
        self.damaged += 1
        self._narrate(f"respool: {error.message}" + (f" ({error.hint})" if error.hint else ""))

    def _miss(self, player: Player, call: Call, session: str, request: web.BaseRequest) -> Answer:
        self.misses += 1
        sent = call
        if player.binder is not None:
            call = player.binder.recorded(call)
        asked = Request(call.method, call.target, call.headers, Body.of(decoded(call.headers, call.data or b"")))
        miss = explain(self.tape.recording, player.session, asked, variant=call.variant)
        if call.target != sent.target:
            shown = shown_request(Request(sent.method, sent.target, sent.headers), self.tape.rules).target
            miss = replace(miss, sent=clip(split_target(shown)[1], 160))
        player.missed.append(miss)
        named = shown_name(session, secrets_of(asked), cleaning=self._cleaning)
        where = "" if session == "default" else f" (session {named})"
        self._narrate(f"respool: miss{where}: {miss.text()}")
        said = miss.to_json()
        if self._hub is not None:
            redacted = shown_request(asked, self.tape.rules)
            self._hub.missed(session, missed(redacted, said, named), miss.text)
        return json_answer(502, said, headers=((b"X-Should-Retry", b"false"),), keep_alive=not wants_close(request))


def _plain(call: Call) -> Call:
    """The call without a content coding, so that the ids in its body can be seen."""
    if call.data is None or wire.header_value(call.headers, b"content-encoding") is None:
        return call
    headers = tuple(line for line in call.headers if line[0].lower() != b"content-encoding")
    return call._replace(headers=headers, data=decoded(call.headers, call.data))
