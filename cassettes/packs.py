"""PACK records: interactions and body pieces of one cassette, many to a compressed block, each still found by itself.

A pack's payload is a 16-byte head, the *contents* (of each record its type, its length and its prefix) and the records' own
bytes, one after the other. Contents and bytes are compressed apart, so that a scan learns all that it needs from a few
hundred bytes. The bytes lean on the cassette's dictionary, which stands in the record after META.

A record in a pack is named by a *place*: the offset of the pack's frame in the lower 48 bits, its number in the pack, counted
from 1, in the upper 16. A record with a frame of its own has 0 there, so that its place is its offset.
"""

import struct
import threading
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

import zstandard

from .compression import MAX_WINDOW, expand, inflate
from .errors import CassetteError
from .format import MAX_PACKED, PREFIX, Codec, RecordType

HEAD = struct.Struct("<IIII")
"""Records; those among them that are interactions; stored and raw length of the contents."""
_ENTRY = struct.Struct("<BI")
"""Type and length of one record; its prefix follows."""
TARGET = 16 << 10
"""Bytes of records after which a writer ends a pack: what one look-up expands."""
LARGEST = 32 << 10
"""Records with more bytes get a frame of their own."""
MOST = 1024
"""Records in one pack that a writer makes."""
DICTIONARY_SIZE = 110 << 10
LEVEL = 6
_FEWEST_SAMPLES = 8
_SMALLEST_DICTIONARY = 4 << 10
_PLACE = 48
_BLOB = int(RecordType.BLOB)
_NEXT = 1 << _PLACE
_OFFSET = (1 << _PLACE) - 1
_STEP = {int(kind): _ENTRY.size + size for kind, size in PREFIX.items()}
_CONTENTS_MOST = MAX_PACKED * (_ENTRY.size + max(PREFIX.values()))


class Listing(NamedTuple):
    """The contents of a pack: of record `n` its type `kinds[n]`, and where its prefix and its bytes begin.

    A prefix is what the record would have in a frame of its own, and stands in `data`; a record's bytes, in the other part of
    the pack, end where those of the next begin, so that `starts` has one number more.
    """

    data: bytes
    kinds: list[int]
    prefixes: list[int]
    starts: list[int]

    def prefix(self, number: int) -> bytes:
        at = self.prefixes[number]
        return self.data[at : at + PREFIX[self.kinds[number]]]


def place_of(offset: int, number: int) -> int:
    """The place of record `number`, counted from 0, in the pack whose frame begins at `offset`."""
    return offset | (number + 1) << _PLACE


def split_place(place: int) -> tuple[int, int]:
    """The offset of a frame, and the number of the record in its pack: -1 where the frame is the record."""
    return place & _OFFSET, (place >> _PLACE) - 1


