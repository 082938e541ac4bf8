import os
import re
import struct
import zlib
from pathlib import Path

import pytest
from respool.cassettes.errors import CassetteError, DamagedCassetteError
from respool.cassettes.format import (
    CRC_RESIDUE,
    FRAME_HEADER_SIZE,
    MAX_INDEX,
    MAX_MAP,
    MAX_PAYLOAD,
    SEAL_SIZE,
    FileHeader,
    FrameHeader,
    RecordType,
    Seal,
    lengths_allowed,
    pack_frame,
    refuse_newer,
)
from respool.cassettes.index import build_index
from respool.cassettes.reader import Reader
from respool.cassettes.summary import Summary
from respool.cassettes.writer import Writer

DOC = (Path(__file__).parents[2] / "docs" / "cassette-format.md").read_text()
FILE_ID = bytes(range(16))
WIDTHS = {1: "<B", 2: "<H", 4: "<I", 8: "<Q"}


def documented(layout: str, data: bytes) -> dict[str, int | bytes]:
    """What the doc's table of this name says that `data` holds; the table covers it all, without a hole."""
    table = DOC.split(f"<!-- layout: {layout} -->")[1].lstrip().split("\n\n")[0]
    fields: dict[str, int | bytes] = {}
    end = 0
    for offset, size, name in re.findall(r"^\| (\d+) \| (\d+) \| (\w+) \|", table, re.MULTILINE):
        at, width = int(offset), int(size)
        assert at == end, f"{layout}: {name}"
        end = at + width
        raw = data[at:end]
        fields[name] = (
            raw if name in ("magic", "marker", "file_id", "reserved") else struct.unpack(WIDTHS[width], raw)[0]
        )
    assert end == len(data)
    return fields


def header(**changes: object) -> bytes:
    return FileHeader(1, 0, 0, 0, FILE_ID, 77)._replace(**changes).pack()


def refusal(path: Path) -> CassetteError:
    with pytest.raises(CassetteError) as caught:
        Reader.open(path)
    assert str(path) in caught.value.message
    return caught.value


def test_the_doc_describes_the_file_header():
    data = header(minor=3, may_ignore=5)
    fields = documented("file header", data)
    assert fields["magic"] == b"\x89RSP\r\n\x1a\n"
    assert (fields["major"], fields["minor"], fields["must_understand"], fields["may_ignore"]) == (1, 3, 0, 5)
    assert (fields["file_id"], fields["created_us"], fields["reserved"]) == (FILE_ID, 77, bytes(16))
    assert fields["header_crc"] == zlib.crc32(data[:60])


def test_the_doc_describes_the_frame_header():
    data = pack_frame(b"abcd", 3, 1, 9, 100, 44, 0xDEADBEEF)
    fields = documented("frame header", data)
    assert fields["header_crc"] == zlib.crc32(data[:28])
    del fields["header_crc"]
    assert fields == {
        "marker": b"abcd",
        "type": 3,
        "codec": 1,
        "flags": 0,
        "seq": 9,
        "stored_len": 100,
        "raw_len": 44,
        "payload_crc": 0xDEADBEEF,
    }


def test_the_doc_describes_the_seal():
    seal = Seal(11, 12, 13, 14, 15, 16, 17, 18)
    fields = documented("seal", seal.pack())
    assert fields.pop("reserved") == bytes(4)
    assert fields == seal._asdict()
    assert Seal.unpack(seal.pack()) == seal
    assert f"the last {SEAL_SIZE} bytes" in DOC


def test_the_doc_describes_the_summary():
    summary = Summary(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0)
    fields = documented("summary", summary.pack())
    assert fields.pop("reserved") == bytes(2)
    assert list(fields.values()) == list(summary[:10])
    assert list(fields) == list(Summary._fields[:10])


