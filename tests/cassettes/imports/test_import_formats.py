"""What each recorder's form comes to on the wire, and which forms are refused."""

import base64
import gzip
import json
import os
import zlib
from pathlib import Path

import pytest
import yaml
import zstandard
from respool.cassettes.errors import CassetteError
from respool.cassettes.imports.codings import decoded
from respool.cassettes.imports.fields import Allowance
from respool.cassettes.imports.recognise import CASSETTER, FORMATS, open_recording
from respool.cassettes.imports.wire import Exchange, time_of

URI = "https://api.example.com/v1/threads"
DATE = "Tue, 31 Mar 2026 13:31:30 GMT"


def py_call(request: dict | None = None, response: dict | None = None) -> dict:
    return {
        "request": {"body": "{}", "headers": {}, "method": "POST", "uri": URI} | (request or {}),
        "response": {"body": {"string": "{}"}, "headers": {}, "status": {"code": 200, "message": "OK"}}
        | (response or {}),
    }


def ruby_call(request: dict | None = None, response: dict | None = None, **more: object) -> dict:
    return {
        "request": {"method": "post", "uri": URI, "body": {"encoding": "UTF-8", "string": "{}"}, "headers": {}}
        | (request or {}),
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {},
            "body": {"encoding": "UTF-8", "string": "{}"},
        }
        | (response or {}),
        "recorded_at": DATE,
    } | more


def calls_of(tmp_path: Path, text: str | bytes | dict, name: str = "x.yaml") -> list[Exchange]:
    if isinstance(text, dict):
        text = yaml.dump(text)
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return open_recording(path, Allowance()).exchanges


def py(tmp_path: Path, request: dict | None = None, response: dict | None = None) -> Exchange:
    return calls_of(tmp_path, {"interactions": [py_call(request, response)], "version": 1})[0]


def ruby(tmp_path: Path, request: dict | None = None, response: dict | None = None, **more: object) -> Exchange:
    return calls_of(tmp_path, {"http_interactions": [ruby_call(request, response, **more)]})[0]


# --- who wrote it -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "written_by"),
    [
        (yaml.dump({"interactions": [py_call()], "version": 1}), "VCR.py YAML"),
        (json.dumps({"version": 1, "interactions": [py_call()]}), "VCR.py JSON"),
        ("---\n" + yaml.dump({"http_interactions": [ruby_call()], "recorded_with": "VCR 6.1.0"}), "Ruby VCR YAML"),
        (json.dumps({"http_interactions": [ruby_call()], "recorded_with": "VCR 6.1.0"}), "Ruby VCR JSON"),
    ],
)
def test_the_format_is_told_by_content_whatever_the_name(tmp_path, text, written_by):
    path = tmp_path / "recording.har"
    path.write_text(text)
    recording = open_recording(path, Allowance())
    assert recording.format == written_by
    assert len(recording.exchanges) == 1


@pytest.mark.parametrize(
    ("said", "data"),
    [
        ("HAR without a list of entries", b'{"log": {"version": "1.2"}}'),
        ("Pact", b'{"consumer": {}, "provider": {}, "interactions": [{}]}'),
        ("Mountebank", b'{"imposters": []}'),
        ("WireMock", b'{"mappings": []}'),
        ("Postman", b'{"info": {}, "item": []}'),
        ("OpenAPI", b"openapi: 3.0.0\npaths: {}\n"),
        ("the file was cut", b"1234:7:version;2:20#"),
        ("respool cassette already", b"\x89RSP\r\n\x1a\n" + bytes(56)),
        ("gzip", gzip.compress(b"x", mtime=0)),
        ("ZIP", b"PK\x03\x04rest"),
        ("PHP-VCR", b"- request: {}\n"),
        ("no recording that this version knows", b"services:\n  web: {}\nversion: '3'\n"),
        ("no recording that this version knows", b"{}"),
        ("is empty", b" \n"),
        ("go-vcr", yaml.dump({"version": 2, "interactions": [{"request": {"url": URI}, "response": {}}]}).encode()),
        ("go-vcr", yaml.dump({"version": 2, "interactions": []}).encode()),
        ("Proxay", yaml.dump({"http_interactions": [{"request": {"path": "/"}, "response": {}}]}).encode()),
        ("custom serializer", yaml.dump({"interactions": [py_call({"parsed_body": {"a": 1}})]}).encode()),
        ("both", b"interactions: []\nhttp_interactions: []\n"),
    ],
)
def test_what_cannot_be_imported_is_named(tmp_path, said, data):
    with pytest.raises(CassetteError) as caught:
        calls_of(tmp_path, data)
    assert said in caught.value.message + caught.value.hint
    assert str(tmp_path / "x.yaml") in caught.value.message


