"""Commands that tests begin in a process forked for each are as commands are that Python begins."""

import os
import signal
import subprocess

import pytest
from nursery import run

ANEW = ["env"]
"""By way of another command Python begins it."""


@pytest.mark.parametrize(
    "words",
    [
        ("ls", "recorded.cassette"),
        ("show", "recorded.cassette"),
        ("diff", "recorded.cassette", "recorded.cassette"),
        ("doctor", "none.cassette"),
        ("nonsense",),
        ("--version",),
    ],
    ids=lambda words: words[0],
)
def test_a_command_says_and_ends_the_same(respool, cassette, words):
    forked, anew = respool(*words), respool(*words, through=ANEW)
    assert (forked.returncode, forked.stdout, forked.stderr) == (anew.returncode, anew.stdout, anew.stderr)


@pytest.mark.parametrize("through", [(), ANEW], ids=["forked", "anew"])
def test_a_server_has_a_process_of_its_own_that_signals_end(respool, cassette, through):
    with respool.serving("replay", cassette, through=through) as server:
        assert server.process.poll() is None
        assert server.process.pid != os.getpid()
        assert server.call("GET", "/threads/thread_unknown")[0] == 404
        assert server.end(signal.SIGTERM) == 0
    with respool.serving("replay", cassette, through=through) as server:
        assert server.end(signal.SIGKILL) == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        os.kill(server.process.pid, 0)


def test_none_knows_of_another(respool, cassette):
    with respool.serving("replay", cassette) as first, respool.serving("replay", cassette) as second:
        assert first.process.pid != second.process.pid
        assert first.end() == 0
        assert second.call("GET", "/threads/thread_unknown")[0] == 404
        assert second.end() == 0
    assert "replayed 0 calls" in first.said
    assert "replayed 1 call" in second.said


def test_who_waits_no_longer_than_so_is_told_that_it_goes_on(respool, cassette):
    with respool.serving("replay", cassette) as server:
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(0.01)
        assert server.end() == 0


def test_a_command_has_the_variables_that_it_is_given_and_no_others(respool):
    def width(**more: str) -> int:
        environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | more
        done = run(["--help"], timeout=30, cwd=respool.folder, environment=environment)
        return max(map(len, done.stdout.splitlines()))

    usual = width()
    assert width(COLUMNS="200") > usual
    assert width() == usual
