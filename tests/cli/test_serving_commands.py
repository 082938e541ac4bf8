"""record, replay, serve and sandbox: the ready line, signals, draining, summaries and exit statuses."""

import http.client
import json
import os
import random
import re
import signal
import socket
import stat
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from respool.cassettes.reader import Reader

READY = re.compile(r"http://127\.0\.0\.1:[1-9][0-9]*(/v1)?\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize(
    ("arguments", "summary"),
    [
        (
            "record --upstream sandbox --cassette new.cassette",
            r"recorded 1 call to new\.cassette \(\d+ bytes written\)",
        ),
        ("replay recorded.cassette", r"replayed 1 call in 1 session; no misses"),
        ("sandbox", r"the sandbox answered 1 calls? and forgets"),
        ("serve --mode live --upstream sandbox", r"forwarded 1 call; nothing was kept"),
    ],
    ids=["record", "replay", "sandbox", "live"],
)
def test_a_server_says_one_line_when_ready_and_a_summary_when_stopped(respool, cassette, arguments, summary, number):
    before = set(respool.files())
    with respool.serving(*arguments.split()) as server:
        assert server.call("POST", "/threads", {"metadata": {"customer": "118"}})[0] == 200
        assert server.end(number) == 0
        assert len(server.out) == 1
        assert READY.fullmatch(server.out[0])
        lines = server.said.splitlines()
        assert re.search(summary, lines[-1]), server.said
        assert all("waiting up to" in line for line in lines[:-1]), "nothing but the drain may be said before"
    added = set(respool.files()) - before
    assert added == ({"new.cassette"} if "new.cassette" in arguments else set())


def test_a_large_recording_is_packed_when_it_ends(respool):
    bodies = [{"metadata": {"text": random.Random(number).randbytes(400_000).hex()}} for number in range(12)]
    with respool.serving("record", "--upstream", "sandbox", "--cassette", "new.cassette") as server:
        for body in bodies:
            server.call("POST", "/assistants", body)
        assert server.end() == 0
        assert "respool: packed it from " in server.said.splitlines()[-1]
    assert set(respool.files()) == {"new.cassette"}
    with Reader.open(respool.folder / "new.cassette") as reader:
        sent = [json.loads(reader.interaction(row).request.body.read()) for row in reader.rows()]
    assert sent == bodies
    with respool.serving("replay", "new.cassette") as server:
        assert server.call("POST", "/assistants", bodies[3])[0] == 400
        server.end()


def test_injected_faults_are_counted_in_the_summary(respool, cassette):
    rules = ("--fault", "createThread#1: status 429 retry-after 0", "--fault", "getRun: reset")
    with respool.serving("replay", "recorded.cassette", *rules, "--fault-seed", "3") as server:
        statuses = [server.call("POST", "/threads", {"metadata": {"customer": "118"}})[0] for _ in range(2)]
        assert server.end() == 0
    assert statuses == [429, 200]
    assert "replayed 1 call in 1 session" in server.said
    assert "injected 1 fault: 1 × createThread#1: status 429 retry-after 0; 0 × getRun: reset" in server.said, (
        server.said
    )


def test_the_four_modes_of_serve(respool, conversation):
    with respool.serving("sandbox") as sandbox:
        upstream = ("--upstream", sandbox.url, "--cassette", "a.cassette")
        with respool.serving("serve", "--mode", "record", *upstream) as server:
            recorded = conversation(server.url)
            assert server.end() == 0
        with respool.serving("serve", "--mode", "live", "--upstream", sandbox.url) as server:
            assert server.call("GET", "/threads/thread_unknown")[0] == 404
            assert server.end() == 0
        with respool.serving(
            "serve", "--mode", "auto", "--upstream", sandbox.url, "--cassette", "b.cassette"
        ) as server:
            assert conversation(server.url) != recorded
            assert server.end() == 0
            assert "b.cassette is not there: record" in server.said
        assert sandbox.end() == 0
        assert "answered 13 calls" in sandbox.said
    with respool.serving("serve", "--mode", "replay", "--cassette", "a.cassette") as server:
        assert conversation(server.url) == recorded
        assert server.end() == 0
    with respool.serving("serve", "--mode", "auto", *upstream) as server:
        assert "a.cassette is there: replay" in server.said
        assert conversation(server.url) == recorded
        assert server.end() == 0


