"""Replay over real HTTP: positions, polls, pace, sessions, misses."""

import asyncio
import json
import socket

import aiohttp
import pytest
from recorded_calls import JSON, write_cassette
from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.summaries import summarise
from respool.cassettes.writer import Writer
from respool.proxy.pace import Pace

THREAD = b"/v1/threads/thread_1"
RUN = THREAD + b"/runs/run_1"


def run_in(status: str) -> bytes:
    return json.dumps({"id": "run_1", "object": "thread.run", "thread_id": "thread_1", "status": status}).encode()


@pytest.fixture
def polled_run(tmp_path):
    """The recording of DESIGN's worked table: create run, three polls, submit, two polls."""
    return write_cassette(
        tmp_path / "polled.cassette",
        [
            ("POST", THREAD + b"/runs", b'{"assistant_id": "asst_1"}', run_in("queued"), 200),
            ("GET", RUN, b"", run_in("queued"), 200),
            ("GET", RUN, b"", run_in("in_progress"), 200),
            ("GET", RUN, b"", run_in("requires_action"), 200),
            ("POST", RUN + b"/submit_tool_outputs", b'{"tool_outputs": []}', run_in("queued"), 200),
            ("GET", RUN, b"", run_in("in_progress"), 200),
            ("GET", RUN, b"", run_in("completed"), 200),
        ],
    )


class Caller:
    def __init__(self, client, url):
        self.client = client
        self.url = url

    async def __call__(self, method, target, body=None, *, session=""):
        prefix = f"/@{session}" if session else ""
        async with self.client.request(method, self.url + prefix + target.decode(), json=body) as answer:
            return answer.status, await answer.read(), answer.headers

    async def poll(self, times, **options):
        return [json.loads((await self("GET", RUN, **options))[1])["status"] for _ in range(times)]


@pytest.fixture
async def caller():
    async with aiohttp.ClientSession() as client:
        yield lambda url: Caller(client, url)


@pytest.mark.parametrize("polls", ["compress", "recorded"])
@pytest.mark.parametrize(
    ("before", "after", "served"),
    [
        (1, 2, ["queued", "in_progress", "completed"]),
        (5, 4, ["queued", "in_progress", *["requires_action"] * 3, "in_progress", *["completed"] * 3]),
    ],
)
async def test_the_worked_table_over_http(proxies, polled_run, caller, polls, before, after, served):
    async with proxies.replaying(polled_run, polls=polls) as proxy:
        call = caller(proxy.url)
        assert (await call("POST", THREAD + b"/runs", {"assistant_id": "asst_1"}))[0] == 200
        seen = await call.poll(before)
        assert (await call("POST", RUN + b"/submit_tool_outputs", {"tool_outputs": []}))[0] == 200
        assert seen + await call.poll(after) == served


async def test_bodies_and_headers_come_as_recorded_when_polls_do(proxies, polled_run, caller):
    async with proxies.replaying(polled_run, polls="recorded") as proxy:
        _, body, headers = await caller(proxy.url)("GET", RUN)
    assert body == run_in("queued")
    assert "openai-poll-after-ms" not in headers


async def test_compressed_polls_tell_the_client_not_to_wait(proxies, polled_run, caller):
    async with proxies.replaying(polled_run) as proxy:
        call = caller(proxy.url)
        await call("POST", THREAD + b"/runs", {"assistant_id": "asst_1"})
        _, _, headers = await call("GET", RUN)
    assert headers["openai-poll-after-ms"] == "0"
    assert "Date" not in headers
    assert "Server" not in headers


async def test_a_retried_call_gets_429_429_200_without_waiting(proxies, tmp_path, caller):
    limited = Response(429, b"Too Many", (JSON, (b"Retry-After", b"20"), (b"Content-Length", b"2")), Body.of(b"{}"))
    created = b'{"id": "thread_9", "object": "thread"}'
    path = write_cassette(
        tmp_path / "a.cassette",
        [
            ("POST", b"/v1/threads", b"{}", limited, 429),
            ("POST", b"/v1/threads", b"{}", limited, 429),
            ("POST", b"/v1/threads", b"{}", created, 200),
        ],
    )
    async with proxies.replaying(path) as proxy:
        answers = [await caller(proxy.url)("POST", b"/v1/threads", {}) for _ in range(3)]
    assert [status for status, _, _ in answers] == [429, 429, 200]
    assert (answers[0][2]["retry-after-ms"], answers[0][2]["retry-after"]) == ("1", "0")


