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
