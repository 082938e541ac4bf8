"""A filter at work on the cassette, a slice of time after the other, so that reading what is looked at comes in between.

A slice runs in the thread that reads; what it found is given back whole and taken in on the event loop, by `take`.
"""

import time
from collections.abc import Iterator

from ..cassettes.filters import Filter, parse
from ..cassettes.reader import Reader
from ..cassettes.summary import Row

SLICE = 0.04
"""Seconds of one slice."""

Batch = list[tuple[str, int]]
"""What was found: scopes and the numbers of calls."""


class Search:
    """One filter over all calls. `hits`: by scope, the calls that fit, as far as the cassette was looked through."""

    def __init__(self, recording: Reader, text: str) -> None:
        """Raises FilterError for a text that is no filter."""
        self.text = text
        self.hits: dict[str, set[int]] = {}
        self.found = 0
        self.looked = 0
        self.total = len(recording)
        self.done = False
        self._recording = recording
        self._fits = Filter(parse(text), recording)
        self._rows: Iterator[Row] | None = None

    def slice(self) -> tuple[Batch, int, bool]:
        """In the thread: look for a while. Returns what was found, how many calls were looked at, whether that was all."""
        if self._rows is None:
            self._rows = iter(self._recording.rows())
        until = time.monotonic() + SLICE
        batch: Batch = []
        looked = 0
        for row in self._rows:
            looked += 1
            if self._fits(row):
                batch.append((self._recording.scope_name(row.summary.scope), row.summary.arrival))
            if looked % 16 == 0 and time.monotonic() > until:
                return batch, looked, False
        return batch, looked, True

    def take(self, batch: Batch, looked: int, *, done: bool) -> None:
        """On the event loop: take in what a slice found."""
        self.looked += looked
        self.done = done
        self.found += len(batch)
        for scope, arrival in batch:
            self.hits.setdefault(scope, set()).add(arrival)

    @property
    def progress(self) -> str:
        """How much was found, in how much of what there is: never more than was looked at."""
        if self.done:
            return f"{self.found:,} of {self.total:,} calls"
        return f"{self.found:,} of {self.looked:,} · scanning {self.looked * 100 // max(self.total, 1)}%"
