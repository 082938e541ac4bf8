import os
import struct
import time
import zlib
from pathlib import Path

import pytest
from respool.cassettes import scan as module
from respool.cassettes.errors import CassetteError, DamagedCassetteError
from respool.cassettes.format import FRAME_HEADER, Codec, RecordType, Seal, pack_frame
from respool.cassettes.interaction import Body, Interaction, Request
from respool.cassettes.reader import Reader
from respool.cassettes.scan import Contents, Gap, Scan, scan
from respool.cassettes.source import Frame, Source
from respool.cassettes.summary import Summary
from respool.cassettes.writer import Writer

FILE_ID = b"\x01\x02\x03\x04" + bytes(12)


def write(path: Path, count: int, *, close: bool = True, body: bytes = b"") -> bytes:
    writer = Writer.create(path, file_id=FILE_ID)
    for number in range(count):
        request = Request("POST", b"/threads/a/%d" % number, (), Body.of(body))
        writer.append(Interaction(number, 0, request, None, scope="a"), Summary(number, 9, 0, number, 0, 0, 0, 0, 0, 0))
    if close:
        writer.close()
    else:
        writer.abandon()
        path = path.with_name(path.name + ".partial")
    return path.read_bytes()


def frames(path: Path) -> list[Frame]:
    return list(scan(path))


def scanned(path: Path) -> Scan:
    source = Source.open(path)
    try:
        whole = Scan(source)
        for _ in whole.places():
            pass
        return whole
    finally:
        source.close()


def damage(path: Path) -> str:
    with pytest.raises(DamagedCassetteError) as caught:
        frames(path)
    assert "respool doctor FILE --repair" in caught.value.hint
    assert str(path) in caught.value.message
    return caught.value.message


def test_the_scan_yields_all_frames_one_after_the_other(tmp_path):
    path = tmp_path / "a.cassette"
    data = write(path, 3)
    found = frames(path)
    assert [frame.header.type for frame in found] == [1, 3, 3, 3, 4, 5]
    assert [frame.header.seq for frame in found] == list(range(6))
    assert [frame.offset for frame in found] == [64] + [frame.end for frame in found[:-1]]
    assert found[-1].end == len(data)


def test_a_torn_tail_ends_the_scan_without_an_error(tmp_path):
    path = tmp_path / "a.cassette"
    data = write(path, 4, close=False)
    for tail in (b"\x00", bytes(4096), b"garbage", FILE_ID[:4], data[64:90], os.urandom(300)):
        path.write_bytes(data + tail)
        whole = scanned(path)
        assert (whole.interactions, whole.end, whole.dropped, whole.gaps, whole.faults) == (
            4,
            len(data),
            len(tail),
            [],
            [],
        )
        whole.check()


def test_a_bad_last_record_is_a_torn_tail(tmp_path):
    path = tmp_path / "a.cassette"
    data = bytearray(write(path, 4, close=False))
    data[-1] ^= 1
    path.write_bytes(data)
    whole = scanned(path)
    assert (whole.interactions, whole.gaps) == (3, [])
    assert whole.dropped > 32


def test_a_bad_record_before_a_good_one_is_damage_and_counted(tmp_path):
    path = tmp_path / "a.cassette"
    data = bytearray(write(path, 6))
    places = frames(path)
    for number, at in ((2, 40), (4, 5)):
        data[places[number].offset + at] ^= 0x10
    path.write_bytes(data)
    message = damage(path)
    lost = sum(places[number].end - places[number].offset for number in (2, 4))
    assert f"in 2 places, first at byte {places[2].offset}" in message
    assert f"2 records lost in {lost} bytes; 4 calls are whole" in message


def test_records_cut_out_are_damage(tmp_path):
    path = tmp_path / "a.cassette"
    data = write(path, 6, close=False)
    (tmp_path / "a.cassette.partial").rename(path)
    places = frames(path)
    path.write_bytes(data[: places[2].offset] + data[places[4].offset :])
    assert scanned(path).gaps == [Gap(places[2].offset, 0, 2)]
    assert "2 records lost in 0 bytes" in damage(path)


def test_bytes_put_in_between_are_damage_without_a_loss(tmp_path):
    path = tmp_path / "a.cassette"
    data = write(path, 6, close=False)
    path.write_bytes(data)
    places = [frame.offset for frame in frames(path)]
    path.write_bytes(data[: places[2]] + b"\n" + data[places[2] :])
    assert scanned(path).gaps == [Gap(places[2], 1, 0)]
    assert "0 records lost in 1 byte; 6 calls are whole" in damage(path)


def test_a_record_that_comes_twice_is_damage(tmp_path):
    path = tmp_path / "a.cassette"
    data = write(path, 4, close=False)
    path.write_bytes(data)
    second, third = frames(path)[2], frames(path)[3]
    path.write_bytes(data[: third.offset] + data[second.offset : second.end] + data[third.offset :])
    assert scanned(path).gaps == [Gap(third.offset, second.end - second.offset, 0)]


def test_exchanged_records_are_found_by_the_seal(tmp_path):
    path = tmp_path / "a.cassette"
    data = write(path, 3)
    frame = frames(path)[2]
    payload = bytearray(data[frame.payload_offset : frame.end])
    payload[-1] ^= 1
    header = pack_frame(FILE_ID[:4], 3, 0, 2, len(payload), len(payload) - 56, zlib.crc32(payload))
    path.write_bytes(data[: frame.offset] + header + payload + data[frame.end :])
    assert "not those that were sealed" in damage(path)


def forged_seal(path: Path, data: bytes, **changes: int) -> None:
    seal = frames(path)[-1]
    fields = Seal.unpack(data[seal.payload_offset : seal.end])._replace(**changes).pack()
    header = pack_frame(FILE_ID[:4], 5, 0, seal.header.seq, 64, 64, zlib.crc32(fields))
    path.write_bytes(data[: seal.offset] + header + fields)


