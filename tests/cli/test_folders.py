"""Folders of cassettes on the command line, and `auto` where something was interrupted or is busy."""

import json
import signal
import stat
import threading

from respool.cassettes.reader import Reader


def at(url: str, name: str) -> str:
    """The base URL of a session, from the ready line of a folder's server."""
    return f"{url}/@{name}/v1"


def test_a_folder_is_recorded_then_replayed_with_one_server_each(respool, conversation):
    names = ("refund", "suite/order")
    seen = {}
    with respool.serving("serve", "--mode", "record", "--upstream", "sandbox", "--cassette", "tapes/") as server:
        for name in names:
            seen[name] = conversation(at(server.url, name))
        assert server.end() == 0
        assert "recorded 12 calls to 2 cassettes" in server.said
    assert {name for name in respool.files() if name.endswith("cassette")} == {
        "tapes/refund.cassette",
        "tapes/suite/order.cassette",
    }
    assert stat.S_IMODE((respool.folder / "tapes/refund.cassette").stat().st_mode) == 0o600
    with respool.serving("replay", "tapes") as server:
        for name in names:
            for worker in ("", "~gw0", "~gw1"):
                assert conversation(at(server.url, name + worker)) == seen[name]
        assert server.end() == 0
        assert "replayed 36 calls in 6 sessions; no misses" in server.said


def test_a_name_that_leads_nowhere_shows_in_the_exit_status(respool, cassette, conversation):
    with respool.serving("replay", respool.folder) as server:
        status, body = server.call("GET", "/v1/threads/thread_1")
        assert status == 404
        assert "/@NAME in front of the path names one of these: recorded" in json.loads(body)["error"]["message"]
        assert server.end() == 1
        assert "default.cassette does not exist" in server.said
        assert "1 call of sessions that lead to no cassette that could be used" in server.said


def test_a_cassette_that_cannot_be_used_shows_in_the_exit_status(respool, cassette):
    (respool.folder / "notes.cassette").write_text("- buy milk\n")
    with respool.serving("replay", respool.folder) as server:
        assert server.call("GET", "/@notes/v1/threads/t")[0] == 500
        assert server.end() == 3
        assert "notes.cassette is not a cassette" in server.said


def test_a_miss_in_a_folder_shows_in_the_exit_status(respool, cassette):
    with respool.serving("replay", respool.folder) as server:
        assert server.call("POST", "/@recorded/v1/threads", {"metadata": {"customer": "119"}})[0] == 502
        assert server.end() == 1
        assert "replayed 0 calls in 1 session; 1 miss" in server.said
        assert "\n  where    which would begin a thread\n  why " in server.said


def test_auto_on_a_folder_records_what_is_missing_and_needs_no_upstream_afterwards(respool, cassette, conversation):
    with respool.serving("serve", "--mode", "auto", "--upstream", "sandbox", "--cassette", respool.folder) as server:
        first = conversation(at(server.url, "new"))
        replayed = conversation(at(server.url, "recorded"))
        assert server.end() == 0
        assert "recorded 6 calls to 1 cassette" in server.said
        assert "replayed 6 calls in 1 session; no misses" in server.said
    with respool.serving("serve", "--mode", "auto", "--cassette", respool.folder) as server:
        assert conversation(at(server.url, "new")) == first
        assert conversation(at(server.url, "recorded")) == replayed
        assert server.call("GET", "/@other/v1/threads/t")[0] == 404
        assert server.end() == 1


def test_a_session_of_a_folder_is_dropped_when_it_is_idle(respool, conversation):
    arguments = ("--upstream", "sandbox", "--cassette", "tapes/", "--session-idle", "0.2")
    with respool.serving("serve", "--mode", "record", *arguments) as server:
        conversation(at(server.url, "a"))
        pause = threading.Event()
        for _ in range(1000):
            if (respool.folder / "tapes/a.cassette").exists():
                break
            pause.wait(0.02)
        with Reader.open(respool.folder / "tapes/a.cassette") as reader:
            assert (reader.sealed, len(reader)) == (True, 6)
        assert server.end() == 0


def test_a_folder_whose_server_was_killed_is_recorded_anew_by_auto(respool, conversation):
    arguments = ("serve", "--mode", "auto", "--upstream", "sandbox", "--cassette", "tapes/")
    with respool.serving(*arguments) as server:
        server.call("POST", "/@a/v1/threads", {})
        assert server.end(signal.SIGKILL) == -signal.SIGKILL
    assert [name for name in respool.files() if "." in name] == ["tapes/a.cassette.partial"]
    with respool.serving(*arguments) as server:
        seen = conversation(at(server.url, "a"))
        assert server.end() == 0
    assert {"tapes/a.cassette", "tapes/a.cassette.cut-1"} <= set(respool.files())
    with respool.serving("replay", "tapes") as server:
        assert conversation(at(server.url, "a")) == seen
        assert server.end() == 0


