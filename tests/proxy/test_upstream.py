"""The upstream: reading its URL, reaching it, and what is said when that fails."""

import asyncio

import pytest
from respool.cassettes.errors import UpstreamError, UsageError
from respool.proxy.upstream import Broken, HungUp, Origin, Upstream


@pytest.mark.parametrize(
    ("url", "authority", "base"),
    [
        ("https://api.test/v1", "api.test", "/v1"),
        ("https://api.test:8443/openai/v1/", "api.test:8443", "/openai/v1"),
        ("http://127.0.0.1:80", "127.0.0.1", ""),
        ("http://[::1]:9/v1", "[::1]:9", "/v1"),
        ("HTTP://Host.Test/api/projects/x", "host.test", "/api/projects/x"),
    ],
)
def test_an_upstream_url_is_an_origin_and_a_base_path(url, authority, base):
    origin = Origin.parse(url)
    assert (origin.authority, origin.base) == (authority, base)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.test/v1",
        "ftp://x/",
        "http://",
        "http://a:b@c/",
        "http://a/?q",
        "http://a/#f",
        "http://a:99999/",
        "http://[::1",
    ],
)
def test_another_url_is_refused_with_an_example(url):
    with pytest.raises(UsageError) as refused:
        Origin.parse(url)
    assert refused.value.hint
    assert "b@c" not in refused.value.message


@pytest.mark.parametrize(
    "url", ["https://user:hunter2/pw@host/v1", "https://user:hunter2@h\u2100st/v1", "https://u:hunter2@[x/v1"]
)
def test_a_refused_url_is_not_repeated_since_it_may_hold_a_password(url):
    with pytest.raises(UsageError) as refused:
        Origin.parse(url)
    assert "hunter2" not in refused.value.message + refused.value.hint


async def test_an_upstream_that_is_not_there_is_named(unused_tcp_port):
    with pytest.raises(UpstreamError, match=f"127.0.0.1:{unused_tcp_port}/v1 cannot be reached"):
        await Upstream(Origin.parse(f"http://127.0.0.1:{unused_tcp_port}/v1")).check()


@pytest.mark.parametrize("answer", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", b""])
async def test_an_upstream_that_speaks_no_http_is_named(proxies, answer):
    async def script(heard, writer):
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with proxies.raw_upstream(script) as server:
        upstream = Upstream(Origin.parse(server.url))
        exchange = await upstream.exchange("GET")
        await exchange.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", last=True)
        with pytest.raises(UpstreamError, match=r"does not speak HTTP|without an answer"):
            await exchange.head()
        exchange.release()
        upstream.close()


@pytest.mark.parametrize("began", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"])
async def test_a_call_that_the_proxy_itself_ends_is_not_blamed_on_the_upstream(proxies, began):
    async def script(heard, writer):
        writer.write(began)
        await asyncio.sleep(30)

    async with proxies.raw_upstream(script) as server:
        upstream = Upstream(Origin.parse(server.url))
        exchange = await upstream.exchange("GET")
        await exchange.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", last=True)

        async def hear():
            await exchange.head()
            async for _ in exchange.body():
                pass

        asyncio.get_running_loop().call_later(0.05, upstream.close)
        with pytest.raises(HungUp, match="respool was stopped before"):
            await asyncio.wait_for(hear(), 10)
        exchange.release()


async def test_interim_answers_are_passed_over(proxies):
    async def script(heard, writer):
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with proxies.raw_upstream(script) as server:
        upstream = Upstream(Origin.parse(server.url))
        exchange = await upstream.exchange("GET")
        await exchange.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", last=True)
        head = await exchange.head()
        assert head.status == 200
        assert b"".join([piece async for piece in exchange.body()]) == b"ok"
        exchange.release()
        upstream.close()


async def test_a_connection_with_an_unread_answer_is_not_used_again(proxies):
    async def script(heard, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly the start")

    async with proxies.raw_upstream(script) as server:
        upstream = Upstream(Origin.parse(server.url))
        for _ in range(3):
            exchange = await upstream.exchange("GET")
            await exchange.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", last=True)
            await exchange.head()
            exchange.release()
        assert server.connections == upstream.dialled == 3
        upstream.close()


async def test_a_call_on_a_stale_connection_fails_and_is_not_sent_twice(proxies):
    async def script(heard, writer):
        if len(server.heard) == 1:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        else:
            writer.close()

    async with proxies.raw_upstream(script) as server:
        upstream = Upstream(Origin.parse(server.url))
        for number in range(2):
            exchange = await upstream.exchange("DELETE")
            await exchange.send(b"DELETE /x HTTP/1.1\r\nHost: x\r\n\r\n", last=True)
            if number == 0:
                await exchange.head()
                assert [piece async for piece in exchange.body()] == []
            else:
                with pytest.raises(UpstreamError, match="without an answer"):
                    await exchange.head()
            exchange.release()
        assert len(server.heard) == 2
        assert server.connections == 1
        upstream.close()


async def test_silence_within_a_body_has_a_limit(proxies, monkeypatch):
    monkeypatch.setattr("respool.proxy.upstream.IDLE_SECONDS", 0.05)

    async def script(heard, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await asyncio.sleep(30)

    async with proxies.raw_upstream(script) as server:
        upstream = Upstream(Origin.parse(server.url))
        exchange = await upstream.exchange("GET")
        await exchange.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", last=True)
        await exchange.head()
        with pytest.raises(Broken, match="silent"):
            [piece async for piece in exchange.body()]
        exchange.release()
        upstream.close()
