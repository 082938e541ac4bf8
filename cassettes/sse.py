"""Event streams: bytes in, events out, however the bytes were cut.

Follows the WHATWG HTML standard, section 9.2.6 (interpreting an event stream): lines end with LF, CRLF or CR, one byte
order mark may lead, comments and unknown fields are passed over, `data` lines are joined by LF, an event is dispatched
by an empty line, and what is unfinished at the end is dropped. `id` and `retry` are not kept, since nothing here
reconnects.
"""

import re
from typing import NamedTuple

EVENT_LIMIT = 16 * 1024 * 1024
"""Bytes of one event (or one line) that are kept. A longer event is passed over and counted in `skipped`."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event. `name` is `message` where the stream gives none."""

    name: str
    data: str


class EventParser:
    """Turns pieces of a stream into events. Memory is bounded by `limit` bytes for the event in progress."""

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        self.skipped = 0
        """Events passed over because they were longer than the limit."""
        self._limit = limit
        self._tail = bytearray()
        self._after_cr = False
        self._first_line = True
        self._name = ""
        self._data: list[str] = []
        self._size = 0
        self._too_long = False

    def feed(self, data: bytes) -> list[Event]:
        """Take the next piece and return the events that it completes."""
        if self._after_cr and data:
            self._after_cr = False
            if data[0] == 0x0A:
                data = data[1:]
        if not data:
            return []
        self._after_cr = data[-1] == 0x0D
        found: list[Event] = []
        lines = _LINE_END.split(data)
        for piece in lines[:-1]:
            self._keep(piece)
            line = bytes(self._tail)
            self._tail.clear()
            if (event := self._line(line)) is not None:
                found.append(event)
        self._keep(lines[-1])
        return found

    def finish(self) -> bool:
        """End the stream. True when it ended inside an event, which is dropped as the standard says."""
        unfinished = bool(self._tail or self._data or self._too_long)
        self._tail.clear()
        self._reset()
        return unfinished

    def _keep(self, piece: bytes) -> None:
        if len(self._tail) + self._size + len(piece) > self._limit:
            # The line is kept short, not empty: an empty line would end the event here.
            self._too_long = True
            piece = piece[: max(0, 16 - len(self._tail))]
        self._tail += piece

    def _line(self, line: bytes) -> Event | None:
        if self._first_line:
            self._first_line = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        if self._too_long:
            return None
        # Line ends are ASCII, so each line decodes alone just as it does in the whole stream.
        name, _, value = line.partition(b":")
        if name == b"data":
            self._size += len(line)
            self._data.append(value.removeprefix(b" ").decode("utf-8", "replace"))
        elif name == b"event":
            self._name = value.removeprefix(b" ").decode("utf-8", "replace")
        return None

    def _dispatch(self) -> Event | None:
        if self._too_long:
            self.skipped += 1
            event = None
        elif self._data:
            event = Event(self._name or "message", "\n".join(self._data))
        else:
            event = None
        self._reset()
        return event

    def _reset(self) -> None:
        self._name = ""
        self._data = []
        self._size = 0
        self._too_long = False


def events(data: bytes) -> list[Event]:
    """The events of a whole stream."""
    return EventParser().feed(data)
