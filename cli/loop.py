"""The event loop of a serving command, and the signals that end it. Not imported before a command runs."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from ..cassettes.crashes import told
from ..cassettes.errors import RespoolError
from .running import narrate

Main = Callable[["Stop"], Coroutine[Any, Any, int]]


class Stop:
    """Becomes set at SIGINT or SIGTERM; a second signal says not to wait for running calls."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.hurry = asyncio.Event()

    def signalled(self) -> None:
        if self._event.is_set():
            self.hurry.set()
        self._event.set()

    @property
    def has_come(self) -> bool:
        return self._event.is_set()

    async def wait(self) -> None:
        await self._event.wait()


def _unheard(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What nobody awaits, told without data; asyncio's own handler logs the exception's text and the objects at hand."""
    error = context.get("exception")
    narrate(f"respool: internal error: {told(error) if isinstance(error, BaseException) else 'in the event loop'}")


class Stopped(RespoolError):
    """A signal came before the server, or a cassette of it, was ready."""

    exit_status = 0


def run_server(main: Main) -> int:
    """Run a serving command to its end on the fastest event loop there is."""

    async def guarded() -> int:
        stop = Stop()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_unheard)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.signalled)
        return await main(stop)

    try:
        import uvloop
    except ImportError:
        factory = None
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(guarded())
