"""`--durable`: the disk is waited for after each call, in every way to record; where nothing is recorded it is refused."""

import sys

import pytest

COUNTED = """
import os, sys
real, waits = os.fdatasync, []
def told(fd):
    real(fd)
    waits.append(fd)
    print("wait", len(waits), file=sys.stderr, flush=True)
os.fdatasync = told
from respool.cli.main import run
sys.exit(run(sys.argv[4:]))
"""
THROUGH = (sys.executable, "-c", COUNTED)


def test_each_call_reaches_the_disk_while_the_recording_goes_on(respool):
    command = ["record", "--upstream", "sandbox", "--cassette", "a.cassette"]
    with respool.serving(*command, "--durable", through=THROUGH) as server:
        server.wait_for("wait 1\n")
        for number in range(2, 5):
            assert server.call("POST", "/threads", {})[0] == 200
            server.wait_for(f"wait {number}\n")
        assert server.end() == 0
    with respool.serving(*command, "--append", "--durable", through=THROUGH) as server:
        server.wait_for("wait 1\n")
        assert server.call("POST", "/threads", {})[0] == 200
        server.wait_for("wait 2\n")
        assert server.end() == 0
    assert len(respool.inside("ls", "a.cassette").stdout.splitlines()) == 4


def test_without_the_option_nothing_waits_until_the_end(respool):
    with respool.serving("record", "--upstream", "sandbox", "--cassette", "a.cassette", through=THROUGH) as server:
        assert server.call("POST", "/threads", {})[0] == 200
        assert "wait" not in server.said
        assert server.end() == 0
        assert "wait 1\n" in server.said
        assert "wait 2\n" not in server.said


def test_a_folder_is_recorded_so_too(respool):
    command = ["serve", "--mode", "record", "--upstream", "sandbox", "--cassette", "tapes/", "--durable"]
    with respool.serving(*command, through=THROUGH) as server:
        server.url += "/@one/v1"
        assert server.call("POST", "/threads", {})[0] == 200
        server.wait_for("wait 2\n")
        assert server.end() == 0


def test_a_tail_is_recorded_so_too(respool, cassette):
    command = ["record", "--upstream", "sandbox", "--cassette", cassette, "--tail", "1", "-o", "new.cassette"]
    with respool.serving(*command, "--durable", through=THROUGH) as server:
        server.wait_for("wait 2\n")
        server.end()


@pytest.mark.parametrize("mode", ["replay", "live"])
def test_where_nothing_is_recorded_it_is_refused(respool, mode):
    rest = ["--cassette", "a.cassette"] if mode == "replay" else ["--upstream", "sandbox"]
    result = respool.inside("serve", "--mode", mode, *rest, "--durable")
    assert result.returncode == 2
    assert "--durable" in result.stderr
