"""The plainest answers, read by hand: never another opinion than the parser's."""

import asyncio
import gc

import pytest
from aiohttp import ClientPayloadError
from aiohttp.client_proto import ResponseHandler
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.errors import UpstreamError
from respool.proxy.passage import Passage
from respool.proxy.replies import read_reply
from respool.proxy.upstream import Origin, Upstream

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

names = st.sampled_from(
    [b"Content-Type", b"content-length", b"X-A", b"Connection", b"Transfer-Encoding", b"Upgrade", b"x_y"]
)
values = st.one_of(
    st.sampled_from([b"2", b"02", b"+2", b"close", b"keep-alive", b"chunked", b"h2c", b"", b" a\tb "]),
    st.binary(max_size=6).filter(lambda value: b"\r" not in value and b"\n" not in value),
)


def parsed(data: bytes):
    """What aiohttp's parser makes of a whole answer; None where it refuses, waits for more, or finds more."""
    loop = asyncio.new_event_loop()
    try:
        handler = ResponseHandler(loop)
        handler.set_response_params(read_until_eof=False, auto_decompress=False)
        messages, _, rest = handler._parser.feed_data(data)
        if len(messages) != 1 or rest:
            return None
        message, payload = messages[0]
        body = b"" if payload.at_eof() else payload.read_nowait()
        if not payload.is_eof():
            return None
        return message.code, message.reason.encode(), message.raw_headers, body
    except (Exception, ClientPayloadError):
        return None
    finally:
        loop.close()


@given(
    status=st.sampled_from([b"100", b"200", b"204", b"304", b"404", b"500", b"99", b"2000"]),
    reason=st.sampled_from([b"OK", b"", b"Not Found", b"\xc3\xa9"]),
    lines=st.lists(st.tuples(names, values), max_size=5),
    length=st.sampled_from([b"Content-Length: 2\r\n", b"content-length:\t2 \r\n", b""]),
    body=st.sampled_from([b"{}", b"{", b"{}}", b"0\r\n\r\n"]),
)
def test_what_is_read_by_hand_is_what_the_parser_reads(status, reason, lines, length, body):
    head = b"HTTP/1.1 " + status + b" " + reason + b"\r\n"
    data = head + b"".join(name + b": " + value + b"\r\n" for name, value in lines) + length + b"\r\n" + body
    reply = read_reply(data)
    if reply is not None:
        assert (*reply.head, reply.body) == parsed(data)


def test_a_plain_answer_is_read_by_hand():
    reply = read_reply(PLAIN)
    assert reply is not None
    assert (*reply.head, reply.body) == parsed(PLAIN)


@pytest.mark.parametrize(
    "data",
    [
        PLAIN[:-1],
        PLAIN + b"x",
        PLAIN[:20],
        PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"),
        PLAIN.replace(b"200", b"304"),
        PLAIN.replace(b"200", b"103"),
        PLAIN.replace(b"\r\nContent-Type: ", b"\r\n folded "),
        PLAIN.replace(b"Content-Type:", b"Content-Type :"),
        PLAIN.replace(b"Content-Length: 2", b"Content-Length: 2\r\nContent-Length: 2"),
        PLAIN.replace(b"Content-Length: 2", b"Content-Length: 2\r\nTransfer-Encoding: chunked"),
        PLAIN.replace(b"Content-Length: 2", b"Connection: close\r\nContent-Length: 2"),
        PLAIN.replace(b"application/json", b"application/json\nX: y"),
        PLAIN.replace(b"\r\nContent-Length", b"\r\nX: y" * 200 + b"\r\nContent-Length"),
    ],
)
def test_what_is_not_plain_is_left_to_the_parser(data):
    assert read_reply(data) is None


async def exchanged(upstream: Upstream, method: str = "GET"):
    """A call, read as the proxy does: by hand, else with the parser."""
    exchange = await upstream.exchange(method)
    try:
        await exchange.send(GET.replace(b"GET", method.encode()), last=True)
        reply = await exchange.reply()
        if reply is not None:
            return "by hand", reply.head.status, reply.body
        head = await exchange.head()
        return "parsed", head.status, b"".join([piece async for piece in exchange.body()])
    finally:
        exchange.release()


async def test_both_ways_take_turns_on_one_connection(proxies):
    answers = [PLAIN, b"", PLAIN, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", PLAIN]

    async def script(heard, writer):
        answer = answers.pop(0)
        if answer:
            writer.write(answer)
            return
        writer.write(PLAIN[:30])
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(PLAIN[30:])

    async with proxies.raw_upstream(script) as server:
        upstream = Upstream(Origin.parse(server.url))
        ways = [await exchanged(upstream) for _ in range(5)]
        assert [way for way, _, _ in ways] == ["by hand", "parsed", "by hand", "parsed", "by hand"]
        assert {(status, body) for _, status, body in ways} == {(200, b"{}")}
        assert server.connections == 1
        upstream.close()


async def test_an_answer_to_head_is_left_to_the_parser(proxies):
    async def script(heard, writer):
        writer.write(PLAIN[:-2])

    async with proxies.raw_upstream(script) as server:
        upstream = Upstream(Origin.parse(server.url))
        assert await exchanged(upstream, "HEAD") == ("parsed", 200, b"")
        upstream.close()


async def test_a_connection_with_more_than_the_answer_is_not_used_again(proxies):
    async def script(heard, writer):
        writer.write(PLAIN)
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(PLAIN)

    async with proxies.raw_upstream(script) as server:
        upstream = Upstream(Origin.parse(server.url))
        assert await exchanged(upstream) == ("by hand", 200, b"{}")
        await asyncio.sleep(0.1)
        assert await exchanged(upstream) == ("by hand", 200, b"{}")
        assert server.connections == 2
        upstream.close()


async def test_an_upstream_that_hangs_up_gave_no_answer(proxies):
    async def script(heard, writer):
        writer.close()

    async with proxies.raw_upstream(script) as server:
        upstream = Upstream(Origin.parse(server.url))
        with pytest.raises(UpstreamError, match="without an answer"):
            await exchanged(upstream)
        upstream.close()


async def test_silence_before_an_answer_has_a_limit(proxies, monkeypatch):
    monkeypatch.setattr("respool.proxy.upstream.HEAD_SECONDS", 0.05)

    async def script(heard, writer):
        await asyncio.sleep(30)

    async with proxies.raw_upstream(script) as server:
        upstream = Upstream(Origin.parse(server.url))
        with pytest.raises(UpstreamError, match="did not answer within"):
            await exchanged(upstream)
        upstream.close()


async def test_a_recorded_call_leaves_nothing_for_the_garbage_collector(proxies, tmp_path):
    async def script(heard, writer):
        writer.write(PLAIN)

    async with (
        proxies.raw_upstream(script) as server,
        proxies.recording(server.url, tmp_path / "a.cassette") as proxy,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        gc.collect()
        gc.disable()
        try:
            for _ in range(5):
                writer.write(GET)
                await reader.readexactly(len(PLAIN))
            await asyncio.sleep(0.05)
            assert sum(isinstance(thing, Passage) for thing in gc.get_objects()) == 0
        finally:
            gc.enable()
        writer.close()
