"""Waits for the disk beside the traffic: one wait at a time, in a thread, for all interactions that have ended by then.

An interaction that ends while nothing is waited for is waited for at once; one that ends meanwhile is covered by the next
wait, which begins as soon as this one is over. So a loss of power takes the interactions of the last two waits at most, and
no call ever waits itself.
"""

import asyncio
from collections.abc import Callable

from ..cassettes.errors import CassetteError
from ..cassettes.writer import RecordingFailed, Writer
from .errand import Errand


class Durability:
    """Sees that what a durable writer has appended reaches the disk. `failed` hears why, should the disk refuse it.

    `waits` counts the times that the disk was waited for.
    """

    def __init__(self, writer: Writer, *, failed: Callable[[RecordingFailed], None]) -> None:
        self._writer = writer
        self._failed = failed
        self._due = False
        self._errand = Errand(self._run)
        self.waits = 0

    def ask(self) -> None:
        """An interaction was appended: it is to last."""
        self._due = True
        self._errand.begin()

    async def settle(self) -> None:
        """Return when all that was asked for is on the disk, or has failed. The writer may be closed then, and not before."""
        await self._errand.settle()

    async def _run(self) -> None:
        try:
            while self._due:
                self._due = False
                self.waits += 1
                await asyncio.to_thread(self._writer.sync)
        except RecordingFailed as error:
            self._failed(error)
        except CassetteError:
            return  # closed by whoever did not want it any more
