"""The sessions of a replay: made, dropped when idle or too many, and small."""

import json
import tracemalloc
from collections.abc import Callable

import pytest
from recorded_calls import JSON, write_cassette
from respool.cassettes.ambiguities import Ambiguities, Call
from respool.cassettes.binding import Binder
from respool.cassettes.faults import Faults
from respool.cassettes.positions import Session
from respool.cassettes.reader import Reader
from respool.cassettes.tape import Tape
from respool.proxy.injection import MOST_KEPT, Fate
from respool.proxy.players import Player, Players


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_an_idle_session_is_dropped_and_begins_anew():
    clock = Clock()
    players = Players(lambda name: object(), idle=60, clock=clock)
    first, other = players.get("one"), players.get("two")
    clock.now += 50
    assert players.get("one") is first
    clock.now += 50
    players.get("three")
    assert list(players) == ["one", "three"], "two was not used for 100 s, one for 50 s"
    assert players.get("two") is not other
    clock.now += 61
    assert players.get("one") is not first, "although nobody swept meanwhile"
    assert players.made == 5


def test_the_session_used_longest_ago_makes_room():
    players = Players(lambda name: object(), most=3)
    for name in ("a", "b", "c", "a", "d"):
        players.get(name)
    assert list(players) == ["c", "a", "d"]


def test_a_session_of_a_hundred_calls_is_as_small_as_the_docs_say(tmp_path):
    """docs/modes.md says 8 kB, measured like this; the bound leaves room for other versions of Python."""
    calls = []
    for number in range(50):
        path = b"/v1/threads/thread_%d/messages" % (number % 10)
        calls.append(("POST", path, b'{"n": %d}' % number, b'{"id": "m"}', 200))
        calls.append(("GET", path, b"", b'{"n": %d}' % number, 200))
    with Reader.open(write_cassette(tmp_path / "a.cassette", calls)) as reader:
        tape = Tape(reader)
        players = Players(lambda name: Player(Session(tape)))
        keys = [row.summary.key for row in reader.rows()]

        def play(name: str) -> None:
            session = players.get(name).session
            assert all(session.serve(key) for key in keys)

        assert each_costs(play, 200) < 16_000


def each_costs(play: Callable[[str], None], count: int) -> float:
    """Bytes that a session costs, without what all sessions of a cassette share."""
    play("so that what all share is there")
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(count):
            play(f"session{number}")
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (after - before) / count


def say(thread: int, text: str, number: int) -> tuple:
    answer = b'{"id": "msg_%04d_%d"}' % (thread, number)
    return "POST", b"/v1/threads/thread_%04d/messages" % thread, json.dumps({"content": text}).encode(), answer, 200


@pytest.mark.parametrize(("words_each", "order", "most"), [(10_000, 1, 80_000), (400, -1, 120_000)])
def test_threads_that_begin_alike_cost_no_bodies(tmp_path, words_each: int, order: int, most: int):
    """docs/modes.md says 36 kB in the recorded order and 70 kB in the other one; the bodies are 4 MB, and 160 kB."""
    threads, long = 20, "word " * words_each
    calls = []
    for thread in range(threads):
        calls.append(("POST", b"/v1/threads", b"{}", b'{"id": "thread_%04d"}' % thread, 200))
        calls.append(say(thread, long, 0))
        calls += [say(thread, f"{long}{thread}", number) for number in (1, 2, 3)]
    with Reader.open(write_cassette(tmp_path / "a.cassette", calls)) as reader:
        tape = Tape(reader)
        shared = Ambiguities(tape)

        def made(_: str) -> Player:
            session = Session(tape)
            return Player(session, None, Binder(session, shared))

        players = Players(made)

        def ask(player: Player, target: bytes, body: bytes) -> None:
            call = Call("POST", target, (JSON,), body)
            assert player.serve(call, shared.key_of(call)) is not None

        def play(name: str) -> None:
            """Create all threads, then say under each name what was recorded in the thread that stands there in `order`."""
            player = players.get(name)
            for _ in range(threads):
                ask(player, b"/v1/threads", b"{}")
            for number in range(4):
                for thread, words in enumerate(range(threads)[::order]):
                    _, target, body, *_ = say(thread, f"{long}{words}" if number else long, number)
                    ask(player, target, body)
            assert bool(player.binder.names) == (order < 0)
            assert player.binder.active, "the names are still open, so that all of it is remembered"

        assert each_costs(play, 2) < most


def test_writes_that_are_kept_for_a_retry_cost_little(tmp_path):
    """docs/modes.md says 40 kB for as many as a session keeps."""
    with Reader.open(write_cassette(tmp_path / "a.cassette", [say(1, "hello", 0)])) as reader:
        session = Session(Tape(reader))
        served = session.serve(next(reader.rows()).summary.key)
        players = Players(lambda name: Player(session, Fate(Faults(["*: reset"]), name, reader)))

        def play(name: str) -> None:
            kept = players.get(name).fate.kept
            for number in range(2 * MOST_KEPT):
                kept.append((2**63 + number, served._replace(place=1000 + number)))

        assert each_costs(play, 5) < 80_000
