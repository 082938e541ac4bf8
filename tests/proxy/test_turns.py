"""Large interactions are redacted in a thread, and all are written in the order in which they ended."""

import asyncio
import json
import threading

import aiohttp
from respool.proxy.turns import LARGE, Turns

SECRET = "ghp_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zaB3dE"


class Entry:
    def __init__(self, name, weight, ready=None, done=None):
        self.name, self.weight, self._ready = name, weight, ready
        self.thread = None
        self._done = [] if done is None else done

    def redact(self):
        self.thread = threading.current_thread()
        self._done.append(self.name)
        if self._ready is not None:
            assert self._ready.wait(30)


async def test_what_ends_behind_a_large_one_waits_for_its_turn_and_the_loop_goes_on():
    written, ready = [], threading.Event()
    turns = Turns(lambda entry: written.append(entry.name))
    entries = [Entry("a", 1), Entry("b", LARGE + 1, ready), Entry("c", 1), Entry("d", LARGE + 1), Entry("e", 1)]
    for entry in entries:
        turns.take(entry, alone=False)
    for _ in range(5):
        await asyncio.sleep(0)  # the loop is free while the thread waits
    assert written == ["a"]
    turns.take(Entry("f", 1), alone=True)
    assert written == ["a"]
    ready.set()
    await turns.settle()
    assert written == ["a", "b", "c", "d", "e", "f"]
    here = threading.current_thread()
    assert [entry.thread is here for entry in entries] == [True, False, True, False, True]


async def test_a_small_one_that_is_alone_is_written_at_once():
    written = []
    turns = Turns(lambda entry: written.append(entry.name))
    turns.take(Entry("a", LARGE), alone=True)
    assert written == ["a"]
    turns.take(Entry("b", 1), alone=False)
    turns.take(Entry("c", 1), alone=True)
    assert written == ["a"], "b goes first, and may be joined by others"
    await turns.settle()
    assert written == ["a", "b", "c"]


async def test_what_ends_close_together_is_redacted_together_and_then_written():
    done = []
    turns = Turns(lambda entry: done.append(entry.name.upper()))
    for name in "abc":
        turns.take(Entry(name, LARGE // 3, done=done), alone=False)
    for name in "de":
        turns.take(Entry(name, LARGE // 2 + 1, done=done), alone=False)
    assert done == []
    await asyncio.sleep(0)
    assert done == list("abcABC"), "no more than LARGE bytes before the loop goes on"
    await turns.settle()
    assert done == list("abcABCdDeE")


async def test_calls_beside_each_other_are_all_recorded(proxies, tmp_path):
    async def script(heard, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    async with proxies.raw_upstream(script) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            async with aiohttp.ClientSession() as client:

                async def call(number):
                    async with client.get(proxy.url + f"/v1/threads/t{number}") as response:
                        await response.read()

                await asyncio.gather(*map(call, range(40)))
    with proxies.reading(tmp_path / "a.cassette") as reader:
        targets = [reader.interaction(row).request.target for row in reader.rows()]
    assert sorted(targets) == sorted(b"/v1/threads/t%d" % number for number in range(40))


async def test_a_large_answer_between_small_ones_keeps_its_place_and_not_its_secret(proxies, tmp_path):
    large = json.dumps({"data": [{"n": number, "said": f"use {SECRET}"} for number in range(9000)]}).encode()
    answers = iter([b"{}", large, b"{}", large, b"{}"])

    async def script(heard, writer):
        body = next(answers)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    async with proxies.raw_upstream(script) as upstream:
        async with proxies.recording(upstream.url, tmp_path / "a.cassette") as proxy:
            async with aiohttp.ClientSession() as client:
                for _ in range(5):
                    async with client.get(proxy.url + "/v1/threads/t") as response:
                        await response.read()
    with proxies.reading(tmp_path / "a.cassette") as reader:
        rows = sorted(reader.rows(), key=lambda row: row.offset)
        bodies = [reader.interaction(row).response.body.read() for row in rows]
    assert [row.summary.arrival for row in rows] == [0, 1, 2, 3, 4]
    assert [len(body) > LARGE for body in bodies] == [False, True, False, True, False]
    assert SECRET.encode() not in b"".join(bodies)
