"""Recordings of Azure's test proxy: how bodies are spelled, what was sanitised, and what is said to be lost."""

import base64
import json
from pathlib import Path

import pytest
from foreign_recordings import CONVERSATION, azure
from respool.cassettes.errors import CassetteError
from respool.cassettes.imports import ImportReport, import_files
from respool.cassettes.interaction import Interaction
from respool.cassettes.reader import Reader

WORKSPACE = (
    "https://Sanitized.api.example.com/agents/v1.0/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/"
    "00000/providers/Microsoft.MachineLearningServices/workspaces/00000"
)
EVENT_LINES = ["event: thread.run.created\n", 'data: {"id":"run_1"}\n\n', "event: done\r\n", "data: [DONE]\r\r", "end"]


def entry(**more: object) -> dict:
    return {
        "RequestUri": WORKSPACE + "/threads?api-version=2025-05-15-preview",
        "RequestMethod": "POST",
        "RequestHeaders": {"Content-Type": "application/json", "Authorization": "Sanitized"},
        "RequestBody": {},
        "StatusCode": 200,
        "ResponseHeaders": {"Content-Type": "application/json", "Date": "Tue, 31 Mar 2026 13:31:30 GMT"},
        "ResponseBody": {"id": "thread_1"},
    } | more


def imported(
    tmp_path: Path, *entries: dict, data: bytes = b"", **more: object
) -> tuple[list[Interaction], ImportReport]:
    path = tmp_path / "in.json"
    path.write_bytes(data or json.dumps({"Entries": list(entries), "Variables": {}} | more).encode())
    report = import_files([path], tmp_path / "out.cassette", overwrite=True)
    with Reader.open(tmp_path / "out.cassette") as reader:
        calls = [reader.interaction(row) for row in reader.rows()]
        for call in calls:
            assert call.response is not None
            call.request.body.read(), call.response.body.read()
        return calls, report


def answer(tmp_path: Path, kind: str | None, value: object) -> bytes:
    headers = {} if kind is None else {"Content-Type": kind}
    (call,), _ = imported(tmp_path, entry(ResponseHeaders=headers, ResponseBody=value))
    assert call.response is not None
    return call.response.body.read()


@pytest.mark.parametrize(
    ("kind", "value", "on_the_wire"),
    [
        ("application/json", {"a": 1.50, "b": ["x", None, True]}, b'{"a":1.5,"b":["x",null,true]}'),
        ("application/json", "[1, 2]", b"[1, 2]"),
        ("application/json", ["[\r\n", " 1]"], b"[\r\n 1]"),
        ("application/json", [1, {"a": "b"}], b'[1,{"a":"b"}]'),
        ("text/event-stream; charset=utf-8", EVENT_LINES, "".join(EVENT_LINES).encode()),
        ("application/x-www-form-urlencoded", "a=b", b"a=b"),
        ("application/problem+json", "Sanitized", b"Sanitized"),
        ("application/octet-stream", base64.b64encode(bytes(range(256))).decode(), bytes(range(256))),
        ("multipart/form-data; boundary=x", base64.b64encode(b"--x--").decode(), b"--x--"),
        (None, base64.b64encode(b"no type").decode(), b"no type"),
        (None, "Sanitized", b"Sanitized"),
        ("image/png", [], b""),
        ("application/json", None, b""),
        ("text/plain", "", b""),
    ],
)
def test_a_body_is_what_its_content_type_makes_of_it(tmp_path, kind, value, on_the_wire):
    assert answer(tmp_path, kind, value) == on_the_wire


def test_numbers_of_a_body_stay_as_they_are_spelled(tmp_path):
    data = json.dumps({"Entries": [entry()]}).replace(
        '{"id": "thread_1"}', '{"id": "thread_1", "n": 1.50, "big": 12345678901234567890123}'
    )
    (call,), _ = imported(tmp_path, data=data.encode())
    assert call.response is not None
    assert call.response.body.read() == b'{"id":"thread_1","n":1.50,"big":12345678901234567890123}'  # fmt: skip


