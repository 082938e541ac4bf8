"""Recording: what the upstream gets, what the client gets, and what is kept."""

import asyncio
import gzip
import json

import aiohttp
import pytest
from respool.cassettes.interaction import Body, End, Request
from respool.cassettes.keys import request_key
from respool.cassettes.reader import Reader
from respool.cassettes.rules import Rules
from respool.cassettes.secrets.policy import PLAIN, policy_of_notes
from respool.cassettes.writer import Writer
from respool.proxy.record import Recorder
from respool.proxy.server import serve
from respool.proxy.upstream import Origin, Upstream


def answering(data: bytes):
    async def script(heard, writer):
        writer.write(data)

    return script


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


async def test_target_and_headers_reach_the_upstream_byte_for_byte(proxies, tmp_path):
    lines = [b"X-Q: 1", b"X-Q: 2", b"x-q: 3", b"X-Odd: caf\xe9", b"Authorization: Bearer sk-one"]
    async with proxies.raw_upstream(answering(OK)) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            for target in (b"/x?", b"//h/x%2Fy", b"/v1/a?b=c&b=%20", b"/"):
                request = b"\r\n".join([b"GET " + target + b" HTTP/1.1", b"Host: proxy", *lines, b"Connection: close"])
                await proxies.raw_call(proxy.port, request + b"\r\n\r\n")
        assert [heard.line for heard in upstream.heard] == [
            b"GET /x? HTTP/1.1",
            b"GET //h/x%2Fy HTTP/1.1",
            b"GET /v1/a?b=c&b=%20 HTTP/1.1",
            b"GET / HTTP/1.1",
        ]
        host = b"Host: 127.0.0.1:%d" % upstream.port
        assert upstream.heard[0].headers == [host, *lines]
    kept = proxies.interactions(tmp_path / "a.cassette")
    assert [interaction.request.target for interaction in kept] == [b"/x?", b"//h/x%2Fy", b"/v1/a?b=c&b=%20", b"/"]
    assert (b"X-Odd", b"caf\xe9") in kept[0].request.headers
    assert [value for name, value in kept[0].request.headers if name.lower() == b"x-q"] == [b"1", b"2", b"3"]


async def test_the_client_gets_the_upstreams_head_and_body_byte_for_byte(proxies, tmp_path):
    answer = b"HTTP/1.1 299 Rather Fine\r\nX-A: 1\r\nx-a: 2\r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 3\r\n\r\nabc"
    async with proxies.raw_upstream(answering(answer)) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            got = await proxies.raw_call(
                proxy.port, b"GET /v1/threads HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n"
            )
    assert got == answer.replace(b"\r\n\r\nabc", b"\r\nConnection: close\r\n\r\nabc")


async def test_no_credential_cookie_or_organisation_id_is_written(proxies, tmp_path):
    answer = (
        b"HTTP/1.1 401 Unauthorized\r\nopenai-organization: org-verysecret\r\nSet-Cookie: __cf_bm=cookiesecret; Path=/\r\n"
        b"Content-Length: 36\r\n\r\n" + b'{"error": "bad key sk-supersecret1"}'
    )
    async with proxies.raw_upstream(answering(answer)) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            async with aiohttp.ClientSession() as client:
                headers = {
                    "Authorization": "Bearer sk-supersecret1",
                    "Cookie": "id=anothersecret",
                    "OpenAI-Organization": "org-askedsecret",
                    "api-key": "0123456789secret",
                }
                async with client.get(proxy.url + "/v1/threads/x?api-key=querysecret99", headers=headers) as answer:
                    await answer.read()
            told = "\n".join(proxy.said).encode()
        heard = upstream.heard[0]
        assert b"sk-supersecret1" in heard.head
        assert b"querysecret99" in heard.head
    data = (tmp_path / "a.cassette").read_bytes() + told
    for secret in (
        b"verysecret",
        b"cookiesecret",
        b"supersecret1",
        b"anothersecret",
        b"askedsecret",
        b"789secret",
        b"querysecret",
    ):
        assert secret not in data


