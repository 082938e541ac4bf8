"""Why no recording answers a request: the nearest recorded ones, each field that differs, and where it happened.

There are five reasons, told apart in `Miss.reason`. What a miss says, and in which forms, is in `stories`. Everything shown
is made from redacted requests and is safe to print. Work is bounded: MOST_ROWS rows are looked at and MOST_DECODED
interactions decoded (one more to try a setting), whatever the recording holds.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from .advice import Setting, setting_for
from .amounts import counted
from .differences import LARGEST, Difference, differences
from .interaction import Request
from .operations import READS, Operation, find_operation, name_of, split_target
from .positions import Session
from .recording import Recording
from .redaction import redact_request
from .rules import Rules
from .scopes import CREATIONS, scope_hash, scope_of
from .secrets.cleaning import Cleaning
from .secrets.finder import word_of
from .secrets.policy import PLAIN
from .stories import Miss, MissError, Near, Reason
from .summary import Row
from .tape import Tape
from .text import clip
from .variants import Sensitivity, beta_of, credential_of

__all__ = ["Miss", "MissError", "Near", "explain", "place_of", "shown_request"]

MOST_ROWS = 100_000
MOST_DECODED = 200
MOST_BYTES = 16 * 1024 * 1024
"""Request bytes that are compared, over all candidates."""
MOST_NEAREST = 3


def explain(recording: Recording, session: Session, request: Request, *, variant: int = 0) -> Miss:
    """Why `session` could not serve `request`. Call it after `Session.serve` gave None; nothing is moved.

    `recording` is the session's tape's; `variant` the request's (`variants.variant_of`).
    """
    return _Explanation(recording, session, shown_request(request, session.tape.rules), variant).miss()


def shown_request(request: Request, rules: Rules) -> Request:
    """A request that was not found as it is compared and shown: a secret is the word of its class, as in a key."""
    policy = rules.policy or PLAIN
    return redact_request(request, cleaning=Cleaning(policy.of_today(), word_of(policy)))


def place_of(recording: Recording, tape: Tape, row: Row) -> str:
    """Where in the conversation a recorded request stands, in words that are safe to show."""
    scope = row.summary.scope
    line = tape.line(scope)
    place = bisect_right(line.arrivals, row.summary.arrival) - 1
    done = bisect_right(line.writes, place)
    name = clip(recording.scope_name(scope), 80)
    return _place(done, len(line.writes), name, writes=row.summary.writes, coming=False)


class _Explanation:
    def __init__(self, recording: Recording, session: Session, request: Request, variant: int) -> None:
        self._recording = recording
        self._session = session
        self._request = request
        self._variant = variant
        self._path = split_target(request.target)[1]
        self._operation: Operation | None = find_operation(request.method, self._path)[0]
        self._writes = request.method not in READS
        scope = scope_of(request, None)
        self._scope = scope_hash(scope)
        self._decodes_left = MOST_DECODED
        self._bytes_left = MOST_BYTES
        self._place_asked = self._here(clip(scope, 80))

    def miss(self) -> Miss:
        same = self._recording.rows_of_key(self._session.tape.key_of(self._request, variant=self._variant))
        if same:
            return self._recorded(same)
        nearest = self._nearest()
        if not nearest:
            known = self._operation.name if self._operation else "such call"
            return self._miss(
                "never",
                f"the cassette holds no {known}",
                "Check that this is the cassette that was meant, or record this conversation again.",
            )
        first = nearest[0]
        setting = None
        if all(each.rule for each in first.differences) and self._is_reachable(first.row):
            recorded = self._recording.interaction(first.row).request, first.row.summary.variant
            rules = self._session.tape.rules
            setting = setting_for(rules, first.differences, recorded, self._request, self._variant)
        if setting:
            hint = "What differs looks as if it changes from run to run: leave it out."
        elif first.differences and first.differences[0].field.startswith("path:"):
            hint = "Use the ids that the answers of this session gave, or record this conversation again."
        else:
            hint = "If the change is meant, record this conversation again; if not, ask as it was recorded."
        why = f"the nearest recorded request, {first.place}, differs in {counted(len(first.differences), 'field')}"
        return self._miss("differs", why, hint, nearest, setting)

    def _miss(
        self, reason: Reason, why: str, hint: str, nearest: tuple[Near, ...] = (), setting: Setting | None = None
    ) -> Miss:
        return Miss(
            reason, self._name(), self._place_asked, why, hint, nearest, setting=setting, skipped=self._skipped()
        )

    def _recorded(self, same: list[Row]) -> Miss:
        nearest = tuple(self._near(row, ()) for row in same[:MOST_NEAREST])
        times = counted(len(same), "time")
        if not self._writes:
            return self._miss(
                "later",
                f"it was recorded {times}, but only later, {nearest[0].place}",
                "Make the calls in the order of the recording, or replay without --strict to get the later state.",
                nearest,
            )
        left = [row for row in same if not self._session.has_used(row)]
        if left:
            nearest = tuple(self._near(row, self._caller_differences(same, row)) for row in left[:MOST_NEAREST])
            found = tuple(difference.rule for difference in nearest[0].differences)
            return self._miss(
                "other-caller",
                f"of {times} recorded, what is left was recorded with another credential or OpenAI-Beta version, and got "
                "another status",
                "Use the credential and the version of the recording, or record this conversation again. To take any:",
                nearest,
                Setting(found) if found else None,
            )
        return self._miss(
            "spent",
            f"it was recorded {times}, and this session has used {'it' if len(same) == 1 else 'each of them'}"
            + self._next_write(),
            "A session uses each recorded write once: replay each test in a session of its own (/@NAME/ in front of the "
            "path), or record a conversation that makes this call as often.",
            nearest,
        )

    def _caller_differences(self, same: list[Row], row: Row) -> tuple[Difference, ...]:
        """Which of the two headers that may count (see `variants`) keep a recording from this caller."""
        rules = self._session.tape.rules
        sensitivity = Sensitivity(same, beta=not rules.ignores_beta, credential=not rules.ignores_credential)
        found: list[Difference] = []
        if sensitivity.by_beta and beta_of(row.summary.variant) != beta_of(self._variant):
            recorded = self._recording.interaction(row).request
            versions = _header(recorded, b"openai-beta"), _header(self._request, b"openai-beta")
            found.append(Difference("header:openai-beta", versions[0], versions[1], rule="header:openai-beta"))
        if sensitivity.by_credential and credential_of(row.summary.variant) != credential_of(self._variant):
            found.append(
                Difference("header:authorization", "another credential", "this one", rule="header:authorization")
            )
        return tuple(found)

    def _nearest(self) -> tuple[Near, ...]:
        """The nearest by fields that say what is asked, then by number of fields, and among equals by place: of this
        thread, else of any other; else the same call with another method or one other segment of the path.
        """
        begins = self._operation is not None and self._operation.number in CREATIONS
        for rows in (self._rows_elsewhere,) if begins else (self._rows_here, self._rows_elsewhere):
            found = self._compare(rows())
            if found:
                same = self._same_elsewhere(len(found[0].differences)) if rows == self._rows_here else []
                # Stable: at a tie this thread comes first.
                return tuple(sorted(found[: MOST_NEAREST - len(same)] + same, key=lambda near: near.weight))
        return tuple(self._compare(self._rows_like_in_path(), self._differs_in_path)[:MOST_NEAREST])

    def _compare(self, rows: Iterable[Row], suits: Callable[[Request], bool] | None = None) -> list[Near]:
        found: list[Near] = []
        rules = self._session.tape.rules
        suits = suits or self._has_path
        for row in _once(rows):
            if not self._decodes_left or (found and self._bytes_left < 0):
                break
            recorded = self._recording.interaction(row).request
            self._decodes_left -= 1
            self._bytes_left -= min(recorded.body.length, LARGEST)
            if not suits(recorded):
                continue
            fields = differences(recorded, self._request, rules)
            if rules.matches_credential and credential_of(row.summary.variant) != credential_of(self._variant):
                fields.append(Difference("header:authorization", "another credential", "this one"))
            found.append(self._near(row, tuple(fields)))
        found.sort(key=lambda near: near.weight)
        return found

    def _has_path(self, recorded: Request) -> bool:
        return self._operation is not None or split_target(recorded.target)[1] == self._path

    def _differs_in_path(self, recorded: Request) -> bool:
        """Whether it has the same path with another method, or a path with one other segment."""
        ours, theirs = self._path.split(b"/"), split_target(recorded.target)[1].split(b"/")
        others = sum(1 for pair in zip(ours, theirs, strict=False) if pair[0] != pair[1])
        return len(ours) == len(theirs) and others <= (recorded.method == self._request.method)

    def _same_elsewhere(self, fewer: int) -> list[Near]:
        """The same request as it was recorded in another thread, where there is one. Only a body can tell that."""
        if not (self._writes and self._request.body.length):
            return []
        others = (row for row in self._rows_elsewhere() if row.summary.scope != self._scope)
        for near in self._compare(others):
            if all(difference.field.startswith("path:") for difference in near.differences):
                return [near] if len(near.differences) <= fewer else []
        return []

    def _is_reachable(self, row: Row) -> bool:
        """Whether this session could still be served that recording."""
        if row.summary.writes:
            return not self._session.has_used(row)
        line, position = self._session.tape.line(row.summary.scope), self._session.position(row.summary.scope)
        write = bisect_right(line.writes, position)
        place = bisect_right(line.arrivals, row.summary.arrival) - 1
        return not self._session.tape.strict or write == len(line.writes) or place < line.writes[write]

    def _skipped(self) -> str:
        """The writes of this thread that the session has passed over, the first of them by name."""
        position = self._session.position(self._scope)
        rows = islice(self._recording.rows_of_scope_hash(self._scope), min(position + 1, MOST_ROWS))
        passed = [row for row in rows if row.summary.writes and not self._session.has_used(row)]
        if not passed:
            return ""
        more = f" and {counted(len(passed) - 1, 'more write')}" if len(passed) > 1 else ""
        return f"{name_of(passed[0].summary.operation)}, {self._place(passed[0])}{more}"

    def _rows_here(self) -> list[Row]:
        """Recorded calls of the same operation in the same scope, those next to the session's position first."""
        rows = self._recording.rows_of_scope_hash(self._scope)
        position = self._session.position(self._scope)
        like = [(abs(place - position), row) for place, row in enumerate(rows) if self._is_like(row)]
        like.sort(key=lambda found: (self._session.has_used(found[1]), found[0]))
        return [row for _, row in like]

    def _rows_elsewhere(self) -> list[Row]:
        """Recorded calls of the same operation in any scope, unused ones first."""
        like = [row for row in islice(self._recording.rows(), MOST_ROWS) if self._is_like(row)]
        like.sort(key=self._session.has_used)
        return like

    def _is_like(self, row: Row) -> bool:
        number = self._operation.number if self._operation else 0
        return row.summary.operation == number and row.summary.writes == self._writes

    def _rows_like_in_path(self) -> Iterator[Row]:
        """Recorded calls of the same scope, or of none that is a thread, whatever they do; writes for a write."""
        rows = self._recording.rows_of_scope_hash(self._scope)
        return (row for row in rows if row.summary.writes == self._writes)

    def _name(self) -> str:
        target = f"{self._request.method} {clip(self._path, 160)}"
        return f"{target} ({self._operation.name})" if self._operation else target

    def _here(self, scope: str) -> str:
        """Where in the conversation the request came."""
        line = self._session.tape.line(self._scope)
        if self._operation and self._operation.number in CREATIONS:
            return "which would begin a thread"
        if not line.arrivals:
            return f"of {scope}, of which nothing was recorded"
        done, total = bisect_right(line.writes, self._session.position(self._scope)), len(line.writes)
        return _place(done, total, scope, writes=self._writes, coming=True)

    def _near(self, row: Row, fields: tuple[Difference, ...]) -> Near:
        return Near(row, self._place(row), fields)

    def _place(self, row: Row) -> str:
        return place_of(self._recording, self._session.tape, row)

    def _next_write(self) -> str:
        for row in self._recording.rows_of_scope_hash(self._scope):
            if row.summary.writes and not self._session.has_used(row):
                return f". The next recorded write is {name_of(row.summary.operation)}, {self._place(row)}"
        return ""


def _place(done: int, total: int, scope: str, *, writes: bool, coming: bool) -> str:
    if writes:
        number = done + 1 if coming else done
        return f"write {number} of {total} of {scope}" if number <= total else f"after all {total} writes of {scope}"
    if not total:
        return f"of {scope}"
    return f"after write {done} of {total} of {scope}" if done else f"before the first of {total} writes of {scope}"


def _once(rows: Iterable[Row]) -> Iterator[Row]:
    """Each key once: a thousand polls are one request."""
    seen: set[int] = set()
    for row in rows:
        if row.summary.key not in seen:
            seen.add(row.summary.key)
            yield row


def _header(request: Request, name: bytes) -> str | None:
    return next((clip(value, 80) for each, value in request.headers if each.lower() == name), None)