def test_a_folder_a_missing_file_and_a_pipe_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, said in [
        (tmp_path, "not a regular"),
        (tmp_path / "none", "No such file"),
        (tmp_path / "pipe", "regular"),
    ]:
        with pytest.raises(CassetteError, match=said):
            open_recording(path, Allowance())


def test_the_page_names_what_can_be_imported_and_how_it_is_told():
    page = (Path(__file__).parents[3] / "docs" / "import.md").read_text()
    for key, known in (*FORMATS.items(), ("interactions", CASSETTER)):
        assert f"| {known.name} | `{key}`" in page
    assert "| mitmproxy flows | " in page


# --- VCR.py -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "is_on_the_wire"),
    [
        ("text é", "text é".encode()),
        (b"\x00\xff", b"\x00\xff"),
        (None, b""),
        ("", b""),
        ({"string": "inner"}, b"inner"),
        ({"string": b"\xff"}, b"\xff"),
        ({"string": None}, b""),
        (["one", b"two"], b"onetwo"),
        ("1", b"1"),
        ("null", b"null"),
    ],
)
def test_vcr_py_request_bodies_of_each_kind(tmp_path, body, is_on_the_wire):
    assert py(tmp_path, {"body": body}).request.body.read() == is_on_the_wire


def test_vcr_py_request_bodies_that_were_python_objects(tmp_path):
    text = f"""interactions:
- request:
    body: !!python/object/new:_io.BytesIO
      state: !!python/tuple
      - !!binary |
        AAH/
      - 0
      - null
    headers: {{}}
    method: POST
    uri: {URI}
  response: &r
    body: {{string: ''}}
    headers: {{}}
    status: {{code: 200, message: null}}
- request:
    body: !!python/object/apply:builtins.iter
      args:
      - - !!binary YWI=
        - cd
    headers: {{}}
    method: POST
    uri: {URI}
  response: *r
- request: {{body: !!python/unicode 'old', headers: {{}}, method: POST, uri: !!python/str '{URI}'}}
  response: *r
version: 1
"""
    assert [call.request.body.read() for call in calls_of(tmp_path, text)] == [b"\x00\x01\xff", b"abcd", b"old"]


def test_a_folded_text_comes_out_as_the_recorder_had_it(tmp_path):
    body = json.dumps({"text": "word " * 100 + "\r\n\u2028 end  ", "tab": "\t"}, ensure_ascii=False)
    text = yaml.dump({"interactions": [py_call({"body": body})], "version": 1}, allow_unicode=True, width=40)
    assert text.count("\n") > 15
    assert calls_of(tmp_path, text)[0].request.body.read() == body.encode()


def test_the_answer_of_old_httpx_stubs_is_read(tmp_path):
    call = py_call()
    call["response"] = {
        "content": '{"id": "x"}',
        "http_version": "HTTP/1.1",
        "status_code": 201,
        "headers": {"content-encoding": ["gzip"], "content-type": ["application/json"]},
    }
    (exchange,) = calls_of(tmp_path, {"interactions": [call], "version": 1})
    assert (exchange.response.status, exchange.response.body.read()) == (201, b'{"id": "x"}')
    assert exchange.response.headers == ((b"content-type", b"application/json"),)


def test_header_lines_keep_name_order_and_repetition(tmp_path):
    text = f"""interactions:
- request:
    headers: {{Host: [a], X-B: [one, two], x-a: alone}}
    method: get
    uri: {URI}
  response:
    headers: {{Set-Cookie: [a=1, b=2], X-Fold: ["a\\r\\n b"], X-Latin: ["\\xE9"], X-None: [null]}}
    status: {{code: '404', message: Not Found}}
"""
    (call,) = calls_of(tmp_path, text)
    assert call.request.headers == ((b"Host", b"a"), (b"X-B", b"one"), (b"X-B", b"two"), (b"x-a", b"alone"))
    assert call.response.headers == (
        (b"Set-Cookie", b"a=1"),
        (b"Set-Cookie", b"b=2"),
        (b"X-Fold", b"a b"),
        (b"X-Latin", b"\xe9"),
        (b"X-None", b""),
    )
    assert (call.request.method, call.response.status, call.response.reason) == ("GET", 404, b"Not Found")


