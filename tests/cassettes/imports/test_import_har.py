"""HAR of browsers and proxies: what is read, what is put in order, and what is said to be lost."""

import base64
import json
from pathlib import Path

import pytest
from respool.cassettes.errors import CassetteError
from respool.cassettes.imports import import_files
from respool.cassettes.interaction import End
from respool.cassettes.reader import Reader

URL = "https://api.example.com/v1/threads"


def entry(when: str = "2026-03-31T13:31:30.123Z", *, request=None, response=None, **more) -> dict:
    asked = {"method": "POST", "url": URL, "headers": [{"name": "Content-Type", "value": "application/json"}]}
    asked["postData"] = {"mimeType": "application/json", "text": "{}"}
    answered = {"status": 200, "statusText": "OK", "headers": [], "content": {"size": 2, "text": "{}"}}
    return {
        "startedDateTime": when,
        "time": 100.5,
        "timings": {"wait": 60, "receive": 40.5},
        "request": asked | (request or {}),
        "response": answered | (response or {}),
    } | more


def imported(tmp_path: Path, *entries: dict, **log: object):
    path = tmp_path / "in.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": list(entries)} | log}))
    report = import_files([path], tmp_path / "out.cassette", overwrite=True)
    with Reader.open(tmp_path / "out.cassette") as reader:
        calls = [reader.interaction(row) for row in reader.rows()]
        for call in calls:
            call.request.body.read()
            assert call.response is None or isinstance(call.response.body.read(), bytes)
        bodies = [b"" if call.response is None else call.response.body.read() for call in calls]
        asked = [call.request.body.read() for call in calls]
    return calls, asked, bodies, report


def test_times_headers_and_bodies_are_kept(tmp_path):
    (call,), asked, bodies, report = imported(tmp_path, entry())
    assert (asked, bodies) == ([b"{}"], [b"{}"])
    assert call.started_us % 1_000_000 == 123_000
    assert (call.duration_us, call.response.head_us) == (100_500, 60_000)
    assert call.request.target == b"/v1/threads"
    assert call.request.headers == ((b"Content-Type", b"application/json"),)
    assert report.formats == ("HAR",)
    assert report.notes == ()


def test_base64_is_undone_and_fields_that_are_missing_are_empty(tmp_path):
    text = base64.b64encode(b"\x00\xff").decode()
    bare = {"request": {"method": "GET", "url": URL}, "response": {"status": 204}}
    _, asked, bodies, _ = imported(tmp_path, entry(response={"content": {"text": text, "encoding": "base64"}}), bare)
    assert bodies == [b"\x00\xff", b""]
    assert asked == [b"{}", b""]


def test_calls_are_put_in_the_order_in_which_they_began(tmp_path):
    late, early = entry("2026-03-31T13:31:32Z", request={"url": URL + "/b"}), entry(request={"url": URL + "/a"})
    calls, *_ = imported(tmp_path, late, early)
    assert [call.request.target for call in calls] == [b"/v1/threads/a", b"/v1/threads/b"]


def test_what_is_no_call_over_http_is_left_out_and_counted(tmp_path):
    others = [
        entry(request={"url": url}) for url in ("data:text/plain,x", "wss://a.example/x", "chrome-extension://x/y")
    ]
    calls, _, _, report = imported(tmp_path, entry(), *others)
    assert len(calls) == 1
    assert report.notes == ("left out, being no calls over HTTP: 3 entries",)


def test_a_call_without_an_answer_is_one_that_was_cut(tmp_path):
    (call,), _, _, report = imported(tmp_path, entry(response={"status": 0, "content": {}}))
    assert (call.response, call.end) == (None, End.CLIENT_CUT)
    assert "no response came (1 time)" in report.notes


@pytest.mark.parametrize(
    ("said", "more"),
    [
        ("saved without it", {"response": {"content": {"size": 10}}}),
        ("form's parts", {"request": {"postData": {"mimeType": "multipart/form-data; boundary=x", "params": [{"name": "a"}]}}}),
        ("Content-Encoding dropped", {"response": {"headers": [{"name": "Content-Encoding", "value": "gzip"}]}}),
        ("written anew", {"request": {"postData": {"mimeType": "x", "params": [{"name": "a b", "value": "c"}]}}}),
    ],
)  # fmt: skip
def test_what_is_lost_is_said(tmp_path, said, more):
    *_, report = imported(tmp_path, entry(**more))
    assert any(said in note for note in report.notes), report.notes


def test_http_2_names_that_are_no_header_lines_and_deep_fields_of_browsers_do_no_harm(tmp_path):
    stack: dict = {}
    for _ in range(300):
        stack = {"parent": stack}
    headers = [{"name": ":authority", "value": "api.example.com"}, {"name": "accept", "value": ""}]
    (call,), *_ = imported(tmp_path, entry(request={"headers": headers}, _initiator=stack), pages=[{"x": stack}])
    assert call.request.headers == ((b"accept", b""),)


@pytest.mark.parametrize(
    "more",
    [
        {"request": {"headers": [{"name": "a", "value": "b\r\nc: d"}]}},
        {"request": {"headers": [{"name": "a b", "value": ""}]}},
        {"request": {"headers": {"a": "b"}}},
        {"request": {"method": "GET /x"}},
        {"response": {"status": 99}},
        {"response": {"status": 200, "statusText": "OK\r\nSet-Cookie: a"}},
        {"response": {"content": {"text": "%%%", "encoding": "base64"}}},
        {"_respool": {}},
        {"_respool": {"end": "never"}},
        {"_respool": {"end": "complete", "arrival": -1, "request": {"target": "/"}}},
        {"_respool": {"end": "complete", "request": {"target": "/ HTTP/1.1\r\nx: y"}}},
        {"_respool": {"end": "complete", "request": {"target": "/", "coding": "rot13"}}},
        {"_respool": {"end": "complete", "extra": "kaFh", "request": {"target": "/"}}},
        {"_respool": {"end": "complete", "arrival": "9" * 30, "request": {"target": "/"}}},
        {"_respool": {"end": "complete", "request": {"target": "/"}, "response": {"marks": [[1]]}}},
    ],
)  # fmt: skip
def test_a_hostile_entry_is_refused_with_its_place_and_nothing_is_left(tmp_path, more):
    with pytest.raises(CassetteError) as caught:
        imported(tmp_path, entry(), entry(**more))
    assert "log.entries[1]" in caught.value.message
    assert [path.name for path in tmp_path.iterdir()] == ["in.har"]


@pytest.mark.parametrize("about", [{"version": 9, "file_id": "00" * 16}, {"version": 1, "file_id": "x"}, [], {}])
def test_a_head_of_another_version_or_shape_is_refused(tmp_path, about):
    with pytest.raises(CassetteError):
        imported(tmp_path, entry(), _respool=about)
