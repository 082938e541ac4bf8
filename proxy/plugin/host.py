"""The server of a test process: one thread with an event loop of its own, one port of 127.0.0.1, for all its tests.

It runs beside the tests' own event loops and is asked from the tests' thread. Every wait has a limit, so that a test run
ends whatever happens here. Imported when the first marked test begins.
"""

import asyncio
import os
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ...cassettes.errors import RespoolError
from ..library import Library
from ..server import listen, serve

T = TypeVar("T")

START_SECONDS = 20.0
ASK_SECONDS = 60.0
"""How long a test waits for its cassette to be opened or closed: one without a seal is read whole."""
STOP_SECONDS = 5.0
DRAIN_SECONDS = 0.2
MOST_SAID = 100


class Host:
    """A server in service, from its making to `stop`. `said` is what the modes told a user lately."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.url = ""
        self.said: deque[str] = deque(maxlen=MOST_SAID)
        self.library = Library(narrate=self.said.append)
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        # A daemon: should it hang for all the limits, the process still ends.
        self._thread = threading.Thread(target=self._run, name="respool", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_SECONDS):
            raise RespoolError(f"the replay server did not start within {START_SECONDS:.0f} s")
        if self._failed is not None:
            raise RespoolError(f"the replay server did not start: {type(self._failed).__name__}: {self._failed}")

    def ask(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do some work on the server's loop and wait for it. Raises what it raises, or RespoolError at the limit."""
        if self._loop is None or self.pid != os.getpid() or not self._thread.is_alive():
            raise RespoolError(
                "the replay server does not run in this process", "ask in the process that runs the test"
            )

        async def done() -> T:
            async with asyncio.timeout(ASK_SECONDS):
                return await work()

        future = asyncio.run_coroutine_threadsafe(done(), self._loop)
        try:
            return future.result(ASK_SECONDS + 1)
        except TimeoutError:
            future.cancel()
            raise RespoolError(f"the replay server did not answer within {ASK_SECONDS:.0f} s") from None

    def stop(self) -> None:
        """End the server. A process that was forked off has the port but not the thread, and nothing to end."""
        if self.pid != os.getpid() or self._loop is None or self._end is None or not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        try:
            import uvloop
        except ImportError:
            factory = None
        else:
            factory = uvloop.new_event_loop
        try:
            with asyncio.Runner(loop_factory=factory) as runner:
                runner.run(self._serve())
        except BaseException as error:  # noqa: BLE001  # told to the test that waits for the server; nobody else hears a thread
            self._failed = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._end = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        async with serve(
            self.library, name="pytest", listener=listen("127.0.0.1", 0), narrate=self.said.append, drain=DRAIN_SECONDS
        ) as listening:
            self.url = listening.url
            self._ready.set()
            await self._end.wait()
