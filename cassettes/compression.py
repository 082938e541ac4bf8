"""zstd for bodies: worth it or left alone, and back with every size capped.

Decompression streams into a fixed allowance, for the size that a zstd frame declares is not to be believed: in one go it is
done only where that size is the allowance.
"""

import threading

import zstandard

from .errors import CassetteError
from .format import MAX_PAYLOAD, MAX_RATIO, RATIO_FREE, Codec

MINIMUM = 4 << 10
"""Smaller bodies are stored as they are."""
LEVEL = 3
MAX_WINDOW = 8 << 20
_RAW = int(Codec.RAW)


class _Contexts(threading.local):
    """zstd's working memory: one for each thread, for two must not share it."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=False)
        self.decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)


_contexts = _Contexts()


def squeeze(data: bytes | bytearray | memoryview) -> tuple[Codec, bytes | bytearray | memoryview]:
    """The codec to store `data` with, and its stored form: zstd where that saves a tenth, else the bytes themselves."""
    size = len(data)
    if size >= MINIMUM:
        stored = _contexts.compressor.compress(data)
        if len(stored) * 10 <= size * 9 and (size <= RATIO_FREE or size <= MAX_RATIO * len(stored)):
            return Codec.ZSTD, stored
    return Codec.RAW, data


def expand(codec: int, stored: bytes | memoryview, raw_len: int) -> bytes:
    """The `raw_len` bytes that `stored` holds. Raises CassetteError if it holds more, less, or no zstd at all."""
    if codec == _RAW and len(stored) == raw_len <= MAX_PAYLOAD:
        return bytes(stored)
    if raw_len > MAX_PAYLOAD or (codec != Codec.RAW and raw_len > RATIO_FREE and raw_len > MAX_RATIO * len(stored)):
        raise CassetteError(f"a record says that {len(stored):,} bytes expand to {raw_len:,}, which is not allowed")
    if codec == Codec.RAW:
        raise CassetteError(f"a record says {raw_len:,} bytes and has {len(stored):,}")
    if codec != Codec.ZSTD:
        raise CassetteError(f"a record is stored with codec {codec}, which it cannot be")
    return inflate(_contexts.decompressor, stored, raw_len)


def inflate(decompressor: zstandard.ZstdDecompressor, stored: bytes | memoryview, raw_len: int) -> bytes:
    """The `raw_len` bytes that a zstd frame holds. Raises CassetteError if it holds more, less, or is none."""
    try:
        if zstandard.frame_content_size(stored) == raw_len:  # so that no more room is made than the caller allowed
            data, more = decompressor.decompress(stored), b""
        else:
            with decompressor.stream_reader(stored) as stream:
                data = stream.read(raw_len)
                more = stream.read(1)
    except (zstandard.ZstdError, MemoryError) as error:
        raise CassetteError(f"a record's zstd data is invalid ({error})") from error
    if len(data) != raw_len or more:
        raise CassetteError(f"a record says {raw_len:,} bytes and expands to {'more' if more else f'{len(data):,}'}")
    return data
