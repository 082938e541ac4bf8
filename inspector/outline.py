"""The rows of the list: threads, in them runs, in these steps; and `other calls`, in them the paths that are no thread.

A plain list of rows, so that any row of any number is found at once; a row that opens has the rows inside it put in
behind it. Nothing here reads a cassette or draws. All texts in faces are safe.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from ..cassettes.amounts import counted
from ..cassettes.conversation import Conversation, Message, Note, NoteKind, Run, Step, ToolCall
from ..cassettes.text import clip
from .ink import Ink, mood

MAX_LABEL = 200
"""Characters of a label; what is wider than the pane is cut when it is drawn."""

_LABEL_TEXT = 400
"""Characters of a message that are looked at for its label."""


class Kind(StrEnum):
    """What a row stands for. A string, since rows are hashed by the hundred thousand and an `Enum` hashes slowly."""

    THREAD = "thread"
    RUN = "run"
    STEP = "step"
    CALL = "call"
    """A tool call that no recorded step tells of."""
    OTHER = "other calls"
    COLLECTION = "collection"


_DEPTHS = {Kind.RUN: 1, Kind.STEP: 2, Kind.CALL: 2, Kind.COLLECTION: 1}


class Row(NamedTuple):
    """What a row is known by, wherever in the list it stands. `item`: the id of a step or a tool call."""

    kind: Kind
    scope: str = ""
    run: str = ""
    item: str = ""

    @property
    def depth(self) -> int:
        return _DEPTHS.get(self.kind, 0)


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
        self.rows = [Row(Kind.THREAD, scope) for scope in scopes if not scope.startswith("/")]
        self.threads = len(self.rows)
        self.collections = tuple(scope for scope in scopes if scope.startswith("/"))
        if self.collections:
            self.rows.append(Row(Kind.OTHER))
        self._faces: dict[Row, Face] = {}
        self._open: set[Row] = set()
        self._inside: dict[Row, tuple[Branch, ...]] = {}

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
            case Kind.THREAD:
                return bool(self._inside.get(row, True))
            case Kind.RUN:
                return bool(self._inside.get(row))
            case Kind.OTHER:
                return True
            case _:
                return False

    def learn(self, branch: Branch) -> None:
        """Take what was read of a thread or a collection."""
        self._faces[branch.row] = branch.face
        if branch.row.kind is Kind.THREAD:
            self._inside[branch.row] = branch.inside

    def forget(self, row: Row) -> None:
        """Let go of what is inside a closed thread; it is read again when it is opened."""
        if row not in self._open and self._inside.get(row):
            del self._inside[row]

    def knows(self, row: Row) -> bool:
        """Whether `open` can be called: what is inside the row is at hand."""
        return row.kind is not Kind.THREAD or row in self._inside

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
            if gone.kind is not Kind.COLLECTION:
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
        return self._inside.get(row, ())


def outline_of(conversation: Conversation) -> Branch:
    """A conversation as a branch: its thread (or collection), the runs in it, their steps and tool calls."""
    scope = conversation.scope
    if not conversation.is_thread:
        calls = counted(conversation.calls, "call")
        return Branch(Row(Kind.COLLECTION, scope), Face(clip(scope, MAX_LABEL), calls))
    runs = [entry for entry in conversation.entries if isinstance(entry, Run)]
    inside = tuple(_run(scope, number, run) for number, run in enumerate(runs, 1))
    worst: Ink = "bad" if any(branch.face.ink == "bad" for branch in inside) or _failed(conversation) else ""
    return Branch(Row(Kind.THREAD, scope), Face(clip(scope, MAX_LABEL), _headline(conversation), worst), inside)


def _failed(conversation: Conversation) -> bool:
    return any(
        isinstance(entry, Note) and entry.kind in (NoteKind.ERROR, NoteKind.FAILED, NoteKind.CUT)
        for entry in conversation.entries
    )


def _headline(conversation: Conversation) -> str:
    """The first thing that was said, on one line."""
    for entry in conversation.entries:
        if isinstance(entry, Message) and (text := entry.text.strip()):
            return clip(" ".join(text[:_LABEL_TEXT].split()), MAX_LABEL)
    return ""


def _run(scope: str, number: int, run: Run) -> Branch:
    steps = [_step(scope, run, place, step) for place, step in enumerate(run.steps_in_order(), 1)]
    calls = [
        Branch(Row(Kind.CALL, scope, run.id, call.id), Face(call_name(call), clip(call.id, MAX_LABEL)))
        for call in run.calls_without_step()
    ]
    words = [seconds] if (seconds := run_time(run)) else []
    words += [f"{run.tokens[2]:,} tokens"] if run.tokens is not None else []
    state = clip(run.status, MAX_LABEL) or "state unknown"
    face = Face(f"run {number} {state}", "  ".join(words), mood(run.status))
    return Branch(Row(Kind.RUN, scope, run.id), face, (*steps, *calls))


def _step(scope: str, run: Run, place: int, step: Step) -> Branch:
    names = ", ".join(call_name(call) for call in list(step.calls.values())[:8])
    what = names or {"message_creation": "message"}.get(step.kind, clip(step.kind, MAX_LABEL))
    face = Face(f"step {place} {what}".rstrip(), clip(step.status, MAX_LABEL), mood(step.status))
    return Branch(Row(Kind.STEP, scope, run.id, step.id), face)


def call_name(call: ToolCall) -> str:
    """The function's name, else the kind of tool."""
    return clip(call.name or call.kind, MAX_LABEL) or "unknown call"


def run_time(run: Run) -> str:
    """Seconds from the first moment of a run that is known to the last; empty where times are unknown."""
    times = [mark.at_us for mark in run.marks if mark.at_us is not None]
    return f"{(max(times) - min(times)) / 1_000_000:.1f} s" if len(times) > 1 else ""
