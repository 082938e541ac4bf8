"""cassetter's cassettes: the order that is not that of the file, bodies taken apart, and what is said to be lost."""

import json
from pathlib import Path

import pytest
import yaml
from foreign_recordings import CONVERSATION, Call, cassetter
from respool.cassettes.errors import CassetteError
from respool.cassettes.imports import ImportReport, import_files
from respool.cassettes.imports.fields import Allowance
from respool.cassettes.imports.recognise import open_recording
from respool.cassettes.imports.wire import Exchange
from respool.cassettes.interaction import Interaction
from respool.cassettes.reader import Reader

URI = "https://api.example.com/v1/threads"


def imported(tmp_path: Path, data: bytes | str) -> tuple[list[Interaction], ImportReport]:
    path = tmp_path / "in"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    report = import_files([path], tmp_path / "out.cassette", overwrite=True)
    with Reader.open(tmp_path / "out.cassette") as reader:
        calls = [reader.interaction(row) for row in reader.rows()]
        for call in calls:
            assert call.response is not None
            call.request.body.read(), call.response.body.read()
        return calls, report


def one(tmp_path: Path, request: str = "", response: str = "", more: str = "") -> Exchange:
    """A cassette of one interaction, written in line as YAML."""
    path = tmp_path / "one.yaml"
    path.write_text(
        f"version: 1\ninteractions:\n- request:\n    method: POST\n    uri: {URI}\n{request}"
        f"  response:\n    status: 200\n{response}{more}"
    )
    return open_recording(path, Allowance()).exchanges[0]


def body(tmp_path: Path, spelled: str) -> bytes:
    exchange = one(tmp_path, response=f"    body:\n      type: json\n      content: {spelled}\n")
    assert exchange.response is not None
    return exchange.response.body.read()


def test_calls_come_in_the_order_of_their_times_and_not_of_the_file(tmp_path):
    written = cassetter(CONVERSATION)
    order = [item["request"]["method"] for item in yaml.safe_load(written)["interactions"]]
    assert order == sorted(order)
    calls, report = imported(tmp_path, written)
    assert [(call.request.method, call.request.target.decode()) for call in calls] == [
        (call.method, call.path) for call in CONVERSATION
    ]
    assert report.formats == ("cassetter YAML",)
    assert any("no durations: cassetter" in note for note in report.notes)
    assert any("body written anew from its JSON" in note for note in report.notes)


def test_where_no_time_is_known_the_file_s_order_stays_and_that_is_said(tmp_path):
    calls, report = imported(tmp_path, cassetter(CONVERSATION, dated=False))
    methods = [call.request.method for call in calls]
    assert methods == sorted(methods)
    assert any("the order may be another: cassetter sorts" in note and "12 do not say" in note for note in report.notes)


def test_text_forms_bytes_and_streams_keep_each_byte(tmp_path):
    calls, _ = imported(tmp_path, cassetter(CONVERSATION))
    for call, was in zip(calls, CONVERSATION, strict=True):
        assert call.response is not None
        if "json" not in was.kind:
            assert call.response.body.read() == was.answer
        if "json" not in was.asked_kind:
            assert call.request.body.read() == was.body


@pytest.mark.parametrize(
    ("spelled", "written"),
    [
        ("{a: 1, b: '1', c: 1.0e+300, d: -0.0}", b'{"a":1,"b":"1","c":1.0e+300,"d":-0.0}'),
        ("{a: 1.2345678901234568e+22}", b'{"a":1.2345678901234568e+22}'),
        ("{t: true, f: false, s: 'true', y: yes, n: no}", b'{"t":true,"f":false,"s":"true","y":"yes","n":"no"}'),
        ("{z: null, q: '~', e: ''}", b'{"z":null,"q":"~","e":""}'),
        ("{d: 2020-01-01, o: 007, h: 0x1f, i: .inf}", b'{"d":"2020-01-01","o":"007","h":"0x1f","i":".inf"}'),
        ("[1, a, null, [], {}]", b'[1,"a",null,[],{}]'),
        ("null", b"null"),
        ("'null'", b'"null"'),
        (r'{"\"k\u00e9\n": "\u2028 \U0001F600 \\ \u0007"}', '{"\\"ké\\n":"\u2028 \U0001f600 \\\\ \\u0007"}'.encode()),
        ("{x: &x [1], y: *x}", b'{"x":[1],"y":[1]}'),
    ],
)
def test_json_is_written_as_the_value_that_it_was(tmp_path, spelled, written):
    assert body(tmp_path, spelled) == written
    json.loads(written)