def test_what_was_sanitised_survives_wherever_it_stands(tmp_path):
    sanitised = entry(
        RequestUri=WORKSPACE + "/threads/Sanitized/messages?api-version=1&name=Sanitized&sig=Sanitized",
        RequestHeaders={"Authorization": "Sanitized", "api-key": "Sanitized", "x-ms-client-request-id": "Sanitized"},
        RequestBody=base64.b64encode(b'{"content": "Sanitized"}').decode(),
        ResponseHeaders={
            "Content-Type": "application/json",
            "Set-Cookie": ["a=Sanitized", "b=Sanitized"],
            "x-of": "Sanitized",
        },
        ResponseBody={"id": "Sanitized", "name": "Sanitized/Sanitized", "code": "c2FuaXRpemVk"},
    )
    (call,), _ = imported(tmp_path, sanitised)
    assert call.response is not None
    assert call.request.target.endswith(b"/threads/Sanitized/messages?api-version=1&name=Sanitized&sig=REDACTED")
    assert call.request.body.read() == b'{"content": "Sanitized"}'
    assert call.response.body.read() == b'{"id":"Sanitized","name":"Sanitized/Sanitized","code":"c2FuaXRpemVk"}'
    assert dict(call.request.headers)[b"x-ms-client-request-id"] == b"Sanitized"
    assert dict(call.response.headers)[b"x-of"] == b"Sanitized"
    assert call.scope == "Sanitized"
    with Reader.open(tmp_path / "out.cassette") as reader:
        assert str(reader.meta["upstream"]).startswith("https://Sanitized.api.example.com/agents/v1.0/")


def test_a_thread_of_a_workspace_is_known_as_one_and_what_is_lost_is_said(tmp_path):
    calls, report = imported(tmp_path, data=azure(CONVERSATION, RandomSeed="1", NAME="\x1b[31mx"))
    assert [call.scope for call in calls[:3]] == ["thread_1"] * 3
    assert report.formats == ("Azure test proxy JSON",)
    assert "left out: 2 variables of the recorded test (RandomSeed, NAME)" in report.notes
    assert any("no timings: Azure's test proxy" in note for note in report.notes)
    assert any("body written anew from its JSON" in note for note in report.notes)
    assert any("no pace of streams (1)" in note for note in report.notes)
    with Reader.open(tmp_path / "out.cassette") as reader:
        assert list(report.notes) == reader.meta["notes"]
    (call,), report = imported(tmp_path, entry())
    assert call.scope == "thread_1"
    assert call.started_us == 1_774_963_890_000_000
    (_,), report = imported(tmp_path, entry(ResponseHeaders={"Content-Type": "image/png"}, ResponseBody="no base64!"))
    assert any("body taken as the text that it is" in note for note in report.notes)


def test_a_recording_of_the_first_generation_is_read_too(tmp_path):
    old = entry(
        RequestHeaders={"Content-Type": ["application/json"], "x": ["1", "2"]},
        RequestBody='{"a": 1}',
        EncodedRequestUri="L3Y=",
        ResponseHeaders={"Content-Type": ["application/json; charset=utf-8"]},
        ResponseBody="{\r\n}",
    )
    (call,), _ = imported(tmp_path, old, Names={"x": ["y"]})
    assert call.response is not None
    assert (call.request.body.read(), call.response.body.read()) == (b'{"a": 1}', b"{\r\n}")
    assert call.request.headers[1:] == ((b"x", b"1"), (b"x", b"2"))


def deep(levels: int) -> dict:
    value: dict = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("said", "more"),
    [
        ("`RequestUri` is missing", {"RequestUri": None}),
        ("a map is expected here, and this is text", {"RequestHeaders": 5}),
        ("no HTTP method", {"RequestMethod": "GET /"}),
        ("`StatusCode` is missing", {"StatusCode": None}),
        ("a number from 100 to 599", {"StatusCode": 99}),
        ("a map is expected", {"RequestHeaders": ["a"]}),
        ("control character", {"ResponseHeaders": {"a": "b\r\nc: d"}}),
        ("no header name", {"ResponseHeaders": {"a b": "c"}}),
        ("nested deeper", {"ResponseBody": deep(70)}),
    ],
)
def test_a_hostile_entry_is_refused_and_nothing_is_left(tmp_path, said, more):
    with pytest.raises(CassetteError, match=said):
        imported(tmp_path, entry(), entry(**more))
    assert [path.name for path in tmp_path.iterdir()] == ["in.json"]


def test_a_file_that_was_cut_is_refused(tmp_path):
    whole = azure(CONVERSATION)
    for length in range(1, len(whole) - 2, len(whole) // 50):
        with pytest.raises(CassetteError, match=r"in\.json"):
            imported(tmp_path, data=whole[:length])
