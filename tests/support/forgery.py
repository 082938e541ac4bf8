"""Cassettes made by hand, frame by frame: every checksum is right, whatever it covers."""

import struct
import zlib
from pathlib import Path

import msgpack
from cassette_samples import FILE_ID
from respool.cassettes.format import MAJOR, MINOR, FileHeader, Seal, link, pack_frame
from respool.cassettes.records import digest_of
from respool.cassettes.scopes import scope_hash
from respool.cassettes.summary import Summary

META, BLOB, INTERACTION, INDEX, SEAL = 1, 2, 3, 4, 5
RAW, ZSTD = 0, 1


class Forgery:
    """The bytes of a file that grows frame by frame."""

    def __init__(self, *, meta: bytes | None = b"\x80") -> None:
        self.data = bytearray(FileHeader(MAJOR, MINOR, 0, 0, FILE_ID, 5_000_000).pack())
        self.frames = 0
        self.interactions = 0
        self.chain = 0
        if meta is not None:
            self.frame(META, meta)

    def frame(
        self, kind: int, payload: bytes, *, codec: int = RAW, raw: int | None = None, stored: int | None = None
    ) -> int:
        """Add a frame; `raw` and `stored` are what its header says, where that is not the truth."""
        prefix = {BLOB: 16, INTERACTION: 56}.get(kind, 0)
        raw = len(payload) - prefix if raw is None else raw
        stored = len(payload) if stored is None else stored
        at = len(self.data)
        header = pack_frame(
            FILE_ID[:4], kind & 255, codec & 255, self.frames, stored & 2**32 - 1, raw & 2**32 - 1, zlib.crc32(payload)
        )
        self.data += header + payload
        self.chain = link(self.chain, header)
        self.frames += 1
        return at

    def blob(self, body: bytes) -> bytes:
        digest = digest_of(body)
        self.frame(BLOB, digest + body)
        return digest

    def interaction(self, fields: bytes, *, scope: str = "a", codec: int = RAW, raw: int | None = None) -> int:
        """Add an interaction whose map is `fields`, as stored."""
        arrival = self.interactions
        self.interactions += 1
        summary = Summary(arrival, scope_hash(scope), 6, arrival, 7, 0, 200, 2, 0, 0).pack()
        return self.frame(INTERACTION, summary + fields, codec=codec, raw=raw)

    def seal(self, **others: int) -> int:
        """Add a seal without an index; `others` are fields that say something else."""
        at = len(self.data)
        seal = Seal(0, 0, 0, at, self.frames, self.interactions, max(self.interactions - 1, 0), self.chain)
        return self.frame(SEAL, seal._replace(**others).pack())

    def write(self, path: Path) -> Path:
        path.write_bytes(self.data)
        return path


def fields(**others: object) -> bytes:
    """The map of a plain interaction, with others beside or in place of its fields."""
    return msgpack.packb({"method": "GET", "target": b"/threads/a", "status": 200, **others})


def claim(mark: int, count: int) -> bytes:
    """The mark of an array, a map, a text or bytes that says it holds so many."""
    return struct.pack(">BI", mark, count)
