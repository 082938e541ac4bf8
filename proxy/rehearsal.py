"""Performs recorded writes anew, against a live upstream, until it stands where the recording stood.

Each write is sent with the ids that the upstream gave, and its answer teaches which id is which. Before a write, the runs
of the thread must be where the recording had them: they are asked for until they are, however many polls that takes.
What goes another way than recorded ends the rehearsal with `Diverged`. Writes that failed when they were recorded are not
repeated.
"""

import json
from collections import Counter
from collections.abc import Callable

from ..cassettes.drift.agenda import NEEDS_REST, OVER, SETTLED, SUBMIT
from ..cassettes.errors import RespoolError, UpstreamError
from ..cassettes.ids import IdMap, align, objects, unknown_ids
from ..cassettes.interaction import Interaction, Request
from ..cassettes.operations import split_target
from ..cassettes.prefix import Prefix
from ..cassettes.redaction import is_header_slot
from ..cassettes.summary import Row
from ..cassettes.text import clip
from .performer import (
    Caller,
    Diverged,
    Live,
    Performer,
    answer_of,
    operation_of,
    run_look,
    tools_of,
)
from .upstream import Broken, Upstream


class Rehearsal:
    """The writes that the upstream is owed, and what it took. `fault` is why it cannot go on."""

    def __init__(
        self, prefix: Prefix, upstream: Upstream, ids: IdMap, *, narrate: Callable[[str], None], patience: float
    ) -> None:
        self.fault: RespoolError | None = None
        self.performed = 0
        self._prefix = prefix
        self._ids = ids
        self._narrate = narrate
        self._performer = Performer(upstream, ids, patience=patience)
        self._owed: list[Row] = []
        self._known: set[int] = set()
        self._thread = [row.summary.arrival for row in prefix.writes()]
        self._since = -1
        self._told: dict[str, dict[str, object]] = {}
        """The last that the recording tells of each run."""
        self._settled: set[tuple[str, str]] = set()
        self._like = Request("GET", b"/")
        self._caller = Caller(b"", ())

    @property
    def owes(self) -> bool:
        return bool(self._owed)

    def owe(self, rows: list[Row]) -> None:
        """Writes that were answered from the recording; one is performed once."""
        new = [row for row in rows if row.summary.arrival not in self._known]
        self._known.update(row.summary.arrival for row in new)
        self._owed += new

    async def perform(self, caller: Request) -> None:
        """Perform what is owed. `caller` is a live call: its credentials and its base path are used. Sets `fault`."""
        self._like = caller
        credentials = tuple(line for line in caller.headers if is_header_slot(line[0]))
        self._caller = Caller(split_target(caller.target)[0], credentials)
        try:
            while self._owed:
                await self._perform(self._owed[0])
                del self._owed[0]
            for run in list(self._told.values()):  # a stream may have told the client more than that a run began
                if run.get("status") in SETTLED:
                    await self._settle(run, {str(run.get("status"))}, "the last write to perform")
        except Broken as error:
            self.fault = UpstreamError(str(error))
        except RespoolError as error:
            self.fault = error

    async def _perform(self, row: Row) -> None:
        recorded = self._prefix.interaction(row)
        response = recorded.response
        if response is None or response.status >= 400:
            return
        where = self._where(row, recorded)
        if row.summary.arrival in self._thread:
            await self._reach(row, recorded, where)
        live = await self._call(recorded)
        if live.status != response.status:
            raise Diverged(
                f"{where}: the upstream answered {live.status} where the recording has {response.status}"
                f" ({clip(_reason(live.body), 300)})",
                "an id that the upstream knows by another name can be given with --map OLD=NEW",
            )
        self._learn(recorded, live)
        self.performed += 1

    async def _reach(self, row: Row, recorded: Interaction, where: str) -> None:
        """Wait until the upstream's runs are where the recording had them before a write, and learn what was read there."""
        arrival = row.summary.arrival
        reads: dict[int, Interaction] = {}
        for read in self._prefix.rows_of_scope(self._prefix.thread):
            if self._since < read.summary.arrival < arrival and not read.summary.writes and read.summary.status == 200:
                reads[read.summary.key] = interaction = self._prefix.interaction(read)
                self._note(interaction)
        self._since = arrival
        name, ids = operation_of(recorded)
        for run in list(self._told.values()):
            status = run.get("status")
            if name == SUBMIT and ids.get("run_id") == run.get("id"):
                await self._settle(run, {"requires_action"}, where)
            elif status in SETTLED:
                await self._settle(run, {str(status)}, where)
            elif name in NEEDS_REST:
                await self._settle(run, OVER, where)
        for interaction in reads.values():
            body, kind = answer_of(interaction)
            if unknown_ids(body, kind, self._ids):
                self._learn(interaction, await self._call(interaction))

    async def _settle(self, run: dict[str, object], expected: set[str] | frozenset[str], where: str) -> None:
        """Wait for a run to come to one of these states. Raises Diverged when it settles in another, or does not."""
        name = str(run.get("id"))
        if self._settled & {(name, status) for status in expected}:
            return
        found, live, status = await self._watched(name, expected, where)
        if status not in expected:
            raise Diverged(
                f"{where}: {clip(name, 80)} became {status} upstream; the recording has {' or '.join(sorted(expected))}"
            )
        if status == "requires_action":
            before, after = tools_of(run), tools_of(found)
            if before and before != after:
                raise Diverged(
                    f"{where}: {clip(name, 80)} calls {_listed(after)} upstream; the recording has {_listed(before)}"
                )
            self._ids.learn(align(json.dumps(run).encode(), live.body, b"application/json", self._ids))
        self._settled.add((name, status))

    async def _watched(
        self, name: str, expected: set[str] | frozenset[str], where: str
    ) -> tuple[dict[str, object], Live, str]:
        """The run, in the answer that told it, and its state, once it has settled."""
        status = ""
        look = run_look(self._prefix.thread, name, self._like)
        async for live in self._performer.polls(look, self._caller):
            found = next(objects(live.body, b"application/json"), {})
            told = found.get("status")
            if live.status != 200 or not isinstance(told, str):
                raise Diverged(f"{where}: the upstream does not show {clip(name, 80)} (status {live.status})")
            if told in SETTLED:
                return found, live, told
            status = told
        raise Diverged(
            f"{where}: {clip(name, 80)} was still {clip(status, 40)} after {self._performer.patience:.0f} s; "
            f"the recording has {' or '.join(sorted(expected))}"
        )

    def _learn(self, recorded: Interaction, live: Live) -> None:
        body, kind = answer_of(recorded)
        self._ids.learn(align(body, live.body, kind, self._ids))
        self._note(recorded)

    def _note(self, recorded: Interaction) -> None:
        for value in objects(*answer_of(recorded)):
            name = value.get("id")
            if value.get("object") == "thread.run" and isinstance(name, str) and "status" in value:
                self._told[name] = value
                self._settled = {known for known in self._settled if known[0] != name or known[1] == value["status"]}

    async def _call(self, recorded: Interaction) -> Live:
        return await self._performer.call(recorded, self._caller)

    def _where(self, row: Row, recorded: Interaction) -> str:
        name = operation_of(recorded)[0] or clip(split_target(recorded.request.target)[1], 80)
        if row.summary.arrival not in self._thread:
            return f"performing {name} anew"
        number = self._thread.index(row.summary.arrival) + 1
        return f"performing write {number} of {len(self._thread)} of {clip(self._prefix.thread, 80)} ({name}) anew"


def _listed(tools: Counter[str]) -> str:
    return clip(", ".join(sorted(tools.elements())) or "no tool", 200)


def _reason(body: bytes) -> str:
    """The message of an error body, or its beginning."""
    for value in objects(body, b"application/json"):
        if isinstance(message := value.get("message"), str):
            return message
    return body[:300].decode("utf-8", "replace")
