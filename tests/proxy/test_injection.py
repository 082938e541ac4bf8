"""Faults over real sockets: statuses, waits, answers that break off, and what a retry gets."""

import asyncio
import contextlib
import json
import socket
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded_calls import write_cassette
from respool.cassettes.faults import Faults
from respool.cassettes.interaction import Body, Response
from respool.cassettes.reader import Reader
from respool.proxy.replay import Replayer
from respool.proxy.server import serve

THREAD = b"/v1/threads/thread_1"
RUN = THREAD + b"/runs/run_1"
EVENTS = b"".join(b'event: thread.message.delta\ndata: {"n": %d}\n\n' % n for n in range(6))
CHUNKED = ((b"Content-Type", b"text/event-stream"), (b"Transfer-Encoding", b"chunked"))
STREAM = Response(200, b"OK", CHUNKED, Body.of(EVENTS), marks=((len(EVENTS), 9),))
LONG = json.dumps({"object": "list", "data": ["x" * 1000]}).encode()


@pytest.fixture(scope="module")
def cassette(tmp_path_factory):
    return write_cassette(
        tmp_path_factory.mktemp("faults") / "a.cassette",
        [
            ("POST", b"/v1/threads", b"{}", b'{"id": "thread_1", "object": "thread"}', 200),
            ("POST", THREAD + b"/runs", b'{"stream": true}', STREAM, 200),
            ("GET", RUN, b"", b'{"id": "run_1", "status": "queued"}', 200),
            ("GET", RUN, b"", b'{"id": "run_1", "status": "completed"}', 200),
            ("GET", THREAD + b"/messages", b"", LONG, 200),
        ],
    )


class Clock:
    """A sleep that takes no time and remembers. `gate`, where given, is waited for."""

    def __init__(self, gate: asyncio.Event | None = None) -> None:
        self.slept: list[float] = []
        self.gate = gate

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self.gate is not None:
            await self.gate.wait()


class Faulty:
    def __init__(self, path, *rules, seed=0, gate=None):
        self.reader = Reader.open(path)
        self.clock = Clock(gate)
        self.replayer = Replayer(
            self.reader, faults=Faults(rules, seed=seed), sleep=self.clock, narrate=lambda line: None
        )
        self.serving = serve(self.replayer, name="replay", narrate=lambda line: None, drain=1)

    async def __aenter__(self):
        self.url = (await self.serving.__aenter__()).url
        return self

    async def __aexit__(self, *error):
        await self.serving.__aexit__(*error)
        self.reader.close()

    async def open(self, method, target, body=b"", *, session="", close=True):
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(self.url).port)
        target = (f"/@{session}".encode() if session else b"") + target
        head = b"%b %b HTTP/1.1\r\nHost: %b\r\n" % (method.encode(), target, urlsplit(self.url).netloc.encode())
        if body:
            head += b"Content-Type: application/json\r\n"
        head += b"Content-Length: %d\r\n%b\r\n" % (len(body), b"Connection: close\r\n" if close else b"")
        writer.write(head + body)
        return reader, writer

    async def call(self, *call, **options):
        """The whole answer, as it came before the connection ended."""
        reader, writer = await self.open(*call, **options)
        try:
            async with asyncio.timeout(10):
                return await reader.read(-1)
        finally:
            writer.close()


