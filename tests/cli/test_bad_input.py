"""What cannot be done is said in one clear line and a hint, with the documented exit status, and leaves all as it was."""

import gzip
import os
import socket
import struct
import threading
import zlib
from pathlib import Path

import pytest
from respool.cassettes.writer import Writer

USAGE, CASSETTE, UPSTREAM = 2, 3, 4
RECORD = "record --upstream sandbox --port 0 --cassette"


def check(respool, arguments: str, status: int, *fragments: str, inside: bool = False) -> None:
    """Run a command that must fail: one line and at most one hint on stderr, nothing on stdout, no file touched."""
    before = respool.files()
    done = respool.inside(*arguments.split()) if inside else respool(*arguments.split())
    lines = done.stderr.splitlines()
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert lines[0].startswith("respool: ")
    assert len(lines) <= 2, done.stderr
    assert all(line.startswith("  ") for line in lines[1:])
    for fragment in fragments:
        assert fragment in done.stderr
    assert respool.files() == before


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        ("frobnicate", ["there is no command 'frobnicate'", "`respool --help`"]),
        ("recrod --upstream sandbox", ["there is no command 'recrod'", "did you mean `respool record`?"]),
        ("replay --cassette recorded.cassette", ["unrecognized arguments: --cassette", "`respool replay --help`"]),
        ("show recorded.cassette another", ["unrecognized arguments: another", "`respool show --help`"]),
        ("--frobnicate", ["--frobnicate"]),
        ("record --cassette a.cassette", ["--upstream"]),
        ("record --upstream sandbox", ["--cassette"]),
        ("record --upstream sandbox --cassette a.cassette --append --overwrite", ["--append", "--overwrite"]),
        ("replay", ["FILE"]),
        ("replay a.cassette --port 65536", ["'65536' is not a port", "0 takes a free one"]),
        ("replay a.cassette --port http", ["'http' is not a port"]),
        ("replay a.cassette --polls fast", ["--polls", "compress"]),
        ("replay recorded.cassette --port 0 --pace fast", ["--pace 'fast' is not a pace", "x4"]),
        ("serve", ["--mode"]),
        ("serve --mode forward", ["'forward'"]),
        ("serve --mode record --upstream sandbox", ["--mode record needs a cassette"]),
        ("serve --mode replay", ["--mode replay needs a cassette"]),
        ("serve --mode record --cassette a.cassette", ["--mode record needs an upstream"]),
        ("serve --mode auto --cassette a.cassette", ["a.cassette is not there, so --mode auto", "needs an upstream"]),
        ("serve --mode live", ["--mode live needs an upstream"]),
        ("serve --mode live --upstream sandbox --cassette a.cassette", ["keeps nothing"]),
        ("serve --mode live --upstream sandbox --append", ["keeps nothing"]),
        ("serve --mode live --upstream sandbox --overwrite", ["keeps nothing"]),
        ("sandbox --latency -1", ["--latency -1 is not a latency"]),
        ("sandbox --latency nan", ["--latency nan is not a latency"]),
        ("sandbox --seed one", ["--seed"]),
        ("sandbox --port 0 --script missing.toml", ["missing.toml cannot be read: No such file or directory\n"]),
        ("sandbox --port 0 --host 203.0.113.7", ["203.0.113.7"]),
        ("replay recorded.cassette --port 0 --host 203.0.113.7", ["203.0.113.7", "127.0.0.1"]),
        ("show recorded.cassette --thread thread_other", ["no thread thread_other", "it has 2 threads, the first"]),
        ("replay recorded.cassette --fault getRun:failed", ["column 8", "failed is not one of status"]),
        ("replay recorded.cassette --fault createRnu:reset", ["column 1", "did you mean createRun?"]),
        ("serve --mode record --upstream http://h/v1 --cassette a.cassette --fault *:reset", ["injects no faults"]),
        *(
            (f"serve --mode live --upstream http://h/v1 {given}", ["--mode live", given.split()[0], "says nothing"])
            for given in ("--polls recorded", "--pace x2", "--session-idle 5", "--ignore $.model", "--match-header A")
        ),
        *(
            (
                f"serve --mode record --upstream http://h/v1 --cassette a.cassette {given}",
                [given.split()[0], "says nothing"],
            )
            for given in ("--polls recorded", "--strict", "--fault-seed 5", "--session-idle 5", "--no-late-binding")
        ),
        ("show", ["CASSETTE"]),
        ("ls", ["CASSETTE"]),
        ("import", ["FILE"]),
        ("record --upstream host/v1 --cassette a.cassette", ["the upstream host/v1 is no http:// or https:// URL"]),
        ("record --upstream ftp://host/v1 --cassette a.cassette", ["http:// or https://"]),
        ("record --upstream http:///v1 --cassette a.cassette", ["with a host"]),
        ("record --upstream http://host:port/v1 --cassette a.cassette", ["cannot be read"]),
        ("record --upstream http://host/v1?key=1 --cassette a.cassette", ["a query"]),
        ("record --upstream http://me:secret@host/v1 --cassette a.cassette", ["a user name or a password"]),
    ],
)
def test_a_wrong_call_says_what_is_wrong(respool, cassette, arguments: str, fragments: list[str]):
    check(respool, arguments, USAGE, *fragments, inside=True)