@pytest.mark.parametrize("changes", [{"seal_offset": 64}, {"records": 3}, {"interactions": 9}, {"chain": 5}])
def test_a_seal_that_disagrees_is_damage(tmp_path, changes):
    path = tmp_path / "a.cassette"
    data = write(path, 3)
    forged_seal(path, data, **changes)
    damage(path)


def test_a_lost_index_is_no_loss(tmp_path):
    path = tmp_path / "a.cassette"
    data = bytearray(write(path, 3))
    index = frames(path)[-2]
    for at in (0, 20, 31, 40, 200):
        data[index.offset + at] ^= 1
        path.write_bytes(data)
        whole = scanned(path)
        assert (whole.interactions, whole.gaps, whole.faults, whole.dropped) == (3, [], [], 0)
        data[index.offset + at] ^= 1


def test_frames_of_another_cassette_inside_a_body_are_not_taken_for_ours(tmp_path):
    inner = write(tmp_path / "inner.cassette", 5).replace(FILE_ID[:4], b"\x09\x09\x09\x09")
    path = tmp_path / "a.cassette"
    data = write(path, 2, close=False, body=inner[:450])
    path.write_bytes(data[:-300])
    assert scanned(path).gaps == []
    assert scanned(path).interactions == 1


def test_an_older_state_of_the_same_file_inside_a_body_is_not_taken_for_ours(tmp_path):
    path = tmp_path / "a.cassette"
    inner = write(tmp_path / "inner.cassette", 1)
    data = write(path, 3, close=False, body=inner[:400])
    path.write_bytes(data[:-10])
    assert (scanned(path).gaps, scanned(path).interactions) == ([], 2)


@pytest.mark.parametrize(
    ("kind", "codec", "flags", "refused"),
    [(8, 0, 0, True), (100, 0, 0, True), (200, 0, 0, False), (200, 9, 255, False), (2, 2, 0, True), (3, 0, 1, True)],
)
def test_what_is_newer_is_refused_and_what_is_ancillary_skipped(tmp_path, kind, codec, flags, refused):
    path = tmp_path / "a.cassette"
    data = write(path, 2, close=False)
    payload = bytes(60)
    raw = 4 if kind == 3 else 44 if kind == 2 else 60
    head = FRAME_HEADER.pack(FILE_ID[:4], kind, codec, flags, 3, 60, raw, zlib.crc32(payload), 0)[:-4]
    path.write_bytes(data + head + struct.pack("<I", zlib.crc32(head)) + payload)
    if refused:
        with pytest.raises(CassetteError, match="newer respool"):
            frames(path)
    else:
        assert [frame.header.type for frame in frames(path)] == [1, 3, 3, 200]
        with Writer.append_to(path) as writer:
            writer.append(Interaction(9, 0, Request("GET", b"/"), None), Summary(0, 9, 0, 9, 0, 0, 0, 0, 0, 0))
        assert [frame.header.type for frame in frames(path)] == [1, 3, 3, 200, 3, 4, 5]


def test_false_marks_cannot_make_a_scan_long(tmp_path, monkeypatch):
    path = tmp_path / "a.cassette"
    data = write(path, 2, close=False)
    header = pack_frame(FILE_ID[:4], 2, 0, 9, 1_000_000, 1_000_000 - 16, 1)
    path.write_bytes(data + b"?" + header * 40_000 + bytes(1_000_000))
    began = time.process_time()
    assert "false records" in damage(path)
    path.write_bytes(data + FILE_ID[:4] * 1_000_000)
    monkeypatch.setattr(module, "_MARKS_TRIED", 1_000)
    assert "false records" in damage(path)
    assert time.process_time() - began < 2


def test_a_file_that_lost_its_first_record_is_damaged_not_empty(tmp_path):
    path = tmp_path / "a.cassette"
    data = write(path, 2)
    for end in (64, 65, 95, 96):
        path.write_bytes(data[:end])
        source = Source.open(path)
        contents = Contents(source)
        with pytest.raises(DamagedCassetteError, match="first record"):
            contents.check()
        source.close()


def test_packed_contents_agree_with_the_frames(tmp_path):
    path = tmp_path / "a.cassette"
    write(path, 4, body=os.urandom(600))
    source = Source.open(path)
    contents = Contents(source)
    offsets = [frame.offset for frame in frames(path) if frame.header.type == RecordType.INTERACTION]
    assert [entry[-1] for entry in struct.iter_unpack("<56xQ", contents.rows)] == offsets
    assert len(contents.blobs) == 24
    assert contents.names() == {9: "a"}
    assert contents.last_arrival() == 3
    (point,) = contents.seals
    assert (point.index_intact, point.rows, point.blobs, point.end) == (True, 4, 1, source.size)
    source.close()


def test_a_name_is_learned_from_the_first_interaction_that_tells_it(tmp_path):
    path = tmp_path / "a.cassette"
    writer = Writer.create(path)
    batch = writer._batch()
    broken = b"\xc1no map"
    batch.add(RecordType.INTERACTION, Codec.RAW, Summary(0, 9, 0, 0, 0, 0, 0, 0, 0, 0).pack(), broken, len(broken))
    writer._write(batch)
    writer.append(Interaction(1, 0, Request("GET", b"/"), None, scope="told"), Summary(0, 9, 0, 1, 0, 0, 0, 0, 0, 0))
    writer.abandon()
    with Reader.open(tmp_path / "a.cassette.partial") as reader:
        assert reader.scopes() == ["told"]
        first, second = reader.rows()
        assert reader.interaction(second).scope == "told"
        with pytest.raises(CassetteError, match="interaction 0"):
            reader.interaction(first)