CREATE = ("POST", b"/v1/threads", b"{}")
START = ("POST", THREAD + b"/runs", b'{"stream": true}')
POLL = ("GET", RUN)
LIST = ("GET", THREAD + b"/messages")


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, "invalid_request_error", None),
        (401, "invalid_request_error", "invalid_api_key"),
        (404, "invalid_request_error", None),
        (409, "invalid_request_error", "conflict"),
        (429, "requests", "rate_limit_exceeded"),
        (500, "server_error", None),
        (503, "server_error", None),
    ],
)
async def test_a_status_has_the_apis_shape_and_leaves_the_recording_to_the_retry(cassette, status, kind, code):
    rule = f"createThread#1: status {status} retry-after 2"
    async with Faulty(cassette, rule) as faulty:
        head, _, body = (await faulty.call(*CREATE)).partition(b"\r\n\r\n")
        again = await faulty.call(*CREATE)
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nretry-after: 2\r\n" in head
    assert b"\r\nx-respool-fault: " + rule.encode() in head
    error = json.loads(body)["error"]
    assert (error["type"], error["code"], error["param"]) == (kind, code, None)
    assert rule in error["message"]
    assert again.startswith(b"HTTP/1.1 200 ")
    assert b"x-respool-fault" not in again
    assert faulty.replayer.faults.struck == {rule: 1}


async def test_a_delay_comes_before_the_answer_and_a_read_behind_it_is_not_held_up(cassette):
    gate = asyncio.Event()
    async with Faulty(cassette, "getRun#1: delay 3s", gate=gate) as faulty:
        await faulty.call(*START)
        reader, writer = await faulty.open(*POLL)
        while not faulty.clock.slept:
            await asyncio.sleep(0.001)
        assert b"completed" in await faulty.call(*POLL)
        gate.set()
        late = await reader.read(-1)
        writer.close()
    assert faulty.clock.slept == [3.0]
    assert b"queued" in late  # decided when the call came, not when it was answered


async def test_the_first_byte_comes_after_the_head(cassette):
    gate = asyncio.Event()
    async with Faulty(cassette, "listMessages: first-byte 2s", gate=gate) as faulty:
        reader, writer = await faulty.open(*LIST)
        head = await reader.readuntil(b"\r\n\r\n")
        assert faulty.clock.slept == [2.0]
        assert not reader._buffer
        gate.set()
        assert await reader.read(-1) == LONG
        writer.close()
    assert b"x-respool-fault: listMessages: first-byte 2s" in head


@pytest.mark.parametrize(("count", "seen"), [(0, 0), (1, 1), (5, 5), (6, 6)])
async def test_a_stream_is_cut_after_events(cassette, count, seen):
    async with Faulty(cassette, f"stream: cut after {count} events") as faulty:
        head, _, body = (await faulty.call(*START)).partition(b"\r\n\r\n")
    assert b"chunked" in head.lower()
    assert body.count(b"event:") == seen
    assert not body.endswith(b"0\r\n\r\n")


async def test_an_answer_shorter_than_the_cut_is_whole(cassette):
    async with Faulty(cassette, "stream: cut after 7 events") as faulty:
        assert (await faulty.call(*START)).endswith(b"0\r\n\r\n")


async def test_a_counted_body_is_cut_short_of_its_length(cassette):
    async with Faulty(cassette, "listMessages: cut after 100 bytes") as faulty:
        head, _, body = (await faulty.call(*LIST, close=False)).partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % len(LONG) in head
    assert body == LONG[:100]


async def test_a_reset_is_one_and_the_retry_gets_the_recorded_write(cassette):
    async with Faulty(cassette, "createThread#1: reset") as faulty:
        with pytest.raises(ConnectionResetError):
            await faulty.call(*CREATE)
        assert b"thread_1" in await faulty.call(*CREATE)
        assert b" 502 " in (await faulty.call(*CREATE)).partition(b"\r\n")[0]  # it was recorded once


async def test_a_reset_amid_the_body(cassette):
    async with Faulty(cassette, "listMessages: reset after 10 bytes") as faulty:
        reader, writer = await faulty.open(*LIST)
        with pytest.raises(ConnectionResetError):
            await reader.read(-1)
        writer.close()


async def test_a_write_that_was_cut_is_served_again_to_the_retry_and_only_once(cassette):
    async with Faulty(cassette, "createRun#1: cut after 2 events") as faulty:
        assert (await faulty.call(*START)).count(b"event:") == 2
        assert (await faulty.call(*START)).count(b"event:") == 6
        assert b" 502 " in (await faulty.call(*START)).partition(b"\r\n")[0]


