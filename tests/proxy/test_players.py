"""The sessions of a replay: made, dropped when idle or too many, and small."""

import tracemalloc

from recorded_calls import write_cassette
from respool.cassettes.positions import Session
from respool.cassettes.reader import Reader
from respool.cassettes.tape import Tape
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

        play("so that what all share is there")
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            for number in range(200):
                play(f"session{number}")
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert (after - before) / 200 < 16_000
