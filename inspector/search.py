"""A filter at work on the cassette, a slice of time after the other, so that reading what is looked at comes in between.

A slice runs in the thread that reads; what it found is given back whole and taken in on the event loop, by `take`.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain

from ..cassettes.filters import Filter, parse
from ..cassettes.reader import Reader
from ..cassettes.summary import Row

SLICE = 0.04
"""Seconds of one slice."""

Batch = list[tuple[str, int]]
"""What was found: scopes and the numbers of calls."""


class Search:
    """One filter over all calls. `hits`: by scope, the calls that fit, as far as the cassette was looked through."""

    def __init__(self, recording: Reader, text: str, rows: Sequence[Row] | None = None) -> None:
        """`rows`: those to look at, where they are not all that there are. Raises FilterError for a text that is no filter."""
        self.text = text
        self.hits: dict[str, set[int]] = {}
        self.found = 0
        self.looked = 0
        self.total = len(recording) if rows is None else len(rows)
        self.done = False
        self._recording = recording
        self._fits = Filter(parse(text), recording)
        self._rows: Iterator[Row] | None = iter(rows) if rows is not None else None
        self._later: deque[Row] = deque()

    def slice(self) -> tuple[Batch, int, bool]:
        """In the thread: look for a while. Returns what was found, how many calls were looked at, whether that was all."""
        if self._rows is None:
            self._rows = iter(self._recording.rows())
        until = time.monotonic() + SLICE
        batch: Batch = []
        looked = 0
        for row in chain(self._rows, self._come()):
            looked += 1
            if self._fits(row):
                batch.append((self._recording.scope_name(row.summary.scope), row.summary.arrival))
            if looked % 16 == 0 and time.monotonic() > until:
                return batch, looked, False
        return batch, looked, True

    def later(self, row: Row) -> None:
        """A call that came since; it is looked at behind the others."""
        self._later.append(row)
        self.total += 1
        self.done = False

    @property
    def waiting(self) -> bool:
        """Whether a call that came since is still to be looked at."""
        return bool(self._later)

    def _come(self) -> Iterator[Row]:
        while self._later:
            yield self._later.popleft()

    def take(self, batch: Batch, looked: int, *, done: bool) -> None:
        """On the event loop: take in what a slice found."""
        self.looked += looked
        self.done = done and not self._later
        for scope, arrival in batch:
            known = self.hits.setdefault(scope, set())
            self.found += arrival not in known
            known.add(arrival)

    @property
    def progress(self) -> str:
        """How much was found, in how much of what there is: never more than was looked at."""
        if self.done:
            return f"{self.found:,} of {self.total:,} calls"
        return f"{self.found:,} of {self.looked:,} · scanning {self.looked * 100 // max(self.total, 1)}%"
