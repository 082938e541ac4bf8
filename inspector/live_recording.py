"""What a running proxy has done and is doing, as a recording that can be looked at like any other.

Rows come from events, on the event loop; a call itself is fetched when it is read, in the thread that reads. A call under way has
a row too, and is fetched anew each time: of a stream there is as much as has come. Bounded: the oldest threads go first.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..cassettes.errors import CassetteError
from ..cassettes.interaction import Interaction, Request, Response
from ..cassettes.operations import READS, find_operation, split_target
from ..cassettes.scopes import scope_hash
from ..cassettes.summary import CUT, STREAM, WRITE, Row, Summary
from ..proxy.control.client import Client
from ..proxy.control.protocol import Call, CallBegun, thread_of

MOST_CALLS = 50_000
MOST_CACHED = 2_000
MOST_CACHED_BYTES = 48 << 20


class LiveRecording:
    """A `Recorded`. `path` names it; nothing is read from there or written there."""

    sealed = True
    warning = ""
    file_id = b""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.meta: Mapping[str, object] = {}
        self.replays = False
        """Whether calls are answered by a replay, in which each session has threads of its own."""
        self.why: OrderedDict[int, str] = OrderedDict()
        """Of misses, what the proxy said."""
        self.noted: dict[int, str] = {}
        self._client: Client | None = None
        self._scopes: OrderedDict[str, list[Row]] = OrderedDict()
        self._names: dict[int, str] = {}
        self._calls: dict[int, Call] = {}
        self._running: dict[int, tuple[str, Row, CallBegun]] = {}
        self._cache: OrderedDict[int, tuple[Interaction, int]] = OrderedDict()
        self._cached = 0

    def __len__(self) -> int:
        return len(self._calls) + len(self._running)

    # On the event loop

    def begin(self, client: Client) -> None:
        """Another run of a proxy: nothing of it is known yet. `client` is for the thread that reads."""
        self.close()
        self._client = client
        for table in (self._scopes, self._names, self._calls, self._running, self._cache, self.why, self.noted):
            table.clear()
        self._cached = 0

    def reconnect(self, client: Client) -> None:
        """The same run of the proxy is there again. What was under way is not known to be."""
        self.close()
        self._client = client
        for number in list(self._running):
            self.lose(number)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def take(self, call: Call) -> str | None:
        """A call has ended; returns its scope, or None for one that was known."""
        if call.number in self._calls:
            return None
        running = self._running.get(call.number)
        if running is None or running[0] != call.thread:
            self.lose(call.number)
        else:
            del self._running[call.number]  # its row gives way to the new one, in its place
        self._calls[call.number] = call
        if call.noted:
            self.noted[call.number] = call.noted
        scope = call.thread
        self._put(scope, Row(call.summary(), call.number))
        while len(self._calls) > MOST_CALLS and len(self._scopes) > 1:
            self._drop(next(iter(self._scopes)))
        return scope

    def start(self, begun: CallBegun) -> str:
        """A call is under way; returns its scope."""
        scope = self._listed(begun.scope, begun)
        if begun.number in self._calls or begun.number in self._running:
            return scope
        _, path, _ = split_target(begun.target.encode())
        operation, _ = find_operation(begun.method, path)
        flags = CUT if begun.method in READS else CUT | WRITE
        number = operation.number if operation else 0
        summary = Summary(0, scope_hash(scope), 0, begun.number, begun.at_us, 0, 0, number, flags, 0)
        row = Row(summary, begun.number)
        self._running[begun.number] = scope, row, begun
        self._put(scope, row)
        return scope

    def _listed(self, scope: str, begun: CallBegun) -> str:
        return thread_of(scope, begun.session) if self.replays else scope

    def grow(self, number: int, scope: str, *, status: int | None = None, stream: bool = False) -> list[str]:
        """A call under way has told more, perhaps which thread it makes; returns the scopes that changed."""
        if number not in self._running:
            return []
        before, row, begun = self._running[number]
        scope = self._listed(scope, begun)
        if before == scope and status is None:
            return [scope]
        summary = row.summary
        if status is not None:
            summary = summary._replace(status=status, flags=summary.flags | (STREAM if stream else 0))
        if before != scope:
            self.lose(number)
        row = Row(summary._replace(scope=scope_hash(scope)), number)
        self._running[number] = scope, row, begun
        self._put(scope, row)
        return [scope] if scope == before else [before, scope]

    def lose(self, number: int) -> str | None:
        """A call is not under way any more; returns its scope."""
        if number not in self._running:
            return None
        scope, row, _ = self._running.pop(number)
        rows = self._scopes.get(scope, [])
        if row in rows:
            rows.remove(row)
        if not rows:
            self._scopes.pop(scope, None)
        return scope

    def scope_of(self, number: int) -> str | None:
        """The scope of a call under way."""
        return self._running[number][0] if number in self._running else None

    def is_running(self, number: int) -> bool:
        return number in self._running

    def record_of(self, number: int) -> int | None:
        """The number of a call in the cassette; None for one that has ended in none, or has not ended."""
        call = self._calls.get(number)
        return call.record if call is not None else None

    def call(self, number: int) -> Call | None:
        return self._calls.get(number)

    def _put(self, scope: str, row: Row) -> None:
        """Put a row in its place, in that of the same call where it has one. Who walks the rows walks a copy of them."""
        rows = self._scopes.setdefault(scope, [])
        arrival = row.summary.arrival
        at = len(rows)
        while at and rows[at - 1].summary.arrival > arrival:
            at -= 1
        if at and rows[at - 1].summary.arrival == arrival:
            rows[at - 1] = row
        else:
            rows.insert(at, row)
        self._names[row.summary.scope] = scope

    def _drop(self, scope: str) -> None:
        for row in self._scopes.pop(scope):
            self._calls.pop(row.offset, None)
            self._running.pop(row.offset, None)
            self.why.pop(row.offset, None)
            self.noted.pop(row.offset, None)

    # In the thread that reads

    @property
    def client(self) -> Client:
        if self._client is None:
            raise CassetteError("no proxy is attached yet")
        return self._client

    def rows(self) -> Iterator[Row]:
        every = [row for rows in list(self._scopes.values()) for row in list(rows)]
        return iter(sorted(every, key=lambda row: row.summary.arrival))

    def ended(self) -> list[Row]:
        """The calls that have ended, in order; to be asked for on the event loop."""
        rows = (Row(call.summary(), call.number) for call in self._calls.values())
        return sorted(rows, key=lambda row: row.summary.arrival)

    def rows_of_scope(self, name: str) -> list[Row]:
        return list(self._scopes.get(name, ()))

    def scopes(self) -> list[str]:
        return list(self._scopes)

    def scope_name(self, scope: int) -> str:
        return self._names.get(scope, "")

    def interaction(self, row: Row) -> Interaction:
        """Fetch a call. Of one that the proxy no longer knows there is what its row told."""
        number = row.offset
        if number in self._cache:
            self._cache.move_to_end(number)
            return self._cache[number][0]
        call = self._calls.get(number)
        try:
            interaction = self.client.call(number)
        except CassetteError:
            return _remains(row, call)
        if call is not None and not interaction.extra.get("running"):
            size = 1024 + interaction.request.body.length
            size += interaction.response.body.length if interaction.response is not None else 0
            self._cache[number] = interaction, size
            self._cached += size
            while self._cached > MOST_CACHED_BYTES or len(self._cache) > MOST_CACHED:
                self._cached -= self._cache.popitem(last=False)[1][1]
        return interaction


def _remains(row: Row, call: Call | None) -> Interaction:
    summary = row.summary
    request = Request(call.method if call else "?", call.target.encode() if call else b"?")
    response = Response(summary.status) if summary.status else None
    return Interaction(summary.arrival, summary.started_us, request, response, duration_us=summary.duration_us)