async def test_a_streams_first_event_reaches_the_client_before_the_second_is_sent(proxies, tmp_path):
    seen = asyncio.Event()

    async def script(heard, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(b"e\r\nevent: one\ndat\r\n")
        await asyncio.wait_for(seen.wait(), 5)  # the test fails here if the proxy holds the first event back
        writer.write(b"9\r\na: 1\n\nxyz\r\n0\r\n\r\n")

    async with proxies.raw_upstream(script) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            async with (
                aiohttp.ClientSession() as client,
                client.post(proxy.url + "/v1/threads/runs", json={"stream": True}) as answer,
            ):
                first = await answer.content.readany()
                seen.set()
                rest = await answer.content.read()
    assert first == b"event: one\ndat"
    assert rest == b"a: 1\n\nxyz"
    (kept,) = proxies.interactions(tmp_path / "a.cassette")
    assert kept.response.body.read() == first + rest
    assert [length for length, _ in kept.response.marks] == [len(first), len(rest)]
    assert kept.response.marks[0][1] <= kept.response.marks[1][1] <= kept.duration_us


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"Content-Length: 100\r\n\r\n", b"only this"),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"9\r\nonly this\r\n"),
        (b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n", b"9\r\nonly this\r\n"),
    ],
    ids=["counted", "chunked", "stream"],
)
async def test_an_answer_cut_by_the_upstream_is_cut_for_the_client_kept_as_cut_and_replays_as_cut(
    proxies, tmp_path, head, body
):
    async def script(heard, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n" + head + body)
        await writer.drain()
        writer.close()

    async def ask(url):
        async with aiohttp.ClientSession() as client, client.get(url + "/v1/threads/thread_1") as answer:
            got = b""
            with pytest.raises(aiohttp.ClientPayloadError):
                while piece := await answer.content.readany():
                    got += piece
            return got

    path = tmp_path / "a.cassette"
    async with proxies.raw_upstream(script) as upstream:
        async with proxies.recording(upstream.url, path) as proxy:
            assert await ask(proxy.url) == b"only this"
    (kept,) = proxies.interactions(path)
    assert kept.end is End.UPSTREAM_CUT
    assert kept.response.body.read() == b"only this"
    async with proxies.replaying(path) as proxy:
        assert await ask(proxy.url) == b"only this"


@pytest.mark.parametrize("size", [0, 3 << 20])
async def test_of_an_answer_that_breaks_off_within_a_key_no_half_of_it_is_kept(proxies, tmp_path, size):
    begun = b"ghp_aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zaB3"
    body = b'{"text": "' + b"word " * (size // 5) + b"take " + begun

    async def script(heard, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    path = tmp_path / "a.cassette"
    async with proxies.raw_upstream(script) as upstream, proxies.recording(upstream.url, path) as proxy:
        async with aiohttp.ClientSession() as client, client.get(proxy.url + "/v1/threads/thread_1") as answer:
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.read()
    with Reader.open(path) as reader:
        (kept,) = [reader.interaction(row) for row in reader.rows()]
        assert kept.response.body.read().endswith(b"take REDACTED")


async def test_a_stream_that_the_proxy_cuts_when_it_stops_is_no_failure_of_the_upstream(proxies, tmp_path):
    async def script(heard, writer):
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
        )
        await writer.drain()
        await asyncio.sleep(30)

    async with proxies.raw_upstream(script) as upstream, aiohttp.ClientSession() as client:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            answer = await client.get(proxy.url + "/v1/threads/thread_1")
            assert await answer.content.readany() == b"first"
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.content.read()
        answer.close()
    (kept,) = proxies.interactions(tmp_path / "a.cassette")
    assert kept.end is End.PROXY_CUT
    assert (proxy.recorder.failures, proxy.recorder.cut, proxy.said) == (0, 1, [])


async def test_a_client_that_leaves_a_stream_cancels_the_upstream_call_within_a_second(proxies, tmp_path):
    async def script(heard, writer):
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
        )
        await writer.drain()
        await heard.reader.read(1)
        raise ConnectionResetError

    async with proxies.raw_upstream(script) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            client = aiohttp.ClientSession()
            answer = await client.get(proxy.url + "/v1/threads/thread_1")
            assert await answer.content.readany() == b"first"
            answer.close()
            await client.close()
            await asyncio.wait_for(upstream.gone.wait(), 1)
    (kept,) = proxies.interactions(tmp_path / "a.cassette")
    assert kept.end is End.CLIENT_CUT
    assert kept.response.body.read() == b"first"


async def test_an_answer_that_is_nearly_there_is_read_on_when_the_client_leaves(proxies, tmp_path):
    left = asyncio.Event()

    async def script(heard, writer):
        await left.wait()
        writer.write(OK)

    async with proxies.raw_upstream(script) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            _, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(b"GET /v1/threads/thread_1 HTTP/1.1\r\nHost: p\r\n\r\n")
            while not upstream.heard:
                await asyncio.sleep(0.01)
            writer.close()
            await asyncio.sleep(0.05)
            left.set()
            while proxy.recorder._open:
                await asyncio.sleep(0.01)
    (kept,) = proxies.interactions(tmp_path / "a.cassette")
    assert kept.end is End.COMPLETE
    assert kept.response.body.read() == b"{}"


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
async def test_a_stream_is_whole_where_the_client_leaves_at_its_last_event(proxies, tmp_path, line_end):
    left = asyncio.Event()
    events = b"event: thread.created%bdata: {}%b%bevent: done%bdata: [DONE]%b%b" % ((line_end,) * 6)

    async def script(heard, writer):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(head + b"%x\r\n%b\r\n" % (len(events), events))
        await left.wait()
        writer.write(b"0\r\n\r\n")

    async with proxies.raw_upstream(script) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(b"GET /v1/threads/thread_1 HTTP/1.1\r\nHost: p\r\n\r\n")
            await reader.readuntil(b"[DONE]")
            writer.close()
            await asyncio.sleep(0.05)
            left.set()
            while proxy.recorder._open:
                await asyncio.sleep(0.01)
    (kept,) = proxies.interactions(tmp_path / "a.cassette")
    assert kept.end is End.COMPLETE
    assert kept.response.body.read() == events


async def test_an_unreachable_upstream_gives_a_502_that_says_so_and_replays(proxies, tmp_path, unused_tcp_port):
    path = tmp_path / "a.cassette"

    async def ask(url):
        async with aiohttp.ClientSession() as client, client.post(url + "/v1/threads", json={}) as answer:
            return answer.status, await answer.read()

    async with proxies.recording(f"http://127.0.0.1:{unused_tcp_port}/v1", path) as proxy:
        status, body = await ask(proxy.url)
        assert len(proxy.said) == 1
    assert status == 502
    assert "cannot be reached" in json.loads(body)["error"]["message"]
    (kept,) = proxies.interactions(path)
    assert kept.end is End.UPSTREAM_FAILED
    async with proxies.replaying(path) as proxy:
        assert await ask(proxy.url) == (status, body)


async def test_a_compressed_answer_passes_untouched_and_is_kept_decoded(proxies, tmp_path):
    plain = json.dumps({"id": "thread_1", "object": "thread", "filler": "x" * 500}).encode()
    packed = gzip.compress(plain, mtime=0)
    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
    )
    path = tmp_path / "a.cassette"
    async with proxies.raw_upstream(answering(answer % (len(packed), packed))) as upstream:
        async with proxies.recording(upstream.url, path) as proxy:
            got = await proxies.raw_call(
                proxy.port, b"GET /v1/threads/thread_1 HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n"
            )
    assert got.endswith(packed)
    (kept,) = proxies.interactions(path)
    assert kept.response.body.read() == plain
    assert kept.response.coding == "gzip"
    async with proxies.replaying(path) as proxy:
        got = await proxies.raw_call(
            proxy.port, b"GET /v1/threads/thread_1 HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n"
        )
    assert got.endswith(b"\r\n\r\n" + plain)
    assert b"ontent-Encoding" not in got