async def test_a_client_that_leaves_during_a_delay_gets_the_write_at_its_retry(cassette):
    async with Faulty(cassette, "createThread#1: delay 10m", gate=asyncio.Event()) as faulty:
        _, writer = await faulty.open(*CREATE)
        while not faulty.clock.slept:
            await asyncio.sleep(0.001)
        writer.close()
        async with asyncio.timeout(5):
            while b" 200 " not in (await faulty.call(*CREATE)).partition(b"\r\n")[0]:
                await asyncio.sleep(0.01)


async def test_a_stall_holds_the_body_and_goes_on(cassette):
    gate = asyncio.Event()
    async with Faulty(cassette, "stream: stall 30s after 2 events", gate=gate) as faulty:
        reader, writer = await faulty.open(*START)
        first = b""
        while first.count(b"event:") < 2:
            first += await reader.read(4096)
        assert faulty.clock.slept == [30.0]
        gate.set()
        rest = await reader.read(-1)
        writer.close()
    assert (first.count(b"event:"), rest.count(b"event:")) == (2, 4)
    assert rest.endswith(b"0\r\n\r\n")


async def test_a_wait_ends_when_the_server_does(cassette):
    faulty = Faulty(cassette, "listMessages: stall 10m", gate=asyncio.Event())
    async with asyncio.timeout(8):
        async with faulty:
            reader, writer = await faulty.open(*LIST)
            await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            assert len(await reader.read(-1)) < len(LONG)
        writer.close()


async def test_a_stall_without_a_place_is_in_the_middle(cassette):
    async with Faulty(cassette, "listMessages: stall 1s", "listMessages: first-byte 2s") as faulty:
        assert (await faulty.call(*LIST)).endswith(LONG)
    assert faulty.clock.slept == [2.0, 1.0]


async def test_several_rules_strike_one_call_and_each_is_named(cassette):
    async with Faulty(cassette, "*: delay 1s", "getRun: stall 2s", "getRun: cut after 20 bytes") as faulty:
        answer = await faulty.call(*POLL)
    assert answer.count(b"x-respool-fault: ") == 3
    assert faulty.clock.slept == [1.0, 2.0]
    assert answer.endswith(b'\r\n\r\n{"id": "run_1", "sta')


async def test_calls_that_no_rule_names_come_byte_for_byte(cassette):
    async with Faulty(cassette, "getThread: reset", "getRun#9: reset") as faulty:
        struck = [await faulty.call(*call) for call in (CREATE, START, POLL, POLL, LIST)]
    async with Faulty(cassette) as faulty:
        assert struck == [await faulty.call(*call) for call in (CREATE, START, POLL, POLL, LIST)]


RULES = ("*%40: status 503", "stream%50: cut after 3 events", "getRun%50: cut after 9 bytes", "*%30: stall 1s")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([CREATE, START, POLL, LIST]), max_size=8), st.integers(0, 5))
def test_same_seed_and_same_calls_give_same_bytes(cassette, calls, seed):
    async def transcript(*, others: bool) -> list[bytes]:
        async with Faulty(cassette, *RULES, seed=seed) as faulty:
            answers = []
            for call in calls:
                if others:
                    await faulty.call(*call, session="other")
                answers.append(await faulty.call(*call, session="mine"))
            return answers

    first = asyncio.run(transcript(others=False))
    assert asyncio.run(transcript(others=True)) == first


def test_a_connection_that_is_reset_tells_so_to_a_plain_socket(cassette):
    async def main() -> None:
        async with Faulty(cassette, "*: reset") as faulty:
            loop = asyncio.get_running_loop()
            with socket.create_connection(("127.0.0.1", urlsplit(faulty.url).port), 5) as raw:
                raw.setblocking(False)
                await loop.sock_sendall(raw, b"GET %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (RUN, faulty.url[7:].encode()))
                with pytest.raises(ConnectionResetError):
                    await loop.sock_recv(raw, 100)

    asyncio.run(main())
