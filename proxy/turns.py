"""Interactions that are written in the order in which they ended, although the large ones are redacted beside the calls.

To look through a body takes time in proportion to its length. Up to LARGE bytes that is less than a call may wait; above, a
thread does it, and what ends meanwhile waits for its turn. Who begins turns awaits `settle` before the writer is closed.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from .errand import Errand

LARGE = 128 << 10
"""Bytes of both bodies, as they are held."""


class Entry(Protocol):
    """What takes its turn. `redact` touches nothing that other calls touch, and keeps what it raises for whoever writes."""

    @property
    def weight(self) -> int:
        """Bytes to look through."""
        ...

    def redact(self) -> None:
        """Make it ready to be written."""
        ...


T = TypeVar("T", bound=Entry)


class Turns(Generic[T]):
    """Gives each entry to `write` when it is ready and all before it are written."""

    def __init__(self, write: Callable[[T], None]) -> None:
        self._write = write
        self._waiting: deque[T] = deque()
        self._errand = Errand(self._run)

    def take(self, entry: T) -> None:
        """Write the entry: at once where it is small and nothing waits, else in its turn."""
        if not self._waiting and entry.weight <= LARGE:
            entry.redact()
            self._write(entry)
            return
        self._waiting.append(entry)
        self._errand.begin()

    async def settle(self) -> None:
        """Return when all that was taken is written."""
        await self._errand.settle()

    async def _run(self) -> None:
        while self._waiting:
            entry = self._waiting[0]
            if entry.weight > LARGE:
                await asyncio.to_thread(entry.redact)
            else:
                entry.redact()
            self._waiting.popleft()
            self._write(entry)
