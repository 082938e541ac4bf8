"""One cassette made of several: all threads of all of them, in order of the time at which they were recorded.

Within one cassette the order of arrival stays, whatever its clock did. A thread, or a call of a collection, that stands in
two of them just the same is kept once. A thread that differs is a conflict. Notes of the first are kept, those that it
lacks are taken from the others, lists are joined; what then differs stands in `merged_from`.

Credentials are stored as a class, salted with the cassette's id: those of two cassettes cannot be compared. Where in each
just one class of credential was answered well, the two are taken for the same; any other class stays as it is.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .amounts import counted
from .editing import Progress, begin, counting, whole
from .errors import CassetteError
from .keys import request_key
from .reader import Reader
from .rules import Rules
from .scopes import scope_hash
from .secrets.policy import Policy, policy_of_notes
from .summary import Row, Summary
from .text import clip
from .variants import beta_of, credential_of, with_credential

Keep = Literal["first", "last"]
NOTE = "merged_from"


@dataclass(frozen=True, slots=True)
class Joined:
    """What came about: calls kept, calls that stood there twice, threads of which one recording was left out."""

    calls: int
    twice: int
    left_out: int


def join(
    readers: Sequence[Reader],
    path: Path,
    *,
    keep: Keep | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Joined:
    """Write all calls of the readers to `path`. Raises CassetteError for threads that differ, unless `keep` chooses."""
    skipped, differing = _skipped(readers, keep)
    collections = {scope_hash(name) for reader in readers for name in reader.scopes() if name.startswith("/")}
    before: Counter[Summary] = Counter()
    mine: list[Counter[Summary]] = [Counter() for _ in readers]

    def stands_there(number: int, row: Row) -> bool:
        summary = row.summary
        if (number, summary.scope) in skipped:
            return True
        if summary.scope not in collections or not summary.started_us:
            return False
        same = without_number(summary)
        mine[number][same] += 1
        if mine[number][same] <= before[same]:
            return True
        before[same] += 1
        return False

    calls, twice = write_joined(readers, path, stands_there, _meta(readers), overwrite=overwrite, progress=progress)
    return Joined(calls, twice, differing)


def write_joined(
    readers: Sequence[Reader],
    path: Path,
    leaves_out: Callable[[int, Row], bool],
    meta: dict[str, Any],
    *,
    overwrite: bool,
    progress: Progress | None = None,
) -> tuple[int, int]:
    """Write the calls of the readers to `path`, less those that `leaves_out` (of a reader's number and a row) names.

    Each row is asked of once, in the order in which it would be written. Returns the number written and left out.
    """
    classes = _classes(readers)
    policies, joined_by = _policies(readers)
    if joined_by is not None:
        meta = {**meta, **joined_by.note()}
    rules = Rules(policy=joined_by)
    one_more, left_out = counting(sum(map(len, readers)), progress), 0
    with whole(begin(path, readers, meta, overwrite=overwrite)) as writer:
        streams = [_by_time(number, reader) for number, reader in enumerate(readers)]
        for _, number, row in heapq.merge(*streams, key=lambda item: item[:2]):
            one_more()
            if leaves_out(number, row):
                left_out += 1
                continue
            summary = row.summary
            variant = classes[number].get(credential_of(summary.variant))
            if variant is not None:
                summary = summary._replace(variant=with_credential(summary.variant, variant))
            call = readers[number].interaction(row)
            if policies[number] != joined_by:
                summary = summary._replace(key=request_key(call.request, rules=rules))
            writer.append(call, summary._replace(arrival=writer.next_arrival()))
    return writer.count, left_out


def _policies(readers: Sequence[Reader]) -> tuple[list[Policy | None], Policy | None]:
    """What each cassette was redacted by, and what the whole is matched by: where they differ, today's table."""
    policies = [policy_of_notes(reader.meta) for reader in readers]
    if len(set(policies)) == 1:
        return policies, policies[0]
    return policies, next(policy for policy in policies if policy is not None).of_today()


def _by_time(number: int, reader: Reader) -> Iterator[tuple[int, int, Row]]:
    """The rows with the time that they are sorted by, which never goes back within one cassette."""
    latest = 0
    for row in reader.rows():
        latest = max(latest, row.summary.started_us)
        yield latest, number, row


def _skipped(readers: Sequence[Reader], keep: Keep | None) -> tuple[set[tuple[int, int]], int]:
    """The threads (number of the reader, scope) that are passed over, and how many threads differ."""
    owners: dict[str, list[int]] = {}
    for number, reader in enumerate(readers):
        for name in reader.scopes():
            if not name.startswith("/"):
                owners.setdefault(name, []).append(number)
    skipped: set[tuple[int, int]] = set()
    differing: list[str] = []
    for name, numbers in owners.items():
        if len(numbers) > 1:
            chosen = numbers[-1 if keep == "last" else 0]
            skipped.update((number, scope_hash(name)) for number in numbers if number != chosen)
            stories = [
                [without_number(row.summary) for row in readers[number].rows_of_scope(name)] for number in numbers
            ]
            if any(story != stories[0] for story in stories):
                differing.append(name)
    if differing and keep is None:
        some = ", ".join(clip(name, 80) for name in differing[:5]) + (", ..." if len(differing) > 5 else "")
        places = " and ".join(str(readers[number].path) for number in owners[differing[0]])
        raise CassetteError(
            f"{counted(len(differing), 'thread')} recorded differently in two of these cassettes: {some} (in {places})",
            "`--keep first` or `--keep last` takes such threads from the first or the last cassette that has them",
        )
    return skipped, len(differing)


def without_number(summary: Summary) -> Summary:
    """What makes two recorded calls the same one: all but the number, and the variant, which is salted."""
    return summary._replace(arrival=0, variant=beta_of(summary.variant))


def _classes(readers: Sequence[Reader]) -> list[dict[int, int]]:
    """For each reader, which class of credential becomes which."""
    good: dict[bytes, set[int]] = {}
    for reader in readers:
        found = good.setdefault(reader.file_id, set())
        if len({other.file_id for other in readers}) > 1:
            found.update(credential_of(row.summary.variant) for row in reader.rows() if 200 <= row.summary.status < 300)
    first = good[readers[0].file_id] - {0}
    changes: list[dict[int, int]] = []
    for reader in readers:
        own = good[reader.file_id] - {0}
        changes.append({own.copy().pop(): first.copy().pop()} if len(own) == len(first) == 1 else {})
    return changes


def _meta(readers: Sequence[Reader]) -> dict[str, Any]:
    meta: dict[str, Any] = dict(readers[0].meta)
    earlier: list[object] = []
    sources: list[object] = []
    for number, reader in enumerate(readers):
        differs: dict[str, object] = {}
        for key, value in reader.meta.items():
            if key == NOTE:
                earlier += value if isinstance(value, list) else [value]
                continue
            have = meta.setdefault(key, value)
            if number and isinstance(have, list) and isinstance(value, list):
                meta[key] = have + [item for item in value if item not in have]
            elif have != value:
                differs[key] = value
        sources.append({"name": reader.path.name} | ({"notes": differs} if differs else {}))
    return {**meta, NOTE: earlier + sources}
