"""The load generator: a process of its own that plays the calls of a cassette over kept connections, and counts.

Reads one job a line (JSON) from stdin and answers each with one line (JSON) on stdout; ends when stdin does. Requests are
built beforehand; only the session's name is put in. Each connection plays in a session of its own, begins at another
thread than its neighbours, and takes a new session for each lap, so that every recorded write is there to be used.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

import uvloop
from respool.cassettes.interaction import End, Interaction
from respool.cassettes.reader import Reader

KEY = b"sk-proj-thisIsTheKeyOfTheLoadGeneratorAndOpensNothing"
CONNECTED_SECONDS = 10.0
LAST_SECONDS = 20.0
"""How long the answers to the last requests may take."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to play and where. It ends after `seconds` or `most` requests, whichever comes first.

    `streams`: the calls that are streams are left out, or they alone are played. `sessions`: put `/@NAME` before each path.
    """

    port: int
    cassette: str
    seconds: float
    most: int = 1_000_000
    connections: int = 32
    streams: bool = False
    sessions: bool = True


@dataclass(slots=True)
class Count:
    """What came back. `wrong` counts answers of another status than the recorded one, `inexact` those that say so."""

    requests: int = 0
    seconds: float = 0.0
    received: int = 0
    wrong: int = 0
    inexact: int = 0
    broken: int = 0
    times: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, float]:
        numbers = asdict(self)
        times = sorted(numbers.pop("times")) or [0.0]
        numbers["p50_ms"] = times[len(times) // 2] * 1e3
        numbers["p99_ms"] = times[len(times) * 99 // 100] * 1e3
        return numbers


class Call(NamedTuple):
    """A request with a gap after `before` for the session, and the status line that its answer begins with."""

    before: bytes
    after: bytes
    status: bytes


def read_threads(cassette: Path, *, streams: bool) -> list[list[Call]]:
    """The calls to play, a list for each scope, in the order in which they were recorded."""
    with Reader.open(cassette) as reader:
        threads = []
        for scope in reader.scopes():
            calls = [reader.interaction(row) for row in reader.rows_of_scope(scope)]
            if streams and any(call.end is not End.COMPLETE for call in calls):
                continue  # a stream that was cut has the same request as one that was not
            chosen = [_call(call) for call in calls if _plays(call, streams=streams)]
            if chosen:
                threads.append(chosen)
        return threads


def _plays(call: Interaction, *, streams: bool) -> bool:
    return call.response is not None and call.end is End.COMPLETE and bool(call.response.marks) is streams


def _call(call: Interaction) -> Call:
    lines = [
        name + b": " + (b"Bearer " + KEY if name.lower() == b"authorization" else value)
        for name, value in call.request.headers
        if name.lower() != b"host"
    ]
    head = b"\r\n".join([call.request.target + b" HTTP/1.1", b"Host: 127.0.0.1:%(port)b", *lines])
    status = b"HTTP/1.1 %d " % (call.response.status if call.response else 0)
    return Call(call.request.method.encode() + b" ", head + b"\r\n\r\n" + call.request.body.read(), status)


class Player(asyncio.Protocol):
    """One connection: sends a request, takes its answer whole, sends the next."""

    def __init__(self, game: "Game", number: int) -> None:
        self._game = game
        self._number = number
        self._lap = 0
        self._thread = self._first = number * len(game.threads) // game.job.connections
        self._place = 0
        self._held = b""
        self._wanted = -1
        self._chunked = False
        self._sent_at = 0.0
        self._status = b""
        self._prefix = b""
        self._transport: asyncio.Transport | None = None
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a TCP connection's transport is one
        self._begin_lap()

    def start(self) -> None:
        self._send()

    def _begin_lap(self) -> None:
        self._lap += 1
        if self._game.job.sessions:
            self._prefix = b"/@j%dc%dl%d" % (self._game.number, self._number, self._lap)

    def _send(self) -> None:
        game = self._game
        now = time.perf_counter()
        if now >= game.ends or game.left <= 0:
            self._finish()
            return
        game.left -= 1
        thread = game.threads[self._thread]
        call = thread[self._place]
        self._place += 1
        if self._place == len(thread):
            self._place = 0
            self._thread = (self._thread + 1) % len(game.threads)
            if self._thread == self._first:
                prefix = self._prefix
                self._begin_lap()
                self._write(call, prefix, now)
                return
        self._write(call, self._prefix, now)

    def _write(self, call: Call, prefix: bytes, now: float) -> None:
        self._status = call.status
        self._sent_at = now
        if self._transport is not None:
            self._transport.write(call.before + prefix + call.after)

    def data_received(self, data: bytes) -> None:
        count = self._game.count
        count.received += len(data)
        if self._wanted < 0:
            data = self._held + data
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._held = data
                return
            self._held = b""
            head = data[:end].lower()
            if not data.startswith(self._status):
                count.wrong += 1
            if b"x-respool-inexact" in head:
                count.inexact += 1
            at = head.find(b"\r\ncontent-length:")
            self._chunked = at < 0
            self._wanted = int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            data = data[end + 4 :]
        if self._chunked:
            # The events of a stream end in two line feeds, so that only the last chunk can look like this.
            self._held = (self._held + data)[-5:]
            if self._held != b"0\r\n\r\n":
                return
            self._held = b""
        else:
            self._wanted -= len(data)
            if self._wanted > 0:
                return
        self._wanted = -1
        count.requests += 1
        count.times.append(time.perf_counter() - self._sent_at)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self._game.count.broken += 1
            self.done.set_result(None)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
        if self._transport is not None:
            self._transport.close()


class Game:
    """One job being played."""

    number = 0

    def __init__(self, job: Job, threads: list[list[Call]]) -> None:
        Game.number += 1
        self.number = Game.number
        self.job = job
        self.threads = [
            [call._replace(after=call.after.replace(b"%(port)b", b"%d" % job.port, 1)) for call in calls]
            for calls in threads
        ]
        self.count = Count()
        self.left = job.most
        self.ends = 0.0


async def play(job: Job, threads: list[list[Call]]) -> Count:
    """Play a job. Raises OSError when nobody listens, TimeoutError when the last answers do not come."""
    game = Game(job, threads)
    loop = asyncio.get_running_loop()
    players: list[Player] = []
    async with asyncio.timeout(CONNECTED_SECONDS):
        for number in range(job.connections):
            _, player = await loop.create_connection(lambda n=number: Player(game, n), "127.0.0.1", job.port)
            players.append(player)
    began = time.perf_counter()
    game.ends = began + job.seconds
    for player in players:
        player.start()
    async with asyncio.timeout(job.seconds + LAST_SECONDS):
        await asyncio.gather(*(player.done for player in players))
    game.count.seconds = time.perf_counter() - began
    return game.count


def main() -> int:
    plans: dict[tuple[str, bool], list[list[Call]]] = {}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for line in sys.stdin:
            job = Job(**json.loads(line))
            plan = (job.cassette, job.streams)
            if plan not in plans:
                plans[plan] = read_threads(Path(job.cassette), streams=job.streams)
            try:
                answer: dict[str, object] = {**runner.run(play(job, plans[plan])).summary()}
            except (OSError, TimeoutError) as error:
                answer = {"failed": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
