"""`--control` as the command line has it, with real processes."""

import socket
import threading
import time

import pytest
from respool.proxy.control.client import Client


def running(respool, *arguments):
    return respool.serving("record", "--upstream", "sandbox", "--cassette", "a.cassette", *arguments)


def test_a_path_is_a_socket_there_while_the_proxy_runs(respool, tmp_path):
    path = tmp_path / "c.sock"
    with running(respool, "--control", path) as server:
        server.call("POST", "/threads", {})
        with Client(str(path)) as client:
            told = client.snapshot()
            assert (told.mode, told.recorded, told.address) == ("record", 1, server.url)
        assert server.end() == 0
    assert not path.exists()


def test_a_port_tells_its_token_once_and_is_open_to_nobody_else(respool, monkeypatch):
    monkeypatch.delenv("RESPOOL_CONTROL_TOKEN", raising=False)
    with running(respool, "--control", "127.0.0.1:0") as server:
        server.wait_for("the token of the control API is ")
        assert "the control API is at http://127.0.0.1:" in server.said
        assert server.said.count("the token") == 1
        server.end()


def test_off_is_silent_and_what_cannot_be_had_by_name_is_an_error(respool, tmp_path):
    with running(respool, "--control", "off") as server:
        server.call("POST", "/threads", {})
        assert server.end() == 0
        assert "control" not in server.said
    done = respool("replay", "a.cassette", "--control", tmp_path)
    assert done.returncode == 2
    assert "is there, and is no socket of yours" in done.stderr


def test_a_call_that_is_held_does_not_hold_up_the_end(respool, tmp_path):
    path = tmp_path / "c.sock"
    with running(respool, "--control", path) as server, Client(str(path)) as client:
        client.intercept("", 600)
        answers = []
        caller = threading.Thread(target=lambda: answers.append(server.call("POST", "/threads", {})))
        caller.start()
        while not client.holding().held:
            time.sleep(0.01)
        assert server.end() == 0
        caller.join(10)
        assert answers[0][0] == 200
        assert "recorded 1 call" in server.said


def told_by(path) -> str:
    """What a control API says of itself, its calls, and its events from the first on."""
    said = b""
    for asked in (b"snapshot", b"calls?first=0&limit=99", b"events?after=0"):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(path))
            sock.settimeout(0.5)
            sock.sendall(b"GET /%b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % asked)
            try:
                while piece := sock.recv(65536):
                    said += piece
            except TimeoutError:  # the events go on
                pass
    return said.decode()


@pytest.mark.parametrize(
    "command",
    [
        ("record", "--upstream", "sandbox", "--cassette", "b.cassette"),
        ("serve", "--mode", "live", "--upstream", "sandbox"),
        ("serve", "--mode", "record", "--upstream", "sandbox", "--cassette", "many/"),
        ("replay", "a.cassette"),
        ("replay", "."),
    ],
)
def test_names_of_sessions_obey_the_rules_of_the_user(respool, tmp_path, command):
    (tmp_path / "pyproject.toml").write_text('[tool.respool]\nredact = ["text:acme_live_*"]\n')
    with running(respool, "--control", "off") as server:
        server.call("POST", "/threads", {})
        assert server.end() == 0
    path = tmp_path / "c.sock"
    with respool.serving(*command, "--control", path, "--verbose") as server:
        server.url = server.url.removesuffix("/v1") + "/@acme_live_7/v1"
        for _ in range(2):
            server.call("POST", "/threads", {})
            server.call("GET", "/nothing")
        said = told_by(path)
        server.end()
    assert '"number":0' in said.replace(" ", "")
    assert "acme_live_" not in said + server.said
    assert not list(tmp_path.rglob("*acme_live_*"))
    assert b"acme_live_7" not in b"".join(respool.files().values())
