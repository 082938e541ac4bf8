"""What the data port lets in, and how it refuses the rest."""

import json

import pytest

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
    assert json.loads(got.partition(b"\r\n\r\n")[2]) == {"status": "ok", "mode": "record"}
