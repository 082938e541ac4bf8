"""The load generator: what it sends, in which order, and what it counts."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from respool.benchmarks.corpus import write_corpus
from respool.benchmarks.load import Job, play, read_threads
from respool.benchmarks.references import Upstream, body_of
from respool.cassettes.reader import Reader
from respool.proxy.replay import Replayer
from respool.proxy.server import serve


@pytest.fixture
def cassette(tmp_path):
    return write_corpus(tmp_path / "plain.cassette", 60, 4, streams=False)


class Listener(asyncio.Protocol):
    """Notes the request lines of each connection, and answers with given bytes."""

    def __init__(self, lines: list[list[bytes]], answer: bytes) -> None:
        self.lines: list[bytes] = []
        self.answer = answer
        lines.append(self.lines)

    def connection_made(self, transport):
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data):
        self.lines.append(data.split(b" HTTP/1.1\r\n", 1)[0])
        for byte in self.answer:
            self.transport.write(bytes([byte]))


@asynccontextmanager
async def listening(factory):
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_threads_are_played_in_their_order_and_each_lap_has_a_session_of_its_own(cassette):
    threads = read_threads(cassette, streams=False)
    assert sum(map(len, threads)) == 60
    heard: list[list[bytes]] = []
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
    async with listening(lambda: Listener(heard, answer)) as port:
        count = await play(Job(port, str(cassette), 20, most=250, connections=2), threads)
    assert (count.requests, count.broken) == (250, 0)
    assert count.received == 250 * len(answer)
    recorded = [[call.before + call.after.split(b" HTTP/1.1", 1)[0] for call in calls] for calls in threads]
    for number, lines in enumerate(heard):
        start = number * 4 // 2
        lap = [line for place in range(4) for line in recorded[(start + place) % 4]]
        sessions = []
        for place, line in enumerate(lines):
            method, target = line.split(b" ", 1)
            _, session, rest = target.split(b"/", 2)
            assert method + b" /" + rest == lap[place % 60]
            sessions.append(session)
            assert session == sessions[place // 60 * 60]
        assert len(set(sessions)) == -(-len(lines) // 60)
    assert not {line.split(b"/")[1] for line in heard[0]} & {line.split(b"/")[1] for line in heard[1]}


async def test_answers_of_another_status_than_the_recorded_one_are_counted(cassette):
    threads = read_threads(cassette, streams=False)
    good = sum(call.status == b"HTTP/1.1 200 " for calls in threads for call in calls)
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    async with listening(lambda: Listener([], answer)) as port:
        count = await play(Job(port, str(cassette), 20, most=60, connections=1, sessions=False), threads)
    assert (count.requests, count.wrong) == (60, 60 - good)


async def test_a_connection_that_breaks_off_is_counted_and_nobody_there_is_an_error(cassette):
    threads = read_threads(cassette, streams=False)

    class Closing(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport

        def data_received(self, data):
            self.transport.close()

    async with listening(Closing) as port:
        count = await play(Job(port, str(cassette), 20, most=60, connections=3), threads)
    assert (count.requests, count.broken) == (0, 3)
    with pytest.raises(OSError):
        await play(Job(port, str(cassette), 1, connections=1), threads)


@pytest.mark.parametrize("streams", [False, True])
async def test_a_replay_of_the_corpus_answers_every_call_in_its_place(tmp_path, streams):
    path = write_corpus(tmp_path / "c.cassette", 300, 8, streams=streams)
    threads = read_threads(path, streams=streams)
    said: list[str] = []
    with Reader.open(path) as reader:
        replayer = Replayer(reader, narrate=said.append)
        async with serve(replayer, name="replay", narrate=said.append) as running:
            job = Job(running.port, str(path), 20, most=600, connections=4, streams=streams)
            count = await play(job, threads)
    assert (count.requests, count.wrong, count.inexact, count.broken) == (600, 0, 0, 0)
    assert said == []


async def test_the_constant_upstream_takes_requests_cut_anywhere_and_joined():
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    requests = b"POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody" + b"GET /b HTTP/1.1\r\n\r\n"
    async with listening(lambda: Upstream(answer)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for at in range(0, len(requests), 7):
            writer.write(requests[at : at + 7])
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(requests)
        assert await asyncio.wait_for(reader.readexactly(4 * len(answer)), 10) == 4 * answer
        writer.close()


@pytest.mark.parametrize("length", [20, 21, 1200])
def test_constant_bodies_have_the_length_that_was_asked_for(length):
    assert len(body_of(length)) == length
