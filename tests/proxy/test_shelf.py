"""A folder of cassettes behind one port: names, sessions, idle ones, recordings, and nothing outside the folder."""

import asyncio
import json
import os
import stat
import threading
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from hostile_names import HOSTILE
from recorded_calls import write_cassette
from respool.cassettes.folder import Folder
from respool.cassettes.reader import Reader
from respool.cassettes.writer import Writer
from respool.proxy import shelf, volumes
from respool.proxy.library import Library
from respool.proxy.modes import Way
from respool.proxy.record import Recorder
from respool.proxy.replay import Replayer
from respool.proxy.server import serve
from respool.proxy.shelf import Shelf
from respool.proxy.upstream import Origin
from respool.proxy.volumes import Recording

PATH = "/v1/threads/thread_1"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Served:
    """A folder in service."""

    def __init__(self, path: Path, shelf: Shelf, url: str, port: int, said: list[str], clock: Clock) -> None:
        self.path = path
        self.shelf = shelf
        self.url = url
        self.port = port
        self.said = said
        self.clock = clock

    async def get(self, target: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as client, client.get(self.url + target) as answer:
            return answer.status, await answer.text()

    async def post(self, target: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as client, client.post(self.url + target, json={}) as answer:
            return answer.status, await answer.text()


@asynccontextmanager
async def shelved(path: Path, *, way: Way = Way.REPLAY, upstream: str = "", idle: float = 3600, most_open: int = 256):
    said: list[str] = []
    clock = Clock()
    recording = upstream and Recording(
        origin=Origin.parse(upstream),
        meta=lambda _: {"upstream": upstream},
        recorder=lambda upstream, writer: Recorder(upstream, writer, narrate=said.append),
    )
    shelf = Shelf(
        Folder(path),
        way=way,
        replayer=lambda reader: Replayer(reader, narrate=said.append),
        recording=recording or None,
        idle=idle,
        most_open=most_open,
        clock=clock,
        narrate=said.append,
    )
    library = Library(resolver=shelf, narrate=said.append)
    try:
        async with serve(library, name=str(way), narrate=said.append, drain=1) as listening:
            yield Served(path, shelf, listening.url, listening.port, said, clock)
    finally:
        shelf.close()


def thread(path: Path, name: str, *texts: str) -> Path:
    """A cassette in which the thread says each text once, after a write."""
    place = path / f"{name}.cassette"
    place.parent.mkdir(parents=True, exist_ok=True)
    calls = []
    for text in texts or (name,):
        calls.append(("POST", PATH.encode(), b"{}", b"{}", 200))
        calls.append(("GET", PATH.encode(), b"", json.dumps({"said": text}).encode(), 200))
    return write_cassette(place, calls)


def said(text: str) -> tuple[int, str]:
    return 200, json.dumps({"said": text})


async def test_the_name_of_a_session_leads_to_its_cassette(tmp_path):
    for name in ("default", "refund", "suite/refund", "suite", "suite/refund/deep"):
        thread(tmp_path, name)
    async with shelved(tmp_path) as served:
        for prefix, name in {
            "": "default",
            "/@default": "default",
            "/@refund": "refund",
            "/@refund~gw3": "refund",
            "/@refund~gw3~x": "refund",
            "/@suite%2Frefund~gw3": "suite/refund",
            "/@suite%2frefund": "suite/refund",
            "/@suite/refund~gw3": "suite/refund",
            "/@suite/refund": "suite/refund",
            "/@suite/refund/deep": "suite/refund/deep",
            "/@suite": "suite",
            "/@suite~gw0": "suite",
        }.items():
            assert await served.get(prefix + PATH) == said(name), prefix
        assert served.shelf.health().cassettes == 5
        assert served.shelf.health().sessions == 9, "the same name in other spellings is the same session"


async def test_health_is_answered_before_any_cassette_is_opened(tmp_path):
    thread(tmp_path, "a")
    async with shelved(tmp_path) as served:
        status, text = await served.get("/_respool/health")
        assert status == 200
        assert json.loads(text) | {"version": ""} == {
            "status": "ok", "mode": "replay", "version": "", "cassettes": 0, "sessions": 0
        }  # fmt: skip
        await served.get(f"/@a~1{PATH}")
        await served.get(f"/@a~2{PATH}")
        told = json.loads((await served.get("/_respool/health"))[1])
        assert (told["cassettes"], told["sessions"]) == (1, 2)


async def test_calls_are_answered_while_a_cassette_is_opened(tmp_path, monkeypatch):
    thread(tmp_path, "quick")
    thread(tmp_path, "slow")
    go_on = threading.Event()

    def look_into(folder: Folder, name: str):
        assert name == "quick" or go_on.wait(30)
        return volumes.look_into(folder, name)

    monkeypatch.setattr(shelf, "look_into", look_into)
    async with shelved(tmp_path) as served, asyncio.TaskGroup() as group:
        slow = [group.create_task(served.get(f"/@slow~{number}{PATH}")) for number in range(3)]
        assert await served.get(f"/@quick{PATH}") == said("quick")
        assert not any(task.done() for task in slow)
        go_on.set()
        assert [await task for task in slow] == [said("slow")] * 3
        assert served.shelf.health().cassettes == 2


async def test_sessions_of_a_cassette_know_nothing_of_each_other(tmp_path):
    thread(tmp_path, "a", "one", "two")
    async with shelved(tmp_path) as served:
        for name in ("a~x", "a~y", "a"):
            assert (await served.post(f"/@{name}{PATH}"))[0] == 200
            assert await served.get(f"/@{name}{PATH}") == said("one")
        assert (await served.post(f"/@a~x{PATH}"))[0] == 200
        assert await served.get(f"/@a~x{PATH}") == said("two")
        assert await served.get(f"/@a~y{PATH}") == said("one")


@pytest.mark.parametrize("prefix", ["/@lost", "/@suite%2Flost", "/@suite/lost", ""])
async def test_a_name_without_a_cassette_gets_an_error_that_says_where_it_was_looked_for(tmp_path, prefix):
    thread(tmp_path, "suite/refund")
    async with shelved(tmp_path) as served, aiohttp.ClientSession() as client:
        async with client.get(served.url + prefix + PATH) as answer:
            assert (answer.status, answer.headers["x-should-retry"]) == (404, "false")
            error = (await answer.json())["error"]
    name = {"/@lost": "lost", "/@suite%2Flost": "suite/lost", "/@suite/lost": "suite", "": "default"}[prefix]
    assert error["code"] == "no_cassette"
    assert str(tmp_path / f"{name}.cassette") in error["message"]
    assert "suite/refund" in error["message"], "what is there"


async def test_no_name_leads_out_of_the_folder(tmp_path, proxies):
    assert len(set(HOSTILE)) >= 200
    thread(tmp_path, "outside", "OUTSIDE")
    path = tmp_path / "cassettes"
    thread(path, "good")
    thread(path, "suite/good")
    for hidden in (".hidden", "suite/.hidden"):
        thread(path, hidden, "OUTSIDE")
    (path / "link.cassette").symlink_to(tmp_path / "outside.cassette")
    (path / "linked").symlink_to("..")
    (path / "up").symlink_to(tmp_path)
    (path / "absolute").symlink_to("/")
    (path / "loop").symlink_to(path)
    (path / "loop.cassette").symlink_to("loop.cassette")
    (path / "dangling.cassette").symlink_to(tmp_path / "nowhere")
    (path / "folder.cassette").mkdir()
    (path / "text.cassette").write_text("OUTSIDE")
    (path / "empty.cassette").touch()
    os.mkfifo(path / "fifo.cassette")
    before = sorted(tmp_path.rglob("*"))
    opened = len(list(Path("/proc/self/fd").iterdir()))
    async with shelved(path) as served:
        for name in HOSTILE:
            target = f"/@{name}{PATH}".encode()
            request = b"GET " + target + b" HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n" % served.port
            got = await proxies.raw_call(served.port, request, timeout=5)
            status = got.split(b" ", 2)[1]
            assert status in (b"400", b"404", b"500", b"502"), (name, got[:300])
            assert b'"said"' not in got, name
            assert b"Evil" not in got.partition(b"\r\n\r\n")[0], name
        assert await served.get(f"/@good{PATH}") == said("good"), "and all the while it serves"
        assert served.shelf.health().cassettes <= 2
        assert not any("internal error" in line for line in served.said), served.said
    assert sorted(tmp_path.rglob("*")) == before
    assert len(list(Path("/proc/self/fd").iterdir())) <= opened


@pytest.mark.parametrize("name", ["linked%2fnew", "linked%2fsub%2fnew", "..%2fnew", "link", "fifo", "folder"])
async def test_no_recording_is_made_outside_the_folder(tmp_path, proxies, name):
    outside, path = tmp_path / "outside", tmp_path / "cassettes"
    outside.mkdir()
    path.mkdir()
    (path / "linked").symlink_to(outside)
    (path / "link.cassette").symlink_to(outside / "new.cassette")
    (path / "folder.cassette").mkdir()
    os.mkfifo(path / "fifo.cassette")
    async with proxies.raw_upstream(threads) as upstream:
        for way in (Way.RECORD, Way.AUTO, Way.APPEND):
            async with shelved(path, way=way, upstream=upstream.url + "/v1") as served:
                assert (await served.get(f"/@{name}{PATH}"))[0] in (400, 500, 404)
        assert upstream.heard == []
    assert list(outside.iterdir()) == []


async def test_a_folder_swapped_for_a_link_serves_its_sessions_and_no_new_ones(tmp_path):
    thread(tmp_path / "elsewhere", "a", "OUTSIDE")
    path = tmp_path / "cassettes"
    thread(path, "suite/a", "one", "two")
    async with shelved(path) as served:
        assert await served.get(f"/@suite/a~x{PATH}") == said("one")
        (path / "suite").rename(path / "moved")
        (path / "suite").symlink_to(tmp_path / "elsewhere")
        assert await served.get(f"/@suite%2Fa~x{PATH}") == said("one")
        assert (await served.get(f"/@suite%2Fa~y{PATH}"))[0] == 500
        assert await served.get(f"/@moved/a~y{PATH}") == said("one")


async def test_a_cassette_recorded_anew_is_for_new_sessions(tmp_path):
    thread(tmp_path, "a", "old", "old again")
    async with shelved(tmp_path) as served:
        assert await served.get(f"/@a~1{PATH}") == said("old")
        (tmp_path / "a.cassette").unlink()
        thread(tmp_path, "a", "new")
        assert await served.get(f"/@a~2{PATH}") == said("new")
        assert await served.get(f"/@a~1{PATH}") == said("old")
        assert served.shelf.health().cassettes == 2
        (tmp_path / "a.cassette").unlink()
        assert (await served.get(f"/@a~3{PATH}"))[0] == 404
        assert await served.get(f"/@a~2{PATH}") == said("new")


async def test_idle_sessions_are_dropped_and_begin_anew(tmp_path):
    thread(tmp_path, "a", "one", "two")
    thread(tmp_path, "b")
    async with shelved(tmp_path, idle=60) as served:
        for _ in range(2):
            await served.post(f"/@a~1{PATH}")
        assert await served.get(f"/@a~1{PATH}") == said("two")
        served.clock.now += 50
        assert await served.get(f"/@a~1{PATH}") == said("two")
        assert await served.get(f"/@b{PATH}") == said("b")
        served.clock.now += 50
        assert await served.get(f"/@a~1{PATH}") == said("two")
        served.clock.now += 61
        assert await served.get(f"/@a~1{PATH}") == said("one")
        assert served.shelf.health().sessions == 1


async def test_open_cassettes_are_bounded_and_the_one_used_longest_ago_makes_room(tmp_path):
    for number in range(6):
        thread(tmp_path, f"c{number}")
    async with shelved(tmp_path, most_open=3) as served:
        for number in [*range(6), *range(6), 5, 4]:
            served.clock.now += 1
            assert await served.get(f"/@c{number}{PATH}") == said(f"c{number}")
            assert served.shelf.health().cassettes <= 3
        await asyncio.gather(*(served.get(f"/@c{number % 6}~{number}{PATH}") for number in range(60)))
    assert served.shelf.totals.replayed == 74


async def test_two_hundred_sessions_at_once_are_byte_equal(tmp_path):
    texts = [f"text {number}" for number in range(6)]
    thread(tmp_path, "a", *texts)

    async def play(client: aiohttp.ClientSession, url: str, name: str) -> list[bytes]:
        seen = []
        for _ in texts:
            async with client.post(f"{url}/@{name}{PATH}", json={}) as answer:
                seen.append(await answer.read())
            for _ in range(2):
                async with client.get(f"{url}/@{name}{PATH}") as answer:
                    seen.append(str(answer.raw_headers).encode() + await answer.read())
            await asyncio.sleep(0)
        return seen

    async with shelved(tmp_path) as served, aiohttp.ClientSession() as client:
        alone = await play(client, served.url, "a~alone")
        together = await asyncio.gather(*(play(client, served.url, f"a~{number}") for number in range(200)))
        assert served.shelf.health().cassettes == 1
    assert b"text 5" in alone[-1]
    assert all(seen == alone for seen in together)
    assert served.shelf.totals.sessions == 201


async def test_a_cassette_without_a_seal_is_served_as_far_as_it_is_whole_and_said_once(tmp_path):
    place = thread(tmp_path, "a")
    place.write_bytes(place.read_bytes()[:-10])
    async with shelved(tmp_path) as served:
        for number in range(3):
            assert await served.get(f"/@a~{number}{PATH}") == said("a")
        (told,) = (line for line in served.said if "is damaged: its" in line)
        assert f"`respool doctor {place} --repair`" in told


async def threads(heard, writer):
    """An upstream that counts: each GET says another text."""
    body = json.dumps({"said": heard.line.decode().split()[1]}).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


@pytest.mark.parametrize("way", [Way.RECORD, Way.AUTO])
async def test_each_session_is_recorded_into_its_own_cassette_and_replays(tmp_path, proxies, way):
    sessions = ("", "/@refund~1", "/@refund~2", "/@suite%2Fdeep%2Fa", "/@suite/deep/b~gw0")
    async with proxies.raw_upstream(threads) as upstream:
        async with shelved(tmp_path, way=way, upstream=upstream.url + "/v1") as served:
            recorded = await asyncio.gather(
                *(served.get(f"{name}{PATH}{number}") for number in (1, 2) for name in sessions)
            )
        assert {heard.line for heard in upstream.heard} == {b"GET %b%d HTTP/1.1" % (PATH.encode(), n) for n in (1, 2)}
    names = ["default", "refund", "suite/deep/a", "suite/deep/b"]
    folder = Folder(tmp_path)
    assert folder.names(10) == names
    folder.close()
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 4, "and nothing else"
    for name in names:
        path = tmp_path / f"{name}.cassette"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with Reader.open(path) as reader:
            assert reader.sealed
            assert len(reader) == (4 if name == "refund" else 2)
    async with shelved(tmp_path) as served:
        replayed = await asyncio.gather(
            *(served.get(f"{name}{PATH}{number}") for number in (1, 2) for name in sessions)
        )
    assert replayed == recorded
    assert all(status == 200 for status, _ in replayed)


@pytest.mark.parametrize("way", [Way.RECORD, Way.OVERWRITE, Way.AUTO])
async def test_an_idle_recording_is_sealed_and_its_session_may_come_back(tmp_path, proxies, way):
    async with proxies.raw_upstream(threads) as upstream:
        async with shelved(tmp_path, way=way, upstream=upstream.url + "/v1", idle=60) as served:
            await served.get(f"/@a{PATH}")
            await served.shelf.sweep()
            assert not (tmp_path / "a.cassette").exists()
            served.clock.now += 61
            await served.shelf.sweep()
            with Reader.open(tmp_path / "a.cassette") as reader:
                assert (reader.sealed, len(reader)) == (True, 1)
            assert (await served.get(f"/@a{PATH}"))[0] == 200
        assert len(upstream.heard) == (1 if way is Way.AUTO else 2)
    with Reader.open(tmp_path / "a.cassette") as reader:
        assert (reader.sealed, len(reader)) == (True, 1 if way is Way.AUTO else 2)


async def test_auto_replays_what_is_there_and_records_what_is_not(tmp_path, proxies):
    thread(tmp_path, "there", "recorded before")
    async with proxies.raw_upstream(threads) as upstream:
        async with shelved(tmp_path, way=Way.AUTO, upstream=upstream.url + "/v1") as served:
            assert await served.get(f"/@there{PATH}") == said("recorded before")
            assert upstream.heard == []
            assert await served.get(f"/@new{PATH}") == said(PATH)
            assert (await served.get(f"/@there{PATH}/none"))[0] == 502, "a miss is no reason to ask the upstream"
            assert len(upstream.heard) == 1
    assert (tmp_path / "new.cassette").exists()


async def test_auto_does_not_take_an_interrupted_recording_for_a_whole_one(tmp_path, proxies):
    place = thread(tmp_path, "a", "half")
    place.rename(tmp_path / "a.cassette.partial")
    half = (tmp_path / "a.cassette.partial").read_bytes()
    torn = thread(tmp_path, "b", "half")
    torn.write_bytes(torn.read_bytes()[:-10])
    async with proxies.raw_upstream(threads) as upstream:
        async with shelved(tmp_path, way=Way.AUTO, upstream=upstream.url + "/v1") as served:
            assert await served.get(f"/@a{PATH}") == said(PATH)
            status, text = await served.get(f"/@b{PATH}")
            assert (status, "not closed cleanly" in text) == (500, True)
    assert (tmp_path / "a.cassette.cut-1").read_bytes() == half
    with Reader.open(tmp_path / "a.cassette") as reader:
        assert (reader.sealed, len(reader)) == (True, 1)


async def test_what_another_respool_is_recording_is_refused(tmp_path, proxies):
    writer = Writer.create(tmp_path / "a.cassette")
    async with proxies.raw_upstream(threads) as upstream:
        async with shelved(tmp_path, way=Way.AUTO, upstream=upstream.url + "/v1") as served:
            status, text = await served.get(f"/@a{PATH}")
            assert (status, "another respool is recording" in text) == (500, True)
        assert upstream.heard == []
    writer.abandon()


async def test_nothing_is_begun_for_an_upstream_that_is_not_there(tmp_path):
    async with shelved(tmp_path, way=Way.AUTO, upstream="http://127.0.0.1:1/v1") as served:
        status, text = await served.get(f"/@a/b{PATH}")
        assert (status, json.loads(text)["error"]["code"]) == (502, "upstream_failed")
    assert list(tmp_path.iterdir()) == []


async def test_auto_without_an_upstream_replays_and_says_what_is_missing(tmp_path):
    thread(tmp_path, "a")
    async with shelved(tmp_path, way=Way.AUTO) as served:
        assert await served.get(f"/@a{PATH}") == said("a")
        status, text = await served.get(f"/@b{PATH}")
        assert (status, "no --upstream to record it from" in text) == (404, True)


async def test_record_refuses_a_cassette_that_is_there(tmp_path, proxies):
    before = thread(tmp_path, "a").read_bytes()
    async with proxies.raw_upstream(threads) as upstream:
        async with shelved(tmp_path, way=Way.RECORD, upstream=upstream.url + "/v1") as served:
            status, text = await served.get(f"/@a{PATH}")
            assert (status, "exists already" in text) == (500, True)
        async with shelved(tmp_path, way=Way.APPEND, upstream=upstream.url + "/v1") as served:
            assert (await served.get(f"/@a{PATH}9"))[0] == 200
    assert (tmp_path / "a.cassette").read_bytes().startswith(before)
    async with shelved(tmp_path) as served:
        assert await served.get(f"/@a{PATH}") == said("a")
        assert await served.get(f"/@a{PATH}9") == said(f"{PATH}9")


async def test_a_client_that_leaves_while_its_cassette_is_opened_disturbs_nothing(tmp_path, proxies):
    async with proxies.raw_upstream(threads) as upstream:
        async with shelved(tmp_path, way=Way.RECORD, upstream=upstream.url + "/v1") as served:
            finding = asyncio.get_running_loop().create_task(served.shelf.find("a", PATH.encode()))
            await asyncio.sleep(0)
            finding.cancel()
            assert (await served.get(f"/@a{PATH}"))[0] == 200
    with Reader.open(tmp_path / "a.cassette") as reader:
        assert len(reader) == 1