def test_the_doc_describes_the_head_of_the_index():
    rows = b"".join(Summary(1, 2, 3, n, 5, 6, 7, 8, 9, 10).pack() + bytes(8) for n in (4, 9))
    payload = bytes(build_index(rows, b"d" * 16 + bytes(8), {2: "name"}))
    fields = documented("index head", payload[:128])
    assert (fields["layout"], fields["page_size"], fields["pages"]) == (1, 4096, 1)
    assert (fields["rows"], fields["scopes"], fields["blobs"]) == (2, 1, 1)
    assert (fields["rows_at"], fields["keys_at"], fields["arrivals_at"]) == (132, 260, 284)
    assert (fields["scopes_at"], fields["blobs_at"], fields["names_at"]) == (292, 316, 340)
    assert (fields["length"], fields["first_arrival"], fields["last_arrival"]) == (344, 4, 9)
    assert len(payload) == 344
    assert fields["table_crc"] == zlib.crc32(payload[128:132])
    assert fields["head_crc"] == zlib.crc32(payload[:124])


def test_the_checksum_of_a_header_with_its_checksum_is_the_residue():
    assert zlib.crc32(header()) == CRC_RESIDUE
    assert zlib.crc32(pack_frame(b"abcd", 1, 0, 0, 0, 0, 0)) == CRC_RESIDUE


@pytest.mark.parametrize("changes", [{"major": 2}, {"major": 0}, {"must_understand": 2}, {"must_understand": 1 << 31}])
def test_a_newer_file_is_refused_and_the_hint_is_to_upgrade(tmp_path, changes):
    path = tmp_path / "a.cassette"
    path.write_bytes(header(**changes))
    error = refusal(path)
    assert "newer respool" in error.message
    assert "upgrade" in error.hint
    assert not isinstance(error, DamagedCassetteError)


def test_a_higher_minor_and_unknown_bits_to_ignore_are_read(tmp_path):
    path = tmp_path / "a.cassette"
    Writer.create(path, file_id=FILE_ID).close()
    data = path.read_bytes()
    path.write_bytes(header(minor=9, may_ignore=0xFFFFFFFF) + data[64:])
    with Reader.open(path) as reader:
        assert len(reader) == 0
        assert reader.sealed


@pytest.mark.parametrize(
    ("kind", "codec", "flags", "newer"),
    [
        (3, 0, 0, False),
        (8, 0, 0, True),
        (127, 0, 0, True),
        (128, 9, 0xFF, False),
        (2, 2, 0, True),
        (2, 1, 0, False),
        (3, 0, 0x80, True),
        (3, 0, 0x8000, False),
    ],
)
def test_what_only_a_newer_version_understands_is_refused(kind, codec, flags, newer):
    frame = FrameHeader(kind, codec, flags, 0, 0, 0, 0)
    if newer:
        with pytest.raises(CassetteError, match="newer respool"):
            refuse_newer(frame, 64, "a")
    else:
        refuse_newer(frame, 64, "a")


@pytest.mark.parametrize(
    ("kind", "codec", "stored", "raw", "allowed"),
    [
        (RecordType.BLOB, 0, 16 + 5, 5, True),
        (RecordType.BLOB, 0, 16 + 5, 6, False),
        (RecordType.BLOB, 0, 15, 0, False),
        (RecordType.BLOB, 0, MAX_PAYLOAD, MAX_PAYLOAD - 16, True),
        (RecordType.BLOB, 0, MAX_PAYLOAD + 1, MAX_PAYLOAD - 15, False),
        (RecordType.BLOB, 1, 16 + 1, 64 << 10, True),
        (RecordType.BLOB, 1, 16 + 1, (64 << 10) + 1, False),
        (RecordType.BLOB, 1, 16 + 1000, 200_000, True),
        (RecordType.BLOB, 1, 16 + 1000, 200_001, False),
        (RecordType.BLOB, 1, MAX_PAYLOAD, MAX_PAYLOAD + 1, False),
        (RecordType.INTERACTION, 0, 56 + MAX_MAP, MAX_MAP, True),
        (RecordType.INTERACTION, 0, 57 + MAX_MAP, MAX_MAP + 1, False),
        (RecordType.META, 1, 100_000, MAX_MAP + 1, False),
        (RecordType.INDEX, 0, MAX_INDEX, MAX_INDEX, True),
        (RecordType.INDEX, 0, MAX_INDEX + 1, MAX_INDEX + 1, False),
        (RecordType.INDEX, 1, 100, 100, False),
        (RecordType.SEAL, 0, 64, 64, True),
        (RecordType.SEAL, 0, 65, 65, False),
        (200, 7, 5, 9000, True),
        (200, 7, MAX_PAYLOAD + 1, 0, False),
    ],
)
def test_lengths_keep_to_the_caps(kind, codec, stored, raw, allowed):
    assert lengths_allowed(kind, codec, stored, raw) is allowed