async def test_a_miss_is_a_502_in_the_apis_shape_that_names_the_nearest_request(proxies, polled_run, caller):
    async with proxies.replaying(polled_run) as proxy:
        status, body, headers = await caller(proxy.url)("POST", THREAD + b"/runs", {"assistant_id": "asst_2"})
        said = proxy.said
    assert status == 502
    assert headers["x-should-retry"] == "false"
    error = json.loads(body)["error"]
    assert set(error) == {"message", "type", "param", "code", "respool"}
    assert "asst_1" in error["message"]
    assert "asst_2" in error["message"]
    assert error["param"] == "$.assistant_id"
    assert said[0].startswith("respool: miss: No recording answers POST ")
    assert error["respool"]["hint"] in said[0]


async def test_sessions_by_prefix_have_their_own_positions(proxies, polled_run, caller):
    async with proxies.replaying(polled_run) as proxy:
        call = caller(proxy.url)
        for session in ("one", "two", ""):
            await call("POST", THREAD + b"/runs", {"assistant_id": "asst_1"}, session=session)
        assert await call.poll(2, session="one") == ["queued", "in_progress"]
        assert await call.poll(1, session="two") == ["queued"]
        assert await call.poll(1) == ["queued"]
        assert await call.poll(1, session="one") == ["requires_action"]
        assert (await call("GET", RUN, session="../etc"))[0] in {400, 502}
        assert (await call("GET", RUN, session="%2e%2e"))[0] == 400


async def test_fifty_sessions_at_once_get_equal_bytes(proxies, polled_run, caller):
    async with proxies.replaying(polled_run) as proxy:
        call = caller(proxy.url)

        async def conversation(number):
            session = f"s{number}"
            seen = [(await call("POST", THREAD + b"/runs", {"assistant_id": "asst_1"}, session=session))[1]]
            seen += [(await call("GET", RUN, session=session))[1] for _ in range(4)]
            seen.append((await call("POST", RUN + b"/submit_tool_outputs", {"tool_outputs": []}, session=session))[1])
            seen += [(await call("GET", RUN, session=session))[1] for _ in range(3)]
            return seen

        transcripts = await asyncio.gather(*(conversation(number) for number in range(50)))
    assert all(transcript == transcripts[0] for transcript in transcripts)


async def test_replaying_connects_to_nothing(proxies, polled_run, monkeypatch):
    async with proxies.replaying(polled_run) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        # From here on any connect, by whatever way, fails the test; the client is connected already.
        for name in ("connect", "connect_ex"):
            monkeypatch.setattr(socket.socket, name, lambda *_: pytest.fail("a socket was connected"))
        loop = asyncio.get_running_loop()
        for name in ("create_connection", "sock_connect", "create_unix_connection", "create_datagram_endpoint"):
            monkeypatch.setattr(loop, name, lambda *_, **__: pytest.fail("a connection was made"))
        body = b'{"assistant_id":"asst_1"}'
        writer.write(b"POST %b/runs HTTP/1.1\r\nHost: p\r\nContent-Length: %d\r\n\r\n%b" % (THREAD, len(body), body))
        writer.write(
            b"GET %b HTTP/1.1\r\nHost: p\r\n\r\nGET /v1/missing HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n" % RUN
        )
        async with asyncio.timeout(5):
            got = await reader.read(-1)
        writer.close()
    assert got.count(b"HTTP/1.1 200 OK") == 2
    assert got.count(b"HTTP/1.1 502 ") == 1


def streamed(marks):
    body = b"".join(b"event: e%d\ndata: {}\n\n" % number for number in range(len(marks)))
    length = len(body) // len(marks)
    head = ((b"Content-Type", b"text/event-stream"), (b"Transfer-Encoding", b"chunked"))
    return Response(200, b"OK", head, Body.of(body), head_us=1000, marks=tuple((length, mark) for mark in marks))


@pytest.mark.parametrize("pace", ["instant", "recorded", "x2"])
async def test_a_stream_is_served_whole_at_each_pace(proxies, tmp_path, caller, pace):
    path = write_cassette(
        tmp_path / "a.cassette",
        [("POST", THREAD + b"/runs", b'{"stream": true}', streamed([50_000, 100_000, 200_000]), 200)],
    )
    async with proxies.replaying(path, pace=Pace.parse(pace)) as proxy:
        began = asyncio.get_running_loop().time()
        _, body, _ = await caller(proxy.url)("POST", THREAD + b"/runs", {"stream": True})
        took = asyncio.get_running_loop().time() - began
    assert body.count(b"event: ") == 3
    assert took >= {"instant": 0, "recorded": 0.2, "x2": 0.1}[pace]


async def test_pace_waits_for_each_recorded_moment_on_its_clock():
    now = 100.0
    waits = []

    async def sleep(seconds):
        nonlocal now
        waits.append(round(seconds, 6))
        now += seconds

    pace = Pace.parse("x4")
    for moment in (400_000, 400_000, 1_200_000):
        await pace.until(100.0, moment, clock=lambda: now, sleep=sleep)
    assert waits == [0.1, 0.2]


