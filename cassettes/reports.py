"""What a session of a replay came to: what was served, what was missed, and which recorded writes were never asked for."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from .misses import Miss, place_of
from .operations import name_of
from .positions import Session
from .summary import Row

MOST_UNPLAYED = 100
"""Unplayed writes that a report names; the rest it counts."""
STEP = 500
"""Rows that are read at a time: about a millisecond."""


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
    steps = report_in_steps(session, misses)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            report: Report = end.value
            return report


def report_in_steps(session: Session, misses: tuple[Miss, ...]) -> Generator[None, None, Report]:
    """The same, STEP rows at a time, for who has other things to do in between. The session may move on meanwhile."""
    tape = session.tape
    writes = 0
    rows: list[Row] = []
    for number, row in enumerate(tape.recording.rows(), 1):
        if row.summary.writes:
            writes += 1
            if len(rows) < MOST_UNPLAYED and not session.has_used(row):
                rows.append(row)
        if number % STEP == 0:
            yield
            if tape.writes is not None and len(rows) == MOST_UNPLAYED:
                break  # how many more there are was counted before
    else:
        tape.writes = writes
    named: list[str] = []
    for row in rows:
        if not session.has_used(row):
            named.append(f"{name_of(row.summary.operation)}, {place_of(tape.recording, tape, row)}")
            yield
    return Report(
        exact=session.exact,
        held=session.held,
        ahead=session.ahead,
        misses=misses,
        miss_count=session.misses,
        played=session.played,
        unplayed=tuple(named),
        unplayed_count=session.unplayed,
    )
