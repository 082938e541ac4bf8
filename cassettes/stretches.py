"""Stretches of plain records: whole INTERACTION and BLOB frames that stand in a row, verified many at once.

A scan of a million records spends its time between the records, not on their bytes. So the headers of a stretch are walked
first, and all that `Scan` asks of each frame is then asked of all of them by a few calls. Where any answer is no, or a frame
is of another kind, there is no stretch, and the scan looks at that place frame by frame.
"""

import os
import sys
import zlib
from array import array
from collections.abc import Sequence
from operator import sub
from struct import Struct
from typing import NamedTuple

from .format import CRC_RESIDUE, FRAME_HEADER_SIZE, MAX_MAP, PREFIX, Codec, RecordType, lengths_allowed

LONGEST = 512 << 10
"""Bytes that are read at once: what stays in the processor's own memory while it is looked at four times."""
SHORTEST = 8 << 10
CAREFUL = 16
"""Frames that are looked at one by one after a place that was no stretch."""
_STORED_LEN = Struct("<16xI").unpack_from
_INTERACTION, _BLOB = int(RecordType.INTERACTION), int(RecordType.BLOB)
_WORDS = FRAME_HEADER_SIZE // 4
_POSSIBLE = {kind | codec << 8 for kind in (_INTERACTION, _BLOB) for codec in (Codec.RAW, Codec.ZSTD)}
"""Type, codec and flags, in one, that frames of a stretch can have."""
_PLAIN = {(kind, PREFIX[kind]) for kind in (_INTERACTION, _BLOB)}
"""The same, and stored length without the raw one, of nearly all frames there are."""


class Stretch(NamedTuple):
    """Frames in a row. `data` is the file from `offset` on; `starts` and `ends` of the frames count from there.

    `heads` are the frames' headers, one after the other. A frame that the scan had to look at by itself is a stretch of one,
    without `data` and `heads`.
    """

    offset: int
    data: bytes
    starts: Sequence[int]
    ends: Sequence[int]
    kinds: Sequence[int]
    heads: bytes

    @property
    def end(self) -> int:
        return self.offset + self.ends[-1]

    @property
    def calls(self) -> int:
        return self.kinds.count(_INTERACTION)

    def chain(self, before: int) -> int:
        """The chain of frame headers (`format.link`), gone on by those of the stretch."""
        linked = bytearray((FRAME_HEADER_SIZE - 4) * len(self.starts))
        with memoryview(self.heads).cast("I") as words, memoryview(linked) as view, view.cast("I") as taken:
            for word in range(_WORDS - 1):
                taken[word :: _WORDS - 1] = words[word::_WORDS]
        return zlib.crc32(linked, before)

    def listed(self, kind: RecordType) -> bytearray:
        """What an index lists of the records of one type: prefix and offset of each, in file order."""
        data, offset, first, width = self.data, self.offset, FRAME_HEADER_SIZE, PREFIX[kind] + 8
        places = [start for start, each in zip(self.starts, self.kinds, strict=True) if each == kind]
        # With each prefix the eight bytes behind it, which the offset then takes; behind the last one they may be missing.
        rows = bytearray(b"".join([data[start + first : start + first + width] for start in places]))
        rows += bytes(width * len(places) - len(rows))
        offsets = array("Q", [offset + start for start in places])
        if sys.byteorder == "big":
            offsets.byteswap()
        with memoryview(rows) as view, view.cast("Q") as cells, memoryview(offsets) as filled:
            cells[width // 8 - 1 :: width // 8] = filled
        return rows


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
    joined = b"".join(heads)
    marks, shapes, numbers, stored, raw, payload_crcs = _columns(joined)
    if marks.count(int.from_bytes(marker, "little")) != len(marks) or numbers != [
        *range(records, records + len(numbers))
    ]:
        return None
    odd = {*zip(shapes, map(sub, stored, raw), strict=True)} - _PLAIN
    if max(raw) > MAX_MAP or not _POSSIBLE.issuperset(shapes):
        return None
    for number, (shape, more) in enumerate(zip(shapes, map(sub, stored, raw), strict=True)) if odd else ():
        if (shape, more) in odd and not lengths_allowed(shape & 255, shape >> 8, stored[number], raw[number]):
            return None
    crc32, first = zlib.crc32, FRAME_HEADER_SIZE
    with memoryview(data) as view:
        if [crc32(view[start + first : end]) for start, end in zip(starts, ends, strict=True)] != payload_crcs:
            return None
    return Stretch(offset, data, starts, ends, [shape & 255 for shape in shapes], joined)


def _columns(heads: bytes) -> tuple[list[int], list[int], list[int], list[int], list[int], list[int]]:
    """Of frame headers: markers; type, codec and flags in one; numbers; stored and raw lengths; payload checksums."""
    words, numbers = array("I", heads), array("Q", heads)
    if sys.byteorder == "big":
        words.byteswap()
        numbers.byteswap()
    with memoryview(words) as cells, memoryview(numbers) as pairs:
        marks, shapes, stored, raw, crcs = (cells[word::_WORDS].tolist() for word in (0, 1, 4, 5, 6))
        return marks, shapes, pairs[1 :: _WORDS // 2].tolist(), stored, raw, crcs
