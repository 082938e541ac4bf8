"""`--control` as the command line has it, with real processes."""

import threading
import time

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
