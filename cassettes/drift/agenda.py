"""What is to be performed of a scope, in order: its writes, the reads between them, and the states that its runs must reach.

A read that was made again and again between two writes is performed once, and compared with the last answer to it. A run is
waited for by its state: the one that the recording tells of it before the next write, or before the end. How often anything
was asked plays no part.

| the recording has | what is on the agenda |
|---|---|
| a write that was answered, or refused for a reason (400, 404, ...) | that write |
| a write that failed by bad luck (408, 409, 429, 5xx, no answer) | that write, as one whose failure is not expected |
| 401 or 403 | nothing: credentials are not recorded |
| a read that was answered, or refused for a reason | the last of its kind between two writes |
| a read that failed by bad luck, or was cut | nothing |
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..ids import LEAST, objects
from ..interaction import End, Interaction, Request, Response
from ..models import MAX_BODY
from ..operations import find_operation, split_target
from ..recording import Recording
from ..renaming import is_id
from ..scopes import media_type
from ..summary import PARTIAL, Row
from ..variants import beta_of

OVER = frozenset({"completed", "failed", "cancelled", "expired", "incomplete"})
SETTLED = OVER | {"requires_action"}
"""The states in which a run waits for the client, or for nothing any more."""
NEEDS_REST = frozenset({"createMessage", "createRun"})
"""Writes that an upstream refuses while a run is under way."""
SUBMIT = "submitToolOuputsToRun"
CANCEL = "cancelRun"

BAD_LUCK = frozenset({0, 408, 409, 429, *range(500, 600)})
CREDENTIALS = frozenset({401, 403})
"""Statuses that depend on who asks."""

_ID_LIKE = re.compile(r"(?!(?:vector_stores|file_batches)$).*[0-9_-]")

Run = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One recorded call to make anew. `number`: writes of the scope up to here, this one included.

    `loose`: a run was under way, so that the moment of the answer was chance. `unlucky`: it failed by bad luck.
    """

    row: Row
    recorded: Interaction
    operation: str
    ids: dict[str, str]
    number: int
    writes: bool
    loose: bool = False
    unlucky: bool = False

    @property
    def arrival(self) -> int:
        return self.row.summary.arrival

    @property
    def name(self) -> str:
        """What is called, without ids: `createRun`, or `GET /assistants/*` for what is none of the threads' operations."""
        return call_name(self.recorded.request)

    @property
    def version(self) -> str:
        """The version of the API that was asked for, as a word to tell apart by."""
        return str(beta_of(self.row.summary.variant))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A run to wait for until it is in one of `states`; those in `through` may come before.

    `run` is the last that the recording tells of it, `read` the recorded poll that told it, if any. `like` is a call whose
    headers a poll takes.
    """

    run: Run
    states: frozenset[str]
    through: frozenset[str]
    read: Act | None
    like: Act
    number: int
    arrival: int

    @property
    def run_id(self) -> str:
        return str(self.run.get("id"))


Item = Act | Wait


@dataclass(slots=True)
class _Between:
    """What stands between two writes."""

    reads: dict[tuple[int, int], Act] = field(default_factory=dict)
    through: dict[str, set[str]] = field(default_factory=dict)


def agenda(recording: Recording, rows: list[Row]) -> Iterator[Item]:
    """What to perform of the rows of one scope, in order."""
    told: dict[str, Run] = {}
    waited: dict[str, object] = {}
    between = _Between()
    number = 0
    last: Act | None = None
    for row in rows:
        act = _act(recording, row, number)
        if act is None:
            continue
        if act.writes:
            number += 1
            act = _act(recording, row, number) or act
            yield from _gathered(told, waited, between, act, act, number - 1)
            between = _Between()
            if act.operation == SUBMIT and not act.unlucky and _status(act) < 400:
                _tell(told, between, {**told.get(act.ids["run_id"], {}), "id": act.ids["run_id"], "status": "queued"})
                waited.pop(act.ids["run_id"], None)
            yield act
        _note(told, between, act.recorded)
        if not act.writes:
            active = any(run.get("status") not in SETTLED for run in told.values())
            key = row.summary.key, beta_of(row.summary.variant)
            between.reads.pop(key, None)
            between.reads[key] = Act(
                row=row, recorded=act.recorded, operation=act.operation, ids=act.ids, number=number, writes=False, loose=active
            )  # fmt: skip
        last = act
    if last is not None:
        yield from _gathered(told, waited, between, None, last, number)


def call_name(request: Request) -> str:
    """The operation that a request names, or its method and path with `*` for each id."""
    _, path, _ = split_target(request.target)
    operation, _ = find_operation(request.method, path)
    if operation is not None:
        return operation.name
    segments = path.decode("utf-8", "backslashreplace").split("/")
    return f"{request.method} {'/'.join('*' if names_something(segment) else segment for segment in segments)}"


def names_something(segment: str) -> bool:
    """Whether a segment of a path looks like an id and not like a word of the API."""
    return _ID_LIKE.match(segment) is not None


def created(rows: list[Row]) -> bool:
    """Whether these rows make their thread, or get nothing from it but refusals: then nothing need be there before."""
    if any(row.summary.operation in (1, 9) and row.summary.status < 300 for row in rows):
        return True
    return not any(200 <= row.summary.status < 300 for row in rows)


def _act(recording: Recording, row: Row, number: int) -> Act | None:
    """The act of a row; None where there is nothing to perform."""
    status, writes = row.summary.status, row.summary.writes
    if row.summary.flags & PARTIAL or status in CREDENTIALS:
        return None
    recorded = recording.interaction(row)
    unlucky = status in BAD_LUCK or recorded.end is End.UPSTREAM_FAILED or recorded.response is None
    if not writes and (unlucky or recorded.end is not End.COMPLETE):
        return None
    operation, ids = find_operation(recorded.request.method, split_target(recorded.request.target)[1])
    return Act(
        row=row,
        recorded=recorded,
        operation=operation.name if operation else "",
        ids=dict(ids),
        number=number,
        writes=writes,
        unlucky=unlucky,
    )


def _gathered(
    told: dict[str, Run], waited: dict[str, object], between: _Between, write: Act | None, like: Act, number: int
) -> Iterator[Item]:
    """The waits before a write (or the end), then the reads."""
    arrival = like.arrival
    for name, run in told.items():
        states = _states(name, run, waited, write)
        if not states:
            continue
        read = _poll(between, name)
        # Outputs that were never submitted: the run stands where it was last waited for, until something ends it.
        before = {"requires_action"} if waited.get(name) == "requires_action" else set()
        waited[name] = run.get("status")
        through = frozenset((between.through.get(name, set()) | before) - states)
        yield Wait(
            run=run, states=states, through=through, read=read, like=read or like, number=number, arrival=arrival
        )
    yield from between.reads.values()


def _states(name: str, run: Run, waited: dict[str, object], write: Act | None) -> frozenset[str]:
    """The states that a run must have reached; none where there is nothing to wait for."""
    status = run.get("status")
    if status in SETTLED:
        return frozenset() if waited.get(name) == status else frozenset({str(status)})
    if write is None or write.unlucky or _status(write) >= 400:
        return frozenset()
    mine = write.ids.get("run_id") == name
    if write.operation == SUBMIT and mine:
        return frozenset({"requires_action"})
    if write.operation == CANCEL and mine and status == "in_progress":
        return frozenset({"in_progress"})
    return OVER if write.operation in NEEDS_REST else frozenset()


def _poll(between: _Between, run: str) -> Act | None:
    """The last look at a run, taken out of the reads."""
    for key, act in between.reads.items():
        if act.operation == "getRun" and act.ids.get("run_id") == run and _status(act) == 200:
            return between.reads.pop(key)
    return None


def _note(told: dict[str, Run], between: _Between, recorded: Interaction) -> None:
    """Take in what an answer tells of runs."""
    response = recorded.response
    if response is None or response.status >= 300 or response.body.length > MAX_BODY:
        return
    for value in objects(response.body.read(), _content_type(response)):
        name = value.get("id")
        named = isinstance(name, str) and is_id(name.encode("utf-8", "replace"), least=LEAST)
        if value.get("object") == "thread.run" and named and "status" in value:
            _tell(told, between, value)


def _tell(told: dict[str, Run], between: _Between, run: Run) -> None:
    name, status = str(run["id"]), run.get("status")
    told[name] = run
    if isinstance(status, str) and status in SETTLED:
        between.through.setdefault(name, set()).add(status)


def _content_type(response: Response) -> bytes:
    return media_type(response.headers)


def _status(act: Act) -> int:
    return act.row.summary.status
