"""Records on their way into a cassette with one write."""

import zlib

from .compression import squeeze
from .format import Codec, RecordType, Seal, link, pack_frame
from .summary import Summary


class Batch:
    """Records on their way into the file with one write: their bytes, and what the file's state is once they are there."""

    def __init__(self, marker: bytes, offset: int, records: int, chain: int) -> None:
        self._marker = marker
        self.start = offset
        self.records = records
        self.chain = chain
        self.buffer = bytearray()
        self.blobs: dict[bytes, int] = {}
        self.row: tuple[Summary, bytes, str] | None = None
        """The interaction among the records: its summary, its row for the index, and its scope's name."""

    @property
    def end(self) -> int:
        return self.start + len(self.buffer)

    def add(
        self, kind: int, codec: int, prefix: bytes, rest: bytes | bytearray | memoryview, raw_len: int, flags: int = 0
    ) -> int:
        """Add one record; returns its offset in the file."""
        offset = self.end
        crc = zlib.crc32(rest, zlib.crc32(prefix))
        header = pack_frame(self._marker, kind, codec, self.records, len(prefix) + len(rest), raw_len, crc, flags)
        self.buffer += header
        self.buffer += prefix
        self.buffer += rest
        self.chain = link(self.chain, header)
        self.records += 1
        return offset

    def add_blob(self, digest: bytes, data: bytes | bytearray | memoryview) -> int:
        """Add one piece of a body, compressed where that is worth it; returns the place of its record."""
        codec, stored = squeeze(data)
        return self.add(RecordType.BLOB, codec, digest, stored, len(data))

    def add_seal(self, index: bytearray | None, previous: int, calls: int, last: int) -> None:
        """Add an index, where there is one, and the seal that closes all before it: `calls`, the latest numbered `last`.

        `previous` is where the seal stands that the index goes on from; 0 for none.
        """
        offset = length = 0
        if index is not None:
            offset = self.add(RecordType.INDEX, Codec.RAW, b"", index, len(index))
            length = self.end - offset
        seal = Seal(offset, length, previous, self.end, self.records, calls, last, self.chain).pack()
        self.add(RecordType.SEAL, Codec.RAW, b"", seal, len(seal))
