"""The bytes of a cassette: file header, frame header and seal, their caps, and what is refused as newer.

Every number is little-endian. The layouts are frozen: `docs/cassette-format.md` describes them, and a test holds the two
together. A length is believed only after the checksum of the header that holds it was verified.
"""

import enum
import struct
import zlib
from typing import NamedTuple

from .errors import CassetteError, DamagedCassetteError

MAGIC = b"\x89RSP\r\n\x1a\n"
MAJOR = 1
MINOR = 0
PACKED = 1
"""Must-understand bit of a file that holds PACK records or a DICTIONARY."""
KNOWN_MUST_UNDERSTAND = PACKED

FILE_HEADER = struct.Struct("<8sHHII16sQ16sI")
"""magic, major, minor, must_understand, may_ignore, file_id, created_us, reserved, header_crc."""

FRAME_HEADER = struct.Struct("<4sBBHQIIII")
"""marker, type, codec, flags, seq, stored_len, raw_len, payload_crc, header_crc."""

SEAL = struct.Struct("<QQQQQQQI4s")
"""index_offset, index_length, previous_seal, seal_offset, records, interactions, last_arrival, chain, reserved."""

FILE_HEADER_SIZE = FILE_HEADER.size
FRAME_HEADER_SIZE = FRAME_HEADER.size
SEAL_SIZE = FRAME_HEADER_SIZE + SEAL.size

CRC_RESIDUE = 0x2144DF1C
"""The CRC-32 of any bytes followed by their own CRC-32, little-endian: one call checks a header with its checksum."""

MAX_PAYLOAD = 16 << 20
"""Cap on the stored and on the raw length of every record but INDEX, in bytes."""
MAX_MAP = 2 << 20
"""Cap on the raw length of META and INTERACTION: what a decoder builds from it stays below about 100 MB."""
MAX_INDEX = 1 << 30
MAX_PACK = 1 << 20
"""Cap on the raw length of a PACK, in bytes: what one look-up may have to expand."""
MAX_PACKED = 1 << 14
"""Cap on the records of one PACK."""
MAX_DICTIONARY = 1 << 20
MAX_RATIO = 200
RATIO_FREE = 64 << 10
"""Records whose raw length is at most this may have any compression ratio."""
PIECE = 1 << 20
"""Bodies are split into pieces of at most this many bytes."""
INLINE = 512
"""Bodies shorter than this stand in the interaction itself."""
MAX_CHAIN = 8
"""Segments of index a writer leaves behind at most; a reader follows up to `MAX_CHAIN_READ`."""
MAX_CHAIN_READ = 64

REFUSED_FLAGS = 0x00FF
"""Frame flags that a reader must know or refuse; the upper eight may be ignored. None are given out yet."""

UPGRADE = "upgrade respool (`pip install --upgrade respool`) and open it again"
REPAIR = "`respool doctor FILE --repair` writes what is whole to FILE.repaired and leaves FILE as it is"


class RecordType(enum.IntEnum):
    """What a frame holds. Types from 128 up are ancillary: kept and skipped by whoever does not know them."""

    META = 1
    BLOB = 2
    INTERACTION = 3
    INDEX = 4
    SEAL = 5
    PACK = 6
    """Many records in one compressed block: see `packs`."""
    DICTIONARY = 7
    """The zstd dictionary that codec 2 uses; only the second record of a file can be one."""


ANCILLARY = 128
KNOWN_TYPES = frozenset(RecordType)
PREFIX: dict[int, int] = {RecordType.BLOB: 16, RecordType.INTERACTION: 56}
"""Bytes at the head of a payload that stay outside the compression: a blob's digest, an interaction's summary."""
_PREFIX_OF_PACK = 16


class Codec(enum.IntEnum):
    """How the part of a payload after its prefix is stored."""

    RAW = 0
    ZSTD = 1
    ZSTD_DICTIONARY = 2
    """zstd with the file's own dictionary: of a PACK only."""


_ZSTD = int(Codec.ZSTD)


class FileHeader(NamedTuple):
    """The first 64 bytes. `created_us` is Unix time in microseconds."""

    major: int
    minor: int
    must_understand: int
    may_ignore: int
    file_id: bytes
    created_us: int

    @property
    def marker(self) -> bytes:
        """The four bytes that open each frame of this file, and of no other."""
        return self.file_id[:4]

    def pack(self) -> bytes:
        head = FILE_HEADER.pack(MAGIC, *self, b"", 0)[:-4]
        return head + zlib.crc32(head).to_bytes(4, "little")

    @classmethod
    def unpack(cls, data: bytes, name: str) -> "FileHeader":
        """Read the header of the file called `name`, whose first 8 bytes are known to be the magic.

        Raises DamagedCassetteError when it is cut or its checksum is wrong, CassetteError when a newer respool wrote it. Magic,
        major, must_understand and the checksum keep their places in every later version.
        """
        if len(data) < FILE_HEADER_SIZE:
            raise DamagedCassetteError(f"{name} ends inside its first {FILE_HEADER_SIZE} bytes: nothing in it is whole")
        if zlib.crc32(data[:FILE_HEADER_SIZE]) != CRC_RESIDUE:
            raise DamagedCassetteError(f"the file header of {name} is damaged", REPAIR)
        header = cls._make(FILE_HEADER.unpack(data[:FILE_HEADER_SIZE])[1:7])
        if header.major != MAJOR:
            what = f"format {header.major}.{header.minor}; this version reads {MAJOR}.x"
            raise CassetteError(f"{name} was made by a newer respool ({what})", UPGRADE)
        if unknown := header.must_understand & ~KNOWN_MUST_UNDERSTAND:
            raise CassetteError(f"{name} was made by a newer respool (it needs feature bits {unknown:#x})", UPGRADE)
        return header