async def test_a_body_that_is_not_what_its_coding_says_is_kept_as_it_came(proxies, tmp_path):
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 8\r\n\r\nnot gzip"
    path = tmp_path / "a.cassette"
    async with proxies.raw_upstream(answering(answer)) as upstream:
        async with proxies.recording(upstream.url, path) as proxy:
            await proxies.raw_call(proxy.port, b"GET /x HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n")
    (kept,) = proxies.interactions(path)
    assert (kept.response.body.read(), kept.response.coding) == (b"not gzip", "")


async def test_a_redirect_within_the_upstream_leads_back_through_the_proxy(proxies, tmp_path):
    async def script(heard, writer):
        where = b"http://" + heard.headers[0].removeprefix(b"Host: ")
        writer.write(b"HTTP/1.1 307 Elsewhere\r\nLocation: %b/v1/there?a=1\r\nContent-Length: 0\r\n\r\n" % where)

    path = tmp_path / "a.cassette"

    async def ask(url):
        async with (
            aiohttp.ClientSession() as client,
            client.get(url + "/@one/v1/here", allow_redirects=False) as answer,
        ):
            return answer.headers["Location"]

    async with proxies.raw_upstream(script) as upstream:
        async with proxies.recording(upstream.url + "/v1", path) as proxy:
            assert await ask(proxy.url) == proxy.url + "/@one/v1/there?a=1"
        assert upstream.heard[0].line == b"GET /v1/here HTTP/1.1"
    async with proxies.replaying(path) as proxy:
        assert await ask(proxy.url) == proxy.url + "/@one/v1/there?a=1"


