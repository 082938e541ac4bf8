import asyncio
import errno
import os
import random
import threading
from contextlib import asynccontextmanager

import aiohttp
import pytest
from cassette_samples import contents
from disk import Disk
from respool.cassettes.reader import Reader
from respool.cassettes.writer import RecordingFailed, Writer
from respool.proxy.durability import Durability
from respool.proxy.record import Recorder
from respool.proxy.server import serve
from respool.proxy.upstream import Origin, Upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


async def answer(_, writer):
    writer.write(OK)


class HeldDisk:
    """A disk that takes its time: each wait for it lasts until it is let go on."""

    def __init__(self, monkeypatch) -> None:
        self.going = threading.Event()
        self.waits = 0
        self.in_threads = set()
        monkeypatch.setattr(os, "fdatasync", self._wait)

    def _wait(self, _: int) -> None:
        self.waits += 1
        self.in_threads.add(threading.current_thread() is not threading.main_thread())
        assert self.going.wait(30)


@asynccontextmanager
async def recording(proxies, path, *, durable=True):
    said: list[str] = []
    async with proxies.raw_upstream(answer) as upstream:
        writer = Writer.create(path, durable=durable)
        recorder = Recorder(Upstream(Origin.parse(upstream.url)), writer, narrate=said.append)
        async with serve(recorder, name="record", narrate=said.append, drain=1) as listening:
            async with aiohttp.ClientSession() as client:

                async def ask(count):
                    for _ in range(count):
                        async with client.get(listening.url + "/v1/threads/thread_1") as got:
                            assert await got.read() == b"{}"

                yield recorder, ask, said
    writer.close() if recorder.failed is None else writer.abandon()


async def test_no_call_waits_for_the_disk_and_one_wait_covers_many(proxies, tmp_path, monkeypatch):
    path = tmp_path / "a.cassette"
    async with recording(proxies, path) as (_, ask, said):
        disk = HeldDisk(monkeypatch)
        await ask(1)
        while not disk.waits:
            await asyncio.sleep(0.001)
        await ask(30)
        assert disk.waits == 1, "all of them were answered while the disk was busy with the first"
        disk.going.set()
    assert disk.waits == 3, "the first, one for the thirty, and the seal"
    assert said == []
    assert contents(path) == [b"{}"] * 31


async def test_when_the_proxy_stops_everything_is_on_the_disk_before_the_seal(proxies, tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(before, patch)
        async with recording(proxies, before / "a.cassette") as (recorder, ask, _):
            await ask(5)
            await recorder.stop(1)
            disk.lose_power(random.Random(1), after)
    assert contents(after / "a.cassette.partial") == [b"{}"] * 5


async def test_without_it_the_disk_is_waited_for_at_the_end_only(proxies, tmp_path, monkeypatch):
    disk = HeldDisk(monkeypatch)
    disk.going.set()
    async with recording(proxies, tmp_path / "a.cassette", durable=False) as (_, ask, _):
        await ask(3)
        assert disk.waits == 0
    assert disk.waits == 1


async def test_a_disk_that_refuses_stops_the_recording_and_no_call(proxies, tmp_path, monkeypatch):
    path = tmp_path / "a.cassette"
    async with recording(proxies, path) as (recorder, ask, said):
        await ask(2)

        def refuse(_: int) -> None:
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(os, "fdatasync", refuse)
        await ask(1)
        while recorder.failed is None:
            await asyncio.sleep(0.001)
        await ask(3)
        assert recorder.health().failed
    (once,) = [line for line in said if "THE RECORDING HAS STOPPED" in line]
    assert "the disk did not take it: Input/output error" in once
    with Reader.open(tmp_path / "a.cassette.partial") as reader:
        assert 2 <= len(reader) <= 4
    assert not path.exists()


async def test_a_wait_that_fails_is_told_once_and_nothing_is_waited_for_after_it():
    class Refusing:
        calls = 0

        def sync(self) -> None:
            self.calls += 1
            raise RecordingFailed("no")

    writer, heard = Refusing(), []
    durability = Durability(writer, failed=heard.append)
    durability.ask()
    await durability.settle()
    assert (len(heard), writer.calls) == (1, 1)


async def test_settling_what_was_never_asked_for_is_nothing(tmp_path):
    with Writer.create(tmp_path / "a.cassette", durable=True) as writer:
        durability = Durability(writer, failed=pytest.fail)
        await durability.settle()
        assert durability.waits == 0
