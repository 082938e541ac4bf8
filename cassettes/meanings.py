"""A run that ends otherwise than it was recorded: what is rewritten in the answers that tell of it.

The run ends where the recording first has it completed. Rewritten are decoded JSON and the one stream in which that happens;
fields that are not named here stay as recorded, and so does every answer that does not tell of the run.

- The run, wherever it is `completed`: `status`, the time of its end, `last_error`, `incomplete_details`, `required_action`.
- A stream breaks off after half of the last message's deltas. What is open then is closed: the message is `incomplete`, its
  step ends as the run does (`completed` where that is incomplete), then come the run's own last event and `done`.
- Messages and steps of the run that no recorded answer told of before that do not exist: lists are without them, and by id
  they are a 404. What was told of as in progress stays with the content that it had, ended as in a stream.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from .courses import Course, Json, belongs
from .fault_rules import RunEnds
from .models import parse
from .sse import events

GONE: Any = object()
"""In place of an object that does not exist."""

_REASONS = {
    "failed": "run_failed",
    "expired": "run_expired",
    "cancelled": "run_cancelled",
    "incomplete": "max_tokens",
}
_ENDED_AT = {
    "failed": "failed_at",
    "cancelled": "cancelled_at",
    "expired": "expired_at",
    "incomplete": "completed_at",
    "completed": "completed_at",
}
_MESSAGES = {
    "rate_limit_exceeded": "You exceeded your current quota, please check your plan and billing details.",
    "invalid_prompt": "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
    "server_error": "Sorry, something went wrong.",
}
_TIMES = ("completed_at", "failed_at", "cancelled_at")
EVENT_END = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
"""What ends an event, and where a stream can be parted."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One event of a stream as it was on the wire: its name, its data as JSON, and where its bytes end."""

    name: str
    data: Any
    end: int


def slices(stream: bytes) -> list[Slice]:
    """A stream in its events; comments belong to the event behind them."""
    found: list[Slice] = []
    start = 0
    for match in EVENT_END.finditer(stream):
        end = match.end()
        found += [Slice(event.name, parse(event.data), end) for event in events(stream[start:end])[-1:]]
        start = end
    return found


def spell(name: str, data: object) -> bytes:
    """An event as it goes on the wire."""
    text = data if isinstance(data, str) else dumps(data)
    return f"event: {name}\ndata: {text}\n\n".encode()


def dumps(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))  # ASCII, so that lone surrogates survive as they were


class Ended:
    """A run's other end, for one session. `stream` is the answer in which it happens, where that is a stream."""

    def __init__(self, course: Course, end: RunEnds) -> None:
        self.run = course.run
        self.arrival = course.end
        self._end = end
        self._at = course.completed.get("completed_at") or course.completed.get("created_at")
        self._seen = dict(course.seen)
        self._first = "incomplete_details" not in course.completed
        self.kept = 0
        """Bytes of the recorded stream that come as they were."""
        self.stream = self._cut(course) if course.stream else b""

    @classmethod
    def of(cls, course: Course, end: RunEnds) -> "Ended | None":
        """None where the API's version knows no such end: the first has no incomplete runs."""
        if end.status == "incomplete" and "incomplete_details" not in course.completed:
            return None
        return cls(course, end)

    def rewrite(self, value: Any) -> Any:
        """An answer with this run's end in it: the same object where it does not tell of it, GONE where it is gone."""
        if not isinstance(value, dict):
            return value
        if isinstance(value.get("data"), list):
            items = [self._object(item) for item in value["data"]]
            if all(new is old for new, old in zip(items, value["data"], strict=True)):
                return value
            return _page(value, [item for item in items if item is not GONE], none="" if self._first else None)
        return self._object(value)

    def _object(self, item: Any) -> Any:
        if belongs(item, self.run):
            seen = self._seen.get(item["id"])
            if seen is None:
                return GONE
            if item.get("status") != "completed" or seen.get("status") != "in_progress":
                return item
            if item["object"] == "thread.message":
                return self._message({**item, "content": seen.get("content", [])})
            return self._step(item) if _open_for_good(item) else item
        if isinstance(item, dict) and item.get("object") == "thread.run" and item.get("id") == self.run:
            return self._run(item) if item.get("status") == "completed" else item
        return item

    def _run(self, item: Json) -> Json:
        status, first = self._end.status, self._first
        body = item | dict.fromkeys(_TIMES) | {"status": status, "required_action": None}
        if (place := _ENDED_AT[status]) in body:
            body[place] = self._at
        body["last_error"] = self._error(first=first) if status == "failed" else None
        if not first:
            body["incomplete_details"] = {"reason": self._end.reason} if status == "incomplete" else None
        return body

    def _error(self, *, first: bool) -> Json:
        """Steps and the first version know no `invalid_prompt`."""
        code = self._end.reason
        known = "server_error" if first and code == "invalid_prompt" else code
        return {"code": known, "message": _MESSAGES[code]}

    def _message(self, item: Json) -> Json:
        details = {"reason": _REASONS[self._end.status]}
        ended = {"incomplete_details": details, "incomplete_at": self._at, "completed_at": None}
        return item | {"status": "incomplete"} | ended

    def _step(self, item: Json) -> Json:
        status = "completed" if self._end.status == "incomplete" else self._end.status
        body = item | dict.fromkeys((*_TIMES, "expired_at")) | {"status": status, _ENDED_AT[status]: self._at}
        body["last_error"] = self._error(first=True) if status == "failed" else None
        return body

    def _cut(self, course: Course) -> bytes:
        """The stream up to the middle of its last message, and the events that end what is open there."""
        parts = slices(course.stream)
        cut = _place(parts, self.run)
        texts: dict[str, dict[Any, Json]] = {}
        opened: dict[str, Json] = {}
        for part in parts[:cut]:
            data = part.data
            if belongs(data, self.run):
                self._seen[data["id"]] = opened[data["id"]] = data
            elif part.name == "thread.message.delta" and isinstance(data, dict):
                _add(texts.setdefault(str(data.get("id")), {}), data.get("delta"))
        self.kept = parts[cut - 1].end if cut else 0
        said: list[bytes] = []
        still = [item for item in opened.values() if item.get("status") == "in_progress"]
        for item in still:
            if item["object"] == "thread.message":
                content = texts.get(item["id"], {})
                item = self._seen[item["id"]] = {**item, "content": list(content.values())}
                said.append(spell("thread.message.incomplete", self._message(item)))
        for item in still:
            if item["object"] == "thread.run.step":
                step = self._step(item)
                said.append(spell(f"thread.run.step.{step['status']}", step))
        said.append(spell(f"thread.run.{self._end.status}", self._run(course.completed)))
        if any(part.name == "done" for part in parts):
            said.append(spell("done", "[DONE]"))
        return course.stream[: self.kept] + b"".join(said)


