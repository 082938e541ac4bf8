"""Who may speak to the sandbox: the same as to the data port of a recording."""

import asyncio
import itertools

import pytest
from respool.proxy.sandbox.server import serve_sandbox

HOSTS = {
    "127.0.0.1:PORT": 0,
    "localhost:PORT": 0,
    "friend.test": 0,
    "evil.test:PORT": 421,
    "127.0.0.1": 421,
    "": 400,
    None: 400,
}
ORIGINS = {None: 0, "http://localhost:PORT": 0, "http://evil.test": 403, "null": 403, "http://localhost:1": 403}
SITES = {None: 0, "same-origin": 0, "cross-site": 403, "same-site": 403}
METHODS = ("GET", "POST", "DELETE", "OPTIONS")


async def ask(port, *lines):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join([*lines, "Connection: close", "", ""]).replace("PORT", str(port)).encode())
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


@pytest.mark.parametrize("method", METHODS)
async def test_the_sandbox_takes_what_the_data_port_takes(method):
    async with serve_sandbox(allow_hosts=["friend.test"]) as running:
        port = int(running.url.rpartition(":")[2])
        for host, origin, site in itertools.product(HOSTS, ORIGINS, SITES):
            lines = [f"{method} /v1/threads/thread_x HTTP/1.1", "Content-Length: 0"]
            lines += [] if host is None else [f"Host: {host}"]
            lines += [] if origin is None else [f"Origin: {origin}"]
            lines += [] if site is None else [f"Sec-Fetch-Site: {site}"]
            before = running.sandbox.calls
            answer = await ask(port, *lines)
            expected = HOSTS[host] or SITES[site] or ORIGINS[origin]
            assert running.sandbox.calls == before + (not expected), lines
            assert not expected or int(answer.split()[1]) == expected, (lines, answer)
            assert b"access-control" not in answer.lower()


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("CONNECT evil.test:443 HTTP/1.1", 405),
        ("TRACE / HTTP/1.1", 405),
        ("GET http://evil.test/v1/threads HTTP/1.1", 421),
        ("GET https://127.0.0.1:PORT/v1/threads HTTP/1.1", 421),
        ("GET /v1/threads HTTP/1.1\r\nUpgrade: websocket", 501),
    ],
)
async def test_what_is_no_request_for_an_upstream_is_refused(line, status):
    async with serve_sandbox() as running:
        answer = await ask(int(running.url.rpartition(":")[2]), line, "Host: 127.0.0.1:PORT")
        assert answer.startswith(b"HTTP/1.1 %d " % status)
        assert running.sandbox.calls == 0


MALFORMED = (
    b"GET /v1/threads?key=%b HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nBad Header: %b\r\n\r\n",
    b"GET /v1/threads?key=%b HTTP/9.9\r\nAuthorization: Bearer %b\r\n\r\n",
    b"POST /v1/threads HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Length: x%b\r\n\r\n",
    b"POST /v1/threads HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nAuthorization: Bearer k\r\nTransfer-Encoding: chunked\r\n\r\n%b\r\n",
    b"GET /v1/threads/%b\x1b[31m HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
    b"%b %b\r\n\r\n",
)


@pytest.mark.parametrize("raw", MALFORMED)
async def test_a_request_that_cannot_be_parsed_is_not_echoed(raw, caplog, capfd):
    secret = b"sk-planted-0123456789"
    async with serve_sandbox() as running:
        port = int(running.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(raw.replace(b"%b", secret).replace(b"PORT", b"%d" % port))
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"could not parse this HTTP request" in answer
    assert secret not in answer + caplog.text.encode() + "".join(capfd.readouterr()).encode()


async def test_what_an_error_repeats_of_a_request_is_short_and_visible():
    hostile = "thread_\\u202e\\u009b31m" + "x" * 5000
    body = f'{{"assistant_id": "{hostile}", "oops{hostile}": 1}}'
    async with serve_sandbox() as running:
        port = int(running.url.rpartition(":")[2])
        for line in ("POST /v1/threads/thread_x/runs HTTP/1.1", "POST /v1/threads/runs HTTP/1.1"):
            head = f"{line}\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer k\r\nConnection: close\r\n"
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            answer = (await asyncio.wait_for(reader.read(), 10)).decode()
            writer.close()
            assert answer.startswith("HTTP/1.1 40")
            assert "\u202e" not in answer
            assert "\x9b" not in answer
            assert "x" * 2000 not in answer
