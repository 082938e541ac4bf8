"""What a recording tells of one run: when it first is seen completed, and what of it was told before that.

Read from the run's thread, from its creation on. Bodies are looked at as JSON and as events by the caps of `models`; what
is no plausible object of the API is passed over.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from .interaction import Interaction, Response
from .models import MAX_ITEMS, parse, read
from .scopes import media_type
from .sse import events
from .summary import Row

MOST_ROWS = 2_000
"""Calls of a thread that are read for one run's course; a run that is not completed by then is left as recorded."""
MOST_STREAM = 8 << 20
"""Bytes of a stream that is looked at."""

Json = dict[str, Any]
END_STATES = frozenset({"completed", "failed", "cancelled", "incomplete", "expired"})


class Line(Protocol):
    def rows_of_scope_hash(self, scope: int) -> list[Row]: ...
    def interaction(self, row: Row) -> Interaction: ...


@dataclass(slots=True)
class Course:
    """One run as recorded.

    `end`: the arrival of the call whose answer first has it completed; `completed`: the run as told there. `seen`: its messages
    and steps by id, as they were last told before. `asked`: the run when it asked for tool outputs, by arrival.
    """

    run: str
    end: int = -1
    completed: Json = field(default_factory=dict)
    stream: bytes = b""
    """The end's whole answer, where that is a stream."""
    seen: dict[str, Json] = field(default_factory=dict)
    asked: list[tuple[int, Json]] = field(default_factory=list)
    asking_stream: bytes = b""
    """The last stream in which it asked."""


def run_created(response: Response) -> str:
    """The id of the run that a creation's answer names; empty where it names none."""
    return next((item["id"] for item in told(response) if item["object"] == "thread.run"), "")


def course_of(recording: Line, creation: Row, run: str) -> Course | None:
    """The course of a run from the call that created it; None where it is never seen completed, or ends otherwise."""
    course = Course(run)
    rows = [
        row
        for row in recording.rows_of_scope_hash(creation.summary.scope)
        if row.summary.arrival >= creation.summary.arrival and 200 <= row.summary.status < 300
    ]
    for row in rows[:MOST_ROWS]:
        response = recording.interaction(row).response
        if response is None:
            continue
        objects = list(told(response))
        states = [item for item in objects if item["object"] == "thread.run" and item["id"] == run]
        ended = [item for item in states if item.get("status") in END_STATES]
        if ended:
            if ended[-1].get("status") != "completed":
                return None
            course.end, course.completed = row.summary.arrival, ended[-1]
            course.stream = response.body.read() if is_stream(response) else b""
            return course
        for item in states:
            if item.get("status") == "requires_action":
                course.asked.append((row.summary.arrival, item))
                course.asking_stream = response.body.read() if is_stream(response) else b""
        course.seen.update((item["id"], item) for item in objects if belongs(item, run))
    return None


def told(response: Response) -> Iterator[Json]:
    """The API's objects in an answer: the answer itself, a page's items, or what a stream's events carry."""
    if is_stream(response):
        if response.body.length <= MOST_STREAM:
            for event in events(response.body.read()):
                yield from _objects(parse(event.data))
    else:
        value = read(response.body)
        yield from _objects(value)
        if isinstance(value, dict) and isinstance(value.get("data"), list):
            for item in value["data"][:MAX_ITEMS]:
                yield from _objects(item)


def is_stream(response: Response) -> bool:
    return media_type(response.headers) == b"text/event-stream"


def belongs(item: object, run: str) -> bool:
    """Whether a JSON value is a message or a step of the run."""
    return isinstance(item, dict) and item.get("object") in _PARTS and item.get("run_id") == run and _named(item)


_PARTS = ("thread.message", "thread.run.step")


def _named(item: Json) -> bool:
    return isinstance(item.get("id"), str)


def _objects(value: object) -> Iterator[Json]:
    if isinstance(value, dict) and isinstance(value.get("object"), str) and _named(value):
        yield value
