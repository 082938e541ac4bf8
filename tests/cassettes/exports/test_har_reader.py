"""Our HAR opened by somebody else's reader, haralyzer: entries, times and bodies as it sees them.

A proxy knows no pages, so the export has none; the reader puts all entries on one.
"""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from haralyzer import HarEntry, HarParser
from respool.cassettes.exports import FORMATS
from respool.cassettes.interaction import Body, End, Interaction, Request, Response

BEGAN = datetime(2026, 3, 31, 13, 31, 30, 123_000, tzinfo=UTC)
EVENTS = b'event: thread.run.created\ndata: {"id": "run_1"}\n\ndata: [DONE]\n\n'
FORM = b"--x\r\n\r\nhello \x00\xff\r\n--x--\r\n"
JSON = ((b"Content-Type", b"application/json"), (b"X-Two", b"1"), (b"x-two", b"2"))


def call(number: int, method: str, target: bytes, body: bytes, response: Response | None, end: End = End.COMPLETE):
    began = int((BEGAN + timedelta(seconds=number)).timestamp() * 1_000_000)
    request = Request(method, target, JSON if body else (), Body.of(body))
    return Interaction(number, began, request, response, end, duration_us=30_500, scope="thread_1")


def answer(status: int, body: bytes, kind: bytes = b"application/json", coding: str = "", marks=()) -> Response:
    return Response(status, b"OK", ((b"Content-Type", kind), *JSON[1:]), Body.of(body), coding, 10_250, marks)


CALLS = (
    call(0, "POST", b"/v1/threads?a=1&a=2", b'{"x": "\xc3\xa9"}', answer(200, b'{"id":"thread_1"}', coding="gzip")),
    call(
        1,
        "POST",
        b"/v1/threads/thread_1/runs",
        b"{}",
        answer(200, EVENTS, b"text/event-stream", marks=((30, 9), (35, 20))),
    ),
    call(2, "POST", b"/v1/files", FORM, answer(200, b"{}")),
    call(3, "GET", b"/v1/files/file-1/content", b"", answer(200, bytes(range(256)), b"application/octet-stream")),
    call(4, "GET", b"/v1/threads/thread_x", b"", answer(404, b'{"error": {}}')),
    call(5, "GET", b"/v1/threads/thread_1", b"", answer(200, b'{"id"'), End.UPSTREAM_CUT),
    call(6, "GET", b"/v1/threads/thread_1", b"", None, End.UPSTREAM_FAILED),
)


@pytest.fixture
def entries(made, tmp_path: Path) -> list[HarEntry]:
    (tmp_path / "out.har").write_text("".join(FORMATS["har"](made(*CALLS))))
    parser = HarParser.from_file(tmp_path / "out.har")
    assert (parser.version, parser.creator["name"]) == ("1.2", "respool")
    (page,) = parser.pages
    assert page.url == "https://api.example.com/v1/threads?a=1&a=2"
    assert (len(page.get_requests), len(page.post_requests)) == (4, 3)
    assert [entry.status for entry in page.filter_entries(status_code="[45].*")] == [404]
    return page.entries


def test_each_call_is_an_entry_with_its_times(entries):
    assert len(entries) == len(CALLS)
    for number, entry in enumerate(entries):
        assert entry.startTime == BEGAN + timedelta(seconds=number)
        assert entry.time == 30.5
        spent = [entry.timings[name] for name in ("send", "wait", "receive")]
        assert sum(spent) == entry.time
        assert spent[1] == (10.25 if CALLS[number].response else 30.5)


def test_each_request_and_answer_is_what_it_was(entries):
    for entry, was in zip(entries, CALLS, strict=True):
        assert (entry.request.method, entry.request.url) == (
            was.request.method,
            "https://api.example.com" + was.request.target.decode(),
        )
        if was.response is None:
            assert entry.status == 0
            continue
        assert (entry.status, entry.response.statusText) == (was.response.status, "OK")
        assert [(line["name"], line["value"]) for line in entry.response.headers][1:] == [
            ("X-Two", "1"),
            ("x-two", "2"),
        ]
        body = was.response.body.read()
        coded = "encoding" in entry.response.raw_entry["content"]
        assert (base64.b64decode(entry.response.text) if coded else entry.response.text.encode()) == body
        assert entry.response.contentSize == len(body)
    assert [pair["value"] for pair in entries[0].request.queryString] == ["1", "2"]
    assert json.loads(entries[0].request.text) == {"x": "é"}
    assert entries[1].response.mimeType == "text/event-stream"
