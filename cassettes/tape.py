"""What the sessions of a replay share: the recorded lines, and for each key the recordings that may answer it.

A *line* is a scope's interactions in the order in which their requests arrived. All is built when it is first asked for
and never changes after, so that any number of sessions read one tape. Where a session stands is not known here (see
`positions`).
"""

from array import array
from bisect import bisect_left
from typing import Literal, NamedTuple

from .errors import DamagedCassetteError
from .interaction import Request
from .keys import request_key
from .recording import Recording
from .rekeyed import Progress, Rekeyed
from .rules import NO_RULES, Rules
from .summary import Row
from .variants import Group, Sensitivity, beta_of, credential_of, select

Polls = Literal["compress", "recorded"]


class Line(NamedTuple):
    """A scope's interactions in order: their arrival numbers, the places of the writes, and which polls are folded away."""

    arrivals: "array[int]"
    writes: "array[int]"
    folded: bytearray


class Writes(NamedTuple):
    """The recorded writes that may answer a request, in order of arrival, and the place of each in the line of its scope."""

    rows: list[Row]
    places: list[int]


class Reads(NamedTuple):
    """The recorded reads that may answer a request, and their places, ascending, in the one line in which they stand."""

    rows: list[Row]
    places: list[int]
    scope: int
    line: Line


class Tape:
    """A recording made ready for replay, shared by its sessions.

    `polls`: with "compress" a read that tells the same as the one before it is not served, unless a write stands between
    them; with "recorded" each is. `strict`: a read that was recorded only later than where a session stands is a miss.
    `rules`: what of a request does not count, or counts besides. Rows come from `recording` here with their keys by these
    rules, which is not always the one that was given; requests are asked for by `key_of`, or a `KeyBuilder` with `rules`.
    """

    def __init__(
        self,
        recording: Recording,
        *,
        polls: Polls = "compress",
        strict: bool = False,
        rules: Rules = NO_RULES,
        progress: Progress | None = None,
    ) -> None:
        self.recording = Rekeyed(recording, rules, progress=progress) if rules.changes_keys else recording
        self.rules = rules
        self.polls: Polls = polls
        self.strict = strict
        self._lines: dict[int, Line] = {}
        self._keys: dict[int, _Key] = {}
        self.writes: int | None = None
        """How many writes the recording holds, once they were counted."""

    def key_of(self, request: Request, *, variant: int = 0) -> int:
        """The key of a request by the rules of this tape. `variant`: see `KeyBuilder`."""
        return request_key(request, rules=self.rules, variant=variant)

    def candidates(self, key: int, variant: int = 0) -> Writes | Reads | None:
        """The recordings that may answer a request with this key and variant; None where the key was never recorded."""
        entry = self._keys.get(key)
        if entry is None:
            rows = self.recording.rows_of_key(key)
            if not rows:
                return None
            entry = self._keys[key] = _Key(rows, self.rules)
        group = entry.sensitivity.group_of(variant)
        found = entry.groups.get(group)
        if found is None:
            found = entry.groups[group] = self._gather(select(entry.rows, group))
        return found

    def line(self, scope: int) -> Line:
        """The line of a scope; an empty one where nothing was recorded."""
        line = self._lines.get(scope)
        if line is None:
            line = self._read_line(scope)
            if line.arrivals:
                self._lines[scope] = line
        return line

    def count_writes(self) -> int:
        """How many writes the recording holds. The first call reads every row."""
        if self.writes is None:
            self.writes = sum(1 for row in self.recording.rows() if row.summary.writes)
        return self.writes

    def _gather(self, rows: list[Row]) -> Writes | Reads:
        writes = [row for row in rows if row.summary.writes]
        if writes:
            return Writes(writes, [_place(self.line(row.summary.scope), row) for row in writes])
        # A read names its scope by its path, so that all reads of one key stand in one line.
        scope = rows[0].summary.scope
        line = self.line(scope)
        # A call that the client gave up on before the head says nothing about the state.
        told = [row for row in rows if row.summary.status] or rows
        places = [(_place(line, row), row) for row in told]
        kept = [(place, row) for place, row in places if not line.folded[place]]
        return Reads([row for _, row in kept], [place for place, _ in kept], scope, line)

    def _read_line(self, scope: int) -> Line:
        line = Line(array("Q"), array("Q"), bytearray())
        last: dict[tuple[int, int, int], int] = {}
        for place, (summary, _) in enumerate(self.recording.rows_of_scope_hash(scope)):
            line.arrivals.append(summary.arrival)
            line.folded.append(0)
            if summary.writes:
                line.writes.append(place)
                last.clear()
            elif self.polls == "compress" and summary.status:
                # Of two credentials each keeps its own polls, since they may be answered apart (see `variants`).
                beta = 0 if self.rules.ignores_beta else beta_of(summary.variant)
                credential = 0 if self.rules.ignores_credential else credential_of(summary.variant)
                kind = (summary.key, beta, credential)
                line.folded[place] = last.get(kind) == summary.answer
                last[kind] = summary.answer
        return line


class _Key:
    """What is known of one key: its rows, which headers count for it, and the candidates of each group."""

    __slots__ = ("groups", "rows", "sensitivity")

    def __init__(self, rows: list[Row], rules: Rules) -> None:
        self.rows = rows
        self.sensitivity = Sensitivity(rows, beta=not rules.ignores_beta, credential=not rules.ignores_credential)
        self.groups: dict[Group, Writes | Reads] = {}


def _place(line: Line, row: Row) -> int:
    arrival = row.summary.arrival
    place = bisect_left(line.arrivals, arrival)
    if place == len(line.arrivals) or line.arrivals[place] != arrival:
        raise DamagedCassetteError(
            f"the index names interaction {arrival} by its key but not in its thread",
            "the index can be made anew from the records: respool doctor FILE --repair",
        )
    return place
