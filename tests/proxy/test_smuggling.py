"""Requests that two readers would read differently: none passes as another, and none takes the next one with it.

Each vector is sent whole, byte by byte, and with a second request (`GET /canary`) behind it. The upstream reads by the
strict rules of RFC 9112. Either the vector is refused (400, 417, 421, 501 or 505, and the connection closes, so that what
follows is never read), or exactly the requests that were meant arrive there, whole and in order.
"""

import asyncio
import re

import pytest

CANARY = b"GET /canary HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n"
REFUSALS = {400, 405, 417, 421, 501, 505}


def post(
    *lines: bytes, body: bytes = b"", target: bytes = b"/v", version: bytes = b"HTTP/1.1", host: bytes = b"Host: p"
) -> bytes:
    return b"\r\n".join([b"POST " + target + b" " + version, host, *lines, b"", body])


def chunked(body: bytes, *lines: bytes) -> bytes:
    return post(b"Transfer-Encoding: chunked", *lines, body=body)


def line(text: bytes) -> bytes:
    return text + b"\r\nHost: p\r\n\r\n"


LENGTHS = [
    b"+5",
    b"-0",
    b"-5",
    b"0x5",
    b"5,5",
    b"5, 6",
    b"1_0",
    b"5 5",
    b"\xd9\xa5",
    b"18446744073709551616",
    b"18446744073709551621",
    b"",
    b"5;",
    b"5\x0b",
    b"\x0c5",
    b"5.0",
    b"5e0",
    b"five",
    b'"5"',
    b"5\x00",
]
CODINGS = [
    b"\x0bchunked",
    b"chunked\x0c",
    b"\xa0chunked",
    b"chunked\x00",
    b"chunked,",
    b", chunked",
    b"chunkedchunked",
    b"xchunked",
    b"chunked, identity",
    b"identity",
    b"identity, chunked",
    b"gzip, chunked",
    b"chunked, chunked",
    b"chunked;q=1",
    b"'chunked'",
    b'"chunked"',
    b"chunk",
    b"chunked x",
    b"x chunked",
    b"[chunked]",
    b"chunked\xff",
    b"deflate",
    b"",
    b"ch\xc3\xbcnked",
]
SIZES = [
    b"0_2",
    b"+2",
    b"-2",
    b"2 ",
    b" 2",
    b"0x2",
    b"FFFFFFFFFFFFFFFF1",
    b"10000000000000002",
    b"",
    b"g",
    b"2\x00",
    b"2\t",
    b"2.0",
    b"\xb2",
    b"2\r",
    b"2;a\nb",
]
NAMES = [
    b"Content-Length ",
    b" Content-Length",
    b"Content-Length\t",
    b"Content Length",
    b"Content-Length\x00",
    b"\x00Content-Length",
    b"Content-Length\x0b",
    b"Content-Length:",
    b"Content_Length\x7f",
]

