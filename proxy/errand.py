"""Work beside the calls that one task does: begun when there is some, over when there is none left.

The owner of an errand awaits `settle` before it closes what the work touches.
"""

import asyncio
from collections.abc import Callable, Coroutine


class Errand:
    """Runs `work` in one task at most. `work` does all there is to do by then, and what is added while it runs."""

    def __init__(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        self._work = work
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """There is something to do."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def settle(self) -> None:
        """Return when all is done; raises what the work raised."""
        if self._task is not None:
            await asyncio.wait([self._task])
            self._task.result()
