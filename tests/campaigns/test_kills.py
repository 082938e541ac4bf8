"""A real recorder under load is killed (SIGKILL) at a random moment, again and again, each going on where the last was killed.

An answer's last bytes reach a client just before the call is stored, so at a kill each client can miss its last one, and
nothing but that. Everything that was stored before any of the kills stays, byte for byte.
"""

import random
import signal
import stat
import time
from pathlib import Path

from campaign import sized
from recorders import Client, calls_in, start, url_of
from respool.cassettes.reader import Reader

KILLS = sized(4, 200)
CLIENTS = 3
ROUNDS = 10
"""Kills of one cassette, before the next one is begun."""
ANSWERS = 60
"""Answers after which a recorder is killed, at most: the moment is counted in calls, so that a slow machine has the same load."""


def kill_under_load(path: Path, arguments: list[str], name: str, chance: random.Random) -> list[Client]:
    """Record to `path`, kill the recorder at some moment, and return its clients."""
    process = start("--cassette", path, *arguments)
    clients: list[Client] = []
    try:
        if "--append" in arguments and chance.random() < 0.1:
            time.sleep(chance.uniform(0, 0.8))  # somewhere in its start
        else:
            url = url_of(process)
            clients = [Client(url, f"{name}-{number}", size=chance.choice([10, 700])) for number in range(CLIENTS)]
            for client in clients:
                client.start()
            answers, until = chance.randint(1, ANSWERS), time.monotonic() + 60
            while sum(len(client.heard) for client in clients) < answers:
                assert time.monotonic() < until, "the clients are answered"
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.01))  # somewhere in a call
        process.kill()
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL, "it was at work until it was killed"
    for client in clients:
        client.join(30)
        assert not client.is_alive()
    return clients


def test_a_killed_recorder_keeps_every_call_that_it_had_stored(tmp_path):
    stored: dict[str, bytes] = {}
    missed = heard = loaded = 0
    for number in range(KILLS):
        chance = random.Random(number)
        first = number % ROUNDS == 0
        name = tmp_path / f"{number // ROUNDS}.cassette"
        path = name.with_name(name.name + ".partial")
        arguments = [] if first else ["--append"]
        arguments += ["--durable"] if number % 3 == 1 else []
        if first:
            stored = {}
        clients = kill_under_load(name if first else path, arguments, str(number), chance)
        loaded += bool(clients)
        assert all(client.sent > len(client.heard) for client in clients), "each was in the middle of a call"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        found = calls_in(path)
        assert {key: found.get(key) for key in stored} == stored, "what was there before stays"
        for client in clients:
            missing = [key for key in client.heard if key not in found]
            assert missing in ([], list(client.heard)[-1:]), "the last answer of a client, if any"
            assert all(found[key] == data for key, data in client.heard.items() if key in found)
            missed += len(missing)
            heard += len(client.heard)
        sent = {f"{number}-{at}-{count}" for at, client in enumerate(clients) for count in range(client.sent)}
        assert found.keys() - stored.keys() <= sent
        stored = found
    assert loaded >= KILLS * 3 // 4, "the others were killed in their start"
    assert missed <= heard / 20


def test_what_a_kill_left_is_finished_by_the_next_recorder(tmp_path):
    path = tmp_path / "a.cassette"
    (first, *_) = kill_under_load(path, [], "1", random.Random(1))
    partial = tmp_path / "a.cassette.partial"
    process = start("--cassette", partial, "--append")
    client = Client(url_of(process), "2")
    client.start()
    time.sleep(0.2)
    client.stopped.set()
    client.join(30)
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0
    found = calls_in(partial)
    assert found.keys() >= set(list(first.heard)[:-1]) | client.heard.keys()
    with Reader.open(partial) as reader:
        assert reader.sealed