@pytest.mark.parametrize(
    ("content", "word", "hint"),
    [
        (b"", "empty", "record again"),
        (b"interactions:\n- request: {}\n", "YAML", "respool import"),
        (b"---\nhttp_interactions:\n", "YAML", "respool import"),
        (b'{"log": {"version": "1.2"}}', "HAR", "respool import"),
        (b'\n [{"request": 1}]', "JSON", "respool import"),
        (b"\x1f\x8b\x08\x00", "gzip", "unpack"),
        (b"\x28\xb5\x2f\xfd\x00", "zstd", "unpack"),
        (b"PK\x03\x04", "zip", "unpack"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS", "git lfs pull"),
        (b"<!doctype html>", "HTML", ""),
        (b"1234:7:request;", "mitmproxy", "respool import"),
        (b"\x89RSP\n\x1a\n" + bytes(60), "line ends", ".gitattributes"),
        (b"\x89RSP\r\r\n\x1a\r\n" + bytes(60), "line ends", ".gitattributes"),
        (b"\x89RSP\r\n\x1a\r\n" + bytes(60), "line ends", "*.cassette -text"),
        (b"\xef\xbf\xbdRSP\r\n\x1a\n" + bytes(60), "UTF-8", "as binary"),
        (b"\x89RSP\r\n", "first 64 bytes", ""),
        (b"\x89RSP\r\n\x1a\n" + bytes(20), "first 64 bytes", ""),
        (bytes(4096), "zeros", ""),
        (b"\x7fELF\x02\x01", "not a cassette", ""),
    ],
)
def test_a_foreign_file_is_refused_by_what_it_looks_like(tmp_path, content, word, hint):
    path = tmp_path / "a.cassette"
    path.write_bytes(content)
    error = refusal(path)
    assert word in error.message
    assert hint in error.hint


def test_a_damaged_header_is_no_newer_version(tmp_path):
    path = tmp_path / "a.cassette"
    data = bytearray(header())
    data[8] ^= 2
    path.write_bytes(data)
    assert isinstance(refusal(path), DamagedCassetteError)


def test_what_is_no_regular_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    assert "FIFO" in refusal(tmp_path / "fifo").message
    assert "directory" in refusal(tmp_path / "folder").message
    assert "device" in refusal(Path("/dev/null")).message
    assert "cannot be opened" in refusal(tmp_path / "loop").message
    assert "does not exist" in refusal(tmp_path / "none").message


def test_a_recording_in_progress_is_named_when_the_finished_one_is_asked_for(tmp_path):
    with Writer.create(tmp_path / "a.cassette"):
        error = refusal(tmp_path / "a.cassette")
    assert "a.cassette.partial" in error.message + error.hint


def test_an_unreadable_file_says_so(tmp_path, monkeypatch):
    def denied(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    assert "Permission denied" in refusal(tmp_path / "a.cassette").message


def test_the_frame_header_has_the_size_that_the_doc_says():
    assert f"## Frame: {FRAME_HEADER_SIZE} bytes" in DOC
