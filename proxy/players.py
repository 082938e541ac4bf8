"""The sessions of one replay: made at their first use, dropped when they have been idle for long or are too many.

Nothing runs for it: who is idle is looked at when a session is made, the one used longest ago first, so that the memory
of sessions that nobody uses is given back as new ones come.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ..cassettes.ambiguities import Call
from ..cassettes.binding import Binder
from ..cassettes.misses import Miss
from ..cassettes.positions import Served, Session
from .injection import Fate

MOST_SESSIONS = 10_000
"""Sessions kept at once; the one that was used longest ago is dropped, and begins anew when it comes back."""
IDLE_SECONDS = 3600.0
"""A session that was not used for so long is dropped, unless `--session-idle` says otherwise."""
MOST_MISSED = 50
"""Misses of a session that are kept for its report, the latest."""

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Player:
    """A session with what a report tells of it."""

    session: Session
    fate: Fate | None = None
    """What injected faults do to it; None where the replay has none."""
    binder: Binder | None = None
    """Which threads its ids stand for; None without late binding."""
    missed: deque[Miss] = field(default_factory=lambda: deque(maxlen=MOST_MISSED))

    def serve(self, call: Call, key: int) -> Served | None:
        """What the recording answers to a call with this key; None: a miss."""
        if self.binder is None:
            return self.session.serve(key, variant=call.variant)
        return self.binder.serve(call, key)


class Players(Generic[P]):
    """Sessions by their names, the one used longest ago first. `make` makes a new one of a name."""

    def __init__(
        self,
        make: Callable[[str], P],
        *,
        idle: float = IDLE_SECONDS,
        most: int = MOST_SESSIONS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._idle = idle
        self._most = most
        self._clock = clock
        self._players: OrderedDict[str, tuple[P, float]] = OrderedDict()
        self.made = 0
        """Sessions that were ever made."""

    def __len__(self) -> int:
        return len(self._players)

    def __iter__(self) -> Iterator[str]:
        return iter(self._players)

    def get(self, name: str) -> P:
        """The session of that name, made at its first use and after it was dropped."""
        now = self._clock()
        player, used = self._players.get(name, (None, now))
        if player is None or now - used > self._idle:
            self._sweep(now)
            player = self._make(name)
            self.made += 1
            if len(self._players) >= self._most:
                self._players.popitem(last=False)
        self._players[name] = player, now
        self._players.move_to_end(name)
        return player

    def drop(self, name: str) -> None:
        self._players.pop(name, None)

    def _sweep(self, now: float) -> None:
        while self._players:
            name, (_, used) = next(iter(self._players.items()))
            if now - used <= self._idle:
                return
            del self._players[name]