async def test_http_1_0_and_closing_clients_are_answered(proxies, polled_run):
    async with proxies.replaying(polled_run) as proxy:
        old = await proxies.raw_call(proxy.port, b"GET " + RUN + b" HTTP/1.0\r\nHost: p\r\n\r\n")
        new = await proxies.raw_call(proxy.port, b"GET " + RUN + b" HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n")
    assert old.endswith(run_in("queued"))
    assert new.endswith(run_in("queued"))
    assert b"Connection: close\r\n" in new


async def test_a_client_may_send_head_and_body_apart_and_expect_100(proxies, polled_run):
    body = b'{"assistant_id": "asst_1"}'
    async with proxies.replaying(polled_run) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        head = b"POST %b/runs HTTP/1.1\r\nHost: p\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % (THREAD, len(body)))
        async with asyncio.timeout(5):
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(body[:5])
            await writer.drain()
            writer.write(body[5:])
            got = await reader.read(-1)
        writer.close()
    assert got.startswith(b"HTTP/1.1 200 OK")


async def test_a_cut_answer_is_not_held_for_ever(proxies, tmp_path):
    path = tmp_path / "a.cassette"
    with Writer.create(path) as writer:
        for number, end in enumerate((End.COMPLETE, End.UPSTREAM_CUT)):
            body = b'{"n": %d}' % number
            response = Response(200, b"OK", (JSON, (b"Content-Length", b"50" if number else b"8")), Body.of(body))
            interaction = Interaction(writer.next_arrival(), 0, Request("GET", RUN), response, end, 0, "thread_1")
            writer.append(interaction, summarise(interaction))
    call = b"GET " + RUN + b" HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n"
    async with proxies.replaying(path) as proxy:
        got = [(await proxies.raw_call(proxy.port, call)).partition(b"\r\n\r\n")[2] for _ in range(4)]
    assert got == [b'{"n": 0}', b'{"n": 1}', b'{"n": 0}', b'{"n": 0}']


async def test_polls_that_are_redirected_elsewhere_are_not_folded(proxies, tmp_path):
    def redirect(where):
        return Response(302, b"Found", ((b"Location", where), (b"Content-Length", b"0")))

    calls = [("GET", RUN, b"", redirect(b"/v1/%d" % number), 302) for number in range(2)]
    path = write_cassette(tmp_path / "a.cassette", calls)
    call = b"GET /@one" + RUN + b" HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n"
    async with proxies.replaying(path) as proxy:
        got = [await proxies.raw_call(proxy.port, call) for _ in range(2)]
    assert [b"Location: /@one/v1/%d\r\n" % number in answer for number, answer in enumerate(got)] == [True, True]


async def test_a_large_stream_keeps_its_pace(proxies, tmp_path, caller):
    piece = b"data: " + b"x" * 700_000 + b"\n\n"
    head = ((b"Content-Type", b"text/event-stream"), (b"Transfer-Encoding", b"chunked"))
    marks = ((len(piece), 10_000), (len(piece), 150_000))
    response = Response(200, b"OK", head, Body.of(piece * 2), head_us=5_000, marks=marks)
    path = write_cassette(tmp_path / "a.cassette", [("POST", THREAD + b"/runs", b'{"stream": true}', response, 200)])
    async with proxies.replaying(path, pace=Pace.parse("recorded")) as proxy:
        began = asyncio.get_running_loop().time()
        _, body, _ = await caller(proxy.url)("POST", THREAD + b"/runs", {"stream": True})
        took = asyncio.get_running_loop().time() - began
    assert body == piece * 2
    assert took >= 0.15


async def test_a_cassette_cannot_put_a_second_answer_behind_its_own(proxies, tmp_path):
    path = tmp_path / "changed.cassette"
    second = b"1\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nX-Of: another"
    with Writer.create(path) as writer:
        for target, headers in ((THREAD, ((b"X-A", second),)), (RUN, ())):
            response = Response(200, b"OK", headers, Body.of(b"{}"))
            call = Interaction(writer.next_arrival(), 0, Request("GET", target), response)
            writer.append(call, summarise(call))
    async with proxies.replaying(path) as proxy:
        ask = b"GET %b HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
        answers = await proxies.raw_call(
            proxy.port,
            ask % (THREAD, proxy.port) + b"\r\n" + ask % (RUN, proxy.port) + b"Connection: close\r\n\r\n",
        )
    assert answers.count(b"HTTP/1.1 ") == 2
    assert answers.startswith(b"HTTP/1.1 500 ")
    assert b"cassette_damaged" in answers
    assert b"X-Of" not in answers
    assert answers.endswith(b"{}")