@pytest.mark.parametrize(
    ("uri", "origin", "target"),
    [
        ("https://h/v1/threads", "https://h", b"/v1/threads"),
        ("https://h:8080//a%2Fb/./c?x=1&x=%20&y#part", "https://h:8080", b"//a%2Fb/./c?x=1&x=%20&y"),
        ("https://h", "https://h", b"/"),
        ("https://h?x", "https://h", b"/?x"),
        ("https://h/?", "https://h", b"/?"),
        ("https://me:pw@h/x", "https://h", b"/x"),
        ("https://<HOST>:<PORT>/x", "https://<HOST>:<PORT>", b"/x"),
        ("http://[::1]:1/x", "http://[::1]:1", b"/x"),
        ("<HOST>/v1/threads", "", b"/v1/threads"),
        ("/v1/threads", "", b"/v1/threads"),
        ("https://h/caf\u00e9 x\r\nX-Evil: 1", "https://h", b"/caf%C3%A9%20x%0D%0AX-Evil:%201"),
        ("https://h/p?redirect=http://o/x", "https://h", b"/p?redirect=http://o/x"),
    ],
)
def test_the_target_keeps_the_bytes_of_the_uri(tmp_path, uri, origin, target):
    call = py(tmp_path, {"uri": uri})
    assert (call.origin, call.request.target) == (origin, target)


@pytest.mark.parametrize(
    "uri",
    ["", "nonsense", "http://", "http:///v1", "http://[bad/v1", "http://bad]/v1", "http://h:port/v1", "https://h:0/"],
)
@pytest.mark.parametrize("read", [py, ruby])
def test_a_uri_that_is_none_is_refused_with_its_place(tmp_path, read, uri):
    with pytest.raises(CassetteError) as refused:
        read(tmp_path, {"uri": uri})
    message = refused.value.message
    assert message.startswith(f"{tmp_path / 'x.yaml'}: ")
    assert "interactions[0].request.uri" in message
    assert message.endswith("this is no URI of a call: http(s)://host/path is expected here")


RAW_DEFLATE = zlib.compressobj(wbits=-15)
ANSWER = b'{"object": "thread", "id": "thread_1", "text": "\xc3\xa9"}' * 3
GZIPPED = gzip.compress(ANSWER, mtime=0)


@pytest.mark.parametrize(
    ("coding", "sent", "stored", "named", "keeps_header"),
    [
        ("gzip", GZIPPED, ANSWER, "gzip", True),
        ("GZIP", GZIPPED, ANSWER, "gzip", True),
        ("deflate", zlib.compress(ANSWER), ANSWER, "deflate", True),
        ("deflate", RAW_DEFLATE.compress(ANSWER) + RAW_DEFLATE.flush(), ANSWER, "deflate", True),
        ("deflate", zlib.compress(b"", 1), b"", "deflate", True),
        ("zstd", zstandard.compress(ANSWER), ANSWER, "zstd", True),
        ("gzip", GZIPPED + GZIPPED, ANSWER * 2, "gzip", True),
        ("zstd", zstandard.compress(ANSWER) * 2, ANSWER * 2, "zstd", True),
        ("identity", ANSWER, ANSWER, "", True),
        ("gzip", b"", b"", "", True),
        # The recorder had decoded the body and left the header.
        ("gzip", ANSWER, ANSWER, "", False),
        ("deflate", ANSWER, ANSWER, "", False),
        ("zstd", ANSWER, ANSWER, "", False),
        ("br", ANSWER, ANSWER, "", False),
        # Not to be undone here: as it came.
        ("br", b"\x8b\x00\x80\xffdata", b"\x8b\x00\x80\xffdata", "", True),
        ("gzip", b"\x1f\x8b\xff\xffdamaged", b"\x1f\x8b\xff\xffdamaged", "", True),
        ("zstd", b"\x28\xb5\x2f\xfd\xff\xff\xff\xff", b"\x28\xb5\x2f\xfd\xff\xff\xff\xff", "", True),
        ("gzip", GZIPPED[:-1], GZIPPED[:-1], "", True),
        ("gzip", GZIPPED + b"more", GZIPPED + b"more", "", True),
        ("zstd", zstandard.compress(ANSWER)[:-1], zstandard.compress(ANSWER)[:-1], "", True),
        ("deflate", zlib.compress(ANSWER)[:-1], zlib.compress(ANSWER)[:-1], "", True),
    ],
)
def test_bodies_are_stored_decoded(tmp_path, coding, sent, stored, named, keeps_header):
    call = py(tmp_path, None, {"body": {"string": sent}, "headers": {"Content-Encoding": [coding]}})
    assert call.response.body.read() == stored
    assert call.response.coding == named
    assert bool(call.response.headers) is keeps_header
    assert bool(call.losses) is (stored != b"" and coding != "identity" and not named)


