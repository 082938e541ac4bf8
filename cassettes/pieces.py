"""The body pieces that a writer knows to be in its cassette, so that each is stored once.

The least recently used are forgotten; a forgotten piece is stored again when it comes again, which costs room and no truth.
"""

import os
import struct
import zlib
from collections import OrderedDict

from .batch import Batch
from .compression import expand
from .errors import CassetteError, DamagedCassetteError
from .format import FRAME_HEADER, FRAME_HEADER_SIZE, INLINE, PIECE, REPAIR, RecordType, lengths_allowed
from .interaction import EMPTY, BlobRef, Body, Interaction
from .packs import Dictionary, Pack, split_place
from .records import DIGEST_SIZE, StoredBody, decode_interaction, digest_of, stored_body
from .summary import LAYOUT, Row

REMEMBERED = 65_536
"""Pieces that a writer remembers at most."""
ROW = DIGEST_SIZE + 8


class Pieces:
    """Body pieces of one cassette that is being written: `rows` are those to be indexed, as `index.BLOB` has them."""

    def __init__(self, fd: int, name: str) -> None:
        self.rows = bytearray()
        self._fd = fd
        self._name = name
        self._offsets: OrderedDict[bytes, int] = OrderedDict()
        self._proven: set[bytes] = set()
        self._dictionary: Dictionary | None = None

    def resume(self, found: bytearray, indexed: int, dictionary: Dictionary | None) -> None:
        """Take up the pieces that a scan found, of which the first `indexed` are in an index already."""
        self._dictionary = dictionary
        self.rows = found[ROW * indexed :]
        for at in range(max(0, len(found) - ROW * REMEMBERED), len(found), ROW):
            self._offsets[bytes(found[at : at + DIGEST_SIZE])] = int.from_bytes(
                found[at + DIGEST_SIZE : at + ROW], "little"
            )

    def store(self, batch: Batch, data: bytes | memoryview) -> BlobRef:
        """Name one piece (1 MiB at most), and add it to the batch unless it is stored already."""
        if len(data) > PIECE:
            raise ValueError(f"a body piece has at most {PIECE} bytes")
        digest = digest_of(data)
        if digest not in batch.blobs and not self._has(digest, data):
            batch.blobs[digest] = batch.add_blob(digest, data)
        return BlobRef(digest, len(data))

    def store_body(self, batch: Batch, body: Body) -> StoredBody:
        """Add the pieces of a body to the batch; returns the field that names them.

        Pieces of another cassette are read from there and stored here.
        """
        if body is EMPTY:
            return b""
        if len(body.parts) == 1 and isinstance(part := body.parts[0], bytes) and len(part) <= PIECE:
            if len(part) < INLINE:
                return part
            ref = self.store(batch, part)
            return [[ref.digest, ref.length]]
        parts: list[bytes | BlobRef] = []
        for part in body.parts:
            if isinstance(part, BlobRef):
                if part.digest not in self._proven and part.digest not in batch.blobs:
                    part = self.store(batch, body.piece(part))
                parts.append(part)
            elif len(part) < INLINE:
                parts.append(part)
            else:
                view = memoryview(part)
                parts.extend(self.store(batch, view[at : at + PIECE]) for at in range(0, len(part), PIECE))
        return stored_body(parts)

    def note(self, batch: Batch) -> None:
        """Remember the pieces of a batch that was written."""
        for digest, offset in batch.blobs.items():
            self.rows += digest + offset.to_bytes(8, "little")
            self._offsets[digest] = offset
            self._proven.add(digest)
        while len(self._offsets) > REMEMBERED:
            self._proven.discard(self._offsets.popitem(last=False)[0])

    def load(self, ref: BlobRef) -> bytes:
        """Read a piece back. Raises DamagedCassetteError if it is not there."""
        offset = self._offsets.get(ref.digest)
        if offset is None:
            offset = self._forgotten(ref.digest)
        data = None if offset is None else self._read(offset)
        if data is None or len(data) != ref.length:
            raise DamagedCassetteError(f"a body piece of {ref.length:,} bytes is not in {self._name}")
        return data

    def interaction(self, row: Row) -> Interaction:
        """Read an interaction back, its pieces with `load`. Raises CassetteError if it is not there."""
        try:
            header = os.pread(self._fd, FRAME_HEADER_SIZE, row.offset)
            _, kind, _, _, _, length, _, crc, _ = FRAME_HEADER.unpack(header)
            payload = os.pread(self._fd, length, row.offset + FRAME_HEADER_SIZE)
        except (OSError, struct.error):
            kind, payload, crc = -1, b"", 0
        if kind != RecordType.INTERACTION or zlib.crc32(payload) != crc or payload[: LAYOUT.size] != row.summary.pack():
            raise DamagedCassetteError(f"interaction {row.summary.arrival:,} is not in {self._name}")
        return decode_interaction(payload[LAYOUT.size :], row.summary, self.load)

    def _has(self, digest: bytes, data: bytes | memoryview) -> bool:
        """Whether the file holds this piece. What an earlier writer stored is compared once: its digest is a mere claim."""
        offset = self._offsets.get(digest)
        if offset is None:
            return False
        if digest not in self._proven:
            if self._read(offset) != data:
                raise DamagedCassetteError(
                    f"{self._name} holds another body piece under the digest of this one", REPAIR
                )
            self._proven.add(digest)
        self._offsets.move_to_end(digest)
        return True

    def _read(self, place: int) -> bytes | None:
        """The piece in the BLOB record at `place`, None if it is not as it was written."""
        offset, number = split_place(place)
        wanted = RecordType.BLOB if number < 0 else RecordType.PACK
        try:
            header = os.pread(self._fd, FRAME_HEADER_SIZE, offset)
            if len(header) < FRAME_HEADER_SIZE:
                return None
            _, kind, codec, _, _, stored_len, raw_len, crc, _ = FRAME_HEADER.unpack(header)
            if kind != wanted or not lengths_allowed(kind, codec, stored_len, raw_len):
                return None
            payload = memoryview(os.pread(self._fd, stored_len, offset + FRAME_HEADER_SIZE))
            if len(payload) != stored_len or zlib.crc32(payload) != crc:
                return None
            if number < 0:
                return expand(codec, payload[DIGEST_SIZE:], raw_len)
            record = Pack(codec, payload, raw_len, self._dictionary).record(number, RecordType.BLOB)
            return record[1] if record else None
        except (OSError, CassetteError):
            return None

    def _forgotten(self, digest: bytes) -> int | None:
        """The offset of a piece that was dropped from memory, found among those that are to be indexed."""
        at = self.rows.find(digest)
        while at >= 0 and at % ROW:
            at = self.rows.find(digest, at + 1)
        return None if at < 0 else int.from_bytes(self.rows[at + DIGEST_SIZE : at + ROW], "little")
