"""Performs recorded writes anew, against a live upstream, until it stands where the recording stood.

Each write is sent with the ids that the upstream gave, and its answer teaches which id is which. Before a write, the runs
of the thread must be where the recording had them: they are asked for until they are, however many polls that takes.
What goes another way than recorded ends the rehearsal with `Diverged`. Writes that failed when they were recorded are not
repeated.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from ..cassettes.errors import RespoolError, UpstreamError
from ..cassettes.ids import IdMap, align, objects, unknown_ids
from ..cassettes.interaction import Headers, Interaction, Request
from ..cassettes.operations import find_operation, split_target
from ..cassettes.prefix import Prefix
from ..cassettes.redaction import PLACEHOLDER, is_header_slot
from ..cassettes.summary import Row
from ..cassettes.text import clip
from . import wire
from .translation import translated_request
from .upstream import Broken, Upstream

RUN_SECONDS = 600.0
"""How long a run, or a stream, may take. The clients' own patience is as long."""
POLL_SECONDS = 0.5
"""Between two looks at a run, where the upstream does not say."""
LARGEST = 64 << 20
"""Bytes of an answer that are read."""

ATTEMPTS = 4
"""How often a call is made that gets a 429."""

_OVER = frozenset({"completed", "failed", "cancelled", "expired", "incomplete"})
_SETTLED = _OVER | {"requires_action"}
_NEEDS_REST = frozenset({"createMessage", "createRun"})
"""Writes that an upstream refuses while a run is under way."""
_SUBMIT = "submitToolOuputsToRun"


class Diverged(RespoolError):
    """The upstream went another way than the recording. Exit status 1."""


class _Live(NamedTuple):
    status: int
    headers: Headers
    body: bytes

    @property
    def kind(self) -> bytes:
        return wire.header_value(self.headers, b"content-type") or b""


class Rehearsal:
    """The writes that the upstream is owed, and what it took. `fault` is why it cannot go on."""

    def __init__(
        self, prefix: Prefix, upstream: Upstream, ids: IdMap, *, narrate: Callable[[str], None], patience: float
    ) -> None:
        self.fault: RespoolError | None = None
        self.performed = 0
        self._prefix = prefix
        self._upstream = upstream
        self._ids = ids
        self._narrate = narrate
        self._patience = patience
        self._owed: list[Row] = []
        self._known: set[int] = set()
        self._thread = [row.summary.arrival for row in prefix.writes()]
        self._since = -1
        self._told: dict[str, dict[str, object]] = {}
        """The last that the recording tells of each run."""
        self._settled: set[tuple[str, str]] = set()
        self._caller = Request("GET", b"/")

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
        self._caller = caller
        try:
            while self._owed:
                await self._perform(self._owed[0])
                del self._owed[0]
            for run in list(self._told.values()):  # a stream may have told the client more than that a run began
                if run.get("status") in _SETTLED:
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
        name, ids = _operation(recorded)
        for run in list(self._told.values()):
            status = run.get("status")
            if name == _SUBMIT and ids.get("run_id") == run.get("id"):
                await self._settle(run, {"requires_action"}, where)
            elif status in _SETTLED:
                await self._settle(run, {str(status)}, where)
            elif name in _NEEDS_REST:
                await self._settle(run, _OVER, where)
        for interaction in reads.values():
            body, kind = _answer(interaction)
            if unknown_ids(body, kind, self._ids):
                self._learn(interaction, await self._call(interaction))

    async def _settle(self, run: dict[str, object], expected: set[str] | frozenset[str], where: str) -> None:
        """Wait for a run to come to one of these states. Raises Diverged when it settles in another, or does not."""
        name = str(run.get("id"))
        if self._settled & {(name, status) for status in expected}:
            return
        path = f"/threads/{self._prefix.thread}/runs/{name}".encode() + _api_version(self._caller.target)
        about_a_body = {b"content-type", b"content-encoding"}
        headers = tuple(line for line in self._caller.headers if line[0].lower() not in about_a_body)
        look = Interaction(0, 0, Request("GET", path, headers), None)
        loop = asyncio.get_running_loop()
        end = loop.time() + self._patience
        while True:
            live = await self._call(look)
            found = next(objects(live.body, b"application/json"), {})
            status = found.get("status")
            if live.status != 200 or not isinstance(status, str):
                raise Diverged(f"{where}: the upstream does not show {clip(name, 80)} (status {live.status})")
            if status in _SETTLED:
                break
            if loop.time() >= end:
                raise Diverged(
                    f"{where}: {clip(name, 80)} was still {clip(status, 40)} after {self._patience:.0f} s; "
                    f"the recording has {' or '.join(sorted(expected))}"
                )
            await asyncio.sleep(_pause(live.headers))
        if status not in expected:
            raise Diverged(
                f"{where}: {clip(name, 80)} became {status} upstream; the recording has {' or '.join(sorted(expected))}"
            )
        if status == "requires_action":
            before, after = _tools(run), _tools(found)
            if before and before != after:
                raise Diverged(
                    f"{where}: {clip(name, 80)} calls {_listed(after)} upstream; the recording has {_listed(before)}"
                )
            self._ids.learn(align(json.dumps(run).encode(), live.body, b"application/json", self._ids))
        self._settled.add((name, status))

    def _learn(self, recorded: Interaction, live: _Live) -> None:
        body, kind = _answer(recorded)
        self._ids.learn(align(body, live.body, kind, self._ids))
        self._note(recorded)

    def _note(self, recorded: Interaction) -> None:
        for value in objects(*_answer(recorded)):
            name = value.get("id")
            if value.get("object") == "thread.run" and isinstance(name, str) and "status" in value:
                self._told[name] = value
                self._settled = {known for known in self._settled if known[0] != name or known[1] == value["status"]}

    async def _call(self, recorded: Interaction) -> _Live:
        """Make a recorded call anew, again where the upstream has no room for it just now."""
        for _ in range(ATTEMPTS - 1):
            live = await self._call_once(recorded)
            if live.status != 429:
                return live
            await asyncio.sleep(_retry_after(live.headers))
        return await self._call_once(recorded)

    async def _call_once(self, recorded: Interaction) -> _Live:
        """Make a recorded call anew: its bytes in new ids, below the caller's base path, with the caller's credentials."""
        request = recorded.request
        base, (_, path, query) = split_target(self._caller.target)[0], split_target(request.target)
        gone = {b"host", b"expect"} | ({b"content-encoding"} if request.coding else set())
        lines = [line for line in wire.end_to_end(request.headers, leave_out=gone) if not is_header_slot(line[0])]
        lines += [line for line in self._caller.headers if is_header_slot(line[0])]
        lines.insert(0, (b"Host", self._upstream.origin.authority.encode()))
        body = request.body.read()
        if PLACEHOLDER in query:
            raise Diverged(
                "a recorded call has a credential in its query, which was taken out of the recording",
                "record it anew with the credential in a header",
            )
        first = b"%b %b HTTP/1.1" % (request.method.encode(), base + path + query)
        exchange = await self._upstream.exchange(request.method)
        try:
            async with asyncio.timeout(self._patience):
                await exchange.send(await translated_request(first, tuple(lines), body, self._ids), last=True)
                head = await exchange.head()
                pieces: list[bytes] = []
                size = 0
                async for piece in exchange.body():
                    size += len(piece)
                    if size > LARGEST:
                        raise Diverged(f"the upstream answered with more than {LARGEST >> 20} MiB to a recorded call")
                    pieces.append(piece)
            return _Live(head.status, head.headers, b"".join(pieces))
        except TimeoutError:
            raise UpstreamError(f"the upstream took longer than {self._patience:.0f} s for a recorded call") from None
        finally:
            exchange.release()

    def _where(self, row: Row, recorded: Interaction) -> str:
        name = _operation(recorded)[0] or clip(split_target(recorded.request.target)[1], 80)
        if row.summary.arrival not in self._thread:
            return f"performing {name} anew"
        number = self._thread.index(row.summary.arrival) + 1
        return f"performing write {number} of {len(self._thread)} of {clip(self._prefix.thread, 80)} ({name}) anew"


