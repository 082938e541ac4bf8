"""Two branches of one cassette joined: what only one of them changed is taken, what both changed is a conflict.

A thread is the unit. One that a branch added is kept, one that it removed goes, one that it recorded anew takes the old one's
place: a new recording has a new id, so threads of the base are found again by what the client wrote (`comparison.pairing`).
Of calls that belong to no thread each counts by itself, and they never conflict.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .comparison.pairing import pairs
from .comparison.sides import Side
from .editing import Progress
from .joining import Keep, without_number, write_joined
from .reader import Reader
from .scopes import scope_hash
from .summary import Row, Summary

NEAR = 0.5
"""How near two threads have to be (0 to 1) for one to be the other recorded anew: more than the same settings."""
OURS, THEIRS = 0, 1


@dataclass(frozen=True, slots=True)
class Conflict:
    """A thread that both branches changed: its id in the base and in each branch, None where it is not there."""

    base: str | None
    ours: str | None
    theirs: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of the threads. `dropped` are (side, scope) that the result does not have, conflicts apart."""

    conflicts: tuple[Conflict, ...]
    dropped: frozenset[tuple[int, str]]
    taken: tuple[str, ...]
    """Threads that only theirs brings, or that it changed."""
    removed: tuple[str, ...]
    """Threads of ours that theirs removed or recorded anew."""


def plan(base: Reader | None, ours: Reader, theirs: Reader) -> Plan:
    """Decide about each thread. Without a base each branch added all of its own."""
    sides = Side(ours), Side(theirs)
    there = [set(side.threads) for side in sides]
    dropped: set[tuple[int, str]] = set()
    conflicts: list[Conflict] = []
    taken: list[str] = []
    removed: list[str] = []
    partners = _partners(base, sides)
    known: tuple[set[str], set[str]] = set(), set()
    for scope, (one, other) in partners.items():
        known[OURS].update([one] if one else [])
        known[THEIRS].update([other] if other else [])
        if _same(base, scope, theirs, other):
            dropped.update([(THEIRS, other)] if other else [])
        elif _same(base, scope, ours, one):
            dropped.update([(OURS, one)] if one else [])
            removed.extend([one] if one else [])
            taken.extend([other] if other else [])
        elif _same(ours, one, theirs, other):
            dropped.update([(THEIRS, other)] if other else [])
        else:
            conflicts.append(Conflict(scope, one, other))
    for scope in sides[THEIRS].threads:
        if scope in known[THEIRS]:
            continue
        if scope not in there[OURS]:
            taken.append(scope)
        elif _same(ours, scope, theirs, scope):
            dropped.add((THEIRS, scope))
        else:
            conflicts.append(Conflict(None, scope, scope))
    return Plan(tuple(conflicts), frozenset(dropped), tuple(taken), tuple(removed))


def join_branches(
    base: Reader | None,
    ours: Reader,
    theirs: Reader,
    found: Plan,
    path: Path,
    *,
    keep: Keep = "first",
    overwrite: bool = False,
    progress: Progress | None = None,
) -> int:
    """Write what becomes of two branches to `path`; of conflicts `keep` says whose recording (ours is the first)."""
    dropped = {(side, scope_hash(scope)) for side, scope in found.dropped}
    for conflict in found.conflicts:
        loser, scope = (THEIRS, conflict.theirs) if keep == "first" else (OURS, conflict.ours)
        if scope is not None:
            dropped.add((loser, scope_hash(scope)))
    leaves_out = _of_no_thread(base, ours, theirs)

    def left_out(number: int, row: Row) -> bool:
        return (number, row.summary.scope) in dropped or leaves_out(number, row)

    calls, _ = write_joined(
        [ours, theirs], path, left_out, _notes(base, ours, theirs), overwrite=overwrite, progress=progress
    )
    return calls


def _partners(base: Reader | None, sides: tuple[Side, Side]) -> dict[str, tuple[str | None, str | None]]:
    """What each thread of the base has become in both branches."""
    if base is None:
        return {}
    found: list[dict[str, str | None]] = []
    for side in sides:
        told = pairs(Side(base), side, least=NEAR)
        found.append({scope: other for scope, other in told if scope is not None})
    return {scope: (found[OURS][scope], found[THEIRS][scope]) for scope in found[OURS]}


def _same(left: Reader | None, scope: str | None, right: Reader, other: str | None) -> bool:
    """Whether two cassettes hold a thread call for call, or neither does."""
    if scope is None or other is None or left is None:
        return scope is None and other is None
    return scope == other and _story(left, scope) == _story(right, other)


def _story(reader: Reader, scope: str) -> list[Summary]:
    return [without_number(row.summary) for row in reader.rows_of_scope(scope)]


def _of_no_thread(base: Reader | None, ours: Reader, theirs: Reader) -> Callable[[int, Row], bool]:
    """Which calls that belong to no thread are left out: those that a branch removed, and those that stand in both."""
    counts = [_counts(reader) for reader in (base, ours, theirs)]
    left: list[Counter[Summary]] = [Counter(), Counter()]
    for call in counts[0] | counts[1] | counts[2]:
        before, one, other = (count[call] for count in counts)
        wanted = one if one == other or other == before else other if one == before else max(one, other)
        left[OURS][call] = min(one, wanted)
        left[THEIRS][call] = wanted - left[OURS][call]
    collections = {scope_hash(name) for reader in (ours, theirs) for name in _collections(reader)}

    def leaves_out(number: int, row: Row) -> bool:
        if row.summary.scope not in collections:
            return False
        call = without_number(row.summary)
        left[number][call] -= 1
        return left[number][call] < 0

    return leaves_out


def _counts(reader: Reader | None) -> Counter[Summary]:
    if reader is None:
        return Counter()
    return Counter(call for scope in _collections(reader) for call in _story(reader, scope))


def _collections(reader: Reader) -> list[str]:
    return [scope for scope in reader.scopes() if scope.startswith("/")]


def _notes(base: Reader | None, ours: Reader, theirs: Reader) -> dict[str, Any]:
    """Ours, and what theirs alone changed; of lists that both changed, what stands in either."""
    before = dict(base.meta) if base is not None else {}
    notes: dict[str, Any] = dict(ours.meta)
    for name, value in theirs.meta.items():
        have = notes.get(name)
        if name not in notes or have == before.get(name):
            if name in notes or name not in before:  # one that ours took out stays out
                notes[name] = value
        elif isinstance(have, list) and isinstance(value, list):
            notes[name] = have + [item for item in value if item not in have]
    for name, value in before.items():
        if name not in theirs.meta and notes.get(name) == value:
            notes.pop(name, None)
    return notes
