"""The receiving end of a connection to the upstream: which heads it takes, and what a waiting reader learns at its end."""

import asyncio

import pytest
from respool.cassettes.errors import UpstreamError
from respool.proxy.reception import Connection
from respool.proxy.upstream import Origin, Upstream


@pytest.mark.parametrize(
    "lines", [b"X-Big: " + b"x" * 70_000 + b"\r\n", b"".join(b"X-%d: x\r\n" % number for number in range(200))]
)
async def test_an_answer_whose_head_is_too_large_is_not_taken_for_another_protocol(proxies, lines):
    async def script(heard, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 0\r\n\r\n")
        await writer.drain()

    async with proxies.raw_upstream(script) as server:
        upstream = Upstream(Origin.parse(server.url))
        exchange = await upstream.exchange("GET")
        await exchange.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", last=True)
        with pytest.raises(UpstreamError, match="is too large to be passed on") as refused:
            await exchange.head()
        assert "128 header lines of 64 KiB are the most" in refused.value.hint
        exchange.release()
        upstream.close()


async def test_whoever_waits_for_a_body_learns_at_once_that_the_connection_was_aborted(proxies):
    async def script(heard, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await writer.drain()
        await asyncio.sleep(30)

    async with proxies.raw_upstream(script) as server:
        loop = asyncio.get_running_loop()
        transport, connection = await loop.create_connection(lambda: Connection(loop), "127.0.0.1", server.port)
        connection.begin(bodiless=False)
        transport.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        _, payload = await connection.read()
        assert await payload.readany() == b"half"
        loop.call_later(0.05, connection.abort)
        with pytest.raises(ConnectionAbortedError):
            await asyncio.wait_for(payload.readany(), 10)
