"""The thread view: what a recording says happened in a thread, put together from every call that tells of it.

One `Conversation` a scope: a thread, or a collection of paths (`/assistants`, `/files`) for what belongs to no thread.
`folding.py` builds them; nothing here reads a cassette or draws. Texts are as they were recorded: they pass `text.safe`
before anyone sees them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from .interaction import Interaction
from .summary import Row

FINAL_STATES = frozenset({"completed", "failed", "cancelled", "expired", "incomplete"})
"""States that a run, a step or a message does not leave."""


class Recorded(Protocol):
    """A cassette that can be looked at (`reader.Reader`, or any that is made in memory)."""

    @property
    def path(self) -> Path: ...
    @property
    def meta(self) -> Mapping[str, object]: ...
    @property
    def sealed(self) -> bool: ...
    def __len__(self) -> int: ...
    def rows(self) -> Iterator[Row]: ...
    def rows_of_scope(self, name: str) -> list[Row]: ...
    def scopes(self) -> list[str]: ...
    def scope_name(self, scope: int) -> str: ...
    def interaction(self, row: Row) -> Interaction: ...


@dataclass(slots=True)
class Part:
    """A part of a message. A streamed text grows by `pieces`; `chips` are its `annotations`, a short text for equal ones."""

    kind: str
    pieces: list[str] = field(default_factory=list)
    chips: dict[str, None] = field(default_factory=dict)
    annotations: list[dict[str, Any]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(slots=True)
class Message:
    """A message by its id; empty id: known from the request that sent it only. `files`: file id → its tools."""

    id: str
    role: str = ""
    parts: dict[int, Part] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    created_at: int | None = None
    run_id: str = ""
    status: str = ""
    incomplete: str = ""
    metadata: dict[str, Any] | None = None
    """As first told; later changes are notes. `metadata_now` has them."""
    metadata_now: dict[str, Any] = field(default_factory=dict)
    deleted: bool = False
    cut: bool = False
    """Its stream ended before the message did."""
    asked: dict[str, Any] | None = None
    """What the request that made it said; None where no request is recorded."""
    arrival: int = 0

    @property
    def text(self) -> str:
        return "\n".join(self.parts[index].text for index in sorted(self.parts) if self.parts[index].kind == "text")


@dataclass(slots=True)
class ToolCall:
    """A tool call. `output` is what the client submitted, or what the step says; None while there is none."""

    id: str
    kind: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    output: str | None = None
    submitted: str | None = None
    """What the client submitted, whatever a step said of it later."""
    logs: dict[int, list[str]] = field(default_factory=dict)
    """Outputs of a code interpreter by their index: logs as text, images as `image file-id`."""

    @property
    def asked(self) -> str:
        return "".join(self.arguments)

    @property
    def answer(self) -> str | None:
        return "\n".join("".join(self.logs[index]) for index in sorted(self.logs)) if self.logs else self.output


@dataclass(slots=True)
class Step:
    id: str
    kind: str = ""
    status: str = ""
    created_at: int | None = None
    completed_at: int | None = None
    marks: list["Mark"] = field(default_factory=list)
    """Its states, each when the client could first know it."""
    calls: dict[str, ToolCall] = field(default_factory=dict)
    """By id; the same objects as in the run's `calls`."""
    order: dict[int, str] = field(default_factory=dict)
    """Ids of `calls` by the index that deltas use."""
    message_id: str = ""
    error: str = ""
    tokens: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment in a run. `at_us`: Unix time in microseconds when the client could first know; None where unknown."""

    name: str
    at_us: int | None
    action: bool = False
    """Something the client did, not a state: `outputs submitted`, `cancel asked`."""


@dataclass(slots=True)
class Run:
    id: str
    status: str = ""
    created_at: int | None = None
    model: str = ""
    assistant_id: str = ""
    instructions: str = ""
    """What the request that made the run said about instructions."""
    asked: dict[str, Any] | None = None
    """All that this request said; None where it is not recorded."""
    settings: dict[str, Any] = field(default_factory=dict)
    """What the answers said that the run was made with: `models.SETTINGS`, as far as they were told."""
    marks: list[Mark] = field(default_factory=list)
    polls: int = 0
    new_polls: int = 0
    steps: dict[str, Step] = field(default_factory=dict)
    calls: dict[str, ToolCall] = field(default_factory=dict)
    tokens: tuple[int, int, int] | None = None
    """Prompt, completion, total."""
    error: str = ""
    incomplete: str = ""
    metadata: dict[str, Any] | None = None
    metadata_now: dict[str, Any] = field(default_factory=dict)
    arrival: int = 0

    def path(self) -> list[Mark]:
        """States and actions in order of time, a state that lasts named once."""
        marks = self.marks
        if all(mark.at_us is not None for mark in marks):
            marks = sorted(marks, key=lambda mark: mark.at_us or 0)
        path: list[Mark] = []
        state = ""
        for mark in marks:
            if mark.action or mark.name != state:
                path.append(mark)
            if not mark.action:
                state = mark.name
        return path

    def steps_in_order(self) -> list[Step]:
        """By creation time; those of one second in the order in which they were seen."""
        return sorted(self.steps.values(), key=lambda step: (step.created_at is None, step.created_at or 0))

    def calls_without_step(self) -> list[ToolCall]:
        told = {call for step in self.steps.values() for call in step.calls}
        return [call for name, call in self.calls.items() if name not in told]


class NoteKind(Enum):
    """What a line between the messages tells of."""

    ERROR = "error"
    """An answer of 400 or more, or an `error` event in a stream."""
    FAILED = "failed"
    """No answer came from the upstream."""
    CUT = "cut"
    CHANGED = "changed"
    DELETED = "deleted"
    HELD = "held"
    """A person held a call on its way. It says nothing of the conversation, so that comparisons pass over it."""
    CALL = "call"
    """A call that is none of the thread's operations, or whose answer could not be read."""


@dataclass(slots=True)
class Note:
    kind: NoteKind
    subject: str
    detail: str = ""
    status: int = 0
    arrival: int = 0
    times: int = 1
    asked: dict[str, Any] = field(default_factory=dict)
    """Of a change: what the client asked for."""
    named: dict[str, Any] = field(default_factory=dict)
    """Of an error: its type, code and parameter, as far as they were told."""


Entry = Message | Run | Note


@dataclass(slots=True)
class Reads:
    """Reads by one operation that were answered, and how many of them told something not known before."""

    total: int = 0
    new: int = 0


@dataclass(slots=True)
class Conversation:
    """One scope's story. `entries` are in the order in which things happened, as far as the recording tells."""

    scope: str
    created_by: str = ""
    """The operation that made the thread; empty when the recording joined it later."""
    created_at: int | None = None
    metadata: dict[str, Any] | None = None
    metadata_now: dict[str, Any] = field(default_factory=dict)
    resources: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, Any] | None = None
    """What the request that made the thread said of it; None where it is not recorded."""
    deleted: bool = False
    entries: list[Entry] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    reads: dict[str, Reads] = field(default_factory=dict)
    calls: int = 0
    left_out: int = 0
    """Entries beyond the cap, counted only."""
    not_understood: int = 0
    """Stream events that could not be read."""

    @property
    def is_thread(self) -> bool:
        """Collections are named by a path; thread ids hold no `/`."""
        return not self.scope.startswith("/")
