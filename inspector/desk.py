"""Does the reading: one job at a time, in a thread, since a reader is for one; the most urgent job that waits comes first.

A job has a name; asking for another of the same name takes its place, so what nobody wants to know any more is never read.
"""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from ..cassettes.errors import RespoolError

SHOW, OPEN, ASKED, SCAN = range(4)
"""How urgent a job is, the most urgent first: what is looked at, what shall open, what was asked for, the search."""


CALM = 0.03
"""Seconds before what is looked at is read: by then the screen shows where the cursor went, and rows passed over are not read."""


class Job(NamedTuple):
    """`work` runs in the thread; `done` gets what it returned, `failed` the error that it raised, on the event loop."""

    urgency: int
    work: Callable[[], Any]
    done: Callable[[Any], None]
    failed: Callable[[RespoolError], None]


class Desk:
    """The jobs that wait."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._woken = asyncio.Event()
        self._running = ""

    def ask(self, name: str, job: Job) -> None:
        """Have a job done; one of this name that waits is forgotten."""
        self._jobs.pop(name, None)
        self._jobs[name] = job
        self._woken.set()

    def forget(self, name: str) -> None:
        self._jobs.pop(name, None)

    def asked(self, name: str) -> bool:
        """Whether a job of this name waits or is being done."""
        return name in self._jobs or name == self._running

    @property
    def busy(self) -> bool:
        return bool(self._jobs or self._running)

    async def run(self) -> None:
        """Do what is asked for, for as long as the app runs."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._jobs:
                if min(job.urgency for job in self._jobs.values()) == SHOW:
                    await asyncio.sleep(CALM)
                    if not self._jobs:
                        break
                name = min(self._jobs, key=lambda each: self._jobs[each].urgency)
                job = self._jobs.pop(name)
                self._running = name
                try:
                    result = await asyncio.to_thread(job.work)
                except RespoolError as error:
                    self._running = ""
                    job.failed(error)
                else:
                    self._running = ""
                    job.done(result)