def _place(parts: list[Slice], run: str) -> int:
    """How many events come before the run ends: half of the last message's deltas, or all before it is completed."""
    ends = [
        at
        for at, part in enumerate(parts)
        if part.name == "thread.run.completed" and isinstance(part.data, dict) and part.data.get("id") == run
    ]
    last = ends[0] if ends else len(parts)
    deltas = [
        (at, part.data.get("id"))
        for at, part in enumerate(parts[:last])
        if part.name == "thread.message.delta" and isinstance(part.data, dict)
    ]
    if not deltas:
        return last
    places = [at for at, message in deltas if message == deltas[-1][1]]
    return places[(len(places) - 1) // 2] + 1


def _add(blocks: dict[Any, Json], delta: Any) -> None:
    """Add a message delta to the content so far, as a client does."""
    content = delta.get("content") if isinstance(delta, dict) else None
    for part in content if isinstance(content, list) else []:
        index = part.get("index") if isinstance(part, dict) else None
        if not isinstance(index, int):
            continue
        told = {name: value for name, value in part.items() if name != "index"}
        block = blocks.setdefault(index, {"type": "text", "text": {"value": "", "annotations": []}} | told)
        text = part.get("text")
        if block.get("type") != "text" or not isinstance(text, dict):
            continue
        old = block["text"] if isinstance(block.get("text"), dict) else {}
        if old is text:
            block["text"] = {"value": str(text.get("value") or ""), "annotations": _notes(text)}
        else:
            value = str(old.get("value") or "") + str(text.get("value") or "")
            block["text"] = {"value": value, "annotations": old.get("annotations", []) + _notes(text)}


def _notes(text: Json) -> list[Json]:
    notes = text.get("annotations")
    return [
        {name: value for name, value in note.items() if name != "index"}
        for note in (notes if isinstance(notes, list) else [])
        if isinstance(note, dict)
    ]


def _open_for_good(step: Json) -> bool:
    """Whether a step that was in progress never gets done: one of function calls is done once its outputs were submitted."""
    details = step.get("step_details")
    calls = details.get("tool_calls") if isinstance(details, dict) else None
    return not (
        isinstance(calls, list) and calls and all(isinstance(c, dict) and c.get("type") == "function" for c in calls)
    )


def _page(page: Json, items: list[Any], *, none: str | None) -> Json:
    """A page with other items: its first and last ids are theirs, `none` where it has none."""
    body = {**page, "data": items}
    named = [item["id"] for item in items if isinstance(item, dict) and isinstance(item.get("id"), str)]
    for name, place in (("first_id", 0), ("last_id", -1)):
        if name in body:
            body[name] = named[place] if named else none
    return body
