"""Records of a type that no released version knows, put into a cassette."""

import struct
import zlib
from pathlib import Path

from respool.cassettes.format import ANCILLARY, FRAME_HEADER
from respool.cassettes.scan import scan
from respool.cassettes.writer import Writer

STRANGE = ((200, 9, 0xFF00, b"what tomorrow knows"), (128, 0, 0, b""), (255, 1, 0x00FF, bytes(range(256)) * 10))
"""Type, codec, flags and payload: some of them none that this version could read."""

Record = tuple[int, int, int, bytes]


def add(path: Path, *records: Record) -> Path:
    """Write records behind what is in the cassette, and seal it again."""
    data = path.read_bytes()
    marker = data[20:24]
    number = sum(1 for _ in scan(path))
    with path.open("ab") as file:
        for kind, codec, flags, payload in records:
            crc = zlib.crc32(payload)
            head = FRAME_HEADER.pack(marker, kind, codec, flags, number, len(payload), len(payload), crc, 0)[:-4]
            file.write(head + struct.pack("<I", zlib.crc32(head)) + payload)
            number += 1
    Writer.append_to(path).close()
    return path


def found(path: Path) -> list[Record]:
    """The ancillary records in a cassette, in the order of the file."""
    data = path.read_bytes()
    return [
        (header.type, header.codec, header.flags, data[frame.payload_offset : frame.end])
        for frame in scan(path)
        if (header := frame.header).type >= ANCILLARY
    ]
