"""Recordings of other recorders, imported by the command and replayed over HTTP: each answer is the one recorded.

The files in tests/fixtures/foreign were made by the recorders themselves, cassetter 0.16 with httpx and mitmproxy 11 as a
reverse proxy, from a conversation with the sandbox; what the client saw then stands beside each.
"""

import base64
import http.client
import json
import signal
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import foreign_recordings
import pytest
from foreign_recordings import CONVERSATION, Call

FIXTURES = Path(__file__).parents[1] / "fixtures" / "foreign"


def send(base: str, call: Call) -> tuple[int, str, bytes]:
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        headers = {"Content-Type": call.asked_kind, "Authorization": "Bearer sk-of-a-later-day"}
        connection.request(call.method, call.path, call.body or None, headers)
        response = connection.getresponse()
        return response.status, response.getheader("Content-Type", ""), response.read()
    finally:
        connection.close()


def same(seen: bytes, recorded: bytes, kind: str, *, exact: bool) -> bool:
    if exact or "json" not in kind or not recorded:
        return seen == recorded
    return json.loads(seen) == json.loads(recorded)


def replayed(respool, recording: Path, calls, *, exact: bool, kinds: bool = True) -> str:
    """Import a file, replay it, make the calls again; returns what the import said."""
    done = respool.inside("import", recording, "out.cassette")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    with respool.serving("replay", "out.cassette", "--polls", "recorded", "--strict") as server:
        for call in calls:
            status, kind, body = send(server.url, call)
            assert status == call.status, (call.path, body)
            assert same(body, call.answer, call.kind, exact=exact), (call.path, body, call.answer)
            assert not kinds or kind == (call.kind if call.answer else ""), call.path
        assert server.end(signal.SIGTERM) == 0, server.said
    assert "no misses" in server.said
    return done.stderr


@pytest.mark.parametrize(
    ("write", "name", "exact"),
    [
        (foreign_recordings.cassetter, "cassetter YAML", False),
        (foreign_recordings.azure, "Azure test proxy JSON", False),
        (foreign_recordings.mitmproxy, "mitmproxy flows", True),
    ],
)
def test_a_conversation_that_was_imported_replays_over_http(
    respool, tmp_path, write: Callable[..., bytes], name: str, exact: bool
):
    path = tmp_path / "recording"
    path.write_bytes(write(CONVERSATION))
    said = replayed(respool, path, CONVERSATION, exact=exact)
    assert f"respool: 12 calls from {name} to out.cassette\n" in said
    assert "no pace of streams (1)" in said


@pytest.mark.parametrize(("name", "exact"), [("cassetter-0.16.yaml", False), ("mitmproxy-11.flows", True)])
def test_a_recording_that_the_recorder_itself_made_replays_as_its_client_saw_it(respool, name, exact):
    calls = []
    for method, path, body, asked_kind, status, answer in json.loads(
        (FIXTURES / name).with_suffix(".json").read_text()
    ):
        data = base64.b64decode(answer)
        kind = "application/json" if data[:1] == b"{" else "text/event-stream" if data[:1] == b"e" else ""
        calls.append(
            Call(
                method,
                "/v1" + path,
                base64.b64decode(body or ""),
                status,
                data,
                kind or "application/octet-stream",
                asked_kind,
            )
        )
    assert len(calls) == 15
    said = replayed(respool, FIXTURES / name, calls, exact=exact, kinds=False)  # the client wrote no types down
    assert "15 calls" in said
    assert "sk-test-0123456789" in (FIXTURES / "mitmproxy-11.flows").read_text("latin-1")
    assert b"sk-test-0123456789" not in (respool.folder / "out.cassette").read_bytes()
