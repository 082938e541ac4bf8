"""Two processes begin to write one cassette at the same moment: one has it, the other is told that it is in use."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from campaign import sized
from cassette_samples import contents
from respool.cassettes.reader import Reader
from respool.cassettes.writer import Writer

RACER = """
import json, sys, time
from respool.cassettes.errors import CassetteError
from respool.cassettes.interaction import Body, Interaction, Request, Response
from respool.cassettes.summary import Summary
from respool.cassettes.writer import Writer
from respool.proxy.modes import look
writer = None
for line in sys.stdin:
    how, path, moment, options = json.loads(line)
    if how == "close":
        if writer is not None:
            writer.close()
            writer = None
        print(json.dumps("closed"), flush=True)
        continue
    while time.monotonic() < moment:
        pass
    try:
        if how == "look":
            for _ in range(150):
                look(__import__("pathlib").Path(path)).close()
            said = "looked"
        else:
            writer = getattr(Writer, how)(path, **options)
            body = Response(200, body=Body.of(str(sys.argv[1]).encode()))
            writer.append(Interaction(0, 7, Request("GET", b"/threads/a"), body, scope="a"), Summary(*[0] * 6, 200, 0, 0, 0))
            said = "won"
    except CassetteError as error:
        said = error.message
    except BaseException as error:
        said = f"{type(error).__name__}: {error}"
    print(json.dumps(said), flush=True)
"""


class Racer:
    """A process that waits for its moments."""

    def __init__(self, name: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", RACER, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def tell(self, how: str, path: Path, moment: float = 0.0, **options: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([how, str(path), moment, options]) + "\n")
        self.process.stdin.flush()

    def said(self) -> str:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def racers() -> Iterator[list[Racer]]:
    started = [Racer("one"), Racer("two"), Racer("three")]
    yield started
    for racer in started:
        racer.process.kill()
        racer.process.communicate()


def race(racers: list[Racer], how: str, path: Path, **options: object) -> list[str]:
    moment = time.monotonic() + 0.003
    for racer in racers:
        racer.tell(how, path, moment, **options)
    return [racer.said() for racer in racers]


def finish(racers: list[Racer], path: Path) -> None:
    for racer in racers:
        racer.tell("close", path)
    for racer in racers:
        assert racer.said() == "closed"


@pytest.mark.parametrize("how", ["create", "overwrite", "append_to"])
def test_of_two_that_begin_at_once_exactly_one_records(tmp_path, racers, how):
    pair = racers[:2]
    options = {"overwrite": True} if how == "overwrite" else {}
    wins = {"one": 0, "two": 0}
    for number in range(sized(12, 100)):
        path = tmp_path / f"{number}.cassette"
        if how != "create":
            Writer.create(path).close()
        said = race(pair, "append_to" if how == "append_to" else "create", path, **options)
        assert sorted(word == "won" for word in said) == [False, True], said
        (refused,) = [word for word in said if word != "won"]
        assert "another respool is recording" in refused
        finish(pair, path)
        with Reader.open(path) as reader:
            assert reader.sealed
        (winner,) = contents(path)
        assert winner.decode() == ["one", "two"][said.index("won")]
        wins[winner.decode()] += 1
    assert sum(wins.values()) == sized(12, 100)


def test_who_only_looks_never_keeps_a_recorder_out(tmp_path, racers):
    first, second, third = racers
    for number in range(sized(5, 100)):
        path = tmp_path / f"{number}.cassette"
        moment = time.monotonic() + 0.003
        for racer in (second, third):
            racer.tell("look", path, moment)
        first.tell("create", path, moment + 0.001 * (number % 5))
        assert first.said() == "won"
        assert (second.said(), third.said()) == ("looked", "looked")
        finish(racers, path)
        for racer in (second, third):
            racer.tell("look", path)
        first.tell("append_to", path, time.monotonic() + 0.002 * (number % 5))
        assert first.said() == "won"
        assert (second.said(), third.said()) == ("looked", "looked")
        finish(racers, path)
        assert contents(path) == [b"one", b"one"]