class Dictionary:
    """What the blocks of one cassette have in common, as zstd uses it. Raises CassetteError for what is no dictionary."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        try:
            self._dictionary = zstandard.ZstdCompressionDict(data, dict_type=zstandard.DICT_TYPE_FULLDICT)
            self._decompressor = zstandard.ZstdDecompressor(dict_data=self._dictionary, max_window_size=MAX_WINDOW)
        except (zstandard.ZstdError, ValueError, MemoryError) as error:
            raise CassetteError(f"a dictionary is invalid ({error})") from error
        self._compressor: zstandard.ZstdCompressor | None = None
        self._lock = threading.Lock()  # zstd's working memory is not for two threads at once

    @classmethod
    def trained(cls, samples: list[bytes], whole: int) -> "Dictionary | None":
        """A dictionary made from samples of the `whole` bytes that are to be packed; None where it would not pay."""
        size = min(DICTIONARY_SIZE, whole // 100)
        if len(samples) < _FEWEST_SAMPLES or size < _SMALLEST_DICTIONARY:
            return None
        try:
            return cls(zstandard.train_dictionary(size, [*samples], level=LEVEL).as_bytes())
        except (zstandard.ZstdError, ValueError):
            return None  # too few, too small, or nothing in common

    def compress(self, data: bytes) -> bytes:
        with self._lock:
            if self._compressor is None:
                self._dictionary.precompute_compress(level=LEVEL)
                self._compressor = zstandard.ZstdCompressor(dict_data=self._dictionary, write_checksum=False)
            return self._compressor.compress(data)

    def expand(self, stored: bytes | memoryview, raw_len: int) -> bytes:
        """The `raw_len` bytes that `stored` holds. Raises CassetteError if it holds more, less, or no zstd at all."""
        with self._lock:
            return inflate(self._decompressor, stored, raw_len)


def build_pack(
    records: Sequence[tuple[int, bytes, bytes | memoryview]], dictionary: Dictionary | None
) -> tuple[Codec, bytes, int]:
    """The codec, the payload and the raw length of a pack of these records, each its type, prefix and bytes.

    At most MOST records, and less than TARGET + LARGEST bytes of them: then no ratio is too good to be read again.
    """
    listed = b"".join([_ENTRY.pack(kind, len(data)) + prefix for kind, prefix, data in records])
    data = b"".join([data for _, _, data in records])
    calls = sum(kind == RecordType.INTERACTION for kind, _, _ in records)
    stored = _plain.compressor.compress(listed)
    head = HEAD.pack(len(records), calls, len(stored), len(listed))
    if dictionary is not None:
        return Codec.ZSTD_DICTIONARY, head + stored + dictionary.compress(data), len(data)
    return Codec.ZSTD, head + stored + _plain.compressor.compress(data), len(data)


def calls_in(payload: bytes | memoryview) -> int:
    """How many interactions a pack says that it holds. Raises CassetteError if it is no pack."""
    _, calls, _, _ = _head(payload)
    return calls


def listed_in(codec: int, payload: bytes | memoryview, offset: int) -> tuple[bytes, bytes]:
    """What an index lists of the interactions and of the body pieces in the pack at `offset`: prefix and place of each.

    Raises CassetteError for what no writer wrote.
    """
    data, count, calls = _expanded(codec, payload)
    rows: list[bytes] = []
    blobs: list[bytes] = []
    at, place = 0, offset
    while at < len(data):
        place += _NEXT
        start, kind = at + _ENTRY.size, data[at]
        at += _STEP.get(kind) or _no_list()
        (blobs if kind == _BLOB else rows).append(data[start:at] + place.to_bytes(8, "little"))
    if at != len(data) or (len(rows), len(blobs)) != (calls, count - calls):
        raise CassetteError("the contents of a pack are not what its head says")
    return b"".join(rows), b"".join(blobs)


def contents_of(codec: int, payload: bytes | memoryview) -> Listing:
    """What a pack holds, without its bytes. Raises CassetteError for what no writer wrote."""
    listed, count, calls = _expanded(codec, payload)
    kinds: list[int] = []
    prefixes: list[int] = []
    starts = [start := 0]
    at, unpack = 0, _ENTRY.unpack_from
    try:
        while at < len(listed):
            kind, length = unpack(listed, at)
            prefixes.append(at + _ENTRY.size)
            at += _STEP.get(kind) or _no_list()
            kinds.append(kind)
            starts.append(start := start + length)
    except struct.error:
        _no_list()
    if at != len(listed) or len(kinds) != count or kinds.count(RecordType.INTERACTION) != calls:
        raise CassetteError("the contents of a pack are not what its head says")
    return Listing(listed, kinds, prefixes, starts)


def _expanded(codec: int, payload: bytes | memoryview) -> tuple[bytes, int, int]:
    """The contents of a pack as they stand, and how many records and interactions its head says there are."""
    count, calls, stored, raw = _head(payload)
    if raw > _CONTENTS_MOST:
        raise CassetteError(f"a pack says that its contents take {raw:,} bytes, which is not allowed")
    return expand(min(codec, Codec.ZSTD), payload[HEAD.size : HEAD.size + stored], raw), count, calls


def _no_list() -> NoReturn:
    raise CassetteError("the contents of a pack are no list of records")


class Pack:
    """An expanded pack: its contents and the bytes of its records."""

    def __init__(self, codec: int, payload: bytes | memoryview, raw_len: int, dictionary: Dictionary | None) -> None:
        """Raises CassetteError for what no writer wrote."""
        self.contents = contents_of(codec, payload)
        _, _, stored, _ = _head(payload)
        rest = payload[HEAD.size + stored :]
        if codec == Codec.ZSTD_DICTIONARY:
            if dictionary is None:
                raise CassetteError("a pack needs a dictionary, and there is none")
            self._data = dictionary.expand(rest, raw_len)
        else:
            self._data = expand(codec, rest, raw_len)
        if self.contents.starts[-1] != raw_len:
            raise CassetteError("the records of a pack are not as long as its contents say")

    def blob(self, digest: bytes) -> bytes | None:
        """The body piece with this digest; None if it is not in here."""
        contents, at = self.contents, -1
        while (at := contents.data.find(digest, at + 1)) >= 0:
            number = bisect_left(contents.prefixes, at)
            if number < len(contents.prefixes) and contents.prefixes[number] == at and contents.kinds[number] == _BLOB:
                return self._bytes(number)
        return None

    def record(self, number: int, kind: int) -> tuple[bytes, bytes] | None:
        """The prefix and the bytes of a record, None if there is no such one of this type."""
        contents = self.contents
        if not 0 <= number < len(contents.kinds) or contents.kinds[number] != kind:
            return None
        return contents.prefix(number), self._bytes(number)

    def _bytes(self, number: int) -> bytes:
        starts = self.contents.starts
        return self._data[starts[number] : starts[number + 1]]


class _Plain(threading.local):
    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=False)


_plain = _Plain()


def _head(payload: bytes | memoryview) -> tuple[int, int, int, int]:
    if len(payload) < HEAD.size:
        raise CassetteError("a pack is shorter than its head")
    count, calls, stored, raw = HEAD.unpack_from(payload)
    if count > MAX_PACKED or calls > count or stored > len(payload) - HEAD.size:
        raise CassetteError("the head of a pack says what cannot be")
    return count, calls, stored, raw
