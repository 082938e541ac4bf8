"""What a replay has to answer, worked out slowly from the rules as docs/replay.md states them.

A second opinion: nothing of the product is used here, and nothing is clever. The recorded calls are a plain list; each
answer looks through all of it again. Bodies are told apart by `json`, threads by their paths. Headers are not modelled.
"""

import json
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl

READS = ("GET", "HEAD", "OPTIONS")
COLLECTIONS = ("threads", "assistants", "files")
"""First segments below a base path."""


class Recorded(NamedTuple):
    """One call of a recording. `cut`: its answer broke off, or never came (`status` 0)."""

    method: str
    target: str
    body: bytes
    status: int
    answer: bytes
    cut: bool = False


class Told(NamedTuple):
    """How a call is answered, and by which of the recorded calls: none, if it is a miss."""

    how: Literal["exact", "held", "ahead", "miss"]
    index: int | None


MISS = Told("miss", None)


def same_call(method: str, target: str, body: bytes) -> tuple[Any, ...]:
    """Two requests with equal results are the same call."""
    path, _, query = target.partition("?")
    return method, below_base(path), sorted(parse_qsl(query, keep_blank_values=True)), same_body(body)


def below_base(path: str) -> str:
    segments = path.split("/")
    start = next((place for place, segment in enumerate(segments) if segment in COLLECTIONS), 1)
    return "/" + "/".join(segments[start:])


def same_body(body: bytes) -> str | bytes:
    if not body:
        return "{}"
    if body.startswith(b"--"):
        return body.replace(body[: body.index(b"\r\n")], b"--")
    try:
        return json.dumps(json.loads(body, parse_float=whole_or_not), sort_keys=True)
    except ValueError:
        return body


def whole_or_not(text: str) -> int | float:
    """`1` equals `1.0`."""
    number = float(text)
    return int(number) if number == int(number) else number


def thread_of(method: str, target: str, answer: bytes) -> str:
    """The scope: the thread that the path names, or a creation's answer; else the collection."""
    path = below_base(target.partition("?")[0])
    segments = path.split("/")[1:]
    if (method, path) in (("POST", "/threads"), ("POST", "/threads/runs")):
        return named_by(answer, "thread_id" if path.endswith("/runs") else "id") or "/threads"
    if segments[0] == "threads" and len(segments) > 1 and segments[1] != "runs":
        return segments[1]
    return "/" + segments[0]


def named_by(answer: bytes, field: str) -> str | None:
    """A field of the answer, or of the first object of a stream (whose first event is the thread or the run)."""
    if answer.startswith(b"event: "):
        answer = answer.split(b"\ndata: ", 1)[1].split(b"\n", 1)[0]
        field = "id" if json.loads(answer)["object"] == "thread" else "thread_id"
    try:
        value = json.loads(answer)
    except ValueError:
        return None
    name = value.get(field) if isinstance(value, dict) else None
    return name if isinstance(name, str) else None


class Oracle:
    """One session's replay. `compress`: polls that brought no change are left out of the lines."""

    def __init__(self, recorded: Sequence[Recorded], *, compress: bool = True, strict: bool = False) -> None:
        self.recorded = list(recorded)
        self.strict = strict
        self.keys = [same_call(call.method, call.target, call.body) for call in recorded]
        self.threads = [thread_of(call.method, call.target, call.answer) for call in recorded]
        self.left_out = [index for index in range(len(self.recorded)) if compress and self.brought_no_change(index)]
        self.used: set[int] = set()
        self.positions: dict[str, int] = {}

    def brought_no_change(self, index: int) -> bool:
        """Whether the read of the same call before this one told the same, with no write between them."""
        call = self.recorded[index]
        if call.method not in READS or not call.status:
            return False
        for earlier in reversed(range(index)):
            before = self.recorded[earlier]
            if self.threads[earlier] != self.threads[index]:
                continue
            if before.method not in READS:
                return False
            if self.keys[earlier] == self.keys[index] and before.status:
                return (before.status, before.answer) == (call.status, call.answer)
        return False

    def answer(self, method: str, target: str, body: bytes = b"") -> Told:
        """How this call is answered. Positions are places in the whole recording; a thread looks at its own calls only."""
        key = same_call(method, target, body)
        return self.answer_read(target, key) if method in READS else self.answer_write(key)

    def answer_write(self, key: tuple[Any, ...]) -> Told:
        for index, recorded in enumerate(self.keys):
            if recorded == key and index not in self.used:
                self.used.add(index)
                self.move(self.threads[index], index)
                return Told("exact", index)
        return MISS

    def answer_read(self, target: str, key: tuple[Any, ...]) -> Told:
        thread = thread_of("GET", target, b"")
        position = self.positions.get(thread, -1)
        line = [index for index, name in enumerate(self.threads) if name == thread and index not in self.left_out]
        writes = [index for index in line if self.recorded[index].method not in READS]
        following = min((index for index in writes if index > position), default=len(self.recorded))
        before = max((index for index in writes if index <= position), default=-1)
        same = [index for index in line if self.keys[index] == key]
        same = [index for index in same if self.recorded[index].status] or same
        window = [index for index in same if position < index < following]
        if window:
            self.move(thread, window[0])
            return Told("exact", window[0])
        behind = [index for index in same if index <= position]
        if behind:
            whole = [index for index in behind if index > before and not self.recorded[index].cut]
            return Told("held", whole[-1] if whole and self.recorded[behind[-1]].cut else behind[-1])
        return Told("ahead", same[0]) if same and not self.strict else MISS

    def move(self, thread: str, index: int) -> None:
        """Nothing moves backwards."""
        self.positions[thread] = max(index, self.positions.get(thread, -1))
