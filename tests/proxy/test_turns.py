"""Large interactions are redacted in a thread, and all are written in the order in which they ended."""

import asyncio
import json
import threading

import aiohttp
from respool.proxy.turns import LARGE, Turns

SECRET = "ghp_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zaB3dE"


class Entry:
    def __init__(self, name, weight, ready=None):
        self.name, self.weight, self._ready = name, weight, ready
        self.thread = None

    def redact(self):
        self.thread = threading.current_thread()
        if self._ready is not None:
            assert self._ready.wait(30)


async def test_what_ends_behind_a_large_one_waits_for_its_turn_and_the_loop_goes_on():
    written, ready = [], threading.Event()
    turns = Turns(lambda entry: written.append(entry.name))
    entries = [Entry("a", 1), Entry("b", LARGE + 1, ready), Entry("c", 1), Entry("d", LARGE + 1), Entry("e", 1)]
    for entry in entries:
        turns.take(entry)
    for _ in range(5):
        await asyncio.sleep(0)  # the loop is free while the thread waits
    assert written == ["a"]
    ready.set()
    await turns.settle()
    assert written == ["a", "b", "c", "d", "e"]
    here = threading.current_thread()
    assert [entry.thread is here for entry in entries] == [True, False, True, False, True]
    turns.take(Entry("f", 1))
    assert written[-1] == "f"


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
