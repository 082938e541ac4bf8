"""Interactions that are written in the order in which they ended, some at a time, the large ones redacted beside the calls.

Calls that end close together are redacted together, and then written together, when all of them have their answers: what
redacts is then at hand in the processor's caches for all but the first. To look through a body takes time in proportion to
its length. Up to LARGE bytes that is less than a call may wait; above, a thread does it, and what ends meanwhile waits for its
turn. Who begins turns awaits `settle` before the writer is closed.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from .errand import Errand

LARGE = 128 << 10
"""Bytes of both bodies, as they are held; and of all that is redacted before the loop goes on."""


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

    def take(self, entry: T, *, alone: bool) -> None:
        """Write the entry in its turn; at once where it is small and `alone`, no other call being under way that may join it."""
        if alone and not self._waiting and entry.weight <= LARGE:
            entry.redact()
            self._write(entry)
            return
        self._waiting.append(entry)
        self._errand.begin()

    async def settle(self) -> None:
        """Return when all that was taken is written."""
        await self._errand.settle()

    async def _run(self) -> None:
        """Each entry stays with those that wait until it is written, so that none that ends meanwhile goes before it."""
        while self._waiting:
            if self._waiting[0].weight > LARGE:
                await asyncio.to_thread(self._waiting[0].redact)
                self._write(self._waiting.popleft())
                continue
            ready = self._next()
            for entry in ready:
                entry.redact()
            for entry in ready:
                self._waiting.popleft()
                self._write(entry)
            if self._waiting:
                await asyncio.sleep(0)

    def _next(self) -> list[T]:
        """The first ones, as many as are small together."""
        chosen: list[T] = []
        weight = 0
        for entry in self._waiting:
            weight += entry.weight
            if weight > LARGE:
                break
            chosen.append(entry)
        return chosen
