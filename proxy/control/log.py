"""The numbered events of a proxy: a ring that is written at once and read by whoever keeps up.

Writing never waits. A reader has a place of its own; one that falls behind the oldest event that is kept is told of a gap and
goes on from there. While nobody reads, events are counted and not kept, so that a proxy nobody looks at pays nothing for them.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any

MOST_EVENTS = 8192
MOST_BYTES = 8 << 20
BATCH = 256
"""Events that a reader gets at once."""


class EventLog:
    """The latest events, as lines of JSON."""

    def __init__(self, *, most: int = MOST_EVENTS, most_bytes: int = MOST_BYTES) -> None:
        self.last = 0
        """The number of the last event."""
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._most = most
        self._most_bytes = most_bytes
        self._readers = 0
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def watched(self) -> bool:
        """Whether anybody reads."""
        return self._readers > 0

    @property
    def oldest(self) -> int:
        """The number of the oldest event that is kept; one more than `last` where none is."""
        return self.last - len(self._lines) + 1

    def tell(self, kind: str, said: Callable[[], dict[str, Any]]) -> None:
        """Count an event; where somebody reads, keep what `said` gives of it."""
        if not self._readers:
            self.skip()
            return
        self.last += 1
        line = json.dumps({"n": self.last, "kind": kind, **said()}, separators=(",", ":")).encode("ascii") + b"\n"
        self._lines.append(line)
        self._size += len(line)
        while len(self._lines) > self._most or (self._size > self._most_bytes and len(self._lines) > 1):
            self._size -= len(self._lines.popleft())
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    def skip(self, events: int = 1) -> None:
        """Count events that nobody reads."""
        self.last += events
        if self._lines:
            self._lines.clear()
            self._size = 0

    def __enter__(self) -> "EventLog":
        """Begin to read."""
        self._readers += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._readers -= 1

    def read(self, after: int) -> tuple[bytes, int]:
        """What comes behind event `after`, some lines of it, and the number of the last of these."""
        oldest = self.oldest
        lines: list[bytes] = []
        if after < oldest - 1:
            gap = {"n": oldest - 1, "kind": "gap", "first": after + 1}
            lines.append(json.dumps(gap, separators=(",", ":")).encode("ascii") + b"\n")
            after = oldest - 1
        begin = after - oldest + 1
        until = min(len(self._lines), begin + BATCH)
        lines += [self._lines[number] for number in range(begin, until)]
        return b"".join(lines), after + max(until - begin, 0)

    async def more(self, after: int, timeout: float) -> bool:
        """Wait until there is an event behind `after`; False where none came in time."""
        if self.last > after:
            return True
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            async with asyncio.timeout(timeout):
                await waiter
        except TimeoutError:
            return self.last > after
        finally:
            self._waiting.discard(waiter)
        return True