def test_a_recording_is_private_to_its_user(respool, conversation):
    with respool.serving("record", "--upstream", "sandbox", "--cassette", "a.cassette") as server:
        conversation(server.url)
        assert stat.S_IMODE((respool.folder / "a.cassette.partial").stat().st_mode) == 0o600
        assert server.end() == 0
    assert stat.S_IMODE((respool.folder / "a.cassette").stat().st_mode) == 0o600


def test_a_miss_is_said_and_shows_in_the_exit_status(respool, cassette):
    with respool.serving("replay", cassette) as server:
        status, body = server.call("POST", "/threads", {"metadata": {"customer": "119"}})
        assert status == 502
        assert json.loads(body)["error"]["code"] == "respool_miss"
        assert server.end() == 1
        assert "miss: No recording answers POST" in server.said
        assert "replayed 0 calls in 1 session; 1 miss" in server.said
        assert "sk-test" not in server.said


def test_a_session_is_made_by_its_name(respool, cassette, conversation):
    with respool.serving("replay", cassette) as server:
        first = server.url
        for name in ("default", "gw0", "gw1"):
            url = first if name == "default" else first.removesuffix("/v1") + f"/@{name}/v1"
            assert conversation(url)[0][0] == 200
        assert server.end() == 0
        assert "replayed 18 calls in 3 sessions; no misses" in server.said


def test_a_recording_without_calls_leaves_nothing_behind(respool):
    with respool.serving("record", "--upstream", "sandbox", "--cassette", "a.cassette") as server:
        assert server.end() == 0
        assert "no calls came" in server.said
    assert respool.files() == {}


def test_append_adds_to_a_cassette_and_both_parts_replay(respool, conversation):
    seen = []
    for option in ((), ("--append",)):
        with respool.serving("record", "--upstream", "sandbox", "--cassette", "a.cassette", *option) as server:
            seen.append(conversation(server.url))
            assert server.end() == 0
    assert set(respool.files()) == {"a.cassette"}
    assert len(respool.inside("ls", "a.cassette").stdout.splitlines()) == 12
    with respool.serving("replay", "a.cassette") as server:
        assert [conversation(server.url) for _ in seen] == seen
        assert server.end() == 0


def test_append_begins_a_cassette_that_is_not_there(respool, conversation):
    with respool.serving("record", "--upstream", "sandbox", "--cassette", "a.cassette", "--append") as server:
        recorded = conversation(server.url)
        assert server.end() == 0
    with respool.serving("replay", "a.cassette") as server:
        assert server.url.endswith("/v1"), "the base path is known from the recording"
        assert conversation(server.url) == recorded
        assert server.end() == 0


def test_overwrite_replaces_a_cassette_only_when_the_recording_is_done(respool, cassette, conversation):
    old = cassette.read_bytes()
    with respool.serving("record", "--upstream", "sandbox", "--cassette", cassette, "--overwrite") as server:
        conversation(server.url)
        assert cassette.read_bytes() == old
        assert server.end() == 0
    assert cassette.read_bytes() != old
    assert set(respool.files()) == {cassette.name}


def wait_for_calls(path: Path, count: int) -> None:
    """The last bytes of an answer are on their way before it is stored: wait until it is."""
    pause = threading.Event()
    for _ in range(1000):
        with Reader.open(path) as reader:
            if len(reader) == count:
                return
        pause.wait(0.01)
    raise AssertionError(f"{path} never held {count} calls")


def test_a_killed_recording_leaves_a_readable_partial(respool, conversation):
    with respool.serving("record", "--upstream", "sandbox", "--cassette", "a.cassette") as server:
        recorded = conversation(server.url)
        wait_for_calls(respool.folder / "a.cassette.partial", 6)
        assert server.end(signal.SIGKILL) == -signal.SIGKILL
    assert set(respool.files()) == {"a.cassette.partial"}
    listed = respool.inside("ls", "a.cassette.partial")
    assert (listed.returncode, len(listed.stdout.splitlines())) == (0, 6)
    assert "was not closed cleanly" in listed.stderr
    with respool.serving("replay", "a.cassette.partial") as server:
        assert conversation(server.url) == recorded
        assert server.end() == 0
        assert "was not closed cleanly, its 6 whole calls are all that is there" in server.said


class HeldUpstream:
    """An upstream of one call, which it answers when it is told to."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"
        self.asked = threading.Event()
        self.answer = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            if connection.recv(65536):
                self.asked.set()
                self.answer.wait(30)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nlate")

    def close(self) -> None:
        self.answer.set()
        self._listener.close()


@pytest.fixture
def held():
    upstream = HeldUpstream()
    yield upstream
    upstream.close()


def begin(url: str) -> http.client.HTTPConnection:
    """Send a call and do not wait for its answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    connection.request("GET", "/v1/models")
    return connection


