"""What the serving commands share: the event loop, signals, the ready line and narration."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from ..cassettes.errors import UsageError
from ..cassettes.text import safe

Main = Callable[["Stop"], Coroutine[Any, Any, int]]


def narrate(text: str) -> None:
    """One line on stderr. Everything foreign in it is made visible first."""
    print(safe(text), file=sys.stderr, flush=True)


def ready(url: str) -> None:
    """The one line on stdout of a server: the base URL for the client."""
    print(url, flush=True)


class Stop:
    """Becomes set at SIGINT or SIGTERM; a second signal says not to wait for running calls."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.hurry = asyncio.Event()

    def signalled(self) -> None:
        if self._event.is_set():
            self.hurry.set()
        self._event.set()

    async def wait(self) -> None:
        await self._event.wait()


def run_server(main: Main) -> int:
    """Run a serving command to its end on the fastest event loop there is."""

    async def guarded() -> int:
        stop = Stop()
        loop = asyncio.get_running_loop()
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


def add_address(parser: argparse.ArgumentParser, *, port: int) -> None:
    parser.add_argument(
        "--port",
        type=port_number,
        default=port,
        metavar="N",
        help=f"port to listen on; 0 takes a free one (default {port})",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on (default 127.0.0.1)"
    )


def port_number(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 65535:
        raise UsageError(f"{text!r} is not a port", "ports are 0 to 65535; 0 takes a free one")
    return number