@pytest.mark.parametrize("arguments", ["frobnicate", "record", "serve --mode live", "replay a.cassette --port http"])
def test_a_wrong_call_ends_a_process_with_the_same_words(respool, arguments: str):
    inside = respool.inside(*arguments.split())
    check(respool, arguments, USAGE, inside.stderr)


@pytest.mark.parametrize("url", ["http://me:secret@host/v1", "me:secret@host/v1", "host/v1?key=secret"])
def test_a_password_in_the_upstream_url_is_not_repeated(respool, url: str):
    done = respool.inside("record", "--upstream", url, "--cassette", "a.cassette")
    assert done.returncode == USAGE
    assert "secret" not in done.stderr


def test_no_command_at_all_shows_what_there_is(respool):
    done = respool()
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert "commands:" in done.stderr


def newer(sealed: bytes) -> bytes:
    """The same cassette from a respool of tomorrow: the major version in the header is one more."""
    head = bytearray(sealed[:64])
    struct.pack_into("<H", head, 8, struct.unpack_from("<H", head, 8)[0] + 1)
    struct.pack_into("<I", head, 60, zlib.crc32(head[:60]))
    return bytes(head) + sealed[64:]


UNREADABLE = [
    ("missing", None, "missing.cassette"),
    ("a folder", "folder", "folder"),
    ("empty", lambda _: b"", "is empty"),
    ("cut in its header", lambda sealed: sealed[:40], "ends inside its first 64 bytes"),
    ("YAML", lambda _: b"interactions:\n- request:\n    method: GET\n", "looks like YAML"),
    ("JSON", lambda _: b'{"http_interactions": []}', "looks like JSON"),
    ("gzip", lambda sealed: gzip.compress(sealed), "looks like gzip"),
    ("noise", lambda _: b"\x93" * 5000, "is not a cassette"),
    ("newer", newer, "newer"),
]


@pytest.mark.parametrize("command", ["replay --port 0", "show", "ls"])
@pytest.mark.parametrize(("make", "fragment"), [row[1:] for row in UNREADABLE], ids=[row[0] for row in UNREADABLE])
def test_what_is_no_whole_cassette_is_named(respool, recorded_bytes: bytes, command: str, make, fragment: str):
    name = "bad.cassette"
    if make is None:
        name = "missing.cassette"
    elif make == "folder":
        name = "folder"
        (respool.folder / name).mkdir()
    else:
        (respool.folder / name).write_bytes(make(recorded_bytes))
    check(respool, f"{command} {name}", CASSETTE, fragment, inside=True)


def test_an_existing_cassette_ends_a_process_with_status_3(respool, cassette):
    check(respool, f"{RECORD} recorded.cassette", CASSETTE, "recorded.cassette exists already")


def test_a_busy_port_ends_a_process_with_status_2(respool, cassette):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        check(respool, f"replay recorded.cassette --port {busy.getsockname()[1]}", USAGE, "in use")


