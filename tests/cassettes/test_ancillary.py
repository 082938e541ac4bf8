"""Whoever makes a cassette of another keeps the records that it does not know."""

import pytest
from ancillary import STRANGE, add, found
from recorded_calls import write_cassette
from respool.cassettes.editing import trim
from respool.cassettes.errors import UsageError
from respool.cassettes.filters import parse
from respool.cassettes.joining import join
from respool.cassettes.migration import migrate
from respool.cassettes.packing import compare, pack
from respool.cassettes.prefix import Prefix
from respool.cassettes.reader import Reader
from respool.cassettes.repair import examine, repair
from respool.cassettes.splitting import split

CALLS = [
    ("POST", b"/v1/threads", b"{}", b'{"id": "thread_a", "object": "thread"}', 200),
    ("POST", b"/v1/threads", b"{}", b'{"id": "thread_b", "object": "thread"}', 200),
    ("POST", b"/v1/threads/thread_a/messages", b"{}", b'"' + b"x" * 5_000 + b'"', 200),
    ("GET", b"/v1/models", b"", b"{}", 200),
]


@pytest.fixture
def cassette(tmp_path):
    return add(write_cassette(tmp_path / "a.cassette", CALLS), *STRANGE)


def test_a_reader_gives_them_and_all_else_as_if_they_were_not_there(cassette):
    with Reader.open(cassette) as reader:
        given = [(header.type, header.codec, header.flags, payload) for header, payload in reader.ancillary()]
        assert given == list(STRANGE)
        assert list(reader.ancillary()) == list(reader.ancillary())
        assert len(list(reader.rows())) == 4


def test_trim_split_migrate_pack_and_a_tail_keep_them(cassette, tmp_path):
    with Reader.open(cassette) as reader:
        trim(reader, tmp_path / "trimmed", parse("thread:thread_b"))
        parts = split(reader, tmp_path / "parts")
        migrate(reader, tmp_path / "migrated")
        pack(reader, tmp_path / "packed")
        compare(reader, tmp_path / "packed")
    with Prefix.open(cassette) as prefix:
        prefix.end_at(1, thread="thread_a")
        prefix.copy_to(tmp_path / "tail", meta={}, overwrite=False).close()
    assert len(parts) == 3
    for path in (tmp_path / "trimmed", *parts, tmp_path / "migrated", tmp_path / "packed", tmp_path / "tail"):
        assert found(path) == list(STRANGE), path
        assert examine(path).healthy


def test_a_merge_keeps_those_of_all_and_each_once(cassette, tmp_path):
    own = (130, 0, 0, b"of the other")
    other = add(write_cassette(tmp_path / "b.cassette", []), STRANGE[0], own, own)
    with Reader.open(cassette) as first, Reader.open(other) as second:
        join([first, second], tmp_path / "joined")
        parts = split(first, tmp_path / "parts")
    assert found(tmp_path / "joined") == [*STRANGE, own]
    readers = [Reader.open(part) for part in parts]
    join(readers, tmp_path / "again")
    for reader in readers:
        reader.close()
    assert found(tmp_path / "again") == list(STRANGE)


def test_a_repair_keeps_those_that_are_whole(cassette):
    data = bytearray(cassette.read_bytes())
    data[data.index(STRANGE[0][3])] ^= 0xFF
    data[data.index(b"/v1/models")] ^= 0xFF
    cassette.write_bytes(data)
    diagnosis, destination = repair(cassette)
    assert diagnosis.kept == 3
    assert found(destination) == list(STRANGE[1:])


def test_a_trim_to_nothing_leaves_nothing_for_all_that(cassette, tmp_path):
    with Reader.open(cassette) as reader, pytest.raises(UsageError):
        trim(reader, tmp_path / "out", parse("http:404"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.cassette"]
