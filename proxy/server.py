"""The data port: listens, lets calls in, gives them to a mode, and stops without losing any.

`serve` is an async context manager; leaving it drains: no new connections, running calls get time to end, then they are cut.
"""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from ..cassettes.errors import UsageError
from .admission import OWN, admit
from .answer import Answer
from .connection import ConnectionServer
from .doors import Doors
from .health import Health, Living
from .listeners import remember
from .narration import Narration

DRAIN_SECONDS = 30.0


class Mode(Protocol):
    """What answers the calls: the recorder or the replayer."""

    async def handle(self, request: web.BaseRequest, session: str, target: bytes) -> Answer: ...

    async def stop(self, timeout: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Listening:
    """A data port in service. `url` has no path; a client's base URL is `url` plus the recording's base path."""

    url: str
    host: str
    port: int
    server: ConnectionServer

    def running(self) -> int:
        """How many calls are being answered now."""
        return sum(connection._request_in_progress for connection in self.server.connections)


@asynccontextmanager
async def serve(
    mode: Mode,
    *,
    name: str,
    listener: socket.socket | None = None,
    narrate: Callable[[str], None],
    allow_hosts: Sequence[str] = (),
    drain: float = DRAIN_SECONDS,
    hurry: asyncio.Event | None = None,
    narration: Narration | None = None,
) -> AsyncIterator[Listening]:
    """Serve a mode on `listener` (see `listen`; by default a free port of 127.0.0.1), which is closed at the end.

    `allow_hosts` are more names under which clients may call it, see `Doors`. On leaving, running calls get `drain`
    seconds; `hurry` ends that wait. `narration` is told of what is not let in.
    """

    def health() -> Health:
        return mode.health() if isinstance(mode, Living) else Health()

    async def handle(request: web.BaseRequest) -> Answer:
        admitted = admit(request, doors=doors, mode=name, health=health)
        if isinstance(admitted, Answer):
            if narration is not None:
                target = request.raw_path.encode("utf-8", "surrogateescape")
                what = "answered by respool itself" if target.startswith(OWN) else "refused"
                narration.answered(request.method, target, request.raw_headers, admitted, what)
            return admitted
        return await mode.handle(request, *admitted)

    server = ConnectionServer(handle, narrate=narrate, narration=narration)
    loop = asyncio.get_running_loop()
    bound = listener or listen("127.0.0.1", 0)
    host, port = bound.getsockname()[:2]
    doors = Doors(host, port, allow_hosts)
    service = await loop.create_server(server, sock=bound)
    shown = f"[{host}]" if ":" in host else host
    listening = Listening(f"http://{shown}:{port}", host, port, server)
    try:
        yield listening
    finally:
        service.close()
        server.pre_shutdown()
        end = loop.time() + drain
        # aiohttp tells nobody when an answer has been written, so the drain looks again and again.
        while listening.running() and loop.time() < end and not (hurry and hurry.is_set()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await mode.stop(drain)
        await server.shutdown(0.1)


def listen(host: str, port: int, *, forwards: bool = True) -> socket.socket:
    """Take an address; `port` 0 takes a free one. Raises UsageError when it cannot be had.

    What `forwards` calls can never be an upstream of this process; the sandbox can.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.create_server(address[:2], family=family, backlog=1024)
    except UnicodeError:
        raise UsageError(
            f"{host} is not an address of this machine", "give another --host; the default is 127.0.0.1"
        ) from None
    except OSError as error:
        raise _refused(error, host, port) from None
    return remember(listener) if forwards else listener


def _refused(error: OSError, host: str, port: int) -> UsageError:
    if error.errno == errno.EADDRINUSE:
        return UsageError(f"port {port} on {host} is in use", "give another --port, or --port 0 for a free one")
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return UsageError(f"{host} is not an address of this machine", "give another --host; the default is 127.0.0.1")
    return UsageError(f"cannot listen on {host}:{port}: {error.strerror or error}", "give another --host or --port")
