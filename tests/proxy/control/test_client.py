"""A control server that lies: whatever it says, only an error of respool's own comes of it, in bounded time and memory."""

import json
import os
import socket
import threading
from contextlib import contextmanager

import pytest
from respool.cassettes.errors import CassetteError, RespoolError, UsageError
from respool.proxy.control.client import Client, token_of
from respool.proxy.control.protocol import MOST_LINE, ControlError, event_of

CALL = {
    "number": 1, "place": 0, "how": "recorded", "session": "default", "method": "GET", "target": "/v1/threads/t", "scope": "t",
    "record": 1, "status": 200, "operation": 2, "flags": 0, "variant": 0, "started_us": 5, "duration_us": 5, "key": "0" * 16,
    "answer": "f" * 16, "noted": "",
}  # fmt: skip


@contextmanager
def lying(answer: bytes, tmp_path):
    """A socket that says this to whoever comes."""
    path = tmp_path / "liar.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(8)

    def serve():
        while True:
            try:
                one, _ = listener.accept()
            except OSError:
                return
            with one:
                one.settimeout(5)
                try:
                    one.recv(65536)
                    one.sendall(answer)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield Client(str(path))
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def answered(body, status="200 OK", *more):
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *more, "", ""])
    return head.encode() + body


HOSTILE = {
    "nothing": b"",
    "no HTTP": b"\x1b]52;c;aGk=\x07 hello\r\n\r\n",
    "endless head": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    "a length beyond all": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n{",
    "no JSON": answered(b"\x1b[2J"),
    "a list": answered(b"[]"),
    "deep": answered(b"[" * 200_000),
    "deep object": answered(b'{"a":' * 100_000),
    "wrong types": answered(json.dumps({"version": "1", "calls": "many"}).encode()),
    "huge number": answered(b'{"version": 1, "calls": ' + b"9" * 5000 + b"}"),
    "a chunk of a lie": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{",
    "an error with a long story": answered(json.dumps({"error": {"message": "x" * 100_000}}).encode(), "500 No"),
    "an error with no story": answered(b"\xff\xfe", "403 No"),
}


@pytest.mark.parametrize("lie", HOSTILE)
def test_nothing_but_an_error_of_ours_comes_of_a_lie(tmp_path, lie):
    with lying(HOSTILE[lie], tmp_path) as client, client:
        for ask in (client.snapshot, client.calls, lambda: client.call(1), lambda: client.report("x")):
            with pytest.raises(RespoolError) as told:
                ask()
            assert len(str(told.value)) < 1000


EVENTS = {
    "no JSON": b"\x1b[2J\n",
    "deep": b"[" * 100_000 + b"\n",
    "a longer line than can be": b'{"n": 1, "kind": "' + b"x" * (MOST_LINE + 10) + b'"}\n',
    "negative": b'{"n": -1, "kind": "call-lost", "number": 1}\n',
    "float": b'{"n": 1.5, "kind": "call-lost", "number": 1}\n',
    "text for a number": b'{"n": "1", "kind": "call-lost", "number": 1}\n',
    "a huge number": b'{"n": 1, "kind": "call-lost", "number": 99999999999999999999999}\n',
    "a member left out": b'{"n": 1, "kind": "call-begun", "number": 1}\n',
    "a huge text": json.dumps({"n": 1, "kind": "miss", "call": CALL, "why": "x" * 100_000}).encode() + b"\n",
    "a wrong digest": json.dumps({"n": 1, "kind": "call-finished", "call": {**CALL, "key": "\x1b[2J"}}).encode()
    + b"\n",
    "no kind": b'{"n": 1}\n',
    "a kind that is none": b'{"n": 1, "kind": ["gap"]}\n',
}


@pytest.mark.parametrize("lie", EVENTS)
def test_an_event_that_makes_no_sense_ends_the_stream_with_an_error(tmp_path, lie):
    with lying(b"HTTP/1.1 200 OK\r\n\r\n" + EVENTS[lie], tmp_path) as client:
        stream = client.events()
        with pytest.raises(ControlError):
            list(stream)


def test_a_kind_of_a_newer_version_is_passed_over(tmp_path):
    lines = b'{"n": 1, "kind": "call-painted", "colour": "red"}\n\n{"n": 2, "kind": "call-lost", "number": 3}\n'
    with lying(b"HTTP/1.1 200 OK\r\n\r\n" + lines, tmp_path) as client:
        (event,) = client.events()
    assert (event.n, event.number) == (2, 3)


def test_hostile_text_in_an_event_stays_text():
    event = event_of(json.dumps({"n": 1, "kind": "session-begun", "session": "\x1b]0;x\x07\u202e[/b]"}).encode())
    assert event.session == "\x1b]0;x\x07\u202e[/b]"  # who shows it makes it safe


def test_calls_out_of_order_and_too_many_are_refused(tmp_path):
    page = {"first": 5, "total": 9, "calls": [CALL]}
    with lying(answered(json.dumps(page).encode()), tmp_path) as client, client, pytest.raises(ControlError):
        client.calls()
    page = {"first": 0, "total": 9, "calls": [{**CALL, "place": place} for place in range(1001)]}
    (tmp_path / "liar.sock").unlink()
    with lying(answered(json.dumps(page).encode()), tmp_path) as client, client, pytest.raises(ControlError):
        client.calls()


def test_a_call_with_a_body_from_nowhere_is_refused(tmp_path):
    from respool.cassettes.codec import encode_map
    from respool.cassettes.summary import Summary

    fields = {"method": "GET", "target": b"/", "status": 200, "response_body": [[b"x" * 16, 1 << 20]]}
    data = Summary(0, 0, 0, 1, 0, 0, 200, 0, 0, 0).pack() + encode_map(fields)
    with lying(answered(data), tmp_path) as client, client:
        call = client.call(1)
        with pytest.raises(CassetteError):
            call.response.body.read()


@pytest.mark.parametrize("address", ["http://", "https://127.0.0.1:1", "http://127.0.0.1:99999", "http://[::1"])
def test_what_is_no_address_is_a_usage_error(address):
    with pytest.raises(UsageError):
        Client(address)


def test_nobody_there_is_told_in_one_line(tmp_path):
    for address in (str(tmp_path / "none.sock"), "http://127.0.0.1:1", str(tmp_path / ("x" * 200))):
        with pytest.raises(ControlError, match="cannot be reached") as told:
            Client(address).snapshot()
        assert told.value.exit_status == 4


def test_the_token_is_read_from_a_file_or_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("RESPOOL_CONTROL_TOKEN", "from-environment")
    (tmp_path / "token").write_text("from-file\n")
    assert token_of() == "from-environment"
    assert token_of(tmp_path / "token") == "from-file"
    with pytest.raises(UsageError):
        token_of(tmp_path / "none")


@pytest.mark.parametrize("system_tells", [True, False])
def test_the_socket_of_another_user_is_believed_nothing(tmp_path, monkeypatch, system_tells):
    """A file in a folder that all may write to is soon another's."""
    if not system_tells:
        monkeypatch.delattr(socket, "SO_PEERCRED")
    with lying(answered(b"{}"), tmp_path) as client:
        with pytest.raises(ControlError, match="makes no sense"):
            client.report("default")
        another = os.getuid() + 1
        monkeypatch.setattr(os, "getuid", lambda: another)
        client.close()
        with pytest.raises(ControlError, match="another user of this machine"):
            Client(client.address).report("default")