def test_a_compressed_request_is_stored_decoded(tmp_path):
    call = py(tmp_path, {"body": gzip.compress(b"{}"), "headers": {"Content-Encoding": ["gzip"]}})
    assert (call.request.body.read(), call.request.coding) == (b"{}", "gzip")


def test_a_body_that_grows_without_measure_stays_as_it_came(tmp_path):
    bomb = zstandard.compress(bytes(200 << 20))
    call = py(tmp_path, None, {"body": {"string": bomb}, "headers": {"Content-Encoding": ["zstd"]}})
    assert (call.response.body.read(), call.response.coding) == (bomb, "")
    assert "too large" in call.losses[0]


def test_the_time_is_the_date_header_and_the_duration_the_servers_own(tmp_path):
    call = py(tmp_path, None, {"headers": {"date": [DATE], "openai-processing-ms": ["259"]}})
    assert (call.when_us, call.recorded) == (1_774_963_890_000_000, False)
    assert call.response.head_us == 259_000


@pytest.mark.parametrize("claimed", ["-1", "1e9", "", "9" * 40, "\u0664"])
def test_a_duration_that_is_none_is_not_believed(tmp_path, claimed):
    call = py(tmp_path, None, {"headers": {"openai-processing-ms": [claimed]}})
    assert call.response.head_us == 0


# --- Ruby VCR -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "is_on_the_wire"),
    [
        ({"encoding": "UTF-8", "string": "é"}, "é".encode()),
        ({"encoding": "US-ASCII", "string": ""}, b""),
        ({"encoding": "ASCII-8BIT", "string": b"\xff\x00"}, b"\xff\x00"),
        ({"encoding": "ASCII-8BIT", "base64_string": base64.b64encode(bytes(range(256))).decode()}, bytes(range(256))),
        ({"encoding": "UTF-8", "base64_string": "w6k=\n"}, "é".encode()),
        ({"encoding": "ISO-8859-1", "string": "é"}, b"\xe9"),
        ({"encoding": "ISO-8859-1", "string": "\u20ac"}, "\u20ac".encode()),
        ({"encoding": "rot13", "string": "é"}, "é".encode()),
        ({"string": "no encoding"}, b"no encoding"),
        ({"encoding": "UTF-8", "string": None}, b""),
        ("as in VCR 1", b"as in VCR 1"),
        (None, b""),
    ],
)
def test_ruby_bodies_of_each_kind(tmp_path, body, is_on_the_wire):
    call = ruby(tmp_path, {"body": body}, {"body": body})
    assert call.request.body.read() == call.response.body.read() == is_on_the_wire


def test_ruby_calls_have_the_time_at_which_they_were_recorded(tmp_path):
    call = ruby(tmp_path, None, {"headers": {"Date": ["Wed, 01 Apr 2026 00:00:00 GMT"]}})
    assert (call.request.method, call.when_us, call.recorded) == ("POST", 1_774_963_890_000_000, True)
    call = ruby(tmp_path, {"method": ":delete"}, {"headers": {"Date": [DATE]}}, recorded_at="yesterday")
    assert (call.request.method, call.when_us, call.recorded) == ("DELETE", 1_774_963_890_000_000, False)


def test_times_of_both_spellings():
    assert time_of("Tue, 14 Nov 2023 21:49:31 GMT") == time_of("2023-11-14T21:49:31Z") == 1_699_998_571_000_000
    assert time_of("2023-11-14T21:49:31.25+00:00") == 1_699_998_571_250_000
    for nonsense in (
        "",
        "x" * 1000,
        "Tue, 99 Nov 99999 99:99:99 GMT",
        "0000-00-00",
        "1900-01-01",
        "\x00",
        "2023-11-14T",
    ):
        assert time_of(nonsense) is None