class FrameHeader(NamedTuple):
    """The 32 bytes before a payload, without marker and own checksum.

    `seq` counts the records of the file from 0. `stored_len` is the payload as it stands, prefix included; `raw_len` is
    the part after the prefix, uncompressed.
    """

    type: int
    codec: int
    flags: int
    seq: int
    stored_len: int
    raw_len: int
    payload_crc: int


def pack_frame(
    marker: bytes, kind: int, codec: int, seq: int, stored_len: int, raw_len: int, payload_crc: int, flags: int = 0
) -> bytes:
    """A frame's 32-byte header; `payload_crc` is the CRC-32 of the stored payload."""
    head = FRAME_HEADER.pack(marker, kind, codec, flags, seq, stored_len, raw_len, payload_crc, 0)[:-4]
    return head + zlib.crc32(head).to_bytes(4, "little")


def link(chain: int, header: bytes) -> int:
    """The chain of frame headers, gone on by one.

    A header's own checksum is left out: the CRC-32 of bytes that end in their CRC-32 says nothing of what they are.
    """
    return zlib.crc32(header[:-4], chain)


def lengths_allowed(kind: int, codec: int, stored_len: int, raw_len: int) -> bool:
    """Whether a frame's lengths keep to the caps, and to each other; of an unknown type or codec, only to the caps."""
    prefix = PREFIX.get(kind, 0)
    body = stored_len - prefix
    if prefix and not codec and body == raw_len <= MAX_MAP:
        return True  # as nearly all frames are
    if kind == RecordType.INDEX:
        return codec == Codec.RAW and stored_len == raw_len <= MAX_INDEX
    if body < 0 or stored_len > MAX_PAYLOAD or raw_len > MAX_PAYLOAD:
        return False
    if kind == RecordType.PACK:  # what is before its compressed part has no fixed length: `packs` goes on from here
        return raw_len <= MAX_PACK and stored_len >= _PREFIX_OF_PACK
    if kind == RecordType.DICTIONARY:
        return codec == Codec.RAW and stored_len == raw_len <= MAX_DICTIONARY
    if kind not in KNOWN_TYPES or codec > Codec.ZSTD:
        return True
    if kind in (RecordType.META, RecordType.INTERACTION) and raw_len > MAX_MAP:
        return False
    if kind == RecordType.SEAL and (codec != Codec.RAW or stored_len != SEAL.size):
        return False
    if codec == Codec.RAW:
        return body == raw_len
    return raw_len <= RATIO_FREE or raw_len <= MAX_RATIO * body


def refuse_newer(header: FrameHeader, offset: int, name: str) -> None:
    """Raise CassetteError if a frame, known to be intact, holds what only a newer respool understands.

    Frames of an unknown ancillary type pass, whatever their codec: nobody looks inside.
    """
    if header.type not in KNOWN_TYPES:
        if header.type >= ANCILLARY:
            return
        what = f"record type {header.type}"
    elif header.codec > _ZSTD and (header.codec, header.type) != (Codec.ZSTD_DICTIONARY, RecordType.PACK):
        what = f"codec {header.codec}"
    elif header.flags & REFUSED_FLAGS:
        what = f"frame flags {header.flags:#06x}"
    else:
        return
    raise CassetteError(f"{name} was made by a newer respool ({what} at byte {offset:,})", UPGRADE)


class Seal(NamedTuple):
    """The payload of the last record of a cleanly closed cassette.

    `index_offset` and `index_length` name the INDEX record written just before (header included; both 0 when there is none);
    `previous_seal` is 0 when that index covers everything. `records` counts the frames before this one, `chain` is the
    running CRC-32 over the first 28 bytes of their headers. `last_arrival` is the greatest arrival, 0 when there is no
    interaction.
    """

    index_offset: int
    index_length: int
    previous_seal: int
    seal_offset: int
    records: int
    interactions: int
    last_arrival: int
    chain: int

    def pack(self) -> bytes:
        return SEAL.pack(*self, b"")

    @classmethod
    def unpack(cls, data: bytes | memoryview) -> "Seal":
        return cls._make(SEAL.unpack(data)[:8])
