"""Which threads of a recording cannot be told apart when they are created: those whose creations are equal calls.

Found once for a tape and shared by the sessions that bind (`binding`), with the calls that they recall and the ids that
their answers name.
"""

from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

from .ids import LEAST_LISTED, ids_of
from .interaction import Body, Headers, Request
from .positions import Served
from .renaming import is_id, replaced
from .summary import CREATES, Row
from .tape import Tape, Writes

MOST_THREADS = 10_000
"""Threads created by equal calls that are told apart; those recorded after them stand for themselves."""
_REMEMBERED_ANSWERS = 4096
_REMEMBERED_BYTES = 4 << 20
"""Bytes of recorded requests that are kept at hand, for all sessions together."""
_OVERHEAD = 1024
"""What a request is taken to cost besides its body."""


class Call(NamedTuple):
    """A request as it is asked. `data` is None where the body was too large to be kept."""

    method: str
    target: bytes
    headers: Headers
    data: bytes | None
    variant: int = 0

    def spelled(self, image: Callable[[bytes], bytes | None]) -> "Call":
        """The call with other ids."""
        data = None if self.data is None else replaced(self.data, image)
        return self._replace(target=replaced(self.target, image), data=data)


class Creation(NamedTuple):
    """A recorded creation of a thread."""

    served: Served
    thread: bytes


class Ambiguities:
    """What the binders of one tape share: the creations that cannot be told apart, recorded requests, and the ids of answers."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self._creations: dict[int, dict[int, Creation]] = {}
        self._ids: dict[int, tuple[bytes, ...]] = {}
        self._calls: dict[int, Call] = {}
        self._bytes = 0

    def key_of(self, call: Call) -> int:
        """The key of a call whose body is at hand, and in no content coding."""
        request = Request(call.method, call.target, call.headers, Body.of(call.data or b""))
        return self.tape.key_of(request, variant=call.variant)

    def creations(self, key: int, variant: int) -> dict[int, Creation]:
        """The threads that this call may begin, by scope, in order of recording; nothing where it is one at most."""
        found = self.tape.candidates(key, variant)
        if not isinstance(found, Writes):
            return {}
        known = self._creations.get(id(found))  # the tape holds it for ever
        if known is None:
            known = {}
            for row, place in islice(zip(found.rows, found.places, strict=True), MOST_THREADS):
                scope = row.summary.scope
                thread = self.tape.recording.scope_name(scope).encode("utf-8", "replace")
                if row.summary.flags & CREATES and is_id(thread, least=LEAST_LISTED):
                    known.setdefault(scope, Creation(Served(row, "exact", place), thread))
            known = self._creations[id(found)] = known if len(known) > 1 else {}
        return known

    def ids(self, row: Row) -> tuple[bytes, ...]:
        """The ids that the answer of a recorded call names."""
        found = self._ids.get(row.offset)
        if found is None:
            if len(self._ids) >= _REMEMBERED_ANSWERS:
                self._ids.clear()
            found = self._ids[row.offset] = ids_of(self.tape.recording.interaction(row).response)
        return found

    def call(self, row: Row) -> Call:
        """A recorded request as a call."""
        found = self._calls.get(row.offset)
        if found is None:
            request = self.tape.recording.interaction(row).request
            found = Call(request.method, request.target, request.headers, request.body.read(), row.summary.variant)
            size = _OVERHEAD + request.body.length
            if self._bytes + size > _REMEMBERED_BYTES:
                self._calls.clear()
                self._bytes = 0
            if size <= _REMEMBERED_BYTES:
                self._calls[row.offset] = found
                self._bytes += size
        return found
