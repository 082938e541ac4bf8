"""Where a replay stands: one position for each thread, moved by each call, never backwards.

The theory: in a recording, what a read tells is decided by the writes before it. A session therefore keeps one position p
in each scope's line, not one cursor for each request.

- A write takes the earliest recorded write with its key that this session has not used, and p moves there, unless it is
  past it already. None left: a miss.
- A read's window runs from p (exclusive) to the next write after p. Every write after p is unused, because using one moves
  p there. The first recorded read with its key inside the window is served ("exact") and p moves there. None: the last one
  at or before p is served again ("held"). None either: the earliest later one is served and p stays ("ahead"), which a
  strict tape refuses.

What follows, and is tested as laws: the recorded calls in their order get what was recorded; a read that was recorded on
its side of the writes is never answered from the other side, neither a state of before a write after it nor one of after
it before; positions never move back; scopes and sessions do not touch each other; nothing depends on time or chance.
"""

from bisect import bisect_right
from typing import Literal, NamedTuple

from .summary import CUT, WRITE, Row
from .tape import Reads, Tape, Writes

How = Literal["exact", "held", "ahead"]
START = -1
"""The position before the first interaction of a scope."""


class Served(NamedTuple):
    """The recorded interaction that answers a request. `how`: see the rules above; a write is always "exact"."""

    row: Row
    how: How
    place: int
    """Of the row, in the line of its scope."""


class Session:
    """One replay in progress. Small: a position for each scope that was touched, and the writes that were used."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.exact = 0
        """Calls that were answered as recorded."""
        self.held = 0
        """Reads that got the last state again."""
        self.ahead = 0
        """Reads that got a state recorded later only."""
        self.misses = 0
        """Calls that nothing recorded answers."""
        self._positions: dict[int, int] = {}
        self._used: set[int] = set()
        self._cursors: dict[int, int] = {}  # by the id of what the tape holds for ever

    def serve(self, key: int, *, variant: int = 0) -> Served | None:
        """What the recording answers to a request with this key, or None: a miss. Moves the session on."""
        # As `look`, `move` and `count`, in one: it is the way of nearly every call.
        found = self.tape.candidates(key, variant)
        served = None if found is None else self._read(found) if isinstance(found, Reads) else self._write(found)
        if served is None:
            self.misses += 1
        elif served.how == "exact":
            self.exact += 1
            self.move(served)
        elif served.how == "held":
            self.held += 1
        else:
            self.ahead += 1
        return served

    def look(self, key: int, *, variant: int = 0) -> Served | None:
        """What `serve` would answer. Nothing moves."""
        found = self.tape.candidates(key, variant)
        if found is None:
            return None
        return self._read(found) if isinstance(found, Reads) else self._write(found)

    def move(self, served: Served) -> None:
        """Go where an answer that `look` gave leads."""
        summary, place = served.row.summary, served.place
        if summary.flags & WRITE:
            self._used.add(summary.arrival)
            place = max(self.position(summary.scope), place)
        elif served.how != "exact":
            return
        self._positions[summary.scope] = place

    def count(self, served: Served | None) -> None:
        """Count an answer, or the lack of one."""
        if served is None:
            self.misses += 1
        elif served.how == "exact":
            self.exact += 1
        elif served.how == "held":
            self.held += 1
        else:
            self.ahead += 1

    def release(self, scope: int) -> None:
        """Begin a scope anew: nothing of it is used, and its position is the start. Only `binding` has a reason to."""
        line = self.tape.line(scope)
        self._used.difference_update(line.arrivals[place] for place in line.writes)
        self._positions.pop(scope, None)
        self._cursors.clear()

    def position(self, scope: int) -> int:
        """How far this session is along a scope's line: the place of the last interaction it reached, -1 at the start."""
        return self._positions.get(scope, START)

    @property
    def served(self) -> int:
        """Calls that were answered."""
        return self.exact + self.held + self.ahead

    @property
    def played(self) -> int:
        """Recorded writes that this session has used."""
        return len(self._used)

    @property
    def unplayed(self) -> int:
        """Recorded writes that this session has not used."""
        return self.tape.count_writes() - len(self._used)

    def has_used(self, row: Row) -> bool:
        """Whether this session has used a recorded write."""
        return row.summary.arrival in self._used

    def _write(self, found: Writes) -> Served | None:
        # Two groups of one key may share recordings: each has its own cursor, and what was used is passed over.
        at = self._cursors.get(id(found), 0)
        while at < len(found.rows) and self.has_used(found.rows[at]):
            at += 1
        self._cursors[id(found)] = at
        if at == len(found.rows):
            return None
        return Served(found.rows[at], "exact", found.places[at])

    def _last_whole(self, found: Reads, last: int, position: int) -> int:
        """Which read to hold: the last one, but not one that broke off while an earlier one on this side of the writes did not.

        Else a client that tries again after a cut answer would be cut for ever.
        """
        rows, places, _, line = found
        write = bisect_right(line.writes, position)
        since = line.writes[write - 1] if write else START
        for at in range(last, -1, -1):
            if places[at] < since:
                break
            if not rows[at].summary.flags & CUT:
                return at
        return last

    def _read(self, found: Reads) -> Served | None:
        rows, places, scope, line = found
        position = self.position(scope)
        following = bisect_right(places, position)
        if following < len(places):
            write = bisect_right(line.writes, position)
            if write == len(line.writes) or places[following] < line.writes[write]:
                return Served(rows[following], "exact", places[following])
        if following:
            at = self._last_whole(found, following - 1, position)
            return Served(rows[at], "held", places[at])
        return None if self.tape.strict else Served(rows[0], "ahead", places[0])
