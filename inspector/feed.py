"""Reads the events of a proxy in a thread of its own, finds it again when it is gone, and lets what came wait for the screen.

What waits is bounded. When there is too much of it, for the screen is paused, the rest is left to the proxy: once the screen has
taken what waits, a new snapshot is read. Nothing here knows a screen.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from ..cassettes.errors import CassetteError, RespoolError
from ..proxy.control.client import Client, Events
from ..proxy.control.protocol import Call, CallBegun, CallFinished, Event, Finished, Gap, Hello, Snapshot

MOST_WAITING = 20_000
MOST_RUNNING = 200
"""Calls under way that are asked for when a proxy is read anew; more are seen when they end."""
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0
"""Seconds before a proxy that is gone is tried again: twice as long each time."""


class Fresh(NamedTuple):
    """The proxy was read anew. `client` is another one, for the thread that reads calls."""

    snapshot: Snapshot
    calls: tuple[Call, ...]
    running: tuple[CallBegun, ...]
    client: Client


class Lost(NamedTuple):
    """The proxy is gone, or says what makes no sense."""

    why: str


Item = Event | Fresh | Lost


class Feed:
    """`connect` makes a client of the proxy; it is asked anew each time, and raises RespoolError where there is none."""

    def __init__(self, connect: Callable[[], Client], *, most: int = MOST_WAITING) -> None:
        self._connect = connect
        self._most = most
        self._waiting: deque[Item] = deque()
        self._closed = threading.Event()
        self._room = threading.Event()
        self._room.set()
        self._events: Events | None = None
        self._thread = threading.Thread(target=self._run, name="respool-feed", daemon=True)
        self._instance = ""
        self._place = 0

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End it; returns when the thread has ended, or soon will."""
        self._closed.set()
        self._room.set()
        if self._events is not None:
            self._events.close()
        if self._thread.is_alive():
            self._thread.join(2)

    @property
    def waiting(self) -> int:
        """What came and was not taken."""
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether more came than can wait."""
        return not self._room.is_set()

    def take(self) -> Item | None:
        """What came next; None for nothing."""
        try:
            item = self._waiting.popleft()
        except IndexError:
            return None
        if not self._waiting:
            self._room.set()
        return item

    def _run(self) -> None:
        wait = FIRST_WAIT
        while not self._closed.is_set():
            why = "the proxy has stopped"
            try:
                if self._follow():
                    wait = FIRST_WAIT
            except RespoolError as error:
                why = error.message
            if self._closed.is_set():
                return
            if self.full:
                self._room.wait()
                continue
            self._waiting.append(Lost(why))
            self._closed.wait(wait)
            wait = min(wait * 2, LONGEST_WAIT)

    def _follow(self) -> bool:
        """Read a proxy until it is gone; whether it was there at all. Raises RespoolError."""
        with self._connect() as client:
            snapshot = client.snapshot()
            self._events = client.events(snapshot.last)
            try:
                self._read_anew(client, snapshot)
                for event in self._events:
                    if isinstance(event, Hello) and event.instance != snapshot.instance:
                        return True
                    if len(self._waiting) >= self._most:
                        self._room.clear()
                        return True
                    if isinstance(event, Gap):
                        self._read_anew(client, client.snapshot())
                    elif not isinstance(event, Hello):
                        self._waiting.append(event)
                    if isinstance(event, CallFinished) and event.call.place == self._place:
                        self._place += 1
                    if isinstance(event, Finished):
                        break
            finally:
                self._events.close()
        return True

    def _read_anew(self, client: Client, snapshot: Snapshot) -> None:
        """Read the calls that are not known yet."""
        if snapshot.instance != self._instance:
            self._instance, self._place = snapshot.instance, 0
        calls: list[Call] = []
        while self._place < snapshot.calls and not self._closed.is_set():
            page = client.calls(self._place)
            if not page.calls:
                break
            calls += page.calls
            self._place = page.first + len(page.calls)
        running = tuple(begun for number in snapshot.open[:MOST_RUNNING] if (begun := _begun(client, number)))
        self._waiting.append(Fresh(snapshot, tuple(calls), running, self._connect()))


def _begun(client: Client, number: int) -> CallBegun | None:
    """How a call that is under way has begun; None for one that has ended meanwhile."""
    try:
        call = client.call(number)
    except CassetteError:
        return None
    if not call.extra.get("running"):
        return None
    return CallBegun(
        n=0,
        kind="call-begun",
        number=number,
        session=call.session[:500],
        method=call.request.method[:500],
        target=call.request.target.decode("utf-8", "backslashreplace")[:4000],
        scope=call.scope[:500],
        at_us=call.started_us,
    )