def test_an_unreachable_upstream_ends_a_process_with_status_4(respool):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
    check(respool, f"record --upstream {url} --cassette a.cassette --port 0", UPSTREAM, f"{url} cannot be reached")


@pytest.mark.parametrize("command", ["replay --port 0", "show", "ls"])
def test_a_cassette_that_is_not_there_ends_a_process_with_status_3(respool, command: str):
    check(respool, f"{command} missing.cassette", CASSETTE, "missing.cassette")


def damage(cassette: Path) -> None:
    """Overwrite a piece of the last answer."""
    data = cassette.read_bytes()
    at = data.index(b"No thread found with id")
    cassette.write_bytes(data[:at] + b"Some thread" + data[at + 11 :])


@pytest.mark.parametrize("command", ["show", "ls"])
def test_damage_is_met_as_an_error_after_what_is_whole(respool, cassette: Path, command: str):
    whole = respool.inside(command, cassette).stdout
    damage(cassette)
    done = respool.inside(command, cassette)
    assert done.returncode == CASSETTE
    assert whole.startswith(done.stdout)
    assert done.stdout != whole
    line, hint = done.stderr.splitlines()
    assert line.startswith(f"respool: {cassette} is damaged in 1 place")
    assert "5 calls are whole" in line
    assert "respool doctor" in hint


def test_damage_that_a_call_meets_is_said_to_it_and_shows_in_the_exit_status(respool, cassette: Path, conversation):
    damage(cassette)
    with respool.serving("replay", cassette) as server:
        seen = conversation(server.url)
        assert [status for status, _ in seen] == [200, 200, 200, 200, 200, 500]
        assert b"cassette_damaged" in seen[5][1]
        assert server.end() == CASSETTE
        assert "is damaged in 1 place" in server.said
        assert "replayed 5 calls in 1 session; no misses; 1 call not answered" in server.said


