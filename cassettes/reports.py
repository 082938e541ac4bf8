"""What a session of a replay came to: what was served, what was missed, and which recorded writes were never asked for."""

from dataclasses import dataclass
from typing import Any

from .misses import Miss, place_of
from .operations import name_of
from .positions import Session

MOST_UNPLAYED = 100
"""Unplayed writes that a report names; the rest it counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`unplayed` names the recorded writes that were not asked for, the first MOST_UNPLAYED of `unplayed_count`."""

    exact: int
    held: int
    ahead: int
    misses: tuple[Miss, ...]
    miss_count: int
    played: int
    unplayed: tuple[str, ...]
    unplayed_count: int

    def to_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "exact": self.exact,
            "held": self.held,
            "ahead": self.ahead,
            "misses": [miss.paragraph for miss in self.misses],
            "miss_count": self.miss_count,
            "played": self.played,
            "unplayed": list(self.unplayed),
            "unplayed_count": self.unplayed_count,
        }


def report_on(session: Session, misses: tuple[Miss, ...]) -> Report:
    """Report on a session; `misses` are its latest. Reads every row of the recording."""
    rows = session.unplayed_writes()
    recording = session.tape.recording
    return Report(
        exact=session.exact,
        held=session.held,
        ahead=session.ahead,
        misses=misses,
        miss_count=session.misses,
        played=session.played,
        unplayed=tuple(
            f"{name_of(row.summary.operation)}, {place_of(recording, session.tape, row)}"
            for row in rows[:MOST_UNPLAYED]
        ),
        unplayed_count=len(rows),
    )
