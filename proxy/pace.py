"""How fast a recorded stream is served: at once, as recorded, or a multiple of that."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..cassettes.errors import UsageError


@dataclass(frozen=True, slots=True)
class Pace:
    """`factor` is the speed: 0 serves at once, 1 as recorded, 2 in half the time."""

    factor: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "Pace":
        """Read `--pace`. Raises UsageError."""
        if text == "instant":
            return cls(0.0)
        if text == "recorded":
            return cls(1.0)
        try:
            factor = float(text.removeprefix("x")) if text.startswith("x") else -1.0
        except ValueError:
            factor = -1.0
        if not 0.001 <= factor <= 1000:
            raise UsageError(
                f"--pace {text!r} is not a pace", "use instant, recorded, or xN such as x4 (four times as fast)"
            )
        return cls(factor)

    async def until(
        self,
        began: float,
        moment_us: int,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Wait for the moment, counted in recorded microseconds from `began` (seconds of `clock`)."""
        if self.factor:
            wait = began + moment_us / 1e6 / self.factor - clock()
            if wait > 0:
                await sleep(wait)
