"""Time as the sandbox sees it: what runs move by, and what objects are stamped with.

The two differ when there is a seed: runs still move by the clock, while stamps count the writes, so that the same calls
give the same bytes whatever the time of day and however long each call took.
"""

import asyncio
import time
from typing import NamedTuple, Protocol

SEEDED_START = 1_700_000_000
"""The Unix time at which a seeded sandbox begins."""


class Clock(Protocol):
    """What the sandbox needs of time. Both are in seconds; `now` is Unix time and never goes back."""

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class WallClock:
    """Real time, `speed` times as fast."""

    def __init__(self, *, speed: float = 1.0) -> None:
        if not speed > 0:
            raise ValueError("speed must be greater than zero")
        self._speed = speed
        self._start = time.time()
        self._origin = time.monotonic()

    def now(self) -> float:
        return self._start + (time.monotonic() - self._origin) * self._speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self._speed)


class ManualClock:
    """Time that moves only when it is told to, or when somebody sleeps on it: for tests."""

    def __init__(self, start: float = SEEDED_START) -> None:
        self._now = float(start)

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds

    async def sleep(self, seconds: float) -> None:
        self._now += max(0.0, seconds)
        await asyncio.sleep(0)


class Instant(NamedTuple):
    """One moment: `now` on the clock, and the `stamp` that objects made then carry."""

    now: float
    stamp: float

    def after(self, seconds: float) -> "Instant":
        return Instant(self.now + seconds, self.stamp + seconds)


class Calendar:
    """Gives each call its instant. With `counting`, stamps are a second apart for each write and ignore the clock."""

    def __init__(self, clock: Clock, *, counting: bool = False) -> None:
        self._clock = clock
        self._counting = counting
        self._writes = 0

    def instant(self, *, writes: bool) -> Instant:
        now = self._clock.now()
        if not self._counting:
            return Instant(now, now)
        self._writes += writes
        return Instant(now, float(SEEDED_START + self._writes))