def _operation(recorded: Interaction) -> tuple[str, dict[str, str]]:
    _, path, _ = split_target(recorded.request.target)
    operation, ids = find_operation(recorded.request.method, path)
    return (operation.name if operation else ""), dict(ids)


def _answer(recorded: Interaction) -> tuple[bytes, bytes]:
    """The body and content type of a recorded answer; nothing where it is too large to look at."""
    response = recorded.response
    if response is None or response.body.length > LARGEST:
        return b"", b""
    return response.body.read(), wire.header_value(response.headers, b"content-type") or b""


def _tools(run: dict[str, object]) -> Counter[str]:
    """The functions that a run asks for."""
    value: object = run
    for name in ("required_action", "submit_tool_outputs", "tool_calls"):
        value = value.get(name) if isinstance(value, dict) else None
    names: Counter[str] = Counter()
    for call in value if isinstance(value, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            names[str(function.get("name"))] += 1
    return names


def _listed(tools: Counter[str]) -> str:
    return clip(", ".join(sorted(tools.elements())) or "no tool", 200)


def _reason(body: bytes) -> str:
    """The message of an error body, or its beginning."""
    for value in objects(body, b"application/json"):
        if isinstance(message := value.get("message"), str):
            return message
    return body[:300].decode("utf-8", "replace")


def _api_version(target: bytes) -> bytes:
    """What some vendors want to see in every query."""
    query = split_target(target)[2][1:]
    return b"".join(b"?" + pair for pair in query.split(b"&") if pair.startswith(b"api-version="))[:200]


def _retry_after(headers: Headers) -> float:
    for name, unit in ((b"retry-after-ms", 1000), (b"retry-after", 1)):
        asked = wire.header_value(headers, name) or b""
        if asked.isdigit() and len(asked) < 9:
            return min(int(asked) / unit, 60.0)
    return 1.0


def _pause(headers: Headers) -> float:
    asked = wire.header_value(headers, b"openai-poll-after-ms") or b""
    return min(max(int(asked) / 1000, 0.01), 5.0) if asked.isdigit() and len(asked) < 9 else POLL_SECONDS