def test_auto_keeps_what_an_interrupted_recording_left_and_records_anew(respool, conversation):
    arguments = ("serve", "--mode", "auto", "--upstream", "sandbox", "--cassette", "a.cassette")
    with respool.serving(*arguments) as server:
        server.call("POST", "/threads", {})
        assert server.end(signal.SIGKILL) == -signal.SIGKILL
    with respool.serving(*arguments) as server:
        seen = conversation(server.url)
        assert server.end() == 0
        assert "an interrupted recording is kept as a.cassette.cut-1" in server.said
    assert set(respool.files()) == {"a.cassette", "a.cassette.cut-1"}
    with respool.serving("serve", "--mode", "auto", "--cassette", "a.cassette") as server:
        assert conversation(server.url) == seen
        assert server.end() == 0


def test_auto_does_not_replay_a_cassette_without_a_seal(respool, cassette):
    cassette.write_bytes(cassette.read_bytes()[:-10])
    done = respool.inside("serve", "--mode", "auto", "--upstream", "sandbox", "--cassette", cassette, "--port", 0)
    assert done.returncode == 3
    assert "was not closed cleanly, so `auto` does not take it for a whole recording" in done.stderr


def test_of_two_auto_servers_the_second_is_told_who_records(respool):
    arguments = ("serve", "--mode", "auto", "--upstream", "sandbox", "--cassette", "a.cassette")
    with respool.serving(*arguments) as server:
        done = respool.inside(*arguments, "--port", 0)
        assert done.returncode == 3
        assert "another respool is recording to a.cassette" in done.stderr
        assert server.call("POST", "/threads", {})[0] == 200
        assert server.end() == 0
    assert set(respool.files()) == {"a.cassette"}


def test_a_folder_that_cannot_be_served_is_said_at_the_start(respool):
    (respool.folder / "empty").mkdir()
    (respool.folder / "file").touch()
    for arguments, status, text in (
        (["replay", "empty"], 3, "the folder empty holds no cassette"),
        (["replay", "missing/"], 3, "the folder missing cannot be opened"),
        (["serve", "--mode", "record", "--cassette", "new/"], 2, "needs an upstream"),
        (["serve", "--mode", "record", "--upstream", "sandbox", "--cassette", "file/"], 3, "cannot be made"),
        (["serve", "--mode", "auto", "--append", "--cassette", "empty"], 2, "--append is for recording"),
        (["replay", "empty", "--session-idle", "0"], 2, "is no time to be idle"),
    ):
        done = respool.inside(*arguments, "--port", 0)
        assert (done.returncode, text in done.stderr) == (status, True), done.stderr
    assert not (respool.folder / "new").exists()


def test_faults_in_a_folder_are_counted_together_and_no_refused_call_is_a_replayed_one(respool, cassette):
    (respool.folder / "other.cassette").write_bytes((respool.folder / "recorded.cassette").read_bytes())
    rule = "createThread#1: status 429"
    with respool.serving("replay", respool.folder, "--fault", rule) as server:
        for name in ("recorded", "recorded~gw1", "other"):
            assert server.call("POST", f"/@{name}/v1/threads", {})[0] == 429
        assert server.end() == 0
        assert "replayed 0 calls in 3 sessions; no misses" in server.said
        assert f"injected 3 faults: 3 × {rule}" in server.said


def test_settings_that_cannot_be_used_take_one_cassette_down_and_not_the_folder(respool, cassette):
    (respool.folder / "other.cassette").write_bytes((respool.folder / "recorded.cassette").read_bytes())
    (respool.folder / "other.cassette.toml").write_text('ignore = ["$["]\n')
    (respool.folder / "recorded.cassette.toml").write_text('ignore = ["$.metadata.trace"]\n')
    with respool.serving("replay", respool.folder) as server:
        for name in ("recorded", "recorded~gw1", "recorded~gw2"):
            assert server.call("POST", f"/@{name}/v1/threads", {"metadata": {"never": "said"}})[0] == 502
        status, body = server.call("POST", "/@other/v1/threads", {})
        assert (status, json.loads(body)["error"]["code"]) == (500, "cassette_refused")
        assert server.end() == 2
        assert "other.cassette.toml: the ignore rule $[ cannot be used" in server.said
        assert server.said.count("ignoring $.metadata.trace (recorded.cassette.toml)") == 1
        assert "Traceback" not in server.said
