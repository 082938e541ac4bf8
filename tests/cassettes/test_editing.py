"""Parts of a cassette as cassettes: what is kept is what was recorded, and it replays."""

import errno
import os
from dataclasses import replace

import pytest
from cassette_samples import read
from recorded_calls import write_cassette
from respool.cassettes.editing import REST, split, trim
from respool.cassettes.errors import CassetteError, UsageError
from respool.cassettes.filters import parse
from respool.cassettes.positions import Session
from respool.cassettes.reader import Reader
from respool.cassettes.scopes import scope_hash
from respool.cassettes.show import render
from respool.cassettes.tape import Tape
from respool.cassettes.writer import Writer

BIG = b'"' + b"x" * 50_000 + b'"'


@pytest.fixture
def cassette(tmp_path):
    calls = [
        ("POST", b"/v1/assistants", b"{}", b'{"id": "asst_1"}', 200),  # 0
        ("POST", b"/v1/threads", b"{}", b'{"id": "thread_a", "object": "thread"}', 200),  # 1
        ("POST", b"/v1/threads", b"{}", b'{"id": "thread_b", "object": "thread"}', 200),  # 2
        ("POST", b"/v1/threads/thread_a/messages", b'{"content": "one"}', BIG, 200),  # 3
        ("GET", b"/v1/threads/thread_a", b"", b"1", 200),  # 4
        ("POST", b"/v1/threads/thread_b/messages", b'{"content": "two"}', BIG, 200),  # 5
        ("GET", b"/v1/threads/thread_a", b"", b"2", 500),  # 6
    ]
    return write_cassette(tmp_path / "old.cassette", calls)


def replayed(path, numbers):
    """The answers of a replay to the calls with these numbers of the recording at `path.parent / "old.cassette"`."""
    with Reader.open(path) as reader, Reader.open(path.parent.parent / "old.cassette") as asked:
        session = Session(Tape(reader))
        rows = [row for row in asked.rows() if row.summary.arrival in numbers]
        served = [session.serve(row.summary.key, variant=row.summary.variant) for row in rows]
        return [each and reader.interaction(each.row).response.body.read() for each in served]


def test_a_trim_without_a_filter_is_the_same_cassette(cassette, tmp_path):
    (tmp_path / "new").mkdir()
    with Reader.open(cassette) as old:
        assert trim(old, tmp_path / "new" / "old.cassette", None) == 7
        with Reader.open(tmp_path / "new" / "old.cassette") as new:
            assert list(render(new)) == list(render(old))
            assert (new.file_id, new.meta) == (old.file_id, old.meta)
            assert list(new.rows()) == list(old.rows())
    assert read(tmp_path / "new" / "old.cassette") == read(cassette)


def test_a_trim_keeps_numbers_and_fields_that_it_does_not_know(tmp_path, cassette):
    strange = tmp_path / "strange.cassette"
    with Reader.open(cassette) as old, Writer.create(strange, meta={"from tomorrow": [1, {"a": b"b"}]}) as writer:
        for row in old.rows():
            writer.append(replace(old.interaction(row), extra={"new": row.summary.arrival}), row.summary)
    with Reader.open(strange) as reader:
        assert trim(reader, tmp_path / "out.cassette", parse("thread:thread_b")) == 2
    with Reader.open(tmp_path / "out.cassette") as reader:
        assert reader.meta == {"from tomorrow": [1, {"a": b"b"}]}
    assert read(tmp_path / "out.cassette") == [call for call in read(strange) if call.arrival in (2, 5)]
    assert [call.extra for call in read(tmp_path / "out.cassette")] == [{"new": 2}, {"new": 5}]


def test_a_thread_that_was_trimmed_to_replays_as_it_did(cassette, tmp_path):
    (tmp_path / "new").mkdir()
    out = tmp_path / "new" / "a.cassette"
    with Reader.open(cassette) as reader:
        trim(reader, out, parse("thread:thread_a"))
    assert replayed(out, {1, 3, 4, 6}) == [b'{"id": "thread_a", "object": "thread"}', BIG, b"1", b"2"]
    assert replayed(out, {5}) == [None]


def test_a_trim_to_nothing_writes_nothing(cassette, tmp_path):
    with Reader.open(cassette) as reader, pytest.raises(UsageError, match="none of the 7 calls"):
        trim(reader, tmp_path / "out.cassette", parse("http:404"))
    assert [path.name for path in tmp_path.iterdir()] == ["old.cassette"]


def test_what_is_read_and_what_is_there_are_not_written(cassette, tmp_path):
    before = cassette.read_bytes()
    (tmp_path / "link.cassette").symlink_to(cassette)
    with Reader.open(cassette) as reader:
        for path in (cassette, tmp_path / "link.cassette"):
            with pytest.raises(UsageError, match="is the cassette that is read"):
                trim(reader, path, None, overwrite=True)
        (tmp_path / "there").write_bytes(b"mine")
        with pytest.raises(CassetteError, match="exists already"):
            trim(reader, tmp_path / "there", None)
        assert (tmp_path / "there").read_bytes() == b"mine"
    partial = cassette.rename(tmp_path / "new.cassette.partial")
    with Reader.open(partial) as reader, pytest.raises(UsageError, match="is the cassette that is read"):
        trim(reader, tmp_path / "new.cassette", None, overwrite=True)
    assert partial.read_bytes() == before


def test_progress_is_reported_to_the_end(cassette, tmp_path):
    heard = []
    with Reader.open(cassette) as reader:
        trim(reader, tmp_path / "a", None, progress=lambda done, total: heard.append((done, total)))
        assert heard == [(7, 7)]
        heard.clear()
        split(reader, tmp_path / "parts", shared=True, progress=lambda done, total: heard.append((done, total)))
    assert heard == [(5, 8), (8, 8)]


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


@pytest.mark.parametrize("into", ["file", "folder"])
def test_an_edit_that_finds_no_room_says_that_nothing_is_left_of_it(cassette, tmp_path, monkeypatch, into):
    write, calls = os.write, []

    def full(fd: int, data: memoryview) -> int:
        calls.append(fd)
        if len(calls) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data)

    with Reader.open(cassette) as old:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(CassetteError, match="cannot be written: No space left on device") as caught:
            trim(old, tmp_path / "new.cassette", None) if into == "file" else split(old, tmp_path / "new")
    assert ".partial" not in f"{caught.value} {caught.value.message} {caught.value.hint}"
    assert not list(tmp_path.glob("**/*.partial"))
