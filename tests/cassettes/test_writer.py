import os
import stat
from pathlib import Path

import pytest
from cassette_samples import call, contents, put, summary
from respool.cassettes import format as layout
from respool.cassettes import pieces
from respool.cassettes import writer as module
from respool.cassettes.errors import CassetteError, DamagedCassetteError
from respool.cassettes.interaction import BlobRef, Body, Interaction, Request
from respool.cassettes.reader import Reader
from respool.cassettes.scan import Contents, scan
from respool.cassettes.scopes import scope_hash
from respool.cassettes.source import Source
from respool.cassettes.summary import Summary
from respool.cassettes.writer import RecordingFailed, Writer


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def types(path: Path) -> list[int]:
    return [frame.header.type for frame in scan(path)]


def segments(path: Path) -> int:
    source = Source.open(path)
    seals = {point.offset: point.seal for point in Contents(source).seals}
    source.close()
    at, count = max(seals), 0
    while at:
        at, count = seals[at].previous_seal, count + 1
    return count


def test_a_recording_grows_in_a_private_partial_and_gets_its_name_at_the_end(tmp_path):
    path = tmp_path / "a.cassette"
    writer = Writer.create(path, meta={"upstream": "http://127.0.0.1"})
    put(writer, b"one")
    assert names(tmp_path) == ["a.cassette.partial"]
    assert stat.S_IMODE((tmp_path / "a.cassette.partial").stat().st_mode) == 0o600
    assert contents(tmp_path / "a.cassette.partial") == [b"one"]
    assert writer.close() == path
    assert writer.closed
    assert writer.close() == path
    assert names(tmp_path) == ["a.cassette"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert writer.bytes_written == path.stat().st_size
    with Reader.open(path) as reader:
        assert reader.sealed
        assert reader.meta == {"upstream": "http://127.0.0.1"}


def test_an_interaction_is_one_write(tmp_path, monkeypatch):
    writes: list[int] = []
    write = os.write
    with Writer.create(tmp_path / "a.cassette") as writer:
        monkeypatch.setattr(os, "write", lambda fd, data: writes.append(len(data)) or write(fd, data))
        put(writer, os.urandom(3 << 20))
        assert len(writes) == 1
    assert types(tmp_path / "a.cassette") == [1, 2, 2, 2, 3, 4, 5]


def test_an_existing_file_is_neither_replaced_at_the_start_nor_at_the_end(tmp_path):
    path = tmp_path / "a.cassette"
    path.write_text("mine")
    with pytest.raises(CassetteError) as caught:
        Writer.create(path)
    assert "--append" in caught.value.hint
    path.unlink()
    writer = Writer.create(path)
    put(writer, b"one")
    path.write_text("mine, too")
    with pytest.raises(RecordingFailed) as caught:
        writer.close()
    assert "a.cassette.partial" in caught.value.message
    assert path.read_text() == "mine, too"
    with Reader.open(tmp_path / "a.cassette.partial") as reader:
        assert (len(reader), reader.sealed) == (1, True)


def test_overwrite_replaces_the_old_one_only_when_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a.cassette"
    with Writer.create(path) as writer:
        put(writer, b"old")
    with Writer.create(path, overwrite=True) as writer:
        put(writer, b"new")
        assert contents(path) == [b"old"]
    assert contents(path) == [b"new"]
    assert names(tmp_path) == ["a.cassette"]


def test_equal_bodies_are_stored_once(tmp_path):
    body = os.urandom(40_000)
    with Writer.create(tmp_path / "a.cassette") as writer:
        for _ in range(1_000):
            put(writer, body)
    size = (tmp_path / "a.cassette").stat().st_size
    assert size < len(body) + 1_000 * 350
    assert contents(tmp_path / "a.cassette") == [body] * 1_000


def test_bodies_at_the_borders_come_back(tmp_path):
    inline, piece = layout.INLINE, layout.PIECE
    sizes = [0, 1, inline - 1, inline, inline + 1, 4095, 4096, piece - 1, piece, piece + 1, 3 * piece]
    bodies = [os.urandom(size // 2) + bytes(size - size // 2) for size in sizes]
    with Writer.create(tmp_path / "a.cassette") as writer:
        for body in bodies:
            put(writer, body)
    assert contents(tmp_path / "a.cassette") == bodies


def test_pieces_that_were_put_while_streaming_are_read_back_and_referred_to(tmp_path):
    with Writer.create(tmp_path / "a.cassette") as writer:
        first, second = writer.put(b"a" * 100_000), writer.put(memoryview(os.urandom(5)))
        size = writer.bytes_written
        assert writer.put(b"a" * 100_000) == first
        assert writer.bytes_written == size
        assert writer.load(first) == b"a" * 100_000
        with pytest.raises(DamagedCassetteError):
            writer.load(BlobRef(bytes(16), 5))
        with pytest.raises(DamagedCassetteError):
            writer.load(BlobRef(first.digest, 5))
        with pytest.raises(ValueError):
            writer.put(bytes(layout.PIECE + 1))
        body = Body((first, b"small", second), writer.load)
        wanted = body.read()
        put(writer, body)
    assert types(tmp_path / "a.cassette") == [1, 2, 2, 3, 4, 5]
    assert contents(tmp_path / "a.cassette") == [wanted]


def test_bodies_of_another_cassette_are_copied(tmp_path):
    body = os.urandom(1_500_000)
    with Writer.create(tmp_path / "a.cassette") as writer:
        put(writer, body)
    with Reader.open(tmp_path / "a.cassette") as reader, Writer.create(tmp_path / "b.cassette") as writer:
        for row in reader.rows():
            writer.append(reader.interaction(row), row.summary)
            writer.append(reader.interaction(row), row.summary._replace(arrival=1))
    assert types(tmp_path / "b.cassette") == [1, 2, 2, 3, 3, 4, 5]
    assert contents(tmp_path / "b.cassette") == [body, body]


def test_forgotten_pieces_are_found_again_or_stored_again(tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "REMEMBERED", 3)
    bodies = [os.urandom(1_000) for _ in range(10)]
    with Writer.create(tmp_path / "a.cassette") as writer:
        refs = [writer.put(body) for body in bodies]
        assert [writer.load(ref) for ref in refs] == bodies
        put(writer, Body(tuple(refs), writer.load))
    assert contents(tmp_path / "a.cassette") == [b"".join(bodies)]


def test_numbers_go_on_where_a_cassette_ended(tmp_path):
    path = tmp_path / "a.cassette"
    with Writer.create(path) as writer:
        assert [writer.next_arrival() for _ in range(3)] == [0, 1, 2]
        put(writer, b"3")
    with Writer.append_to(path) as writer:
        assert (writer.count, writer.next_arrival()) == (1, 4)
        put(writer, b"5")
        assert writer.count == 2
    assert contents(path) == [b"3", b"5"]


def test_an_append_adds_a_segment_and_rereads_nothing_twice(tmp_path):
    path = tmp_path / "a.cassette"
    body = os.urandom(10_000)
    with Writer.create(path) as writer:
        put(writer, body)
    before = path.read_bytes()
    with Writer.append_to(path) as writer:
        put(writer, body)
    after = path.read_bytes()
    assert after.startswith(before)
    assert types(path) == [1, 2, 3, 4, 5, 3, 4, 5]
    with Reader.open(path) as reader:
        assert (reader.sealed, reader.rebuilt, len(reader)) == (True, "", 2)
    assert contents(path) == [body, body]


def test_an_append_of_nothing_changes_nothing(tmp_path):
    path = tmp_path / "a.cassette"
    with Writer.create(path) as writer:
        put(writer)
    before = path.read_bytes()
    Writer.append_to(path).close()
    assert path.read_bytes() == before


def test_an_append_makes_a_new_cassette_unless_told_not_to(tmp_path):
    with pytest.raises(CassetteError, match="does not exist"):
        Writer.append_to(tmp_path / "a.cassette", create=False)
    with Writer.append_to(tmp_path / "a.cassette") as writer:
        put(writer, b"first")
    assert contents(tmp_path / "a.cassette") == [b"first"]


def test_a_chain_of_indexes_stays_short_and_says_all(tmp_path):
    path = tmp_path / "a.cassette"
    lengths = []
    for number in range(20):
        with Writer.append_to(path) as writer:
            put(writer, b"%d" % number, scope=f"thread_{number % 3}")
        lengths.append(segments(path))
        with Reader.open(path) as reader:
            assert (reader.sealed, reader.rebuilt, len(reader)) == (True, "", number + 1)
            assert [row.summary.arrival for row in reader.rows()] == list(range(number + 1))
            assert [row.summary.arrival for row in reader.rows_of_key(5)] == list(range(number + 1))
            assert [row.summary.arrival for row in reader.rows_of_scope("thread_0")] == list(range(0, number + 1, 3))
            assert reader.scopes() == ["thread_0", "thread_1", "thread_2"][: number + 1]
    assert lengths == [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4]


def test_an_empty_scope_is_named_after_the_request(tmp_path):
    with Writer.create(tmp_path / "a.cassette") as writer:
        request = Request("GET", b"/v1/threads/thread_7/messages")
        writer.append(Interaction(0, 0, request, None), Summary(0, scope_hash("thread_7"), 0, 0, 0, 0, 0, 0, 0, 0))
    with Reader.open(tmp_path / "a.cassette") as reader:
        assert reader.scopes() == ["thread_7"]
        assert len(reader.rows_of_scope("thread_7")) == 1


def test_a_discarded_recording_leaves_nothing_and_a_discarded_append_the_old_one(tmp_path):
    path = tmp_path / "a.cassette"
    Writer.create(path).discard()
    assert names(tmp_path) == []
    with Writer.create(path) as writer:
        put(writer, b"one")
    Writer.append_to(path).discard()
    assert contents(path) == [b"one"]


def test_a_file_without_an_index_is_sealed_when_the_index_would_be_too_big(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_INDEX", 100)
    for number in range(2):
        with Writer.append_to(tmp_path / "a.cassette") as writer:
            put(writer, b"%d" % number)
    assert types(tmp_path / "a.cassette") == [1, 3, 5, 3, 5]
    with Reader.open(tmp_path / "a.cassette") as reader:
        assert (len(reader), reader.sealed) == (2, True)
    assert contents(tmp_path / "a.cassette") == [b"0", b"1"]


def test_a_durable_writer_waits_for_the_disk_at_each_interaction_unless_it_is_told_not_to(tmp_path, monkeypatch):
    waits = []
    monkeypatch.setattr(os, "fdatasync", waits.append)
    writer = Writer.create(tmp_path / "a.cassette", durable=True)
    assert len(waits) == 1
    put(writer, b"one")
    put(writer, b"two")
    assert len(waits) == 3
    one = call(2)
    writer.append(one, summary(one), wait=False)
    assert len(waits) == 3
    writer.sync()
    assert len(waits) == 4
    writer.close()
    plain = Writer.append_to(tmp_path / "a.cassette")
    before = len(waits)
    put(plain, b"three")
    assert (plain.durable, len(waits)) == (False, before)
    plain.abandon()


def test_a_body_that_repeats_one_piece_is_stored_up_to_half_a_gigabyte_and_no_further(tmp_path):
    with Writer.create(tmp_path / "a.cassette") as writer:
        piece = writer.put(bytes(1 << 20))
        put(writer, Body((piece,) * 512, writer.load))
        with pytest.raises(CassetteError, match="repeats a few pieces"):
            put(writer, Body((piece,) * 513, writer.load))
        pieces = tuple(writer.put(os.urandom(64) * (1 << 14)) for _ in range(3))
        put(writer, Body(pieces * 200, writer.load))  # longer, and of more
    with Reader.open(tmp_path / "a.cassette") as reader:
        lengths = [reader.interaction(row).response.body.length >> 20 for row in reader.rows()]
    assert lengths == [512, 600]
