"""Cassettes made by an enemy: every checksum is right, and what it covers is not."""

import random
import struct
import zlib
from pathlib import Path

import pytest
from respool.cassettes.errors import CassetteError
from respool.cassettes.format import FRAME_HEADER, Codec, RecordType, pack_frame
from respool.cassettes.interaction import Body, Interaction, Request, Response
from respool.cassettes.packing import pack
from respool.cassettes.reader import Reader
from respool.cassettes.records import digest_of
from respool.cassettes.scan import scan
from respool.cassettes.scopes import scope_hash
from respool.cassettes.summary import Summary
from respool.cassettes.writer import Writer

FILE_ID = b"\x01\x02\x03\x04" + bytes(12)
MARKER = FILE_ID[:4]
EDGES = [0, 1, 64, 97, 2**32 - 1, 2**63, 2**64 - 1]
MARKS_OF_MSGPACK = [0x00, 0x7F, 0x80, 0x90, 0xC1, 0xC4, 0xC7, 0xCB, 0xDC, 0xDD, 0xDE, 0xDF, 0xFF]


def add(writer: Writer, body: bytes) -> None:
    arrival = writer.next_arrival()
    call = Interaction(arrival, 0, Request("GET", b"/threads/a"), Response(200, body=Body.of(body)), scope="a")
    writer.append(call, Summary(1, scope_hash("a"), 3, arrival, 0, 0, 200, 2, 0, 0))


def sealed(path: Path) -> bytes:
    with Writer.create(path, meta={"created_by": "x"}, file_id=FILE_ID) as writer:
        for body in (b"one", b"x" * 5_000, b"y" * 600):
            add(writer, body)
    with Writer.append_to(path) as writer:
        add(writer, b"y" * 600)
    return path.read_bytes()


def mutated(payload: bytes, chance: random.Random) -> bytes:
    data = bytearray(payload)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        what = chance.randrange(4)
        if what == 0:
            data[at : at + 1] = bytes([chance.choice(MARKS_OF_MSGPACK)])
        elif what == 1:
            del data[at : at + chance.randint(1, 20)]
        elif what == 2:
            data[at:at] = chance.randbytes(chance.randint(1, 20))
        else:
            data[at : at + 8] = struct.pack("<Q", chance.choice(EDGES))
    return bytes(data)


def read_all(path: Path, *, salvage: bool) -> None:
    with Reader.open(path, salvage=salvage) as reader:
        for row in list(reader.rows()):
            try:
                interaction = reader.interaction(row)
                assert interaction.request.body.length < 1 << 40
                if interaction.response is not None and interaction.response.body.length < 1 << 20:
                    interaction.response.body.read()
            except CassetteError:
                pass
        reader.scopes()
        reader.rows_of_key(1)
        reader.rows_of_scope("a")


def packed(path: Path) -> bytes:
    """The same in packs, with a dictionary, and one call appended."""
    texts = [b'{"id": "msg_%d", "text": "%d and so on"}' % (number, number * 7) for number in range(60)]
    with Writer.create(path.with_name("plain.cassette"), meta={"created_by": "x"}, file_id=FILE_ID) as writer:
        for body in (b"one", b"x" * 5_000, b"y" * 600, *texts):
            add(writer, body * 20)
    with Reader.open(writer.path) as reader:
        pack(reader, path)
    with Writer.append_to(path) as writer:
        add(writer, b"y" * 12_000)
    return path.read_bytes()


@pytest.mark.parametrize("made", [sealed, packed])
@pytest.mark.parametrize("seed", range(4))
def test_nothing_but_a_cassette_error_escapes(tmp_path, seed, made):
    chance = random.Random(seed)
    path = tmp_path / "a.cassette"
    data = made(path)
    frames = [(frame.header, data[frame.payload_offset : frame.end]) for frame in scan(path)]
    opened = refused = 0
    for _ in range(150):
        forged = data[:64]
        chosen = chance.sample(range(len(frames)), chance.randint(1, 3))
        for seq, (header, payload) in enumerate(frames):
            kind, codec, raw = header.type, header.codec, header.raw_len
            if seq in chosen:
                before = len(payload)
                payload = mutated(payload, chance)
                raw = max(0, raw + len(payload) - before) if codec == Codec.RAW else raw
                codec = chance.choice([codec] * 20 + [0, 1, 2])
                kind = chance.choice([kind] * 40 + [0, 2, 3, 6, 7, 200])
                raw = chance.choice([raw] * 20 + [0, 1 << 16, 1 << 24, (1 << 32) - 1])
            head = FRAME_HEADER.pack(MARKER, kind, codec, 0, seq, len(payload), raw, zlib.crc32(payload), 0)[:-4]
            forged += head + struct.pack("<I", zlib.crc32(head)) + payload
        path.write_bytes(forged)
        for salvage in (False, True):
            try:
                read_all(path, salvage=salvage)
                opened += 1
            except CassetteError:
                refused += 1
        try:
            writer = Writer.append_to(path)
        except CassetteError:
            continue
        try:
            add(writer, b"y" * 600)
        except CassetteError:
            pass
        writer.abandon()
    assert opened > 20
    assert refused > 20


def test_a_bad_first_record_in_a_sealed_file_is_refused(tmp_path):
    path = tmp_path / "a.cassette"
    data = sealed(path)
    first = next(scan(path))
    for codec, payload, raw in ((0, b"\xc1" * 16, 16), (1, b"no zstd data at all", 5)):
        header = pack_frame(MARKER, RecordType.META, codec, 0, len(payload), raw, zlib.crc32(payload))
        path.write_bytes(data[:64] + header + payload + data[first.end :])
        with pytest.raises(CassetteError):
            Reader.open(path)


def test_a_body_that_names_a_piece_of_another_length_is_refused(tmp_path):
    writer = Writer.create(tmp_path / "a.cassette", file_id=FILE_ID)
    piece = b"p" * 700
    batch = writer._batch()
    digest = digest_of(piece)
    batch.add(RecordType.BLOB, Codec.RAW, digest, piece, len(piece))
    for length in (699, 701, 16 << 20):
        fields = b"\x83\xa6method\xa3GET\xa6target\xc4\x01/\xa4body\x91\x92\xc4\x10" + digest
        fields += b"\xce" + struct.pack(">I", length)
        summary = Summary(1, 2, 3, length, 0, 0, 0, 0, 0, 0)
        batch.add(RecordType.INTERACTION, Codec.RAW, summary.pack(), fields, len(fields))
    writer._write(batch)
    writer.abandon()
    with Reader.open(tmp_path / "a.cassette.partial") as reader:
        rows = list(reader.rows())
        assert len(rows) == 3
        for row in rows:
            body = reader.interaction(row).request.body
            with pytest.raises(CassetteError, match="lacks a body piece"):
                body.read()
