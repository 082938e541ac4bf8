"""What the sandbox holds: threads, messages, runs, steps, assistants and files, in memory and within limits.

Objects are kept in the second version's terms; `shapes` shows them in either. Lists keep the order of creation. Times are
stamps (see `clock`).
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .clock import Instant
from .errors import full, not_found
from .listeners import Listener
from .statements import HttpFault, Script

if TYPE_CHECKING:
    from .performance import Performance  # which imports this

MAX_THREADS = 100_000
MAX_OBJECTS = 1_000_000
"""Threads, messages, runs, assistants and files together."""
MAX_BYTES = 1 << 30
"""Bytes of all request bodies that were kept."""

ACTIVE = frozenset({"queued", "in_progress", "requires_action", "cancelling"})
"""The statuses of a run that is not over."""

Json = dict[str, Any]


@dataclass(slots=True)
class Assistant:
    id: str
    created_at: int
    fields: Json


@dataclass(slots=True)
class StoredFile:
    id: str
    created_at: int
    filename: str
    purpose: str
    content: bytes
    content_type: str


@dataclass(slots=True)
class Message:
    id: str
    thread_id: str
    created_at: int
    role: str
    content: list[Json]
    attachments: list[Json]
    metadata: Json
    assistant_id: str | None = None
    run_id: str | None = None
    status: str = "completed"
    incomplete_reason: str | None = None
    completed_at: int | None = None
    incomplete_at: int | None = None

    @property
    def file_ids(self) -> list[str]:
        """The files attached to it, each once: what the first version calls `file_ids`."""
        return list(dict.fromkeys(item["file_id"] for item in self.attachments if item.get("file_id")))

    @property
    def text(self) -> str:
        return "\n".join(block["text"]["value"] for block in self.content if block["type"] == "text")


@dataclass(slots=True)
class Step:
    id: str
    created_at: int
    type: str
    details: Json
    status: str = "in_progress"
    last_error: Json | None = None
    ended_at: int | None = None
    usage: Json | None = None


@dataclass(slots=True)
class Run:
    id: str
    thread_id: str
    assistant_id: str
    created: Instant
    script: Script
    options: Json
    """What the client asked for and the host repeats: model, instructions, tools, temperature and so on."""
    metadata: Json
    status: str = "queued"
    started_at: int | None = None
    ended_at: int | None = None
    required_action: list[Json] | None = None
    last_error: Json | None = None
    incomplete_reason: str | None = None
    usage: Json | None = None
    steps: dict[str, Step] = field(default_factory=dict)
    listeners: list[Listener] = field(default_factory=list)
    faults: dict[HttpFault, int] = field(default_factory=dict)
    """How often each scripted fault has struck."""
    question: Message | None = None
    """The last message of the user when the run began."""

    @property
    def active(self) -> bool:
        return self.status in ACTIVE


@dataclass(slots=True)
class Thread:
    id: str
    created_at: int
    metadata: Json
    tool_resources: Json
    messages: dict[str, Message] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    made: int = 0
    """How many messages and runs were ever made here; ids are numbered by it."""
    objects: int = 1
    size: int = 0
    """What it takes of the store's room: objects, and bytes of the requests that made it what it is."""
    performance: "Performance | None" = None
    """What moves the run that is not over."""
    answered: str | None = None
    """The user's message for which tool outputs were submitted last."""

    @property
    def question(self) -> Message | None:
        return next((message for message in reversed(self.messages.values()) if message.role == "user"), None)

    @property
    def active_run(self) -> Run | None:
        """The run that is not over. It is always the last, since no other may begin beside it."""
        last = next(reversed(self.runs.values()), None)
        return last if last is not None and last.active else None

    def find_message(self, identifier: str) -> Message:
        if (message := self.messages.get(identifier)) is None:
            raise not_found("message", identifier)
        return message

    def find_run(self, identifier: str) -> Run:
        if (run := self.runs.get(identifier)) is None:
            raise not_found("run", identifier)
        return run


class Store:
    """All of it. Additions beyond the limits are refused with a 429 that says so."""

    def __init__(self) -> None:
        self.threads: dict[str, Thread] = {}
        self.assistants: dict[str, Assistant] = {}
        self.files: dict[str, StoredFile] = {}
        self._objects = 0
        self._bytes = 0

    def make_room(self, *, objects: int = 0, size: int = 0) -> None:
        """Count what is about to be kept. Raises the refusal when it would be too much."""
        if self._objects + objects > MAX_OBJECTS:
            raise full(f"{MAX_OBJECTS:,} objects")
        if self._bytes + size > MAX_BYTES:
            raise full(f"{MAX_BYTES >> 20:,} MiB")
        self._objects += objects
        self._bytes += size

    def add_thread(self, thread: Thread) -> None:
        if len(self.threads) >= MAX_THREADS:
            raise full(f"{MAX_THREADS:,} threads")
        self.make_room(objects=thread.objects, size=thread.size)
        self.threads[thread.id] = thread

    def grow(self, thread: Thread, *, objects: int = 0, size: int = 0) -> None:
        """As `make_room`, for what goes when the thread goes."""
        self.make_room(objects=objects, size=size)
        thread.objects += objects
        thread.size += size

    def give_back(self, *, objects: int = 0, size: int = 0) -> None:
        self._objects -= objects
        self._bytes -= size

    def find_thread(self, identifier: str) -> Thread:
        if (thread := self.threads.get(identifier)) is None:
            raise not_found("thread", identifier)
        return thread

    def find_assistant(self, identifier: str) -> Assistant:
        if (assistant := self.assistants.get(identifier)) is None:
            raise not_found("assistant", identifier)
        return assistant

    def find_file(self, identifier: str) -> StoredFile:
        if (file := self.files.get(identifier)) is None:
            raise not_found("file", identifier)
        return file

    def drop_thread(self, thread: Thread) -> None:
        del self.threads[thread.id]
        self.give_back(objects=thread.objects, size=thread.size)
