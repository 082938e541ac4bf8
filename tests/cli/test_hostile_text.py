"""No command writes what a terminal obeys, hides or turns round, wherever in a recording, a name or a call it stands."""

import json
import os
import socket

import pytest
from hostile_text import SEQUENCES, raw, recording

NAME = "a\x1b[31m\x9b2J\u202eb\u200b"
"""Of a file, an option or a thread: the user may have pasted it, or a script took it from elsewhere."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    recording(folder / "a.cassette")
    recording(folder / "b.cassette", said=" else")
    return folder


@pytest.fixture
def cassettes(hostile, tmp_path):
    for name in ("a.cassette", "b.cassette"):
        os.link(hostile / name, tmp_path / name)
    return tmp_path


def quiet(done):
    assert raw(done.stdout) == [], done.args
    assert raw(done.stderr) == [], done.args
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    return done


def test_there_is_enough_that_is_hostile():
    assert len(set(SEQUENCES)) >= 200
    assert {"\x1b", "\x00", "\x7f", "\x9b", "\u202e", "\u200b", "\U000e0041"} <= set("".join(SEQUENCES))
    assert all(raw(text) for text in SEQUENCES)


READING = [
    "ls a.cassette",
    "show a.cassette",
    "show --plain a.cassette",
    "show a.cassette --filter status==404",
    "diff a.cassette b.cassette",
    "diff --json a.cassette b.cassette",
    "doctor a.cassette",
    "export --markdown a.cassette",
    "export --curl a.cassette",
    "export --python a.cassette",
    "export --pytest a.cassette",
    "export --jsonl a.cassette",
    "export --har a.cassette",
    "trim a.cassette -o trimmed.cassette --filter http:404",
    "split a.cassette -o parts",
    "merge a.cassette b.cassette -o merged.cassette",
    "merge a.cassette b.cassette --keep first -o merged.cassette",
    "pack a.cassette -o packed.cassette",
    "migrate a.cassette -o migrated.cassette",
    "import a.cassette other.cassette",
    "inspect a.cassette",
]


@pytest.mark.parametrize("line", READING)
def test_no_command_that_reads_a_recording_writes_it_raw(respool, cassettes, line):
    done = quiet(respool.inside(*line.split()))
    assert done.returncode in {0, 1, 2, 3}
    assert done.stdout or done.stderr
    if done.returncode == 2:
        assert line.startswith("inspect"), done.stderr  # anything else is a mistake of this test


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", NAME],
        ["show", "a.cassette", "--thread", NAME],
        ["show", "a.cassette", "--filter", f"({NAME}"],
        ["ls", "a.cassette", "--filter", f"path=={NAME}("],
        ["ls", NAME],
        ["diff", NAME, "a.cassette"],
        ["doctor", NAME],
        ["export", "--har", NAME],
        ["export", "--har", "a.cassette", f"no/such/{NAME}"],
        ["trim", "a.cassette", "-o", f"{NAME}/x.cassette"],
        ["split", NAME, "-o", NAME],
        ["merge", NAME, NAME, "-o", NAME],
        ["pack", NAME],
        ["migrate", NAME],
        ["import", NAME, "x.cassette"],
        ["import", "text.json", f"{NAME}.cassette"],
        ["record", "--upstream", f"http://{NAME}/v1", "--cassette", "x.cassette"],
        ["record", "--upstream", NAME, "--cassette", "x.cassette"],
        ["record", "--upstream", "http://127.0.0.1:1/v1", "--cassette", f"{NAME}/x.cassette"],
        ["replay", NAME],
        ["replay", "a.cassette", "--host", NAME],
        ["replay", "a.cassette", "--port", NAME],
        ["replay", "a.cassette", "--fault", NAME],
        ["replay", "a.cassette", "--ignore", NAME],
        ["replay", "a.cassette", "--match-header", NAME],
        ["replay", "a.cassette", "--allow-host", NAME],
        ["replay", "a.cassette", "--pace", NAME],
        ["replay", "a.cassette", "--polls", NAME],
        ["serve", "--mode", NAME],
        ["sandbox", "--script", NAME],
        ["drift", "a.cassette", "--upstream", f"http://{NAME}"],
        [NAME],
        [f"--{NAME}"],
        ["show", "a.cassette", NAME],
    ],
    ids=lambda arguments: "-".join(arguments).encode("ascii", "backslashreplace").decode(),
)
def test_no_error_repeats_a_name_raw(respool, cassettes, arguments):
    (cassettes / "text.json").write_text(json.dumps({"log": {"entries": [{"request": NAME}], "version": NAME}}))
    done = quiet(respool.inside(*arguments))
    assert done.returncode in {1, 2, 3, 4}
    assert done.stdout == ""
    assert done.stderr.startswith(("respool: ", "usage: "))


def test_a_file_with_such_a_name_is_read_and_named_visibly(respool, cassettes):
    os.link(cassettes / "a.cassette", cassettes / f"{NAME}.cassette")
    for command in ("ls", "show", "doctor"):
        assert quiet(respool.inside(command, f"{NAME}.cassette")).returncode == 0
    broken = (cassettes / "a.cassette").read_bytes()[:-5000]
    (cassettes / f"cut{NAME}.cassette").write_bytes(broken)
    for command in ("ls", "show", "doctor"):
        done = quiet(respool.inside(command, f"cut{NAME}.cassette"))
        assert done.returncode in {0, 1, 3}
    assert quiet(respool.inside("doctor", "--repair", f"cut{NAME}.cassette")).stdout


def test_a_replay_and_its_misses_are_told_visibly(respool, cassettes):
    with respool.serving("replay", "a.cassette") as served:
        port = int(served.url.rsplit(":", 1)[1].partition("/")[0])
        for text in ("".join(SEQUENCES[at::40]) for at in range(40)):
            body = json.dumps({"role": "user", "content": text, text: text}, ensure_ascii=False).encode()
            for target in (b"/v1/threads", b"/v1/threads/thread_1" + text.encode() + b"/messages?" + text.encode()):
                if any(byte <= 32 or byte == 127 for byte in target):
                    target = b"/v1/threads/thread_" + "".join(f"%{byte:02x}" for byte in text.encode()).encode()
                head = b"POST %b HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
                with socket.create_connection(("127.0.0.1", port), 10) as client:
                    client.sendall(head % (target, port, len(body)) + body)
                    answer = b"".join(iter(lambda: client.recv(65536), b""))
                assert answer.startswith(b"HTTP/1.1 "), (target, answer)
        served.end()
        assert served.said.count("miss") >= 40
        assert raw("".join(served.out) + served.said) == []
