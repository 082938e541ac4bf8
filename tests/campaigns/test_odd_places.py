"""A key in the odd places of HTTP, sent and answered byte by byte through a recording proxy: nothing that is written holds it."""

import asyncio
import contextlib
import random

import pytest
from planted import word
from planted_search import found_in, said
from respool.cassettes.reader import Reader
from respool.cassettes.secrets.policy import PLAIN
from respool.cassettes.secrets.pseudonyms import Pseudonyms
from respool.cassettes.writer import Writer
from respool.proxy.control.hub import Hub
from respool.proxy.narration import Narration
from respool.proxy.record import Recorder
from respool.proxy.server import serve
from respool.proxy.upstream import Origin, Upstream

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
ANSWERS = {
    "trailer": CHUNKED + b"Trailer: X-T\r\n\r\n2\r\n{}\r\n0\r\nX-T: KEY\r\n\r\n",
    "chunk extension": CHUNKED + b"\r\n2;a=KEY\r\n{}\r\n0\r\n\r\n",
    "reason": b"HTTP/1.1 400 no KEY\r\nContent-Length: 2\r\n\r\n{}",
    "early hints": b"HTTP/1.1 103 Early Hints\r\nLink: </KEY>\r\n\r\n" + ANSWER,
    "name of a header": b"HTTP/1.1 200 OK\r\nKEY: 1\r\nContent-Length: 2\r\n\r\n{}",
    "cookie's attribute": b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/KEY\r\nContent-Length: 2\r\n\r\n{}",
    "fragment": b"HTTP/1.1 302 Found\r\nLocation: /x#access_token=KEY\r\nContent-Length: 2\r\n\r\n{}",
    "length that lies": b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"password": "KEY", ',
    "no status line": b"KEY\r\n\r\n",
    "malformed header": b"HTTP/1.1 200 OK\r\nKEY\r\n\r\n",
    "comment of a stream": CHUNKED + b"Content-Type: text/event-stream\r\n\r\n2f\r\n: KEY\n\n\n\n\n\n\r\n0\r\n\r\n",
}
REQUESTS = {
    "method": b"KEY /v1/threads HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "name of a header": b"GET /v1/threads HTTP/1.1\r\nHost: HOST\r\nKEY: 1\r\n\r\n",
    "behind the name of a header": b"GET /v1/threads HTTP/1.1\r\nHost: HOST\r\nX-Api-KEY: 1\r\n\r\n",
    "name of a cookie": b"GET /v1/threads HTTP/1.1\r\nHost: HOST\r\nCookie: KEY=1\r\n\r\n",
    "name of a parameter": b"GET /v1/threads?KEY=1&KEY HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "absolute form": b"GET http://HOST/v1/threads?key=KEY HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "user of an URL": b"GET http://u:KEY@HOST/v1 HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "CONNECT": b"CONNECT KEY.example:443 HTTP/1.1\r\nHost: KEY.example\r\nProxy-Authorization: KEY\r\n\r\n",
    "upgrade": b"GET /v1?token=KEY HTTP/1.1\r\nHost: HOST\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "host": b"GET /KEY HTTP/1.1\r\nHost: KEY.example\r\n\r\n",
    "origin": b"GET / HTTP/1.1\r\nHost: HOST\r\nOrigin: http://KEY.example\r\n\r\n",
    "too large a head": b"GET /KEY HTTP/1.1\r\nHost: HOST\r\nX-A: KEY" + b"a" * 70_000 + b"\r\n\r\n",
    "body that is cut": b'POST /v1/threads HTTP/1.1\r\nHost: HOST\r\nContent-Length: 999\r\n\r\n{"password": "KEY"',
    "trailer": b"POST /v1/threads HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2;a=KEY\r\n{}\r\n0\r\nX-T: KEY\r\n\r\n",
    "name of a file": b"POST /v1/files HTTP/1.1\r\nHost: HOST\r\nContent-Type: multipart/form-data; boundary=B\r\n"
    b"Content-Length: 129\r\n\r\n"
    + b'--B\r\nContent-Disposition: form-data; name="f"; filename="KEY"\r\n\r\nx\r\n--B--\r\n'.ljust(92),
}


async def exchange(port: int, request: bytes) -> None:
    reader, sender = await asyncio.open_connection("127.0.0.1", port)
    sender.write(request.replace(b"HOST", b"127.0.0.1:%d" % port))
    with contextlib.suppress(TimeoutError, ConnectionError):
        await asyncio.wait_for(reader.read(1 << 20), 0.25)
    sender.close()


@pytest.mark.parametrize("seed", range(2))
async def test_nothing_that_is_written_holds_a_key_from_an_odd_place(tmp_path, seed):
    rng = random.Random(seed)
    keys = {place: "ghp_" + word(rng, 36) for place in (*(f"ask {each}" for each in REQUESTS), *ANSWERS)}
    now = ANSWER

    async def answer(reader, sender):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            sender.write(now)
            await sender.drain()
        sender.close()

    told: list[str] = []
    path = tmp_path / "odd.cassette"
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    origin = Origin.parse(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
    hub = Hub("record")
    hub.narration = Narration(told.append)
    with Writer.create(path, meta=PLAIN.note()) as writer:
        recorder = Recorder(Upstream(origin), writer, narrate=told.append, replacer=Pseudonyms(b"k" * 32), hub=hub)
        async with server, serve(recorder, name="record", narrate=told.append, narration=hub.narration) as proxy:
            for place, request in REQUESTS.items():
                await exchange(proxy.port, request.replace(b"KEY", keys[f"ask {place}"].encode()))
            for place, text in ANSWERS.items():
                now = text.replace(b"KEY", keys[place].encode())
                await exchange(proxy.port, b"GET /v1/threads HTTP/1.1\r\nHost: HOST\r\n\r\n")
    texts = ["\n".join(told).encode(), path.read_bytes()]
    with Reader.open(path) as reader:
        assert len(reader) >= len(ANSWERS) + 5
        texts += [said(reader.interaction(row)) + repr(row).encode() for row in reader.rows()]
    assert found_in(texts, set(keys.values())) == []