async def test_upstream_connections_are_reused(proxies, tmp_path):
    async with proxies.raw_upstream(answering(OK)) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            async with aiohttp.ClientSession() as client:
                for _ in range(20):
                    async with client.get(proxy.url + "/v1/threads/thread_1") as answer:
                        await answer.read()
        assert upstream.connections == 1
        assert len(upstream.heard) == 20


async def test_recorded_calls_are_upstream_calls_with_fifty_clients_that_poll(proxies, tmp_path):
    async with proxies.raw_upstream(answering(OK)) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:

            async def client_polls(number):
                async with aiohttp.ClientSession() as client:
                    for _ in range(10):
                        async with client.get(f"{proxy.url}/v1/threads/thread_{number}/runs/run_1") as answer:
                            assert await answer.read() == b"{}"

            await asyncio.gather(*(client_polls(number) for number in range(50)))
        heard = len(upstream.heard)
    kept = proxies.interactions(tmp_path / "a.cassette")
    assert len(kept) == heard == 500
    assert sorted(interaction.arrival for interaction in kept) == list(range(500))


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_large_body_passes_both_ways_in_bounded_memory(proxies, tmp_path, chunked):
    size = 17 << 20  # more than a replay holds in memory
    piece = bytes(range(256)) * 256

    async def script(heard, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(heard.body))
        writer.write(heard.body)

    async def upload():
        for _ in range(size // len(piece)):
            yield piece

    path = tmp_path / "a.cassette"
    async with proxies.raw_upstream(script) as upstream:
        async with proxies.recording(upstream.url, path) as proxy:
            async with aiohttp.ClientSession() as client:
                headers = {} if chunked else {"Content-Length": str(size)}
                async with client.post(proxy.url + "/v1/files", data=upload(), headers=headers) as answer:
                    got = await answer.read()
            keeper_memory = 4 << 20
        assert got == piece * (size // len(piece))
        assert upstream.heard[0].body == got
    (kept,) = proxies.interactions(path)
    assert kept.request.body.length == kept.response.body.length == size
    assert (
        max(len(part.digest) if hasattr(part, "digest") else len(part) for part in kept.request.body.parts)
        < keeper_memory
    )
    async with proxies.replaying(path) as proxy, aiohttp.ClientSession() as client:
        async with client.post(proxy.url + "/v1/files", data=upload(), headers=headers) as answer:
            assert answer.status == 200
            assert await answer.read() == got


async def test_a_failed_write_stops_the_recording_and_never_the_proxying(proxies, tmp_path, monkeypatch):
    async with proxies.raw_upstream(answering(OK)) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            async with aiohttp.ClientSession() as client:

                async def ask():
                    async with client.get(proxy.url + "/v1/threads/thread_1") as answer:
                        return await answer.read()

                assert await ask() == b"{}"

                def full(*_):
                    raise OSError(28, "No space left on device")

                monkeypatch.setattr("os.write", full)
                assert await ask() == b"{}"
                assert await ask() == b"{}"
                monkeypatch.undo()
            assert proxy.recorder.failed is not None
            assert "THE RECORDING HAS STOPPED" in proxy.said[0]
        assert len(upstream.heard) == 3


async def test_head_204_and_304_have_no_body_and_keep_their_headers(proxies, tmp_path):
    async def script(heard, writer):
        if heard.line.startswith(b"HEAD"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
        elif b"/none" in heard.line:
            writer.write(b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n")
        else:
            writer.write(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nETag: x\r\n\r\n")

    path = tmp_path / "a.cassette"
    calls = [b"HEAD /v1/x", b"GET /none", b"GET /same"]

    async def ask(port):
        return [
            await proxies.raw_call(port, call + b" HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n") for call in calls
        ]

    async with proxies.raw_upstream(script) as upstream:
        async with proxies.recording(upstream.url, path) as proxy:
            live = await ask(proxy.port)
    assert b"Content-Length: 500\r\n" in live[0]
    assert live[1] == b"HTTP/1.1 204 No Content\r\nX-A: b\r\nConnection: close\r\n\r\n"
    assert b"Content-Length: 7\r\n" in live[2]
    async with proxies.replaying(path) as proxy:
        assert await ask(proxy.port) == live


async def test_connection_cannot_take_the_framing_away(proxies, tmp_path):
    hidden = b"GET /v1/threads/EVIL HTTP/1.1\r\nHost: e\r\n\r\n"
    async with proxies.raw_upstream(answering(OK)) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            head = b"POST /v1/threads HTTP/1.1\r\nHost: p\r\nConnection: close, Content-Length, Host\r\n"
            head += b"Content-Length: %d\r\n\r\n"
            await proxies.raw_call(proxy.port, head % len(hidden) + hidden)
            await proxies.raw_call(proxy.port, b"GET /v1/threads/mine HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n")
        assert [heard.line for heard in upstream.heard] == [
            b"POST /v1/threads HTTP/1.1",
            b"GET /v1/threads/mine HTTP/1.1",
        ]
        assert upstream.heard[0].body == hidden


async def test_an_answer_before_the_whole_request_is_kept_with_the_whole_request(proxies, tmp_path):
    async def script(heard, writer):
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    class Early(proxies.RawUpstream):
        async def _body(self, head, reader):
            return b""

    path = tmp_path / "a.cassette"
    async with proxies.raw_upstream(script, kind=Early) as upstream:
        async with proxies.recording(upstream.url, path) as proxy:
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(b"POST /v1/files HTTP/1.1\r\nHost: p\r\nContent-Length: 20\r\n\r\n0123456789")
            async with asyncio.timeout(5):
                await reader.readuntil(b"\r\n\r\n")
            writer.write(b"abcdefghij")
            await writer.drain()
            while not proxy.recorder._writer.count:
                await asyncio.sleep(0.01)
            writer.close()
    (kept,) = proxies.interactions(path)
    assert (kept.request.body.read(), kept.request_cut, kept.response.status) == (b"0123456789abcdefghij", False, 413)


async def test_a_request_that_broke_off_is_no_write_that_reads_wait_for(proxies, tmp_path):
    count = 0

    async def script(heard, writer):
        nonlocal count
        count += 1
        body = b'{"n": %d}' % count
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )

    path = tmp_path / "a.cassette"

    async def ask(client, url):
        async with client.get(url + "/v1/threads/thread_1") as answer:
            return (await answer.json())["n"]

    async with proxies.raw_upstream(script) as upstream, aiohttp.ClientSession() as client:
        async with proxies.recording(upstream.url, path) as proxy:
            assert await ask(client, proxy.url) == 1
            _, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(b"POST /v1/threads/thread_1/messages HTTP/1.1\r\nHost: p\r\nContent-Length: 20\r\n\r\n0123")
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.close()
            while proxy.recorder._writer.count < 2:
                await asyncio.sleep(0.01)
            assert [await ask(client, proxy.url) for _ in range(2)] == [2, 3]
        kept = proxies.interactions(path)
        assert [one.request_cut for one in kept] == [False, True, False, False]
        async with proxies.replaying(path) as proxy:
            assert [await ask(client, proxy.url) for _ in range(3)] == [1, 2, 3]


async def test_another_transfer_coding_is_refused_and_not_mislabelled(proxies, tmp_path):
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nxxxxx\r\n0\r\n\r\n"
    async with proxies.raw_upstream(answering(answer)) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            got = await proxies.raw_call(proxy.port, b"GET /x HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 502 ")
    assert b"transfer coding" in got


async def test_two_threads_below_a_gateways_prefix_have_a_line_each(proxies, tmp_path):
    path = tmp_path / "a.cassette"
    async with proxies.raw_upstream(answering(OK)) as upstream:
        async with proxies.recording(upstream.url + "/gate/way/v1", path) as proxy:
            for thread in (b"thread_1", b"thread_2"):
                await proxies.raw_call(
                    proxy.port, b"GET /gate/way/v1/threads/%b HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n" % thread
                )
    assert [kept.scope for kept in proxies.interactions(path)] == ["thread_1", "thread_2"]
    async with proxies.replaying(path) as proxy:
        got = await proxies.raw_call(
            proxy.port, b"GET /v1/threads/thread_2 HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n"
        )
    assert got.startswith(b"HTTP/1.1 200 ")


async def test_what_the_answers_own_slots_held_is_taken_out_of_its_large_body_too(proxies, tmp_path):
    body = b"x" * (2 << 20) + b"RSECRET12345678" + b"y" * 100
    answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: s=RSECRET12345678\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with proxies.raw_upstream(answering(answer)) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            got = await proxies.raw_call(
                proxy.port, b"GET /v1/files/x/content HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n"
            )
    assert got.endswith(body)
    (kept,) = proxies.interactions(tmp_path / "a.cassette")
    assert kept.response.status == 200
    with proxies.reading(tmp_path / "a.cassette") as reader:
        (row,) = reader.rows()
        assert b"RSECRET" not in reader.interaction(row).response.body.read()


async def test_a_credential_in_a_session_or_a_path_reaches_no_name(proxies, tmp_path):
    key = b"sk-supersecret1"
    async with proxies.raw_upstream(answering(OK)) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            call = b"GET /@%b/v1/threads/%b/messages HTTP/1.1\r\nHost: p\r\nAuthorization: Bearer %b\r\nConnection: close\r\n\r\n"
            await proxies.raw_call(proxy.port, call % (key, key, key))
    assert key not in (tmp_path / "a.cassette").read_bytes()


async def test_what_is_added_to_an_older_cassette_is_cleaned_by_todays_rules_and_matched_by_its_own(proxies, tmp_path):
    path, body = tmp_path / "a.cassette", b'{"password": 12345678, "content": "use ghp_%b"}' % (b"aB3d" * 9)
    note = PLAIN.note()
    note["redaction"]["rules"] = 1
    Writer.create(path, meta=note).close()
    async with proxies.raw_upstream(answering(OK)) as upstream:
        writer = Writer.append_to(path)
        recorder = Recorder(Upstream(Origin.parse(upstream.url)), writer, narrate=print)
        async with serve(recorder, name="record", narrate=print) as proxy, aiohttp.ClientSession() as client:
            async with client.post(proxy.url + "/v1/threads", data=body) as answer:
                await answer.read()
        writer.close()
    (kept,) = proxies.interactions(path)
    assert kept.request.body.read() == b'{"password": "REDACTED", "content": "use REDACTED"}'
    with proxies.reading(path) as reader:
        rules = Rules(policy=policy_of_notes(reader.meta))
        (row,) = reader.rows()
        sent = Request("POST", b"/v1/threads", kept.request.headers, Body.of(body.replace(b"aB3d", b"Zx9y")))
        assert row.summary.key == request_key(sent, rules=rules)


async def test_calls_whose_paths_hold_different_keys_are_found_again_with_another(proxies, tmp_path):
    async def script(heard, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    path = tmp_path / "a.cassette"
    keys = ["ghp_" + sign * 9 + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8" for sign in "xyz"]

    async def ask(url, key):
        async with aiohttp.ClientSession() as client, client.get(f"{url}/v1/threads/{key}/messages") as answer:
            return answer.status

    async with proxies.raw_upstream(script) as upstream:
        with Writer.create(path, meta=PLAIN.note()) as writer:
            recorder = Recorder(Upstream(Origin.parse(upstream.url)), writer, narrate=lambda _: None)
            async with serve(recorder, name="record", narrate=lambda _: None) as proxy:
                assert [await ask(proxy.url, key) for key in keys[:2]] == [200, 200]
    assert not [key for key in keys if key.encode() in path.read_bytes()]
    async with proxies.replaying(path) as proxy:
        assert await ask(proxy.url, keys[2]) == 200
