"""Why no recording answers a request: the nearest recorded ones, each field that differs, and where it happened.

There are five reasons, told apart in `Miss.reason`: see `Reason`. Everything shown is made from redacted requests and is
safe to print. Work is bounded: MOST_ROWS rows are looked at and MOST_DECODED interactions decoded, whatever the recording holds.
"""

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NamedTuple

from .differences import LARGEST, Difference, differences
from .interaction import Request
from .keys import request_key
from .operations import OPERATIONS, READS, Operation, find_operation, split_target
from .positions import Session
from .redaction import redact_request
from .scopes import CREATIONS, scope_hash, scope_of
from .summary import Row
from .tape import Recording
from .text import clip

MOST_ROWS = 100_000
MOST_DECODED = 200
MOST_BYTES = 16 * 1024 * 1024
"""Request bytes that are compared, over all candidates."""
MOST_NEAREST = 3
MOST_FIELDS = 6

Reason = Literal["never", "spent", "other-caller", "later", "differs"]
"""Nothing like it was recorded; recorded, but each use is spent; recorded, and what is left was another credential's or
version's; recorded later only, and the replay is strict; recorded with a field that differs."""


class Near(NamedTuple):
    """A recorded request near the one asked: where it stands, and what differs (nothing: it is the same request)."""

    row: Row
    place: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Miss:
    """A request that no recording answers. `message` is one paragraph; `hint` says what would make it match."""

    reason: Reason
    message: str
    hint: str
    nearest: tuple[Near, ...] = ()

    @property
    def param(self) -> str | None:
        """The first field in which the nearest recorded request differs."""
        fields = self.nearest[0].differences if self.nearest else ()
        return fields[0].field if fields else None

    def to_json(self) -> bytes:
        """An error body in the API's own shape, so that a client library shows the message."""
        error = {
            "message": f"{self.message} {self.hint}".strip(),
            "type": "respool_miss",
            "param": self.param,
            "code": "respool_miss",
        }
        return json.dumps({"error": error}, indent=2).encode("ascii")


def explain(recording: Recording, session: Session, request: Request) -> Miss:
    """Why `session` could not serve `request`. Call it after `Session.serve` gave None; nothing is moved."""
    return _Explanation(recording, session, redact_request(request)).miss()