def test_what_cassetter_filtered_is_said_where_a_request_holds_it(tmp_path):
    call = Call("POST", "/v1/threads?api_key=[FILTERED]&x=1", b'{"password": "[FILTERED]"}')
    (one_call,), report = imported(tmp_path, cassetter([call]))
    assert one_call.request.target == b"/v1/threads?api_key=REDACTED&x=1"
    assert one_call.request.body.read() == b'{"password":"[FILTERED]"}'  # no credential, so not looked for elsewhere
    assert any("[FILTERED] stands in the request" in note for note in report.notes)


def test_other_protocols_are_left_out_and_counted(tmp_path):
    grpc = "grpc_interactions:\n- request: {method: /a.B/C}\n  response: {status_code: 0}\n"
    sockets = "ws_interactions:\n- uri: wss://x\n  frames: []\n- uri: wss://y\n  frames: []\n"
    calls, report = imported(tmp_path, cassetter(CONVERSATION[:1]).decode().replace("# cassetter\n", "") + "\n")
    assert len(calls) == 1
    data = yaml.safe_dump(yaml.safe_load(cassetter(CONVERSATION[:1]))) + grpc + sockets
    calls, report = imported(tmp_path, data)
    assert len(calls) == 1
    assert "left out, being no calls over HTTP: 1 gRPC call" in report.notes
    assert "left out, being no calls over HTTP: 2 WebSockets" in report.notes


def test_a_cassette_in_toml_is_named_and_the_way_out_is_told(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text('version = 1\n\n[[interactions]]\nrecorded_at = "2026-01-01"\n')
    with pytest.raises(CassetteError, match="cassetter cassette in TOML") as caught:
        open_recording(path, Allowance())
    assert "cassetter convert" in caught.value.hint


def test_a_body_in_vcr_py_s_spelling_is_read_as_cassetter_reads_it(tmp_path):
    exchange = one(tmp_path, request="    body: plain text\n", response="    body: {string: inner}\n")
    assert exchange.response is not None
    assert (exchange.request.body.read(), exchange.response.body.read()) == (b"plain text", b"inner")


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ("none that cassetter writes", {"response": "    body: {type: xml, content: x}\n"}),
        ("no hexadecimal digits", {"response": "    body: {type: binary, content: xyz}\n"}),
        ("text is expected", {"response": "    body: {type: [json], content: x}\n"}),
        ("text or bytes are expected", {"response": "    body: {type: text, content: [x]}\n"}),
        ("`content` is missing", {"response": "    body: {type: json}\n"}),
        ("control character", {"response": "    headers: {a: [\"b\\r\\nc: d\"]}\n"}),
        ("a list is expected", {"more": "ws_interactions: {a: b}\n"}),
        ("cassetter writes version 1", {"more": "version: 2\n"}),
    ],
)  # fmt: skip
def test_what_cassetter_does_not_write_is_refused_with_its_place(tmp_path, said, parts):
    if "more" in parts and "version" in parts["more"]:
        path = tmp_path / "two.yaml"
        path.write_bytes(cassetter(CONVERSATION[:1]).replace(b'"version": 1', b'"version": 2'))
        with pytest.raises(CassetteError, match=said):
            open_recording(path, Allowance())
        return
    with pytest.raises(CassetteError, match=said) as caught:
        one(tmp_path, **parts)
    assert "one.yaml: " in caught.value.message


def test_a_body_that_aliases_make_enormous_is_refused(tmp_path):
    rows = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30))
    path = tmp_path / "bomb.yaml"
    text = "a0: &a0 [lol]\n" + rows + "version: 1\ninteractions:\n- request: {method: GET, uri: /}\n"
    path.write_text(text + "  response: {status: 200, body: {type: json, content: *a29}}\n")
    with pytest.raises(CassetteError, match="more than 200,000 values"):
        open_recording(path, Allowance())
    path.write_text(
        "version: 1\ninteractions:\n- request: {method: GET, uri: /}\n"
        "  response: {status: 200, body: {type: json, content: " + "[" * 70 + "]" * 70 + "}}\n"
    )
    with pytest.raises(CassetteError, match="nested deeper"):
        open_recording(path, Allowance())
