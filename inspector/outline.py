"""The rows of the list: threads, in them runs and calls, in runs steps and calls; and `other calls`, in them the paths that
are no thread.

A plain list of rows, so that any row of any number is found at once; a row that opens has the rows inside it put in
behind it. What is inside a row is made by `branches.py` when its thread is read. A narrowed outline has the rows alone in
which a filter found something. Nothing here reads a cassette or draws. All texts in faces are safe.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from ..cassettes.text import clip
from .ink import Ink

MAX_LABEL = 200
"""Characters of a label; what is wider than the pane is cut when it is drawn."""


class Kind(StrEnum):
    """What a row stands for. A string, since rows are hashed by the hundred thousand and an `Enum` hashes slowly."""

    THREAD = "thread"
    RUN = "run"
    STEP = "step"
    CALL = "call"
    """A tool call that no recorded step tells of."""
    EXCHANGE = "exchange"
    POLLS = "polls"
    """Reads in a row that told nothing new."""
    POLL = "poll"
    """One of them."""
    MISS = "miss"
    """A request that a replay had no answer to, beside the threads."""
    HELD = "held"
    """A call that waits for a person, beside the threads."""
    OTHER = "other calls"
    COLLECTION = "collection"


_DEPTHS = {Kind.RUN: 1, Kind.STEP: 2, Kind.CALL: 2, Kind.COLLECTION: 1, Kind.EXCHANGE: 1, Kind.POLLS: 1, Kind.POLL: 2}
_CALLS = frozenset({Kind.EXCHANGE, Kind.POLL})
_IN_RUNS = _CALLS | {Kind.POLLS}


class Row(NamedTuple):
    """What a row is known by, wherever in the list it stands.

    `item`: the id of a step or a tool call, the number of a call, or that of the first of several.
    """

    kind: Kind
    scope: str = ""
    run: str = ""
    item: str = ""

    @property
    def depth(self) -> int:
        deeper = self.kind in _IN_RUNS and (self.run or self.scope.startswith("/"))
        return _DEPTHS.get(self.kind, 0) + bool(deeper)

    @property
    def arrival(self) -> int | None:
        """The number of the call that the row is, or the first of those it holds."""
        return int(self.item) if self.kind in _IN_RUNS or self.kind in {Kind.MISS, Kind.HELD} else None


class Face(NamedTuple):
    """What a row says: a text, behind it what may be cut off first, and a state's ink."""

    text: str
    tail: str = ""
    ink: Ink = ""


class Branch(NamedTuple):
    """A row, what it says, and the branches inside it."""

    row: Row
    face: Face
    inside: tuple["Branch", ...] = ()