def test_a_streams_text_is_kept_with_its_last_empty_line(tmp_path):
    text = f"""---
http_interactions:
- request:
    method: post
    uri: {URI}
    body: {{encoding: UTF-8, string: '{{"stream":true}}'}}
    headers: {{}}
  response:
    status: {{code: 200, message: OK}}
    headers:
      Content-Type: [text/event-stream]
    body:
      encoding: UTF-8
      string: |+
        event: thread.created
        data: {{"id":"thread_1"}}

        event: done
        data: [DONE]

  recorded_at: {DATE}
recorded_with: VCR 6.1.0
"""
    (call,) = calls_of(tmp_path, text)
    assert call.response.body.read() == (
        b'event: thread.created\ndata: {"id":"thread_1"}\n\nevent: done\ndata: [DONE]\n\n'
    )


# --- wrong types everywhere ---------------------------------------------------------------------------------------

DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
WRONG = [5, "text", [], ["x"], {}, {"a": 1}, None, b"\xff", [[[]]], {"string": {"string": "x"}}, "\r\n", "x" * 70_000]


def places(value: object, path: tuple = ()):
    yield path
    if isinstance(value, dict):
        for name, below in value.items():
            yield from places(below, (*path, name))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from places(below, (*path, index))


FULL = {"headers": {"X": ["1"], "Content-Encoding": ["gzip"], "Date": [DATE]}}


@pytest.mark.parametrize(
    "file", [{"interactions": [py_call(FULL, FULL)]}, {"http_interactions": [ruby_call(FULL, FULL)]}]
)
def test_a_wrong_type_anywhere_is_read_or_refused_but_never_a_crash(tmp_path, file):
    refused: list[str] = []
    for path in places(file):
        for wrong in WRONG:
            whole = json.loads(json.dumps(file))
            inner = whole
            for step in path[:-1]:
                inner = inner[step]
            if path:
                inner[path[-1]] = wrong
            else:
                whole = wrong
            try:
                calls_of(tmp_path, yaml.dump(whole, Dumper=DUMPER))
            except CassetteError as error:
                refused.append(error.message)
    assert len(refused) > 60
    assert all("x.yaml" in message and message.isprintable() for message in refused)


@pytest.mark.parametrize(
    ("said", "request_", "response"),
    [
        ("control character", {"headers": {"X": ["a\r\nSet-Cookie: evil=1"]}}, {}),
        ("control character", {}, {"headers": {"X": ["a\x00"]}}),
        ("control character", {}, {"status": {"code": 200, "message": "OK\r\nX: 1"}}),
        ("no header name", {"headers": {"X: y": ["a"]}}, {}),
        ("no header name", {"headers": {"": ["a"]}}, {}),
        ("no HTTP method", {"method": "GET /x HTTP/1.1\r\n"}, {}),
        ("a number from 100 to 599", {}, {"status": {"code": 99, "message": ""}}),
        ("a number from 100 to 599", {}, {"status": {"code": "2e2", "message": ""}}),
        ("at most 65,536", {"uri": "https://h/" + "x" * 70_000}, {}),
        ("more than 1000 header lines", {"headers": {"X": ["a"] * 1001}}, {}),
        ("`uri` is missing", {"uri": None}, {}),
        ("`status` is missing", {}, {"status": None}),
    ],
)
def test_what_could_smuggle_something_into_a_replay_is_refused(tmp_path, said, request_, response):
    with pytest.raises(CassetteError, match=said):
        py(tmp_path, request_, response)


def test_a_body_of_a_million_members_takes_no_time():
    members = gzip.compress(b"", 1) * 1_000_000
    assert decoded("gzip", members) is None
    assert decoded("zstd", zstandard.compress(b"") * 1_000_000) is None


def test_aliased_bodies_count_each_time(tmp_path):
    path = tmp_path / "x.yaml"
    item = f"{{request: {{uri: '{URI}', method: GET}}, response: {{status: {{code: 200}}, body: &b {'x' * 1000}}}}}"
    again = item.replace(f"&b {'x' * 1000}", "*b")
    path.write_text(f"interactions:\n- {item}\n" + f"- {again}\n" * 50)
    assert len(open_recording(path, Allowance(300_000)).exchanges) == 51
    with pytest.raises(CassetteError, match=r"interactions\[\d+\].*more than 250,000 bytes"):
        open_recording(path, Allowance(250_000))
