"""The tail of a thread recorded anew: replayed up to one of its writes, live from there.

The client runs as ever. Up to and including write N of the thread it is answered from the recording. With the first call
after that, the first N writes are performed against the upstream (see `rehearsal`); from then on calls are forwarded, with
ids put in the upstream's words on the way there and back in the recording's on the way home, and recorded behind the kept
part. So client and cassette speak the old ids throughout.

What else a call meets: another recorded thread is replayed. In a collection (`/assistants`, `/files`) a recorded call is
replayed, its write owed to the upstream like those of the thread; one that was not recorded is live, and from the first
such write on the collection's reads are. Any other call is live once the thread is, and a miss before. One session only.
"""

import asyncio
from collections.abc import Callable

from aiohttp import web

from ..cassettes.amounts import counted
from ..cassettes.errors import CassetteError, RespoolError
from ..cassettes.ids import IdMap
from ..cassettes.interaction import EMPTY, Request
from ..cassettes.matching import Matching
from ..cassettes.operations import READS
from ..cassettes.prefix import Prefix
from ..cassettes.rekeyed import Progress
from ..cassettes.rules import NO_RULES, Rules
from ..cassettes.scopes import scope_hash, scope_of
from ..cassettes.secrets.finder import Replacer, hide
from ..cassettes.summary import Row
from ..cassettes.tape import Reads
from ..cassettes.writer import Writer
from .answer import Answer, error_answer
from .control.hub import Hub
from .incoming import ClientFault, body_pieces, is_here
from .performer import RUN_SECONDS
from .record import Recorder
from .rehearsal import Rehearsal
from .replay import Replayer
from .spellings import Spellings
from .translation import TranslatedUpstream
from .upstream import Upstream

MOST_BODY = 64 << 20
"""Bytes of a request body: it is held whole, since its length changes with the ids in it."""


