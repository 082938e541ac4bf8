"""What `respool inspect` takes its argument for, with real sockets."""

import os
import subprocess
import sys

import pytest
from respool.cassettes.errors import UsageError
from respool.cli.attaching import proxy_of
from respool.proxy.control import places
from respool.proxy.control.hub import Hub
from respool.proxy.control.server import control


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def hub(port, mode="record"):
    made = Hub(mode)
    made.address = f"http://127.0.0.1:{port}/v1"
    return made


def test_with_nothing_running_and_nothing_named_it_says_what_to_do(home):
    with pytest.raises(UsageError, match="no proxy is running"):
        proxy_of(None, None)


async def test_the_one_proxy_that_runs_needs_no_name_and_several_are_listed(home):
    async with control(hub(8080), "", 8080, narrate=print) as first:
        assert proxy_of(None, None)().address == first
        second = places.folder() / "8081-1.sock"
        with places.bind(second):
            pass
        assert proxy_of(None, None)().address == first  # the other is dead
        async with control(hub(9090, "replay"), str(places.folder() / f"9090-{os.getpid()}.sock"), 9090, narrate=print):
            with pytest.raises(UsageError, match="2 proxies are running") as told:
                import asyncio

                await asyncio.to_thread(proxy_of, None, None)
    assert told.value.lines == ("  http://127.0.0.1:8080/v1 · record", "  http://127.0.0.1:9090/v1 · replay")


async def test_the_url_of_a_data_port_of_this_machine_finds_its_socket(home):
    async with control(hub(8080), "", 8080, narrate=print) as address:
        for named in ("http://127.0.0.1:8080", "http://localhost:8080/v1", "http://[::1]:8080/"):
            assert proxy_of(named, None)().address == address
        for named in ("http://127.0.0.1:8081", "http://example.com:8080"):
            assert proxy_of(named, None)().address == named


async def test_a_proxy_that_was_started_again_is_found_by_its_port(home):
    async with control(hub(8080), "", 8080, narrate=print) as address:
        connect = proxy_of(address, None)
    again = places.folder() / "8080-4711.sock"
    async with control(hub(8080), str(again), 8080, narrate=print):
        assert connect().address == str(again)


def test_a_file_is_a_cassette_whether_it_is_there_or_not(home):
    (home / "x.cassette").write_text("")
    assert proxy_of(str(home / "x.cassette"), None) is None
    assert proxy_of(str(home / "none"), None) is None
    assert proxy_of("\0", None) is None


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "no proxy is running to look at"),
        (["http://127.0.0.1:1"], 4, "cannot be reached"),
        (["https://127.0.0.1:1"], 2, "is no address of a control API"),
        (["http://127.0.0.1:1", "--token-file", "none"], 2, "no token can be read"),
    ],
)
def test_what_cannot_be_attached_to_is_one_line_and_a_status(home, arguments, status, said):
    done = subprocess.run(
        [sys.executable, "-m", "respool", "inspect", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == status
    assert said in done.stderr.splitlines()[0]
    assert "Traceback" not in done.stderr
