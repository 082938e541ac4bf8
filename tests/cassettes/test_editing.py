"""Parts of a cassette as cassettes: what is kept is what was recorded, and it replays."""

import errno
import os
from dataclasses import replace

import pytest
from cassette_samples import read
from respool.cassettes.editing import trim
from respool.cassettes.errors import CassetteError, UsageError
from respool.cassettes.filters import parse
from respool.cassettes.reader import Reader
from respool.cassettes.show import render
from respool.cassettes.writer import Writer
from two_threads import BIG, replayed, two_threads


@pytest.fixture
def cassette(tmp_path):
    return two_threads(tmp_path)


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


def test_an_edit_that_finds_no_room_says_that_nothing_is_left_of_it(cassette, tmp_path, monkeypatch):
    write, calls = os.write, []

    def full(fd: int, data: memoryview) -> int:
        calls.append(fd)
        if len(calls) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data)

    with Reader.open(cassette) as old:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(CassetteError, match="cannot be written: No space left on device") as caught:
            trim(old, tmp_path / "new.cassette", None)
    assert ".partial" not in f"{caught.value} {caught.value.message} {caught.value.hint}"
    assert not list(tmp_path.glob("**/*.partial"))