def test_a_running_call_gets_its_answer_before_the_recording_ends(respool, held):
    with respool.serving("record", "--upstream", held.url, "--cassette", "a.cassette") as server:
        client = begin(server.url)
        assert held.asked.wait(30)
        server.send(signal.SIGTERM)
        server.wait_for("waiting up to 30 s for running calls")
        held.answer.set()
        assert client.getresponse().read() == b"late"
        assert server.process.wait(30) == 0
        client.close()
    listed = respool.inside("ls", "a.cassette")
    assert re.search(r"GET +200 .*/v1/models$", listed.stdout.strip())
    assert listed.stderr == ""


def test_a_second_signal_cuts_a_running_call_and_keeps_the_recording(respool, held):
    with respool.serving("record", "--upstream", held.url, "--cassette", "a.cassette") as server:
        client = begin(server.url)
        assert held.asked.wait(30)
        server.send(signal.SIGINT)
        server.wait_for("a second signal cuts them")
        server.send(signal.SIGINT)
        answer = client.getresponse()
        error = json.loads(answer.read())["error"]
        assert (answer.status, error["code"]) == (503, "proxy_stopped")
        assert "respool was stopped before" in error["message"]
        assert server.process.wait(30) == 0
        server.close()
        client.close()
        assert "1 call was still running when respool was stopped, and is recorded as cut" in server.said
        assert "failed at the upstream" not in server.said
    listed = respool.inside("ls", "a.cassette")
    assert listed.stderr == ""
    assert "/v1/models" in listed.stdout
    assert "cut" in listed.stdout


def test_a_disk_that_takes_no_more_stops_the_recording_and_not_the_calls(respool):
    """A limit on the size of files stands in for a full disk; it strikes as an error of the same kind, in the same call."""
    limited = 'ulimit -f 32; exec "$@"'
    server_command = ["record", "--upstream", "sandbox", "--cassette", "a.cassette"]
    with respool.serving(*server_command, through=["bash", "-c", limited, "bash"]) as server:
        for number in range(40):
            text = os.urandom(1000).hex()
            assert server.call("POST", "/threads", {"messages": [{"role": "user", "content": text}]})[0] == 200, number
        assert server.end() == 3
        assert server.said.count("THE RECORDING HAS STOPPED") == 1
        assert "is whole in a.cassette.partial. Calls still go through." in server.said
        assert "the recording is not whole" in server.said
    assert set(respool.files()) == {"a.cassette.partial"}
    listed = respool.inside("ls", "a.cassette.partial")
    assert listed.returncode == 0
    assert 0 < len(listed.stdout.splitlines()) < 40


def test_an_upstream_that_goes_away_is_an_error_of_the_call_and_is_recorded_as_one(respool):
    with respool.serving("sandbox") as sandbox:
        with respool.serving("record", "--upstream", sandbox.url, "--cassette", "a.cassette") as server:
            assert server.call("POST", "/threads", {})[0] == 200
            sandbox.end()
            status, body = server.call("POST", "/threads", {})
            assert status == 502
            assert json.loads(body)["error"]["code"] == "upstream_failed"
            assert server.end() == 0
            assert "1 call failed at the upstream, and is recorded as failed" in server.said
    assert len(respool.inside("ls", "a.cassette").stdout.splitlines()) == 2


def test_the_sandbox_repeats_itself_with_a_seed_and_takes_a_script(respool, conversation, tmp_path: Path):
    (tmp_path / "rules.toml").write_text('[[rule]]\nmatch = "refund"\nscript = "fail server_error \\"no refunds\\""\n')
    seen = []
    for _ in range(2):
        with respool.serving("sandbox", "--seed", "7", "--script", "rules.toml") as server:
            seen.append(conversation(server.url))
            body = {"assistant_id": "asst_abc123", "thread": {"messages": [{"role": "user", "content": "a refund"}]}}
            run = json.loads(server.call("POST", "/threads/runs", body)[1])
            path = f"/threads/{run['thread_id']}/runs/{run['id']}"
            assert json.loads(server.call("GET", path)[1])["last_error"]["message"] == "no refunds"
            assert server.end() == 0
    assert seen[0] == seen[1]