REFUSED = {
    **{f"length {value!r}": post(b"Content-Length: " + value, body=b"12345") for value in LENGTHS},
    **{f"coding {value!r}": post(b"Transfer-Encoding: " + value, body=b"2\r\nab\r\n0\r\n\r\n") for value in CODINGS},
    **{f"size {value!r}": chunked(value + b"\r\nab\r\n0\r\n\r\n") for value in SIZES},
    **{f"name {name!r}": post(name + b": 5", body=b"12345") for name in NAMES},
    "length and coding": post(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "coding and length": chunked(b"0\r\n\r\n", b"Content-Length: 60"),
    "two lengths": post(b"Content-Length: 5", b"Content-Length: 6", body=b"123456"),
    "two codings": chunked(b"0\r\n\r\n", b"Transfer-Encoding: chunked"),
    "two codings, one unknown": chunked(b"0\r\n\r\n", b"Transfer-Encoding: x"),
    "coding in another case twice": chunked(b"0\r\n\r\n", b"transfer-encoding: identity"),
    "trailers of consequence": chunked(b"2\r\nab\r\n0\r\nContent-Length: 9\r\nHost: q\r\nTransfer-Encoding: x\r\n\r\n"),
    "coding in HTTP/1.0": post(b"Transfer-Encoding: chunked", body=b"0\r\n\r\n", version=b"HTTP/1.0"),
    "coding on a folded line": post(b"Transfer-Encoding:\r\n chunked", body=b"0\r\n\r\n"),
    "coding folded onto another": post(b"X: y\r\n Transfer-Encoding: chunked", b"Content-Length: 0"),
    "space before the colon": post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"),
    "no line feed after a chunk": chunked(b"2\r\nabX0\r\n\r\n"),
    "bare line feed after a chunk": chunked(b"2\r\nab\n0\r\n\r\n"),
    "bare line feed after a size": chunked(b"2\nab\r\n0\r\n\r\n"),
    "more than the chunk": chunked(b"2\r\nabcd\r\n0\r\n\r\n"),
    "bare carriage return in a field": post(b"X: a\rContent-Length: 5", body=b"12345"),
    "nothing in a field but NUL": post(b"X: \x00", b"Content-Length: 0"),
    "bare carriage return before the end": b"POST /v HTTP/1.1\r\nHost: p\r\nContent-Length: 0\r\rX: y\r\n\r\n",
    "a field without a colon": post(b"Nonsense", b"Content-Length: 0"),
    "a field without a name": post(b": x", b"Content-Length: 0"),
    "no host": b"GET /v HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /v HTTP/1.1\r\nHost: p\r\nHost: q\r\n\r\n",
    "two hosts alike": b"GET /v HTTP/1.1\r\nHost: p\r\nhost: p\r\n\r\n",
    "an empty host": b"GET /v HTTP/1.1\r\nHost:\r\n\r\n",
    "hosts in a list": b"GET /v HTTP/1.1\r\nHost: p, q\r\n\r\n",
    "a host with a path": b"GET /v HTTP/1.1\r\nHost: p/x\r\n\r\n",
    "a host with a user": b"GET /v HTTP/1.1\r\nHost: u@p\r\n\r\n",
    "a folded host": b"GET /v HTTP/1.1\r\nHost:\r\n p\r\n\r\n",
    "HTTP/2.0": line(b"GET /v HTTP/2.0"),
    "HTTP/0.9": line(b"GET /v HTTP/0.9"),
    "no version": b"GET /v\r\n\r\n",
    "HTTP/1.1 in lower case": line(b"GET /v http/1.1"),
    "HTTP/11": line(b"GET /v HTTP/11"),
    "HTTP/1.1x": line(b"GET /v HTTP/1.1x"),
    "another protocol": line(b"GET /v ICE/1.0"),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40) + b"\r\n\r\n",
    "another host's URL": line(b"GET http://q/v HTTP/1.1"),
    "a URL with a user": line(b"GET http://u@p/v HTTP/1.1"),
    "a URL of another scheme": line(b"GET ftp://p/v HTTP/1.1"),
    "CONNECT": line(b"CONNECT p:443 HTTP/1.1"),
    "an authority for GET": line(b"GET p:443 HTTP/1.1"),
    "a star": line(b"OPTIONS * HTTP/1.1"),
    "a space in the target": line(b"GET /v w HTTP/1.1"),
    "NUL in the target": line(b"GET /v\x00w HTTP/1.1"),
    "a tab in the target": line(b"GET /v\tw HTTP/1.1"),
    "a method with a colon": line(b"G:T /v HTTP/1.1"),
    "a method in brackets": line(b"<G> /v HTTP/1.1"),
    "a method with NUL": line(b"G\x00T /v HTTP/1.1"),
    "an unknown expectation": post(b"Expect: 100-continue-not", b"Content-Length: 5", body=b"12345"),
    "an expectation besides": post(b"Expect: 100-continue, x", b"Content-Length: 5", body=b"12345"),
    "WebSocket": b"GET /v HTTP/1.1\r\nHost: p\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "too many fields": post(*[b"X-%d: y" % number for number in range(300)], b"Content-Length: 0"),
    "a field too long": post(b"X: " + b"y" * 70_000, b"Content-Length: 0"),
    "a target too long": line(b"GET /" + b"v" * 70_000 + b" HTTP/1.1"),
}  # fmt: skip

