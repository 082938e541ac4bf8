"""A run's events on their way to one client, each written to the socket as it happens."""

from aiohttp import web

from .listeners import Listener
from .store import Thread
from .world import World

LONGEST_NAP = 0.25
"""Seconds of the clock that a stream sleeps at most, so that it hears of a cancel in time."""


async def send_events(
    sandbox: World, request: web.Request, headers: dict[str, str], listener: Listener, thread: Thread
) -> web.StreamResponse:
    """Write events until the run is over or waits for tool outputs. A client that leaves ends this, not the run."""
    response = web.StreamResponse(headers=headers | {"Content-Type": "text/event-stream; charset=utf-8"})
    response.headers["Cache-Control"] = "no-cache"
    await response.prepare(request)
    try:
        while True:
            sandbox.catch_up(thread, sandbox.clock.now())
            while listener.waiting:
                await response.write(listener.waiting.popleft())
            performance = thread.performance
            if listener.over or performance is None:
                break
            await sandbox.clock.sleep(max(0.0, min(performance.next_at - sandbox.clock.now(), LONGEST_NAP)))
    except ConnectionResetError:
        return response  # the client left
    finally:
        run = thread.active_run
        if run is not None and listener in run.listeners:
            run.listeners.remove(listener)
    if listener.dropped and request.transport is not None:
        request.transport.close()  # without the last chunk, so that the client sees a cut
    return response
