"""Whatever a session is called, and whatever is done to the folder meanwhile: all that is written stays in it, 0600."""

import asyncio
import json
import os
import stat
import threading
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hostile_names import HOSTILE
from recorded_calls import write_cassette
from respool.cassettes.errors import CassetteError
from respool.cassettes.folder import Folder
from respool.cassettes.reader import Reader
from respool.cassettes.writer import Writer
from respool.proxy import volumes
from respool.proxy.library import Library
from respool.proxy.modes import Action, Way
from respool.proxy.record import Recorder
from respool.proxy.replay import Replayer
from respool.proxy.server import serve
from respool.proxy.shelf import Shelf
from respool.proxy.upstream import Origin
from respool.proxy.volumes import Recording

PATH = b"/v1/threads/t/messages"


async def answering(heard, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")


@asynccontextmanager
async def shelved(path, way, upstream=""):
    said = []
    recording = upstream and Recording(
        origin=Origin.parse(upstream),
        meta=lambda _: {},
        recorder=lambda upstream, writer: Recorder(upstream, writer, narrate=said.append),
    )
    shelf = Shelf(
        Folder(path),
        way=way,
        replayer=lambda reader: Replayer(reader, narrate=said.append),
        recording=recording or None,
        narrate=said.append,
    )
    try:
        async with serve(
            Library(resolver=shelf, narrate=said.append), name=str(way), narrate=said.append, drain=1
        ) as port:
            yield port, said
    finally:
        shelf.close()


def request(port, name):
    lines = b" HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n" % port.port
    return b"GET /@" + name.encode() + PATH + lines


def below(path):
    """All that is in a folder, without following a link."""
    return [Path(root) / name for root, folders, files in os.walk(path) for name in (*folders, *files)]


async def test_recordings_under_hostile_names_stay_in_the_folder_and_are_the_users_alone(proxies, tmp_path):
    path, outside = tmp_path / "cassettes", tmp_path / "elsewhere"
    path.mkdir()
    outside.mkdir()
    (path / "linked").symlink_to(outside)
    (path / "up").symlink_to(tmp_path)
    (path / "link.cassette").symlink_to(outside / "new.cassette")
    (path / "dangling.cassette.partial").symlink_to(outside / "new.partial")
    os.mkfifo(path / "fifo.cassette")
    os.mkfifo(path / "socket.cassette.partial")
    umask = os.umask(0)  # the most generous: modes are ours, not the umask's
    try:
        before = sorted(tmp_path.iterdir())
        async with proxies.raw_upstream(answering) as upstream:
            async with shelved(path, Way.RECORD, upstream.url) as (port, said):
                recorded = 0
                for name in HOSTILE:
                    got = await proxies.raw_call(port.port, request(port, name), timeout=5)
                    recorded += got.startswith(b"HTTP/1.1 200 ")
                assert not any("internal error" in line for line in said), said
        assert sorted(tmp_path.iterdir()) == before
        assert list(outside.iterdir()) == []
        made = [each for each in below(path) if not each.is_symlink() and each.name not in SPECIAL]
        assert 0 < sum(each.suffix == ".cassette" for each in made) <= recorded
        for each in made:
            mode = each.lstat().st_mode
            assert stat.S_IMODE(mode) == (0o700 if stat.S_ISDIR(mode) else 0o600), each
            assert not any(part.startswith(".") for part in each.relative_to(path).parts), each
    finally:
        os.umask(umask)


SPECIAL = {"fifo.cassette", "socket.cassette.partial"}


async def test_a_folder_and_a_file_that_are_swapped_all_the_while_lead_nowhere_else(proxies, tmp_path):
    """`suite` is a folder, then a link to another one, and so on, as fast as can be; so is a cassette in it."""
    path, outside = tmp_path / "cassettes", tmp_path / "outside"
    for place, text in ((path / "suite", "inside"), (outside, "OUTSIDE")):
        place.mkdir(parents=True)
        answer = json.dumps({"said": text}).encode()
        for name in ("a", "b"):
            write_cassette(place / f"{name}.cassette", [("GET", PATH, b"", answer, 200)])
    end = threading.Event()
    before = {each.name: each.read_bytes() for each in outside.iterdir()}

    def swap():
        suite, real, cassette = path / "suite", path / "real", path / "suite" / "a.cassette"
        while not end.is_set():
            suite.rename(real)
            suite.symlink_to(outside)
            suite.unlink()
            real.rename(suite)
            cassette.rename(suite / "kept")
            cassette.symlink_to(outside / "a.cassette")
            cassette.unlink()
            (suite / "kept").rename(cassette)

    swapping = threading.Thread(target=swap)
    answers = []
    swapping.start()
    try:
        async with shelved(path, Way.REPLAY) as (port, said):
            for number in range(300):
                name = ("suite%2fa", "suite%2fb", "suite%2fnew")[number % 3]
                answers.append(await proxies.raw_call(port.port, request(port, f"{name}~{number}")))
            assert not any("internal error" in line for line in said), said
    finally:
        end.set()
        await asyncio.to_thread(swapping.join)
    assert not any(b"OUTSIDE" in answer for answer in answers)
    assert any(b"inside" in answer for answer in answers), "it was served at times"
    assert {each.name: each.read_bytes() for each in outside.iterdir()} == before


def test_a_folder_that_is_swapped_just_when_a_recording_begins_gets_it_or_nobody_does(tmp_path, monkeypatch):
    path, outside = tmp_path / "cassettes", tmp_path / "outside"
    (path / "suite").mkdir(parents=True)
    outside.mkdir()
    create = Writer.create

    def swapped(*arguments, **options):
        (path / "suite").rename(path / "real")
        (path / "suite").symlink_to(outside)
        return create(*arguments, **options)

    monkeypatch.setattr(Writer, "create", swapped)
    folder = Folder(path)
    try:
        with pytest.raises(CassetteError, match="was replaced while the recording began"):
            volumes.begin(folder, "suite/refund", Action.RECORD, lambda _: {})
    finally:
        folder.close()
    assert list(outside.iterdir()) == []
    assert list((path / "real").iterdir()) == []


SECRET = "sk-proj-aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0z"


@pytest.mark.parametrize("way", [Way.RECORD, Way.REPLAY, Way.AUTO])
@pytest.mark.parametrize("name", [SECRET, f"suite%2f{SECRET}", f"refund~{SECRET}"])
async def test_a_session_that_is_named_by_a_secret_names_no_file_and_is_not_told(proxies, tmp_path, way, name):
    path = tmp_path / "cassettes"
    path.mkdir()
    async with proxies.raw_upstream(answering) as upstream:
        async with shelved(path, way, upstream.url) as (port, said):
            answer = await proxies.raw_call(port.port, request(port, name))
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert SECRET.encode() not in answer
    assert SECRET not in "".join(said)
    assert below(path) == []


@pytest.mark.parametrize("name", [SECRET, "my-own-credential-99"])
async def test_a_miss_does_not_tell_a_session_that_is_named_by_a_secret(proxies, tmp_path, name):
    path = write_cassette(tmp_path / "a.cassette", [("GET", PATH, b"", b"{}", 200)])
    said: list[str] = []
    with Reader.open(path) as reader:
        async with serve(Replayer(reader, narrate=said.append), name="replay", narrate=said.append) as port:
            line = f"GET /@{name}/v1/nothing HTTP/1.1\r\nHost: 127.0.0.1:{port.port}\r\nConnection: close\r\n"
            answer = await proxies.raw_call(port.port, f"{line}Authorization: Bearer {name}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert "miss (session REDACTED)" in said[0]
    assert name not in "".join(said) + answer.decode()
