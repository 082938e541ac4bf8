"""What all calls of one sandbox share: names, clock, scripts and the store, and how a thread moves on. No HTTP stands here.

`server.Sandbox` is a world with a port; handlers get the world with each `Call`.
"""

from collections.abc import Sequence

from .clock import Clock, WallClock
from .errors import scripted
from .names import Names
from .rules import Rule
from .script import parse_script
from .statements import HttpFault
from .store import Store, Thread

MAX_FAULTS = 10_000
"""Scripted refusals that are counted at a time."""


class World:
    """An upstream but for its HTTP; the options are those of `server.Sandbox`. Raises `UsageError` for an unreadable script."""

    def __init__(
        self,
        *,
        seed: int | None = None,
        script: str | None = None,
        rules: Sequence[Rule] = (),
        clock: Clock | None = None,
        speed: float = 1.0,
    ) -> None:
        self.names = Names(seed)
        self.clock = clock or WallClock(speed=speed)
        self.script = None if script is None else parse_script(script)
        self.rules = tuple(rules)
        self.store = Store()
        self._struck: dict[tuple[str, HttpFault], int] = {}

    def catch_up(self, thread: Thread, now: float) -> None:
        """Let everything happen in a thread that is due."""
        if thread.performance is not None:
            thread.performance.advance(now)
            if thread.active_run is None:
                thread.performance = None

    def strike(self, owner: str, fault: HttpFault) -> None:
        """Raise a scripted refusal as often as the script says, counted for each `owner`."""
        struck = self._struck.get((owner, fault), 0)
        if struck < fault.times:
            if len(self._struck) >= MAX_FAULTS:
                self._struck.clear()
            self._struck[owner, fault] = struck + 1
            raise scripted(fault.status, fault.retry_after)
