"""Recordings that are added to again and again: chains of indexes beyond what is kept and what is read, and empty ones."""

import zlib
from pathlib import Path

import pytest
from campaign import sized
from cassette_samples import FILE_ID, call, read, summary, whole
from respool.cassettes.batch import Batch
from respool.cassettes.format import MAX_CHAIN, MAX_CHAIN_READ, Codec, RecordType, Seal, link, pack_frame
from respool.cassettes.index import build_index
from respool.cassettes.interaction import Interaction
from respool.cassettes.reader import Reader
from respool.cassettes.scan import Contents, scan
from respool.cassettes.source import Source
from respool.cassettes.writer import Writer


def chain_of(path: Path) -> int:
    source = Source.open(path)
    try:
        return Contents(source).chain_length()
    finally:
        source.close()


def seals_in(path: Path) -> int:
    return sum(frame.header.type == RecordType.SEAL for frame in scan(path))


def check(path: Path, calls: list[Interaction]) -> None:
    """By the index and by a scan, everything is there, and each look-up finds it."""
    ordered = sorted(calls, key=lambda one: one.arrival)
    for salvage in (False, True):
        with Reader.open(path, salvage=salvage) as reader:
            assert not reader.rebuilt
            assert [whole(reader.interaction(row)) for row in reader.rows()] == ordered
            for scope in {one.scope for one in calls}:
                rows = reader.rows_of_scope(scope)
                assert [row.summary.arrival for row in rows] == [one.arrival for one in ordered if one.scope == scope]


def test_many_small_appends_leave_a_short_chain_and_lose_nothing(tmp_path):
    path = tmp_path / "a.cassette"
    Writer.create(path).close()
    calls: list[Interaction] = []
    longest = 0
    rounds = sized(75, 300)
    for number in range(rounds):
        with Writer.append_to(path) as writer:
            for _ in range(number % 3):
                one = call(writer.next_arrival(), b"%d" % number * (number % 400), scope=f"thread_{number % 4}")
                writer.append(one, summary(one))
                calls.append(one)
        longest = max(longest, chain_of(path))
        if number % 10 == 9:
            check(path, calls)
    check(path, calls)
    assert longest == MAX_CHAIN
    assert seals_in(path) > MAX_CHAIN_READ * rounds // 150, "an append that adds nothing writes no seal"


def test_an_append_that_adds_nothing_changes_no_byte(tmp_path):
    path = tmp_path / "a.cassette"
    with Writer.create(path) as writer:
        writer.append(call(0), summary(call(0)))
    data = path.read_bytes()
    for durable in (False, True) * 40:
        Writer.append_to(path, durable=durable).close()
        assert path.read_bytes() == data


def test_an_empty_recording_can_be_added_to(tmp_path):
    path = tmp_path / "a.cassette"
    for _ in range(3):
        Writer.append_to(path).close()
    assert read(path) == []
    with Writer.append_to(path) as writer:
        writer.append(call(0, b"first"), summary(call(0)))
    assert read(path) == [call(0, b"first")]


def chained(path: Path, seals: int) -> list[Interaction]:
    """A cassette with so many seals in a row, each with an index of one interaction: more than any writer of ours leaves."""
    writer = Writer.create(path, file_id=FILE_ID)
    calls = []
    previous = 0
    for number in range(seals):
        one = call(number, b"%d" % number)
        writer.append(one, summary(one))
        calls.append(one)
        index = bytes(build_index(writer._rows, b"", writer._names))
        writer._rows.clear()
        header = pack_frame(FILE_ID[:4], 4, 0, writer._records, len(index), len(index), zlib.crc32(index))
        at, end = writer._end, writer._end + len(header) + len(index)
        chain = link(writer._chain, header)
        batch = Batch(FILE_ID[:4], end, writer._records + 1, chain)
        seal = Seal(at, end - at, previous, end, writer._records + 1, number + 1, number, chain).pack()
        batch.add(RecordType.SEAL, Codec.RAW, b"", seal, len(seal))
        batch.start, batch.buffer = at, bytearray(header + index) + batch.buffer
        writer._write(batch)
        previous = end
    writer.abandon()
    path.with_name(path.name + ".partial").rename(path)
    return calls


@pytest.mark.parametrize("seals", [1, MAX_CHAIN, MAX_CHAIN + 1, MAX_CHAIN_READ, MAX_CHAIN_READ + 1, 200])
def test_a_long_chain_reads_as_its_records_do(tmp_path, seals):
    path = tmp_path / "a.cassette"
    calls = chained(path, seals)
    with Reader.open(path) as reader:
        assert reader.sealed
        assert bool(reader.rebuilt) is (seals > MAX_CHAIN_READ)
        assert [whole(reader.interaction(row)) for row in reader.rows()] == calls
    with Writer.append_to(path) as writer:
        writer.append(call(seals), summary(call(seals)))
    assert chain_of(path) == (seals + 1 if seals < MAX_CHAIN else 1)
    assert read(path) == [*calls, call(seals)]