class _Explanation:
    def __init__(self, recording: Recording, session: Session, request: Request) -> None:
        self._recording = recording
        self._session = session
        self._request = request
        self._path = split_target(request.target)[1]
        self._operation: Operation | None = find_operation(request.method, self._path)[0]
        self._writes = request.method not in READS
        scope = scope_of(request, None)
        self._scope = scope_hash(scope)
        self._asked = self._name() + ", " + self._here(clip(scope, 80))

    def miss(self) -> Miss:
        same = self._recording.rows_of_key(request_key(self._request))
        if same:
            return self._recorded(same)
        nearest = self._nearest()
        if not nearest:
            known = self._operation.name if self._operation else "such call"
            return Miss(
                "never",
                f"No recording answers {self._asked}: the cassette holds no {known}.",
                "Check that this is the cassette that was meant, or record this conversation again.",
            )
        first = nearest[0]
        count = len(first.differences)
        fields = "; ".join(str(difference) for difference in first.differences[:MOST_FIELDS]) or "none that is shown"
        more = f"; and {count - MOST_FIELDS} more" if count > MOST_FIELDS else ""
        others = ", ".join(f"{near.place} ({_count(len(near.differences), 'field')})" for near in nearest[1:])
        message = (
            f"No recording answers {self._asked}. The nearest recorded request, {first.place}, differs in "
            f"{_count(count, 'field')}: {fields}{more}."
        )
        return Miss(
            "differs",
            message + (f" Also near: {others}." if others else ""),
            "Ask as it was recorded (a value that changes from run to run has to be fixed in the test), "
            "or record this conversation again.",
            nearest,
        )

    def _recorded(self, same: list[Row]) -> Miss:
        nearest = tuple(Near(row, self._place(row), ()) for row in same[:MOST_NEAREST])
        times = _count(len(same), "time")
        if not self._writes:
            return Miss(
                "later",
                f"No recording answers {self._asked}: it was recorded {times}, but only later, {nearest[0].place}.",
                "Make the calls in the order of the recording, or replay without --strict to get the later state.",
                nearest,
            )
        left = [row for row in same if not self._session.has_used(row)]
        if left:
            return Miss(
                "other-caller",
                f"No recording answers {self._asked}: of {times} recorded, what is left was recorded with another "
                "credential or OpenAI-Beta version, and got another status.",
                "Use the credential and the version of the recording, or record this conversation again.",
                tuple(Near(row, self._place(row), ()) for row in left[:MOST_NEAREST]),
            )
        return Miss(
            "spent",
            f"No recording answers {self._asked}: it was recorded {times}, and this session has used "
            f"{'it' if len(same) == 1 else 'each of them'}.{self._next_write()}",
            "A session uses each recorded write once: replay each test in a session of its own (/@NAME/ in front of the "
            "path), or record a conversation that makes this call as often.",
            nearest,
        )

    def _nearest(self) -> tuple[Near, ...]:
        """The nearest by number of fields, and among equals by place: of this thread, else of any other."""
        begins = self._operation is not None and self._operation.number in CREATIONS
        for rows in (self._rows_elsewhere,) if begins else (self._rows_here, self._rows_elsewhere):
            found: list[tuple[int, int, Row, list[Difference]]] = []
            bytes_left = MOST_BYTES
            for number, row in enumerate(islice(_once(rows()), MOST_DECODED)):
                recorded = self._recording.interaction(row).request
                bytes_left -= min(recorded.body.length, LARGEST)
                if found and bytes_left < 0:
                    break
                if self._operation is None and split_target(recorded.target)[1] != self._path:
                    continue
                fields = differences(recorded, self._request)
                found.append((len(fields), number, row, fields))
            if found:
                found.sort(key=lambda near: near[:2])
                return tuple(Near(row, self._place(row), tuple(fields)) for _, _, row, fields in found[:MOST_NEAREST])
        return ()

    def _rows_here(self) -> list[Row]:
        """Recorded calls of the same operation in the same scope, those next to the session's position first."""
        rows = self._recording.rows_of_scope_hash(self._scope)
        position = self._session.position(self._scope)
        like = [(abs(place - position), row) for place, row in enumerate(rows) if self._is_like(row)]
        like.sort(key=lambda found: (self._session.has_used(found[1]), found[0]))
        return [row for _, row in like]

    def _rows_elsewhere(self) -> list[Row]:
        """Recorded calls of the same operation in any scope, unused ones first."""
        like = [row for row in islice(self._recording.rows(), MOST_ROWS) if self._is_like(row)]
        like.sort(key=self._session.has_used)
        return like

    def _is_like(self, row: Row) -> bool:
        number = self._operation.number if self._operation else 0
        return row.summary.operation == number and row.summary.writes == self._writes

    def _name(self) -> str:
        target = f"{self._request.method} {clip(self._path, 160)}"
        return f"{target} ({self._operation.name})" if self._operation else target

    def _here(self, scope: str) -> str:
        """Where in the conversation the request came."""
        line = self._session.tape.line(self._scope)
        if self._operation and self._operation.number in CREATIONS:
            return "which would begin a thread"
        if not line.arrivals:
            return f"of {scope}, of which nothing was recorded"
        done, total = bisect_right(line.writes, self._session.position(self._scope)), len(line.writes)
        return _place(done, total, scope, writes=self._writes, coming=True)

    def _place(self, row: Row) -> str:
        """Where in the conversation a recorded request stands."""
        scope = row.summary.scope
        line = self._session.tape.line(scope)
        place = bisect_right(line.arrivals, row.summary.arrival) - 1
        done = bisect_right(line.writes, place)
        name = clip(self._recording.scope_name(scope), 80)
        return _place(done, len(line.writes), name, writes=row.summary.writes, coming=False)

    def _next_write(self) -> str:
        for row in self._recording.rows_of_scope_hash(self._scope):
            if row.summary.writes and not self._session.has_used(row):
                number = row.summary.operation
                name = next(
                    (known.name for known in OPERATIONS if known.number == number), "a call of no known operation"
                )
                return f" The next recorded write is {name}, {self._place(row)}."
        return ""


def _place(done: int, total: int, scope: str, *, writes: bool, coming: bool) -> str:
    if writes:
        number = done + 1 if coming else done
        return f"write {number} of {total} of {scope}" if number <= total else f"after all {total} writes of {scope}"
    if not total:
        return f"of {scope}"
    return f"after write {done} of {total} of {scope}" if done else f"before the first of {total} writes of {scope}"


def _once(rows: Iterable[Row]) -> Iterator[Row]:
    """Each key once: a thousand polls are one request."""
    seen: set[int] = set()
    for row in rows:
        if row.summary.key not in seen:
            seen.add(row.summary.key)
            yield row


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