class Outline:
    """The rows that are shown now, in order. Threads come first, as they were recorded; `other calls` come last."""

    def __init__(self, scopes: Sequence[str]) -> None:
        self._listed = [Row(Kind.THREAD, scope) for scope in scopes if not scope.startswith("/")]
        """Threads and misses, in order, whatever a filter shows of them."""
        self._paths = [scope for scope in scopes if scope.startswith("/")]
        self._held: list[Row] = []
        self.rows: list[Row] = []
        self.collections: tuple[str, ...] = ()
        self._open: set[Row] = set()
        self._faces: dict[Row, Face] = {}
        self._inside: dict[Row, tuple[Branch, ...]] = {}
        self._hits: Mapping[str, set[int]] | None = None
        self._begin(self._listed, self._paths)
        self.threads = len(self.rows) - bool(self.collections)

    def _begin(self, listed: Iterable[Row], paths: Iterable[str]) -> None:
        """Have these rows and nothing open; a call that waits for a person is shown whatever is looked for."""
        self.rows = [*listed, *self._held]
        self.collections = tuple(paths)
        if self.collections:
            self.rows.append(Row(Kind.OTHER))
        self._open.clear()

    def grow(self, rows: Sequence[Row], collections: Sequence[str] = ()) -> None:
        """More has come: threads and misses go behind those that are there, collections behind the others."""
        held = [row for row in rows if row.kind is Kind.HELD]
        self._held += held
        self._listed += [row for row in rows if row.kind is not Kind.HELD]
        self._paths += collections
        if self._hits is not None:  # the others are shown when the filter finds them
            rows, collections = held, ()
        at = self.newest + 1
        while at and self.rows[at - 1].kind is Kind.HELD and all(row.kind is not Kind.HELD for row in rows):
            at -= 1
        self.rows[at:at] = rows
        self.threads += sum(row.kind is Kind.THREAD for row in rows)
        if not collections:
            return
        self.collections += tuple(collections)
        other = Row(Kind.OTHER)
        if other not in self.rows:
            self.rows.append(other)
        elif other in self._open:
            self.rows += [Row(Kind.COLLECTION, scope) for scope in collections]

    def remove(self, row: Row) -> None:
        """Take out a thread, or a row that stands beside them."""
        if row in self._open:
            self.close(self.rows.index(row))
        self.threads -= row.kind is Kind.THREAD and row in self._listed
        for rows in (self.rows, self._held, self._listed):
            if row in rows:
                rows.remove(row)
        self._faces.pop(row, None)

    @property
    def newest(self) -> int:
        """The place of the last row before `other calls`; -1 for none."""
        if not self.collections:
            return len(self.rows) - 1
        at = next((at for at in range(len(self.rows) - 1, -1, -1) if self.rows[at].kind is Kind.OTHER), len(self.rows))
        return at - 1

    def tell(self, row: Row, face: Face) -> None:
        """Have a row say this."""
        self._faces[row] = face

    def narrow(self, hits: Mapping[str, set[int]] | None) -> None:
        """Show the scopes and calls that were found alone: by scope, the numbers of the calls. With None all again."""
        self._hits = hits
        if hits is None:
            self._begin(self._listed, self._paths)
        else:
            self._begin([], [])
            self.found_more()

    def hits(self, row: Row) -> int | None:
        """How many calls of a thread or a collection were found; None in an outline that is not narrowed."""
        if self._hits is None or row.kind not in {Kind.THREAD, Kind.COLLECTION}:
            return None
        return len(self._hits.get(row.scope, ()))

    def found_more(self) -> None:
        """More was found: scopes that were not there yet are put behind those that are; open rows stay as they are."""
        known = {row.scope for row in self.rows if row.kind is Kind.THREAD}
        threads = [scope for scope in self._hits or () if not scope.startswith("/") and scope not in known]
        beside = (at for at, row in enumerate(self.rows) if row.kind in {Kind.OTHER, Kind.HELD})
        other = next(beside, len(self.rows))
        self.rows[other:other] = [Row(Kind.THREAD, scope) for scope in threads]
        self.collections = tuple(scope for scope in self._hits or () if scope.startswith("/"))
        if self.collections and (not self.rows or all(row.kind is not Kind.OTHER for row in self.rows)):
            self.rows.append(Row(Kind.OTHER))

    def face(self, row: Row) -> Face:
        """What the row says; of a thread that was not read yet, its id alone."""
        if (face := self._faces.get(row)) is not None:
            return face
        if row.kind is Kind.OTHER:
            return Face("other calls", f"{len(self.collections):,} path{'' if len(self.collections) == 1 else 's'}")
        return Face(clip(row.scope, MAX_LABEL))

    def is_open(self, row: Row) -> bool:
        return row in self._open

    def may_open(self, row: Row) -> bool:
        """Whether there is anything inside, as far as is known: a thread may have runs until it was read."""
        match row.kind:
            case Kind.THREAD | Kind.COLLECTION:
                return bool(self._inside.get(row, True))
            case Kind.RUN | Kind.POLLS:
                return bool(self._inside.get(row))
            case Kind.OTHER:
                return True
            case _:
                return False

    def learn(self, branch: Branch) -> None:
        """Take what was read of a thread or a collection."""
        self._faces[branch.row] = branch.face
        if branch.row.kind in {Kind.THREAD, Kind.COLLECTION}:
            self._inside[branch.row] = branch.inside

    def forget(self, row: Row) -> None:
        """Let go of what is inside a closed thread; it is read again when it is opened."""
        if row not in self._open and self._inside.get(row):
            del self._inside[row]

    def knows(self, row: Row) -> bool:
        """Whether `open` can be called: what is inside the row is at hand."""
        return row.kind not in {Kind.THREAD, Kind.COLLECTION} or row in self._inside

    def open(self, index: int) -> None:
        """Put the rows inside the row at `index` behind it."""
        row = self.rows[index]
        if row in self._open or not self.may_open(row) or not self.knows(row):
            return
        self._open.add(row)
        inside = self._branches(row)
        for branch in inside:
            self._faces[branch.row] = branch.face
            if branch.inside:
                self._inside[branch.row] = branch.inside
        self.rows[index + 1 : index + 1] = [branch.row for branch in inside]

    def close(self, index: int) -> None:
        """Take the rows inside the row at `index` out."""
        row = self.rows[index]
        if row not in self._open:
            return
        self._open.remove(row)
        end = index + 1
        while end < len(self.rows) and self.rows[end].depth > row.depth:
            gone = self.rows[end]
            self._open.discard(gone)
            if gone.kind is not Kind.COLLECTION:  # what was read of it stays known, as of a thread
                self._faces.pop(gone, None)
                self._inside.pop(gone, None)
            end += 1
        del self.rows[index + 1 : end]

    def parent(self, index: int) -> int:
        """Where the row stands that the row at `index` is in; its own place if it is in none."""
        depth = self.rows[index].depth
        while depth and self.rows[index].depth >= depth:
            index -= 1
        return index

    def find(self, text: str, start: int, way: int) -> int | None:
        """The nearest row from `start` on (`way` 1) or back (-1), round the end, whose face has `text`, case aside."""
        wanted, count = text.casefold(), len(self.rows)
        for step in range(count):
            index = (start + way * step) % count
            row = self.rows[index]
            if row.kind is Kind.THREAD and row not in self._faces:
                found = wanted in row.scope.casefold()
            else:
                found = any(wanted in part.casefold() for part in self.face(row)[:2])
            if found:
                return index
        return None

    def _branches(self, row: Row) -> tuple[Branch, ...]:
        if row.kind is Kind.OTHER:
            rows = [Row(Kind.COLLECTION, scope) for scope in self.collections]
            return tuple(Branch(inside, self.face(inside)) for inside in rows)
        inside = self._inside.get(row, ())
        if self._hits is None:
            return inside
        wanted = self._hits.get(row.scope, set())
        return tuple(branch for branch in inside if _found(branch, wanted))


def _found(branch: Branch, wanted: set[int]) -> bool:
    """Whether a narrowed outline has the row: a call that was found, and what holds one; steps stay with their run."""
    row = branch.row
    if row.kind in _CALLS:
        return int(row.item) in wanted
    if row.kind in {Kind.STEP, Kind.CALL}:
        return True
    return any(_found(each, wanted) for each in branch.inside if each.row.kind not in {Kind.STEP, Kind.CALL})
