"""A recording whose keys are made by rules: the view of it that a replay with rules looks at.

The keys in an index are made without rules, so that they mean the same for ever. Here the requests that a rule can touch
are decoded once, and their rows carry another key; all else is asked of the recording itself.
"""

from collections.abc import Callable, Iterator

from .canonical import LARGEST_MULTIPART
from .interaction import Interaction
from .keys import request_key
from .recording import Recording
from .rules import Rules
from .summary import PARTIAL, WRITE, Row

Progress = Callable[[int], None]
"""Is told, from time to time, how many rows were looked at."""
EACH = 1000
"""Rows between two reports of progress."""


class Rekeyed:
    """A `recording.Recording`. What it keeps grows with the rows whose key is another: two numbers each."""

    def __init__(self, recording: Recording, rules: Rules, *, progress: Progress | None = None) -> None:
        self._recording = recording
        self._new: dict[int, int] = {}  # by the offset of the row
        self._old: dict[int, int] = {}
        self._sources: dict[int, set[int]] = {}  # new key: the old keys of rows that have it now
        known: dict[int, int | None] = {}
        for number, row in enumerate(recording.rows(), 1):
            if progress is not None and number % EACH == 0:
                progress(number)
            if rules.only_bodies and not row.summary.flags & (WRITE | PARTIAL):
                continue
            old = row.summary.key
            # Equal keys stay equal under rules that leave something out; matched headers are not in a key yet.
            new = known[old] if old in known and not rules.matched else _changed(recording.interaction(row), rules)
            known[old] = new
            if new is not None:
                self._new[row.offset], self._old[row.offset] = new, old
                self._sources.setdefault(new, set()).add(old)

    def rows(self) -> Iterator[Row]:
        return map(self._turned, self._recording.rows())

    def rows_of_key(self, key: int) -> list[Row]:
        found: dict[int, Row] = {}
        for old in {key, *self._sources.get(key, ())}:
            for row in map(self._turned, self._recording.rows_of_key(old)):
                if row.summary.key == key:
                    found[row.offset] = row
        return sorted(found.values(), key=lambda row: row.summary.arrival)

    def rows_of_scope_hash(self, scope: int) -> list[Row]:
        return [self._turned(row) for row in self._recording.rows_of_scope_hash(scope)]

    def scope_name(self, scope: int) -> str:
        return self._recording.scope_name(scope)

    def interaction(self, row: Row) -> Interaction:
        old = self._old.get(row.offset)
        return self._recording.interaction(row if old is None else _with_key(row, old))

    def _turned(self, row: Row) -> Row:
        new = self._new.get(row.offset)
        return row if new is None else _with_key(row, new)


def _changed(interaction: Interaction, rules: Rules) -> int | None:
    """The key by the rules; None where they touch nothing of this request, so that it keeps the key that it has."""
    request, variant = interaction.request, interaction.variant
    if rules.only_bodies and not 0 < request.body.length <= LARGEST_MULTIPART:
        return None  # a body that no rule looks at; an upload of gigabytes is not read for that
    new = request_key(request, rules=rules, variant=variant)
    return None if new == request_key(request, rules=rules.none) else new


def _with_key(row: Row, key: int) -> Row:
    return Row(row.summary._replace(key=key), row.offset)
