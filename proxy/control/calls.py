"""A call as the control API knows it: under way (`Running`), and ended (`Kept`), when only its row is kept.

The call itself is read from where it was kept, or served from, when somebody asks. Nothing is here that was not redacted.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

from ...cassettes.interaction import Interaction
from ...cassettes.redaction import scrub_text
from ...cassettes.secrets.cleaning import DEFAULT, Cleaning
from ...cassettes.summary import Row, Summary

HITS = frozenset({"exact", "held", "ahead"})


class Source(Protocol):
    """Where calls can be read."""

    def interaction(self, row: Row) -> Interaction: ...


class Kept(NamedTuple):
    """A call that has ended."""

    number: int
    place: int
    how: str
    session: str
    method: str
    target: bytes
    scope: str
    started_us: int
    duration_us: int
    row: Row
    source: Source
    noted: str = ""

    @property
    def summary(self) -> Summary:
        """As it is listed: a hit is told at the time at which it was served."""
        summary = self.row.summary
        if self.how in HITS:
            return summary._replace(started_us=self.started_us, duration_us=self.duration_us)
        return summary

    def told(self, cleaning: Cleaning = DEFAULT) -> dict[str, Any]:
        """As plain data. `cleaning`: what the session's name is shown by."""
        summary = self.summary
        return {
            "number": self.number,
            "place": self.place,
            "how": self.how,
            "session": shown_name(self.session, cleaning=cleaning),
            "method": clipped(self.method, 40),
            "target": clipped(self.target.decode("utf-8", "backslashreplace"), 2000),
            "scope": clipped(self.scope),
            "record": None if self.how in {"miss", "forwarded", "fault"} else self.row.summary.arrival,
            "status": summary.status,
            "operation": summary.operation,
            "flags": summary.flags,
            "variant": summary.variant,
            "started_us": summary.started_us,
            "duration_us": summary.duration_us,
            "key": f"{summary.key:016x}",
            "answer": f"{summary.answer:016x}",
            "noted": self.noted,
        }


@dataclass(eq=False, slots=True)
class Running:
    """A call under way. `look` gives what there is of it, redacted; `shown`, of a stream, the bytes that can be told by now."""

    number: int
    session: str
    began: float
    started_us: int
    look: Callable[[], Interaction]
    shown: Callable[[], bytes] | None = None
    told: bytes = field(default=b"", repr=False)
    marks: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]], repr=False)
    """Pieces of what was told, each with its length and the microseconds from the call's beginning."""
    scope: str = ""
    noted: str = ""
    """What a person did to it, or which faults struck it."""

    def tell(self, shown: bytes) -> int:
        """More of it is told; returns from which byte on it is new: from the first, where what was told before was changed."""
        at = len(self.told) if shown.startswith(self.told) else 0
        if not at:
            self.marks.clear()
        self.marks.append((len(shown) - at, int((time.perf_counter() - self.began) * 1e6)))
        self.told = shown
        return at

    def now(self) -> Interaction:
        """What there is of it; of a stream with the times at which it was told."""
        interaction = self.look()
        response = interaction.response
        if response is None or not self.marks or response.body.length != len(self.told):
            return interaction
        return replace(interaction, response=replace(response, marks=tuple(self.marks)))


def clipped(text: str, most: int = 500) -> str:
    """A text that fits into a member; who shows it makes it safe."""
    return text if len(text) <= most else text[: most - 1] + "…"


def shown_name(session: str, secrets: tuple[bytes, ...] = (), *, cleaning: Cleaning = DEFAULT) -> str:
    """A session's name, without what the rules take out, and without the secrets of its request (`redaction.secrets_of`)."""
    return clipped(scrub_text(session, secrets, cleaning), 300)