class Tail:
    """Handles calls in the mode `record`, first from a prefix, then live. The thread is `live` once write N was replayed."""

    def __init__(
        self,
        prefix: Prefix,
        upstream: Upstream,
        writer: Writer,
        *,
        ids: IdMap | None = None,
        rules: Rules = NO_RULES,
        progress: Progress | None = None,
        narrate: Callable[[str], None],
        patience: float = RUN_SECONDS,
        replacer: Replacer = hide,
        hub: Hub | None = None,
    ) -> None:
        self.live = False
        self.recorder = Recorder(upstream, writer, narrate=narrate, replacer=replacer, hub=hub)
        matching = Matching(late_binding=False, rules=rules)
        self.replayer = Replayer(prefix, matching=matching, narrate=narrate, progress=progress, hub=hub)
        self._prefix = prefix
        self._upstream = upstream
        self._narrate = narrate
        self._ids = ids or IdMap()
        self._rehearsal = Rehearsal(prefix, upstream, self._ids, narrate=narrate, patience=patience)
        self._tape = self.replayer.tape
        self._spellings = Spellings(prefix.file_id, rules)
        self._session: str | None = None
        self._live_collections: set[str] = set()
        self._rehearsing: asyncio.Task[None] | None = None

    @property
    def fault(self) -> RespoolError | None:
        """Why the upstream could not be brought to where the recording stood."""
        return self._rehearsal.fault

    @property
    def performed(self) -> int:
        """Recorded writes that were performed upstream."""
        return self._rehearsal.performed

    async def handle(self, request: web.BaseRequest, session: str, target: bytes) -> Answer:
        if self._session is None:
            self._session = session
        elif session != self._session:
            return error_answer(409, "a tail is recorded from one session, and another one has begun", "one_session")
        try:
            body = await _read(request)
        except ClientFault as fault:
            return fault.answer()
        if body is None:
            why = f"while a tail is recorded, a request body has {MOST_BODY >> 20} MiB at most"
            return error_answer(413, why, "body_too_large", keep_alive=False)
        key, variant = self._spellings.identify(request.method, target, request.raw_headers, body)
        was_live = self.live
        try:
            if self._goes_upstream(request.method, target, key, variant):
                return await self._forward(request, session, target, body)
            answer = await self.replayer.answer(request, session, target, body, key=key, variant=variant)
        except CassetteError as error:
            self._narrate(f"respool: {error.message}" + (f" ({error.hint})" if error.hint else ""))
            return error_answer(500, error.message, "cassette_damaged", keep_alive=False)
        if was_live:  # a write in a collection is owed at once: it may be the client's last call
            await self._catch_up(Request(request.method, target, request.raw_headers))
        return answer

    async def stop(self, timeout: float) -> None:
        """End what is under way."""
        if self._rehearsing is not None and not self._rehearsing.done():
            self._rehearsing.cancel()
            await asyncio.wait([self._rehearsing])
        await self.recorder.stop(timeout)

    def _goes_upstream(self, method: str, target: bytes, key: int, variant: int) -> bool:
        """Decide as the module says. A write that will be replayed is noted as owed to the upstream."""
        scope = scope_of(Request(method, target, (), EMPTY), None)
        collection = scope.startswith("/") and scope != "/threads"
        if scope == self._prefix.thread and self.live:
            return True
        found = self._tape.candidates(key, variant)
        if isinstance(found, Reads):
            return scope in self._live_collections
        used = self.replayer.player(self._session or "").session.has_used
        row = next((row for row in found.rows if not used(row)), None) if found else None
        if row is not None:
            self._owe(row)
            return False
        if collection:
            if method not in READS:
                self._live_collections.add(scope)
            return True
        return self.live and not self._prefix.rows_of_scope(scope) if scope != "/threads" else self.live

    def _owe(self, row: Row) -> None:
        # With rules a row of the tape has another key than that of the cassette, which is the one to perform.
        scope, arrival = row.summary.scope, row.summary.arrival
        if scope == scope_hash(self._prefix.thread):
            owed = [earlier for earlier in self._prefix.writes() if earlier.summary.arrival <= arrival]
            self._rehearsal.owe(owed)
            self.live = self.live or owed[-1] == self._prefix.last
        elif self._prefix.scope_name(scope).startswith("/"):
            same = [each for each in self._prefix.rows_of_scope_hash(scope) if each.summary.arrival == arrival]
            self._rehearsal.owe(same)

    async def _forward(self, request: web.BaseRequest, session: str, target: bytes, body: bytes) -> Answer:
        await self._catch_up(Request(request.method, target, request.raw_headers))
        if self.fault is not None:
            said = self.fault.message + (f" ({self.fault.hint})" if self.fault.hint else "")
            return error_answer(502, said, "tail_diverged", keep_alive=is_here(request))
        way = TranslatedUpstream(self._upstream, self._ids, body)
        return await self.recorder.handle(request, session, target, way=way, body=body)

    async def _catch_up(self, caller: Request) -> None:
        """Perform what the upstream is owed, for a call that is live."""
        while self._rehearsal.owes and self.fault is None:
            if self._rehearsing is None or self._rehearsing.done():
                self._rehearsing = asyncio.get_running_loop().create_task(self._rehearse(caller))
            # Shielded: the task goes on when this client leaves, since half of the writes are of no use.
            await asyncio.shield(self._rehearsing)

    async def _rehearse(self, caller: Request) -> None:
        await self._rehearsal.perform(caller)
        if self.fault is not None:
            self._narrate(f"respool: THE TAIL CANNOT BE RECORDED: {self.fault.message}. {self.fault.hint}".rstrip())
        else:
            self._narrate(f"respool: performed {counted(self.performed, 'recorded write')} upstream so far")


async def _read(request: web.BaseRequest) -> bytes | None:
    """The request body; None when there is more than may be held. Raises ClientFault."""
    pieces: list[bytes] = []
    size = 0
    async for piece in body_pieces(request):
        size += len(piece)
        if size > MOST_BODY:
            return None
        pieces.append(piece)
    return b"".join(pieces)
