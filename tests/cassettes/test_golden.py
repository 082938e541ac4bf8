"""The golden cassettes of format 1.0 are read by respool, and by a reader written from the doc alone."""

import importlib.util
import struct
import zlib
from pathlib import Path

import msgpack
import pytest
import zstandard
from respool.cassettes.reader import Reader

FIXTURES = Path(__file__).parents[1] / "fixtures"
GOLDEN = FIXTURES / "golden-1.cassette"
PACKED = FIXTURES / "golden-1-packed.cassette"


def recipe():
    spec = importlib.util.spec_from_file_location("make_golden", FIXTURES / "make_golden.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE = recipe()
WANTED = sorted(MAKE.FIRST + MAKE.SECOND, key=lambda interaction: interaction.arrival)


@pytest.mark.parametrize("golden", [GOLDEN, PACKED], ids=["plain", "packed"])
@pytest.mark.parametrize("sealed", [True, False])
def test_the_golden_cassette_opens_with_and_without_its_index(tmp_path, sealed, golden):
    path = golden
    if not sealed:
        path = tmp_path / "cut.cassette"
        path.write_bytes(golden.read_bytes()[:-1])
    with Reader.open(path) as reader:
        assert reader.sealed is sealed
        assert reader.rebuilt == ""
        assert (reader.file_id, reader.created_us, reader.meta) == (MAKE.FILE_ID, MAKE.CREATED_US, MAKE.META)
        assert [reader.interaction(row) for row in reader.rows()] == WANTED
        assert [row.summary for row in reader.rows()] == [MAKE.summary_of(interaction) for interaction in WANTED]
        assert reader.scopes() == ["/files", "thread_a", "/"]
        assert [row.summary.arrival for row in reader.rows_of_scope("thread_a")] == [1, 2, 4]
        assert [row.summary.arrival for row in reader.rows_of_key(0x1000)] == [0, 1]


@pytest.mark.parametrize(("golden", "make"), [(GOLDEN, MAKE.make), (PACKED, MAKE.make_packed)], ids=["plain", "packed"])
def test_the_recipe_still_makes_a_cassette_that_says_the_same(tmp_path, golden, make):
    make(tmp_path / "new.cassette")
    with Reader.open(tmp_path / "new.cassette") as new, Reader.open(golden) as old:
        assert new.meta == old.meta
        assert [new.interaction(row) for row in new.rows()] == [old.interaction(row) for row in old.rows()]


@pytest.mark.parametrize(
    ("golden", "records"),
    [(GOLDEN, [1, 3, 2, 2, 3, 2, 3, 4, 5, 3, 3, 4, 5]), (PACKED, [1, 7, 6, 2, 2, 6, 5, 3, 3, 4, 5])],
    ids=["plain", "packed"],
)
def test_a_reader_written_from_the_doc_alone_reads_it(golden, records):
    data = golden.read_bytes()
    assert data[:8] == bytes.fromhex("895253500D0A1A0A")
    assert struct.unpack_from("<H", data, 8) == (1,)
    assert struct.unpack_from("<I", data, 60) == (zlib.crc32(data[:60]),)
    marker, at, seq, chain = data[20:24], 64, 0, 0
    blobs: dict[bytes, bytes] = {}
    found: dict[int, dict] = {}
    kinds: list[int] = []
    dictionary = None
    while at < len(data):
        mark, kind, codec, _, number, stored, raw, crc, head_crc = struct.unpack_from("<4sBBHQIIII", data, at)
        assert (mark, number, head_crc) == (marker, seq, zlib.crc32(data[at : at + 28]))
        payload = data[at + 32 : at + 32 + stored]
        assert crc == zlib.crc32(payload)
        prefix = {2: 16, 3: 56}.get(kind, 0)
        if kind == 6:
            inside, calls, listed_stored, listed_raw = struct.unpack_from("<IIII", payload)
            prefix = 16 + listed_stored
            listed = zstandard.ZstdDecompressor().decompress(payload[16:prefix], max_output_size=listed_raw)
        rest = payload[prefix:]
        if codec == 1:
            rest = zstandard.ZstdDecompressor().decompress(rest, max_output_size=raw)
        if codec == 2:
            rest = zstandard.ZstdDecompressor(dict_data=dictionary).decompress(rest, max_output_size=raw)
        assert len(rest) == raw
        kinds.append(kind)
        if kind == 7:
            dictionary = zstandard.ZstdCompressionDict(rest)
        elif kind == 6:
            entry = start = 0
            for _ in range(inside):
                what, length = struct.unpack_from("<BI", listed, entry)
                first, entry = entry + 5, entry + 5 + {2: 16, 3: 56}[what]
                record, start = rest[start : start + length], start + length
                if what == 2:
                    blobs[listed[first:entry]] = record
                else:
                    calls -= 1
                    found[struct.unpack_from("<Q", listed, first + 24)[0]] = msgpack.unpackb(record)
            assert (entry, start, calls) == (listed_raw, raw, 0)
        if kind == 2:
            blobs[payload[:16]] = rest
        elif kind == 3:
            found[struct.unpack_from("<Q", payload, 24)[0]] = msgpack.unpackb(rest)
        elif kind == 5:
            assert struct.unpack_from("<Q", rest, 24) == (at,)
            assert struct.unpack_from("<I", rest, 56) == (chain,)
        chain = zlib.crc32(data[at : at + 28], chain)
        at, seq = at + 32 + stored, seq + 1
    assert kinds == records

    def body(value: bytes | list) -> bytes:
        return (
            value if isinstance(value, bytes) else b"".join(p if isinstance(p, bytes) else blobs[p[0]] for p in value)
        )

    for interaction in WANTED:
        fields = found[interaction.arrival]
        assert fields["method"] == interaction.request.method
        assert fields["target"] == interaction.request.target
        assert body(fields.get("body", b"")) == interaction.request.body.read()
        assert ("status" in fields) is (interaction.response is not None)
        if interaction.response is not None:
            assert fields["status"] == interaction.response.status
            assert body(fields.get("response_body", b"")) == interaction.response.body.read()
            flat = [number for mark in interaction.response.marks for number in mark]
            assert fields.get("marks", []) == flat
        assert fields.get("end", 0) == interaction.end
        assert fields["scope"] == interaction.scope
