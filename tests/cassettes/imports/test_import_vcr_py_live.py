"""Cassettes that the real VCR.py makes while a test looks on: what the server sent is what the import gives."""

import gzip
import http.client
import json
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx2
import pytest
from respool.cassettes.imports import import_files
from respool.cassettes.interaction import Interaction
from respool.cassettes.reader import Reader
from respool.cassettes.summary import STREAM

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what VCR.py warns of while it patches is its own affair
    import vcr

TEXT = json.dumps(
    {"id": "thread_1", "text": "Grüße \U0001f600, " + "folded words " * 40 + "\u2028 end \r\n"}, ensure_ascii=False
)
ANSWERS: dict[str, tuple[dict[str, str], bytes, bytes]] = {
    "/v1/threads": ({"Content-Encoding": "gzip"}, gzip.compress(TEXT.encode(), mtime=0), TEXT.encode()),
    "/v1/threads/thread_1": ({"Content-Encoding": "deflate"}, zlib.compress(TEXT.encode()), TEXT.encode()),
    "/v1/threads/thread_1/messages?limit=2&after=a%2Fb&": ({}, TEXT.encode(), TEXT.encode()),
    "/v1/files/file_1/content": ({"Content-Type": "application/octet-stream"}, bytes(range(256)), bytes(range(256))),
    "/v1/threads/thread_1/runs": (
        {"Content-Type": "text/event-stream; charset=utf-8"},
        b'event: thread.run.created\ndata: {"id":"run_1"}\n\nevent: done\ndata: [DONE]\n\n',
        b'event: thread.run.created\ndata: {"id":"run_1"}\n\nevent: done\ndata: [DONE]\n\n',
    ),
    "/empty": ({}, b"", b""),
    "/control": ({}, b"\x00\x1b[31m\x7f", b"\x00\x1b[31m\x7f"),
    "/spaces": ({}, b"  leading\n\n\ttabs\r\rtrailing  \n\n", b"  leading\n\n\ttabs\r\rtrailing  \n\n"),
}


class Upstream(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    taken: ClassVar[list[bytes]] = []

    def answer(self) -> None:
        self.taken.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        headers, body, _ = ANSWERS[self.path]
        self.send_response(200)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Set-Cookie", "a=first-cookie-value; Path=/")
        self.send_header("Set-Cookie", "b=second-cookie-value; Path=/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def imported(path: Path) -> Iterator[list[Interaction]]:
    out = path.with_suffix(".cassette")
    import_files([path], out)
    with Reader.open(out) as reader:
        yield [reader.interaction(row) for row in reader.rows()]


@pytest.mark.parametrize("decode", [False, True], ids=["as sent", "decode_compressed_response"])
@pytest.mark.parametrize("serializer", ["yaml", "json"])
def test_every_byte_that_vcr_py_saw_is_in_the_cassette(tmp_path, port, serializer, decode):
    path = tmp_path / f"live.{serializer}"
    targets = [target for target in ANSWERS if serializer == "yaml" or target != "/v1/files/file_1/content"]
    if serializer == "json" and not decode:
        targets = [target for target in targets if "Content-Encoding" not in ANSWERS[target][0]]
    sent = 'Grüße \U0001f600 "quoted" \\ ' + "long words " * 30
    recorder = vcr.VCR(serializer=serializer, record_mode="all", decode_compressed_response=decode)
    with recorder.use_cassette(str(path)):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for target in targets:
            connection.request("POST", target, body=sent.encode(), headers={"Authorization": "Bearer sk-topsecret"})
            connection.getresponse().read()
        connection.close()
    with imported(path) as calls:
        assert [call.request.target.decode() for call in calls] == targets
        for call, target in zip(calls, targets, strict=True):
            assert call.request.body.read() == sent.encode()
            assert call.request.method == "POST"
            assert call.response is not None
            assert call.response.body.read() == ANSWERS[target][2]
            assert (call.response.status, call.response.reason) == (200, b"OK")
            assert [value for name, value in call.response.headers if name == b"Set-Cookie"] == [
                b"a=REDACTED; Path=/",
                b"b=REDACTED; Path=/",
            ]
    assert b"sk-topsecret" in path.read_bytes()
    assert b"sk-topsecret" not in path.with_suffix(".cassette").read_bytes()


def test_binary_request_bodies_and_repeated_calls_are_kept(tmp_path, port):
    path = tmp_path / "live.yaml"
    with vcr.use_cassette(str(path), record_mode="all"):
        for _ in range(3):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("POST", "/empty", body=bytes(range(256)))
            connection.getresponse().read()
            connection.close()
    with imported(path) as calls:
        assert [call.request.body.read() for call in calls] == [bytes(range(256))] * 3
        assert [call.arrival for call in calls] == sorted({call.arrival for call in calls})
        assert [call.started_us for call in calls] == sorted({call.started_us for call in calls})


def test_what_httpx_recorded_is_the_thread_that_it_was(tmp_path, port):
    path = tmp_path / "live.yaml"
    with vcr.use_cassette(str(path), record_mode="all"), httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
        client.post("/v1/threads", json={})
        client.get("/v1/threads/thread_1")
        client.post("/v1/threads/thread_1/runs", json={"stream": True})
    import_files([path], tmp_path / "out.cassette")
    with Reader.open(tmp_path / "out.cassette") as reader:
        assert reader.scopes() == ["thread_1"]
        rows = list(reader.rows())
        assert [bool(row.summary.flags & STREAM) for row in rows] == [False, False, True]
        first = reader.interaction(rows[0]).response
        assert first is not None
        assert (first.coding, first.body.read()) == ("gzip", TEXT.encode())
        assert reader.meta["upstream"] == f"http://127.0.0.1:{port}/v1"
