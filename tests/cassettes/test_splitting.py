"""A cassette for each thread of one: what stands in which, what it is called, and what is left when it does not come off."""

import contextlib
import errno
import os
from dataclasses import replace

import pytest
from cassette_samples import read
from respool.cassettes.errors import CassetteError
from respool.cassettes.reader import Reader
from respool.cassettes.scopes import scope_hash
from respool.cassettes.splitting import REST, split
from respool.cassettes.writer import Writer
from two_threads import BIG, replayed, two_threads


@pytest.fixture
def cassette(tmp_path):
    return two_threads(tmp_path)


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def test_a_split_gives_each_thread_a_cassette_and_all_else_another(cassette, tmp_path):
    folder = tmp_path / "deep" / "parts"
    with Reader.open(cassette) as reader:
        paths = split(reader, folder)
    assert [path.name for path in paths] == ["thread_a.cassette", "thread_b.cassette", f"{REST}.cassette"]
    calls = read(cassette)
    for path, numbers in zip(paths, ({1, 3, 4, 6}, {2, 5}, {0}), strict=True):
        assert read(path) == [call for call in calls if call.arrival in numbers]
    with Reader.open(cassette) as reader, pytest.raises(CassetteError, match="exists already"):
        split(reader, folder)


def test_parts_can_share_what_belongs_to_no_thread(cassette, tmp_path):
    with Reader.open(cassette) as reader:
        paths = split(reader, tmp_path / "parts", shared=True)
    assert [[call.arrival for call in read(path)] for path in paths] == [[0, 1, 3, 4, 6], [0, 2, 5]]
    assert replayed(paths[1], {0, 2, 5}) == [b'{"id": "asst_1"}', b'{"id": "thread_b", "object": "thread"}', BIG]


def test_a_thread_whose_id_is_no_file_name_is_numbered(cassette, tmp_path):
    evil = tmp_path / "evil.cassette"
    names = ["../../out", "Same", "same", ".hidden", "x" * 300, REST, "/assistants"]
    with Reader.open(cassette) as old, Writer.create(evil) as writer:
        row = next(old.rows())
        for number, name in enumerate(names):
            summary = row.summary._replace(arrival=number, scope=scope_hash(name))
            writer.append(replace(old.interaction(row), scope=name), summary)
    with Reader.open(evil) as reader:
        paths = split(reader, tmp_path / "parts")
    assert [path.name.removesuffix(".cassette") for path in paths] == [
        "thread-1", "Same", "same-3", "thread-4", "thread-5", REST, f"{REST}-7",
    ]  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == sorted(path.name for path in paths)
    assert [len(read(path)) for path in paths] == [1] * 7


def test_progress_is_reported_of_all_parts(cassette, tmp_path):
    heard = []
    with Reader.open(cassette) as reader:
        split(reader, tmp_path / "parts", shared=True, progress=lambda done, total: heard.append((done, total)))
    assert heard == [(5, 8), (8, 8)]


class Stopped(BaseException):
    """What no `except Exception` sees, as an interrupt."""


@pytest.fixture(params=[Stopped(), OSError(errno.ENOSPC, "No space left on device")], ids=["stopped", "full"])
def in_the_second_part(request, monkeypatch):
    """The second file of a cassette that is waited for is not written."""
    real, calls = os.fdatasync, []

    def sync(fd):
        calls.append(fd)
        if len(calls) == 2:
            raise request.param
        real(fd)

    monkeypatch.setattr(os, "fdatasync", sync)
    return (Stopped, CassetteError)


def test_a_split_that_comes_to_nothing_leaves_no_folder(cassette, tmp_path, in_the_second_part):
    before = files(tmp_path)
    with Reader.open(cassette) as reader, pytest.raises(in_the_second_part):
        split(reader, tmp_path / "deep" / "parts")
    assert files(tmp_path) == before


@pytest.mark.parametrize("empty", [True, False], ids=["an empty folder", "a folder with files"])
def test_a_folder_that_was_there_stays_as_it_was(cassette, tmp_path, in_the_second_part, empty):
    folder = tmp_path / "parts"
    folder.mkdir()
    if not empty:
        (folder / "mine.txt").write_text("mine")
        (folder / "thread_b.cassette").write_bytes(cassette.read_bytes())
        (folder / "thread_a.cassette").write_bytes(cassette.read_bytes())
    before = files(tmp_path)
    with Reader.open(cassette) as reader, pytest.raises(in_the_second_part):
        split(reader, folder, overwrite=True)
    assert files(tmp_path) == before


def test_what_somebody_else_put_there_meanwhile_stays(cassette, tmp_path):
    folder = tmp_path / "parts"

    def others(done, total):
        if done < total:
            (folder / "thread_b.cassette").write_text("theirs")
            (tmp_path / "other").write_text("theirs, too")
            (tmp_path / "other").rename(folder / "thread_a.cassette")

    with Reader.open(cassette) as reader, pytest.raises(CassetteError, match="exists already"):
        split(reader, folder, progress=others)
    assert files(folder) == {"thread_a.cassette": b"theirs, too", "thread_b.cassette": b"theirs"}


@pytest.mark.parametrize("last", ["a folder", "being written", "one beside it"])
def test_what_cannot_be_replaced_is_told_before_anything_is(cassette, tmp_path, last):
    folder = tmp_path / "parts"
    with Reader.open(cassette) as reader, contextlib.ExitStack() as stack:
        parts = split(reader, folder)
        for part in parts[:-1]:
            part.write_bytes(b"old")
        if last == "a folder":
            parts[-1].unlink()
            parts[-1].mkdir()
        elif last == "being written":
            stack.callback(Writer.append_to(parts[-1]).abandon)
        else:
            parts[-1].with_name(parts[-1].name + ".new").write_bytes(b"mine")
        before = files(folder)
        with pytest.raises(CassetteError):
            split(reader, folder, overwrite=True)
        assert files(folder) == before


def test_overwriting_replaces_the_parts_and_nothing_else(cassette, tmp_path):
    with Reader.open(cassette) as reader:
        first = split(reader, tmp_path / "parts")
        wanted = files(tmp_path)
        first[0].write_bytes(first[1].read_bytes())
        (tmp_path / "parts" / "mine.txt").write_text("mine")
        assert split(reader, tmp_path / "parts", overwrite=True) == first
    found = files(tmp_path)
    assert found.pop("parts/mine.txt") == b"mine"
    assert found.keys() == wanted.keys()
    assert [[call.arrival for call in read(path)] for path in first] == [[1, 3, 4, 6], [2, 5], [0]]
