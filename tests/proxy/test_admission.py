"""What the data port lets in, and how it refuses the rest."""

import errno
import json

import pytest
from recorded_calls import write_cassette
from respool import __version__
from respool.cassettes import writer

OWN_HOST = b"Host: 127.0.0.1\r\nConnection: close\r\n"


async def answered(heard, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize(
    ("request_line", "lines", "status"),
    [
        (b"CONNECT host.test:443 HTTP/1.1", b"", 405),
        (b"GET http://elsewhere.test/v1/threads/x HTTP/1.1", b"", 421),
        (b"GET /x HTTP/1.1", b"Transfer-Encoding: gzip, chunked\r\n", 501),
        (b"POST /x HTTP/1.0", b"Transfer-Encoding: chunked\r\n", 400),
        (b"GET /x HTTP/1.1", b"Upgrade: websocket\r\n", 501),
        (b"GET /_respool/other HTTP/1.1", b"", 404),
        (b"GET /@-bad/v1/threads HTTP/1.1", b"", 400),
        (b"GET /@/v1/threads HTTP/1.1", b"", 400),
    ],
)
async def test_what_is_refused_reaches_no_upstream(proxies, tmp_path, request_line, lines, status):
    async with proxies.raw_upstream(answered) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            got = await proxies.raw_call(proxy.port, request_line + b"\r\n" + OWN_HOST + lines + b"\r\n")
        assert upstream.heard == []
    assert got.startswith(b"HTTP/1.1 %d " % status)
    assert json.loads(got.partition(b"\r\n\r\n")[2])["error"]["message"]
    assert proxies.interactions(tmp_path / "a.cassette") == []


async def test_a_malformed_request_is_neither_echoed_nor_logged(proxies, tmp_path, caplog, capfd):
    async with proxies.raw_upstream(answered) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            got = await proxies.raw_call(
                proxy.port, b"GET /x HTTP/1.1\r\nHost: p\r\nAuthorization: Bearer sk-leak\x01\r\n\r\n"
            )
            said = "".join(proxy.said)
    assert got.startswith(b"HTTP/1.1 400 ")
    heard = got.decode() + said + caplog.text + "".join(capfd.readouterr())
    assert "sk-leak" not in heard
    assert "Traceback" not in heard


async def test_an_absolute_target_that_names_the_proxy_itself_is_taken(proxies, tmp_path):
    async with proxies.raw_upstream(answered) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            await proxies.raw_call(proxy.port, b"GET http://127.0.0.1/v1/x?y HTTP/1.1\r\n" + OWN_HOST + b"\r\n")
        assert upstream.heard[0].line == b"GET /v1/x?y HTTP/1.1"


async def test_health_is_answered_by_respool_itself(proxies, tmp_path):
    async with proxies.raw_upstream(answered) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            got = await proxies.raw_call(proxy.port, b"GET /_respool/health HTTP/1.1\r\n" + OWN_HOST + b"\r\n")
        assert upstream.heard == []
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert json.loads(body) == {
        "status": "ok",
        "mode": "record",
        "version": __version__,
        "cassettes": 1,
        "sessions": 0,
    }
    assert str(tmp_path).encode() not in got


async def test_health_counts_what_is_open_and_kept(proxies, tmp_path):
    path = write_cassette(tmp_path / "a.cassette", [("GET", b"/v1/threads/t", b"", b"{}", 200)])
    health = b"GET /_respool/health HTTP/1.1\r\n" + OWN_HOST + b"\r\n"
    async with proxies.replaying(path) as proxy:
        for name in (b"one", b"two", b"two"):
            await proxies.raw_call(proxy.port, b"GET /@" + name + b"/v1/threads/t HTTP/1.1\r\n" + OWN_HOST + b"\r\n")
        told = json.loads((await proxies.raw_call(proxy.port, health)).partition(b"\r\n\r\n")[2])
    assert (told["cassettes"], told["sessions"]) == (1, 2)


async def test_health_degrades_when_the_recording_has_failed(proxies, tmp_path, monkeypatch):
    def full(fd, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    async with proxies.raw_upstream(answered) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            monkeypatch.setattr(writer, "write_all", full)
            call = await proxies.raw_call(proxy.port, b"GET /v1/threads/t HTTP/1.1\r\n" + OWN_HOST + b"\r\n")
            assert call.startswith(b"HTTP/1.1 200 ")
            got = await proxies.raw_call(proxy.port, b"GET /_respool/health HTTP/1.1\r\n" + OWN_HOST + b"\r\n")
    assert got.startswith(b"HTTP/1.1 503 ")
    assert json.loads(got.partition(b"\r\n\r\n")[2])["status"] == "failed"


@pytest.mark.parametrize(("target", "status"), [(b"/_respool/health", 200), (b"/_respool/other", 404)])
async def test_head_gets_the_head_of_what_get_gets(proxies, tmp_path, target, status):
    """On one connection: a body that should not be there would be read as the next answer."""
    path = write_cassette(tmp_path / "a.cassette", [("GET", b"/v1/threads/t", b"", b"{}", 200)])
    lines = b" HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    async with proxies.replaying(path) as proxy:
        got = await proxies.raw_call(
            proxy.port, b"HEAD " + target + lines + b"\r\n" + b"GET " + target + lines + b"Connection: close\r\n\r\n"
        )
    first, second, body = got.split(b"\r\n\r\n")
    assert first.splitlines()[0] == second.splitlines()[0]
    assert first.splitlines()[0].startswith(b"HTTP/1.1 %d " % status)
    assert b"Content-Length: %d" % len(body) in first
