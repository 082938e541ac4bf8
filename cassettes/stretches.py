"""Stretches of plain records: whole INTERACTION and BLOB frames that stand in a row, verified many at once.

A scan of a million records spends its time between the records, not on their bytes. So the headers of a stretch are walked
first, and all that `Scan` asks of each frame is then asked of all of them by a few calls. Where any answer is no, or a frame
is of another kind, there is no stretch, and the scan looks at that place frame by frame.
"""

import os
import zlib
from collections.abc import Sequence
from operator import sub
from struct import Struct
from typing import NamedTuple

from .format import CRC_RESIDUE, FRAME_HEADER, FRAME_HEADER_SIZE, MAX_MAP, PREFIX, Codec, RecordType, lengths_allowed

LONGEST = 256 << 10
"""Bytes that are read at once: what stays in the processor's own memory while it is looked at four times."""
SHORTEST = 8 << 10
CAREFUL = 16
"""Frames that are looked at one by one after a place that was no stretch."""
_STORED_LEN = Struct("<16xI").unpack_from
_INTERACTION, _BLOB = int(RecordType.INTERACTION), int(RecordType.BLOB)
_PLAIN = {(kind, int(Codec.RAW), PREFIX[kind]) for kind in (RecordType.INTERACTION, RecordType.BLOB)}
"""Type, codec, and stored length without the raw one, of nearly all frames there are."""


class Stretch(NamedTuple):
    """Frames in a row. `data` is the file from `offset` on; `starts` and `ends` of the frames count from there.

    A frame that the scan had to look at by itself is a stretch of one, without `data` and `heads`.
    """

    offset: int
    data: bytes
    starts: Sequence[int]
    ends: Sequence[int]
    kinds: Sequence[int]
    heads: Sequence[bytes]

    @property
    def end(self) -> int:
        return self.offset + self.ends[-1]

    @property
    def calls(self) -> int:
        return self.kinds.count(_INTERACTION)

    def chain(self, before: int) -> int:
        """The chain of frame headers (`format.link`), gone on by those of the stretch."""
        return zlib.crc32(b"".join([head[:-4] for head in self.heads]), before)

    def listed(self, kind: RecordType) -> bytes:
        """What an index lists of the records of one type: prefix and offset of each, in file order."""
        data, offset, first, last = self.data, self.offset, FRAME_HEADER_SIZE, FRAME_HEADER_SIZE + PREFIX[kind]
        return b"".join(
            [
                data[start + first : start + last] + (offset + start).to_bytes(8, "little")
                for start, each in zip(self.starts, self.kinds, strict=True)
                if each == kind
            ]
        )


class Strides:
    """Finds the stretches of a file. How far it reads follows what it found, so that no file makes it read much in vain."""

    def __init__(self, fd: int, size: int, marker: bytes) -> None:
        self._fd = fd
        self._size = size
        self._marker = marker
        self._length = SHORTEST
        self._careful = 0

    def stretch(self, offset: int, records: int) -> Stretch | None:
        """The stretch that begins at `offset` with record number `records`; None where the scan is to look by itself."""
        if self._careful:
            self._careful -= 1
            return None
        try:
            data = os.pread(self._fd, min(self._length, self._size - offset), offset)
        except OSError:
            return None  # the scan meets it again, and says so
        found = _stretch(data, offset, records, self._marker)
        if found is not None:
            self._length = min(2 * self._length, LONGEST)
        elif self._length > SHORTEST:
            self._length //= 2
        else:
            self._careful = CAREFUL
        return found


def _stretch(data: bytes, offset: int, records: int, marker: bytes) -> Stretch | None:
    starts: list[int] = []
    at, last = 0, len(data) - FRAME_HEADER_SIZE
    while at <= last:
        starts.append(at)
        at += FRAME_HEADER_SIZE + _STORED_LEN(data, at)[0]
    ends = [*starts[1:], at]
    if at > len(data):
        starts.pop()
        ends.pop()
    if not starts:
        return None
    heads = [data[start : start + FRAME_HEADER_SIZE] for start in starts]
    if [*map(zlib.crc32, heads)].count(CRC_RESIDUE) != len(heads):
        return None
    marks, kinds, codecs, flags, numbers, stored, raw, payload_crcs, _ = zip(
        *FRAME_HEADER.iter_unpack(b"".join(heads)), strict=True
    )
    if set(marks) != {marker} or any(flags) or numbers != tuple(range(records, records + len(numbers))):
        return None
    shapes = [*zip(kinds, codecs, map(sub, stored, raw), strict=True)]
    odd = {*shapes} - _PLAIN
    if max(raw) > MAX_MAP or any(kind not in (_INTERACTION, _BLOB) or codec > Codec.ZSTD for kind, codec, _ in odd):
        return None
    for number, shape in enumerate(shapes) if odd else ():
        if shape in odd and not lengths_allowed(*shape[:2], stored[number], raw[number]):
            return None
    crc32, first = zlib.crc32, FRAME_HEADER_SIZE
    if [crc32(data[start + first : end]) for start, end in zip(starts, ends, strict=True)] != [*payload_crcs]:
        return None
    return Stretch(offset, data, starts, ends, kinds, heads)
