import struct
import zlib
from pathlib import Path

import pytest
from cassette_samples import FILE_ID, call, read, whole, write
from hypothesis import given, settings
from hypothesis import strategies as st
from respool.cassettes import source
from respool.cassettes.errors import CassetteError, DamagedCassetteError
from respool.cassettes.format import Seal, link, pack_frame
from respool.cassettes.index import HEAD
from respool.cassettes.interaction import BlobRef, Body, End, Interaction, Request
from respool.cassettes.pages import PAGE
from respool.cassettes.reader import Reader
from respool.cassettes.scan import scan
from respool.cassettes.summary import Row


def small() -> list[Interaction]:
    """Some of everything, in about four kilobytes."""
    noise = bytes((number * number * 31 + number // 7) & 0xFF for number in range(600))
    cut = Interaction(4, 1_004, Request("POST", b"/x", (), Body.of(b"{}")), None, End.UPSTREAM_FAILED, 9, "/x")
    return [call(1, b"one"), call(0, noise, scope="/files"), call(2, noise), call(3, b"x" * 5_000), cut]


def hostile(path: Path, change) -> None:
    """Replace the only index by what `change` makes of it, every checksum right."""
    data = path.read_bytes()
    *_, index, seal = scan(path)
    payload = bytearray(data[index.payload_offset : index.end])
    fields = list(HEAD.unpack_from(payload))
    body = payload[fields[6] :]
    change(fields, body)
    table = b"".join(struct.pack("<I", zlib.crc32(body[at : at + PAGE])) for at in range(0, len(body), PAGE))
    fields[16] = zlib.crc32(table)
    head = HEAD.pack(*fields)[:-4]
    payload = head + struct.pack("<I", zlib.crc32(head)) + table + body
    header = pack_frame(FILE_ID[:4], 4, 0, index.header.seq, len(payload), len(payload), zlib.crc32(payload))
    old = Seal.unpack(data[seal.payload_offset : seal.end])
    chain = 0
    for frame in list(scan(path))[:-2]:
        chain = link(chain, data[frame.offset : frame.payload_offset])
    fields = old._replace(chain=link(chain, header)).pack()
    tail = pack_frame(FILE_ID[:4], 5, 0, seal.header.seq, 64, 64, zlib.crc32(fields)) + fields
    path.write_bytes(data[: index.offset] + header + payload + tail)


def test_an_index_that_lies_is_found_out_and_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "_BEFORE", 0)  # a body piece beside its call is found without the index
    path = tmp_path / "a.cassette"
    calls = [call(number, bytes([number]) * 700) for number in range(5)]

    def exchange_offsets(_: list, body: bytearray) -> None:
        body[56:64], body[120:128] = body[120:128], body[56:64]

    def lead_outside(_: list, body: bytearray) -> None:
        body[56:64] = struct.pack("<Q", 1 << 60)

    def lead_into_a_body(_: list, body: bytearray) -> None:
        body[56:64] = struct.pack("<Q", 300)

    def lead_before_the_file(_: list, body: bytearray) -> None:
        body[56:64] = bytes(8)

    def mislead_blobs(fields: list, body: bytearray) -> None:
        at = fields[10] - fields[6]
        body[at + 16 : at + 24], body[at + 40 : at + 48] = body[at + 40 : at + 48], body[at + 16 : at + 24]

    for change in (exchange_offsets, lead_outside, lead_into_a_body, lead_before_the_file, mislead_blobs):
        path.unlink(missing_ok=True)
        write(path, calls)
        hostile(path, change)
        with Reader.open(path) as reader:
            assert reader.sealed
            assert [whole(reader.interaction(row)) for row in list(reader.rows())] == calls, change.__name__
            assert reader.rebuilt, change.__name__


def test_a_row_that_was_made_up_is_refused(tmp_path):
    path = tmp_path / "a.cassette"
    write(path, small())
    with Reader.open(path) as reader:
        row = next(reader.rows())
        for wrong in (
            Row(row.summary, row.offset + 1),
            Row(row.summary, 1 << 63),
            Row(row.summary._replace(answer=77), row.offset),
        ):
            if wrong.summary == row.summary:
                assert reader.interaction(wrong).arrival == row.summary.arrival
            else:
                with pytest.raises(DamagedCassetteError):
                    reader.interaction(wrong)
        with pytest.raises(DamagedCassetteError):
            reader.load(BlobRef(bytes(16), 5))


def test_rows_go_on_when_the_index_turns_out_bad_half_way(tmp_path):
    path = tmp_path / "a.cassette"
    calls = [call(number) for number in range(300)]
    data = bytearray(write(path, calls))
    *_, index, _ = scan(path)
    start = index.payload_offset + HEAD.unpack_from(data, index.payload_offset)[6]
    data[start + 2 * PAGE + 5] ^= 1
    path.write_bytes(data)
    with Reader.open(path) as reader:
        first, second = reader.rows(), reader.rows()
        next(second)
        got = [row.summary.arrival for row in first]
        assert "page" in reader.rebuilt
        assert got == list(range(300))
        assert [row.summary.arrival for row in second] == list(range(1, 300))


def test_damage_is_an_error_and_salvage_reads_around_it(tmp_path):
    path = tmp_path / "a.cassette"
    calls = [call(number, b"%d" % number) for number in range(6)]
    data = bytearray(write(path, calls))
    places = list(scan(path))
    data[places[3].offset + 60] ^= 1
    path.write_bytes(data)
    with Reader.open(path) as reader:  # by its index: the record itself tells
        with pytest.raises(DamagedCassetteError) as caught:
            [reader.interaction(row) for row in reader.rows()]
        assert "respool doctor" in caught.value.hint
    path.write_bytes(data[:-1])
    with pytest.raises(DamagedCassetteError, match="1 record lost"):
        Reader.open(path)
    with Reader.open(path, salvage=True) as reader:
        assert [reader.interaction(row) for row in reader.rows()] == calls[:2] + calls[3:]
        assert [(gap.offset, gap.records) for gap in reader.gaps] == [(places[3].offset, 1)]
        assert reader.warning


def test_a_blob_that_is_missing_or_bad_is_said_when_the_body_is_read(tmp_path):
    path = tmp_path / "a.cassette"
    data = bytearray(write(path, [call(0, b"z" * 700), call(1, b"fine")]))
    blob = list(scan(path))[1]
    data[blob.end - 1] ^= 1
    path.write_bytes(data)
    with Reader.open(path) as reader:
        first, second = [reader.interaction(row) for row in reader.rows()]
        assert second == call(1, b"fine")
        with pytest.raises(DamagedCassetteError):
            first.response.body.read()


def test_a_file_put_behind_itself_is_left_out_and_said(tmp_path):
    path = tmp_path / "a.cassette"
    data = write(path, small())
    path.write_bytes(data + data)
    with Reader.open(path) as reader:
        assert (reader.sealed, len(reader)) == (False, 5)
        assert reader.dropped_bytes == len(data)
        assert "not closed cleanly" in reader.warning


def test_a_seal_that_was_moved_is_not_believed(tmp_path):
    path = tmp_path / "a.cassette"
    data = write(path, small())
    path.write_bytes(data[:64] + data[64 + 40 :])
    with pytest.raises(DamagedCassetteError):
        Reader.open(path)


def test_bytes_after_the_seal_are_left_out_and_said(tmp_path):
    path = tmp_path / "a.cassette"
    data = write(path, small())
    path.write_bytes(data + b"\n")
    with Reader.open(path) as reader:
        assert (reader.sealed, reader.dropped_bytes, len(reader)) == (False, 1, 5)


@settings(max_examples=60)
@given(st.data())
def test_nothing_but_a_cassette_error_escapes_from_a_mangled_file(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("mangled") / "a.cassette"
    content = bytearray(write(path, small(), segments=2))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        piece = data.draw(st.binary(max_size=60) | st.sampled_from([content[64:200], FILE_ID[:4], bytes(96)]))
        content[at : at + data.draw(st.integers(0, 200))] = piece
    path.write_bytes(content)
    try:
        assert all(one in small() for one in read(path))
    except CassetteError:
        pass
