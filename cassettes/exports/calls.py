"""The calls of a conversation that a program has to make again: writes, and reads that told something new.

A read that repeats the answer before it is left out, and of the polls of a run only the one that found it settled
stays, to be waited for by state. Calls that nobody can make again are named, and counted where they were writes.

Some vendors have the version of the API in every query (`?api-version=...`). Where it is the same in all calls it belongs to
the client and not to the calls, which are then the operations that they are without it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..editing import Progress
from ..errors import UsageError
from ..interaction import End, Interaction
from ..models import read
from ..operations import READS, find_operation, split_target
from ..scopes import media_type
from ..text import clip
from .selection import REPEATS, Lost, Source, selected

MOST_CALLS = 20_000
"""Nobody reads a longer program."""

_PLAIN = re.compile(rb"api-version=[0-9A-Za-z._-]{1,100}")

UNSETTLED = ("queued", "in_progress", "cancelling")
"""States that a run leaves by itself."""
PASSING = (0, 408, 409, 429)
"""Statuses of calls that may go well the next time, as all from 500 on; 0 is no answer."""


@dataclass(slots=True)
class Call:
    """A call to make. `why_not`: why it cannot be made again. `waits`: a poll that stands for all until a run is settled.

    `version`: the `api-version` that all calls ask for in their query, which is then without it.
    """

    interaction: Interaction
    operation: str
    ids: Mapping[str, str]
    path: bytes
    query: bytes
    answer: Any = None
    why_not: str = ""
    waits: bool = False
    version: str = ""

    @property
    def status(self) -> int:
        return 0 if self.interaction.response is None else self.interaction.response.status

    @property
    def writes(self) -> bool:
        return self.interaction.request.method not in READS

    @property
    def streams(self) -> bool:
        response = self.interaction.response
        return response is not None and media_type(response.headers) == b"text/event-stream"

    @property
    def cut(self) -> bool:
        return self.interaction.end is not End.COMPLETE

    @property
    def state(self) -> str:
        state = self.answer.get("status") if isinstance(self.answer, dict) else None
        return state if isinstance(state, str) else ""

    def told(self) -> str:
        """Method and path, fit for a comment."""
        return clip(self.interaction.request.method.encode() + b" " + self.path, 200)


def calls_of(source: Source, thread: str | None, lost: Lost, progress: Progress | None = None) -> list[Call]:
    """The calls to make, those left out counted in `lost`. Raises UsageError where there are more than a program is made of."""
    calls: list[Call] = []
    last: dict[tuple[str, str, bytes], int] = {}  # reads since the last write of their scope: the answer's digest
    for row, interaction in selected(source, thread, progress):
        key = (interaction.scope, interaction.request.method, interaction.request.target)
        if row.summary.writes:
            last = {known: digest for known, digest in last.items() if known[0] != interaction.scope}
        elif last.get(key) == row.summary.answer:
            lost[REPEATS] += 1
            continue
        else:
            last[key] = row.summary.answer
        if len(calls) == MOST_CALLS:
            raise UsageError(
                f"a program of more than {MOST_CALLS:,} calls is of no use", "`--thread ID` takes one thread"
            )
        calls.append(_call(interaction))
    _take_version(calls)
    kept = _without_polls(calls)
    lost["polls of a run, which are one wait for it to settle"] += len(calls) - len(kept)
    lost.update(f"calls that cannot be made again: {call.why_not}" for call in kept if call.why_not)
    return kept


def _call(interaction: Interaction) -> Call:
    request, response = interaction.request, interaction.response
    _, path, query = split_target(request.target)
    operation, ids = find_operation(request.method, path)
    call = Call(interaction, operation.name if operation else "", ids, path, query)
    if interaction.request_cut:
        call.why_not = "its request did not arrive whole"
    elif request.method not in {"GET", "POST", "PUT", "PATCH", "DELETE"}:
        call.why_not = "the openai package has no such method"
    elif not path.startswith(b"/") or path.startswith(b"//"):
        call.why_not = "its path is none of the API's"
    elif response is not None and not call.streams and not call.cut:
        call.answer = read(response.body)
    return call


def _take_version(calls: list[Call]) -> None:
    """Take the `api-version` out of the queries, if each has it once and all have the same."""
    versions = {_version(call.query) for call in calls if not call.why_not}
    version = versions.pop() if len(versions) == 1 else b""
    if not version:
        return
    for call in calls:
        rest = [pair for pair in call.query[1:].split(b"&") if pair != version]
        call.query = b"?" + b"&".join(rest) if rest else b""
        call.version = version.partition(b"=")[2].decode("ascii")


def _version(query: bytes) -> bytes:
    """The pair of a query that names the version of the API; nothing where there is none, or more than one."""
    pairs = [pair for pair in query[1:].split(b"&") if pair.startswith(b"api-version=")]
    return pairs[0] if len(pairs) == 1 and _PLAIN.fullmatch(pairs[0]) else b""


def _without_polls(calls: list[Call]) -> list[Call]:
    """Of the polls of a run between two writes: each first one in another state, and none in a state that it leaves."""
    settling: set[int] = set()  # polls after which the run is found settled before the next write
    later: set[tuple[str, bytes]] = set()
    for place in reversed(range(len(calls))):
        call = calls[place]
        if call.writes:
            later = {run for run in later if run[0] != call.interaction.scope}
        elif _is_poll(call) or _is_unlucky(call):
            if _run(call) in later:
                settling.add(place)
            elif call.state not in UNSETTLED:
                later.add(_run(call))
    kept: list[Call] = []
    seen: dict[tuple[str, bytes], str] = {}
    for place, call in enumerate(calls):
        if call.writes:
            seen = {run: state for run, state in seen.items() if run[0] != call.interaction.scope}
        elif _is_poll(call):
            if seen.get(_run(call)) == call.state or (place in settling and call.state in UNSETTLED):
                continue
            seen[_run(call)] = call.state
            call.waits = call.state not in UNSETTLED
        elif place in settling:
            continue
        kept.append(call)
    return kept


def _is_poll(call: Call) -> bool:
    return call.operation == "getRun" and call.status == 200 and bool(call.state) and not call.query


def _is_unlucky(call: Call) -> bool:
    """Whether it is a poll that came to nothing, and would have been worth another try."""
    return call.operation == "getRun" and not call.query and (call.cut or call.status in PASSING or call.status >= 500)


def _run(call: Call) -> tuple[str, bytes]:
    return call.interaction.scope, call.path
