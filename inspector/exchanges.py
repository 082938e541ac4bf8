"""The calls of one scope as the list shows them, gathered while its conversation is folded: no call is read twice for it.

A poll, or a read that was asked before, that told nothing new is `quiet`; quiet ones that follow one another in a run are folded
into one group, which holds them all. What told something (a new state above all), what failed and what was cut always stands by
itself. Nothing here draws.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ..cassettes import models
from ..cassettes.amounts import counted
from ..cassettes.folding import Read
from ..cassettes.interaction import End, Interaction
from ..cassettes.operations import find_operation, split_target
from ..cassettes.outcomes import ENDS, fault_text, held_text
from ..cassettes.sightings import Sightings
from ..cassettes.summary import STREAM
from ..cassettes.summary import Row as IndexRow
from ..cassettes.text import clip

MOST = 50_000
"""Calls of one scope that are listed; the rest is counted."""
MOST_OUTPUTS = 1_000
MISSED = "MISS  why? w"
_LONGEST = 160
_LONGEST_MISS = 1 << 20


class Exchange(NamedTuple):
    """One call. `what` and `state` are safe to show; `run` is the id that it belongs to, as recorded."""

    row: IndexRow
    what: str
    run: str = ""
    state: str = ""
    quiet: bool = False
    poll: bool = False
    ended: str = ""
    """What cut it, or that it was missed, in words; empty for a call that came to its end."""
    running: bool = False
    """Its answer is not all there yet."""
    met: str = ""
    """What a person or a fault did to it on its way, in a word."""

    @property
    def arrival(self) -> int:
        return self.row.summary.arrival

    @property
    def bad(self) -> bool:
        if self.running and not self.row.summary.status:
            return False
        return bool(self.ended) or self.row.summary.status >= 400 or not self.row.summary.status

    @property
    def stream(self) -> bool:
        return bool(self.row.summary.flags & STREAM)


class Group(NamedTuple):
    """Reads in a row that told nothing new; at least two."""

    calls: tuple[Exchange, ...]

    @property
    def label(self) -> str:
        polls = all(call.poll for call in self.calls)
        name = counted(len(self.calls), "poll" if polls else "read")
        states = {call.state for call in self.calls if call.state}
        return f"{name} {states.pop()}" if len(states) == 1 else f"{name}, nothing new"

    @property
    def seconds(self) -> float:
        first, last = self.calls[0].row.summary, self.calls[-1].row.summary
        return max(last.started_us + last.duration_us - first.started_us, 0) / 1_000_000


class Submit(NamedTuple):
    """Tool outputs that a client sent: to which run, when, the ids of the calls, and whether they were taken."""

    run: str
    arrival: int
    at_us: int
    ids: tuple[str, ...]
    status: int


@dataclass(slots=True)
class Gathered:
    """Told of each call by `fold`: pass `seen`."""

    calls: list[Exchange] = field(default_factory=list)
    submits: list[Submit] = field(default_factory=list)
    runs: dict[str, list[Exchange]] = field(default_factory=dict)
    sightings: Sightings = field(default_factory=Sightings)
    """When runs and steps were in which state."""
    left_out: int = 0
    _known: dict[int, Exchange] = field(default_factory=dict)

    def seen(self, row: IndexRow, interaction: Interaction | None, read: Read | None) -> None:
        """Take the next call."""
        if len(self.calls) >= MOST:
            self.left_out += 1
            return
        if interaction is None:
            last = self._known.get(row.summary.key)
            call = last._replace(row=row, quiet=True) if last is not None else Exchange(row, "GET", quiet=True)
            self.sightings.again(row)
        else:
            call = self._made(row, interaction, read)
            self._known[row.summary.key] = call
            self.sightings.add(row, interaction)
        self.calls.append(call)
        if call.run:
            self.runs.setdefault(call.run, []).append(call)

    def _made(self, row: IndexRow, interaction: Interaction, read: Read | None) -> Exchange:
        request = interaction.request
        _, path, query = split_target(request.target)
        operation, ids = find_operation(request.method, path)
        name = operation.name if operation is not None else ""
        run = ids.get("run_id", "")
        if name in {"createRun", "createThreadAndRun"}:
            run = _run_made(interaction)
        if name == "submitToolOuputsToRun":
            asked = models.read(request.body)
            told = models.views(models.ToolOutput, asked.get("tool_outputs") if isinstance(asked, dict) else None)
            names = tuple(output.tool_call_id for output in told[:MOST_OUTPUTS])
            self.submits.append(Submit(run, row.summary.arrival, row.summary.started_us, names, row.summary.status))
        state = read.run.status if read is not None and read.run is not None else ""
        again = name == "getRun" or row.summary.key in self._known
        return Exchange(
            row,
            clip(f"{request.method} " + _short(path + query), _LONGEST),
            run,
            clip(state, 60),
            quiet=again and read is not None and not read.new and interaction.end is End.COMPLETE,
            poll=name == "getRun",
            ended=ENDS.get(interaction.end, "") or (MISSED if is_miss(interaction) else ""),
            running=interaction.extra.get("running") is True,
            met="⏸ held" if held_text(interaction) else "fault" if fault_text(interaction) else "",
        )


def is_miss(interaction: Interaction) -> bool:
    """Whether the answer is what a replay says that has none."""
    response = interaction.response
    if response is None or response.status != 502 or response.body.length > _LONGEST_MISS:
        return False
    said = models.read(response.body)
    error = said.get("error") if isinstance(said, dict) else None
    return isinstance(error, dict) and error.get("code") == "respool_miss"


def folded(calls: Iterable[Exchange]) -> Iterator[Exchange | Group]:
    """The calls in order, quiet ones that follow one another as one group."""
    quiet: list[Exchange] = []
    for call in calls:
        if call.quiet and not call.bad:
            quiet.append(call)
            continue
        yield from _closed(quiet)
        quiet = []
        yield call
    yield from _closed(quiet)


def _closed(quiet: list[Exchange]) -> Iterator[Exchange | Group]:
    if len(quiet) > 1:
        yield Group(tuple(quiet))
    else:
        yield from quiet


def _short(target: bytes) -> str:
    """A path without the thread that it is listed under: what is left tells calls apart."""
    text = target.decode("utf-8", "backslashreplace")
    parts = text.split("/")
    if len(parts) > 3 and parts[1] == "threads":
        return "/…/" + "/".join(parts[3:])
    return text


def _run_made(interaction: Interaction) -> str:
    """The id of the run that an answer made: of the object, or of the first event of a stream that is a run."""
    response = interaction.response
    if response is None or not 200 <= response.status < 300:
        return ""
    value = models.read(response.body)
    if isinstance(value, dict):
        return models.Run.of(value).id
    if response.body.length > models.MAX_BODY:
        return ""
    from ..cassettes.sse import events

    for event in events(response.body.read()):
        told = models.parse(event.data)
        if isinstance(told, dict) and (told.get("object") == "thread.run" or event.name == "thread.run.created"):
            return models.Run.of(told).id
    return ""