PASSED = {
    # what is sent, and the body that has to arrive
    "a length with zeros before": (post(b"Content-Length: 005", body=b"12345"), b"12345"),
    "a length with space around": (post(b"Content-Length:  5 \t", body=b"12345"), b"12345"),
    "a chunk with zeros before": (chunked(b"0002\r\nab\r\n000\r\n\r\n"), b"ab"),
    "a chunk extension": (chunked(b"2;a=b;c=\"d\"\r\nab\r\n0;e\r\n\r\n"), b"ab"),
    "a trailer": (chunked(b"2\r\nab\r\n0\r\nX-Note: y\r\n\r\n"), b"ab"),
    "a request within a body": (post(b"Content-Length: %d" % len(CANARY), body=CANARY), CANARY),
    "a request within a chunk": (chunked(b"%x\r\n%b\r\n0\r\n\r\n" % (len(CANARY), CANARY)), CANARY),
    "the coding in other letters": (post(b"tRANSFER-eNCODING: Chunked", body=b"2\r\nab\r\n0\r\n\r\n"), b"ab"),
    "a connection that names the length": (post(b"Connection: Content-Length", b"Content-Length: 2", body=b"ab"), b"ab"),
    "a connection that names the coding": (chunked(b"2\r\nab\r\n0\r\n\r\n", b"Connection: Transfer-Encoding"), b"ab"),
    "a connection that names the host": (post(b"Connection: Host", b"Content-Length: 2", body=b"ab"), b"ab"),
    "an underscore in the length": (post(b"Content_Length: 60", b"Content-Length: 2", body=b"ab"), b"ab"),
    "a look-alike of the coding": (post(b"X-Transfer-Encoding: chunked", b"Content-Length: 2", body=b"ab"), b"ab"),
    "an expectation": (post(b"Expect: 100-continue", b"Content-Length: 5", body=b"12345"), b"12345"),
    "empty lines before": (b"\r\n\r\n" + post(b"Content-Length: 2", body=b"ab"), b"ab"),
    "another method": (b"PATCH /v HTTP/1.1\r\nHost: p\r\n\r\n", b""),
    "a body with GET": (b"GET /v HTTP/1.1\r\nHost: p\r\nContent-Length: 2\r\n\r\nab", b"ab"),
    "a double slash": (line(b"GET //q/v HTTP/1.1"), b""),
    "dots and escapes": (line(b"GET /v/%2e%2e/%00%0d%0a%zz?;[]|+ HTTP/1.1"), b""),
}  # fmt: skip


async def answering(heard, writer):
    said = heard.line.split(b" ")[1]
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))


WAYS = ("whole", "byte by byte", "with a canary")


async def send(port, vector, way):
    """Send it; returns all that comes back until the connection closes, and whether it did."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got, closed = b"", False
    try:
        if way == "byte by byte" and len(vector) < 2000:
            for place in range(len(vector)):
                writer.write(vector[place : place + 1])
                await asyncio.sleep(0)
                await asyncio.sleep(0)
        else:
            writer.write(vector + (CANARY if way == "with a canary" else b""))
        async with asyncio.timeout(0.4 if way != "with a canary" else 5):
            while data := await reader.read(65536):
                got += data
        closed = True
    except (TimeoutError, ConnectionError):
        closed = not isinstance(got, bytes)
    finally:
        writer.close()
    return got, closed


def statuses(got):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) [A-Z]", got) if status != b"100"]


def test_there_are_enough_of_them():
    assert (len(REFUSED) + len(PASSED)) * len(WAYS) >= 400


@pytest.mark.parametrize("way", WAYS)
async def test_what_can_be_read_in_two_ways_is_refused_and_nothing_of_it_travels_on(proxies, tmp_path, way):
    async with proxies.raw_upstream(answering) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            for name, vector in REFUSED.items():
                before = len(upstream.heard)
                got, closed = await send(proxy.port, vector, way)
                assert len(upstream.heard) == before, (name, upstream.heard[-1].head, upstream.heard[-1].body)
                told = statuses(got)
                assert len(told) <= 1, (name, got)
                assert not told or told[0] in REFUSALS | {408}, (name, got)
                assert told or not closed or way == "byte by byte", (name, "closed without a word")
                if told:
                    assert b"onnection: close" in got, (name, got)
                assert way != "with a canary" or closed, (name, got)


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_plain_arrives_once_and_takes_nothing_with_it(proxies, tmp_path, way):
    async with proxies.raw_upstream(answering) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            for name, (vector, body) in PASSED.items():
                before = len(upstream.heard)
                got, closed = await send(proxy.port, vector, way)
                heard = upstream.heard[before:]
                assert heard, (name, got)
                assert heard[0].body == body, (name, got)
                assert heard[0].line.split(b" ")[1].startswith((b"/v", b"//q/v")), name
                if way == "with a canary":
                    assert [each.line for each in heard[1:]] == [b"GET /canary HTTP/1.1"], (name, got)
                    assert closed
                    assert statuses(got) == [200, 200], (name, got)
                else:
                    assert len(heard) == 1, (name, heard[1].line)
                    assert statuses(got) == [200], (name, got)


OFFER = (
    b"GET /v HTTP/1.1\r\nHost: p\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n"
)


@pytest.mark.parametrize("behind", [b"", CANARY, CANARY[:20], CANARY + CANARY])
async def test_nothing_is_read_behind_an_offer_of_http_2(proxies, tmp_path, behind):
    """What comes in one piece with it would be lost, and what comes later would be read from its middle."""
    async with proxies.raw_upstream(answering) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            got = await proxies.raw_call(proxy.port, OFFER + behind)
        assert [each.line for each in upstream.heard] == [b"GET /v HTTP/1.1"]
    assert statuses(got) == [200]
    assert b"\r\nConnection: close\r\n" in got