@pytest.mark.parametrize("command", ["show", "ls"])
def test_a_torn_tail_is_read_as_far_as_it_is_whole_and_said(respool, recorded_bytes: bytes, command: str):
    (respool.folder / "torn.cassette").write_bytes(recorded_bytes[: len(recorded_bytes) * 2 // 3])
    done = respool.inside(command, "torn.cassette")
    assert done.returncode == 0
    assert done.stdout
    assert "torn.cassette was cut short: it was not closed cleanly" in done.stderr
    assert "are no whole record" in done.stderr


def test_an_existing_cassette_is_not_recorded_over(respool, cassette):
    check(
        respool, f"{RECORD} recorded.cassette", CASSETTE, "recorded.cassette exists already", "--append", "--overwrite"
    )


def test_a_partial_in_the_way_is_kept(respool):
    writer = Writer.create(respool.folder / "a.cassette")
    writer.abandon()
    check(respool, f"{RECORD} a.cassette", CASSETTE, "a.cassette.partial is in the way", "--overwrite", inside=True)


@pytest.mark.parametrize("option", ["", " --append", " --overwrite"])
def test_a_cassette_that_is_being_recorded_is_locked(respool, option: str):
    writer = Writer.create(respool.folder / "a.cassette")
    try:
        check(respool, f"{RECORD} a.cassette{option}", CASSETTE, "a.cassette", inside=True)
    finally:
        writer.abandon()


@pytest.mark.parametrize("option", ["--append", "--overwrite"])
def test_a_cassette_that_is_being_appended_to_is_locked(respool, cassette, option: str):
    writer = Writer.append_to(cassette)
    try:
        check(
            respool,
            f"{RECORD} recorded.cassette {option}",
            CASSETTE,
            "another respool is recording to",
            str(os.getpid()),
        )
    finally:
        writer.abandon()


def test_what_is_no_cassette_is_not_appended_to(respool):
    (respool.folder / "notes.txt").write_text("- buy milk\n")
    check(respool, f"{RECORD} notes.txt --append", CASSETTE, "notes.txt is not a cassette", inside=True)


def test_a_folder_that_is_not_there_is_named(respool):
    check(respool, f"{RECORD} no/such/a.cassette", CASSETTE, "its folder does not exist", "mkdir -p", inside=True)


@pytest.mark.parametrize(
    "command",
    [f"{RECORD} folder", f"{RECORD} folder --append", f"{RECORD} /", f"{RECORD} .", "show folder", "doctor folder"],
)
def test_a_folder_is_not_a_cassette(respool, command: str):
    (respool.folder / "folder").mkdir()
    check(respool, command, CASSETTE, " is a directory, not a cassette file", inside=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_what_may_not_be_written_is_said(respool, cassette: Path):
    cassette.chmod(0o444)
    check(respool, f"{RECORD} recorded.cassette --append", CASSETTE, "recorded.cassette cannot be opened: Permission")
    locked = respool.folder / "locked"
    locked.mkdir(mode=0o555)
    check(respool, f"{RECORD} locked/a.cassette", CASSETTE, "a.cassette.partial cannot be made: Permission denied")
    check(respool, f"{RECORD} locked/a.cassette --append", CASSETTE, "a.cassette.partial cannot be made")


@pytest.mark.parametrize("command", ["sandbox --port 0", "replay recorded.cassette --port 0", f"{RECORD} new.cassette"])
def test_a_host_that_is_none_of_this_machine_is_not_blamed_on_the_port(respool, cassette, command: str):
    host = "no-such-host.invalid"
    check(
        respool, f"{command} --host {host}", USAGE, f"{host} is not an address of this machine", "--host", inside=True
    )


@pytest.mark.parametrize(
    "command",
    ["replay recorded.cassette", "record --upstream sandbox --cassette a.cassette", "sandbox",
     "record --upstream sandbox --cassette recorded.cassette --append",
     "record --upstream sandbox --cassette recorded.cassette --overwrite",
     "serve --mode live --upstream sandbox"],
)  # fmt: skip
def test_a_busy_port_is_said_and_leaves_nothing(respool, cassette, command: str):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        check(respool, f"{command} --port {port}", USAGE, f"port {port}", "in use", inside=True)


@pytest.mark.parametrize("command", ["record --cassette a.cassette", "serve --mode live"])
def test_an_unreachable_upstream_is_found_at_the_start(respool, command: str):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
    check(
        respool,
        f"{command} --port 0 --upstream {url}",
        UPSTREAM,
        f"{url} cannot be reached",
        "is it running",
        inside=True,
    )


def answer_in_plain_text(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def test_an_upstream_that_does_not_speak_tls_is_found_at_the_start(respool):
    with socket.create_server(("127.0.0.1", 0)) as plain:
        answering = threading.Thread(target=answer_in_plain_text, args=(plain,), daemon=True)
        answering.start()
        url = f"https://127.0.0.1:{plain.getsockname()[1]}/v1"
        check(respool, f"{RECORD} a.cassette --upstream {url}", UPSTREAM, "TLS", inside=True)


def test_a_terminal_is_not_written_to_by_what_a_cassette_or_a_call_says(respool):
    hostile = "\x1b]0;owned\x07.cassette"
    (respool.folder / hostile).write_bytes(b"")
    for command in (["show", hostile], ["replay", hostile], ["ls", "missing" + hostile], ["fro\x1bb"]):
        done = respool.inside(*command)
        assert done.returncode in (USAGE, CASSETTE)
        assert "\x1b" not in done.stdout + done.stderr


def test_a_bad_recording_of_another_tool_makes_no_cassette(respool):
    (respool.folder / "bad.yaml").write_text("interactions: [\n")
    check(respool, "import bad.yaml out.cassette", CASSETTE, "bad.yaml", inside=True)
    check(respool, "import missing.yaml out.cassette", CASSETTE, "missing.yaml", inside=True)


def test_an_import_does_not_replace_a_cassette(respool, cassette):
    (respool.folder / "good.json").write_text('{"http_interactions": []}')
    check(respool, "import good.json recorded.cassette", CASSETTE, "recorded.cassette", inside=True)


def test_the_demo_keeps_a_recording_that_is_not_its_own(respool, cassette: Path):
    before = respool.files()
    done = respool.inside("demo", "--cassette", "recorded.cassette")
    assert done.returncode == CASSETTE
    assert done.stderr.startswith("respool: recorded.cassette is there already, and no demo left it\n  ")
    assert respool.files() == before
