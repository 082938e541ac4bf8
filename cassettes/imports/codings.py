"""A body that a recorder kept whole, decoded from its content coding: all of it or not at all.

The recorder's own `coding.Decoder` takes a body as it arrives, cut ones too. Here all is at hand, so a body that is cut,
damaged, followed by something else or too large is told apart, and can be kept as it is instead. Several gzip members
(RFC 1952 section 2.2) or zstd frames (RFC 8878 section 3) on end are one body.
"""

import zlib
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import zstandard

from ..coding import MOST_DECODED

MOST_PARTS = 1000
_SLICE = 1024
"""zstandard cannot be told how much to give at most, so it is fed little by little: 1 KiB gives some 30 MiB at worst."""


class _Stream(Protocol):
    eof: Any
    unused_data: Any

    def decompress(self, data: bytes, /) -> bytes: ...


def decoded(coding: str, data: bytes, *, most: int = MOST_DECODED) -> bytes | None:
    """The body that `data` is in `coding` (gzip, deflate or zstd); None where it is not, or comes to more than `most`."""
    parts = MOST_PARTS
    if coding == "zstd":
        begin = _begin_zstd
    elif coding == "gzip":
        begin = partial(zlib.decompressobj, 16 + zlib.MAX_WBITS)
    else:
        # Some servers send raw deflate under this name; a zlib stream begins with 0x?8 and a multiple of 31.
        wrapped = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
        begin = partial(zlib.decompressobj, zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
        parts = 1
    try:
        return _whole(data, begin, most, parts)
    except (zlib.error, zstandard.ZstdError):
        return None


def _begin_zstd() -> _Stream:
    return zstandard.ZstdDecompressor(max_window_size=8 << 20).decompressobj()


def is_plain(coding: str, data: bytes) -> bool:
    """Whether the body is not in the coding that its header names, as recorders leave it that decode what they keep.

    `coding` is empty for one that cannot be undone here.
    """
    if coding == "gzip":
        return not data.startswith(b"\x1f\x8b")
    if coding == "zstd":
        return not data.startswith(b"\x28\xb5\x2f\xfd")
    # Deflate and Brotli have no magic; but what they make of a JSON text is hardly ever UTF-8.
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not (coding == "deflate" and decoded(coding, data) is not None)


def _whole(data: bytes, begin: Callable[[], _Stream], most: int, parts: int) -> bytes | None:
    """What `data` decodes to: 1 to `parts` streams on end and nothing else, `most` bytes at most."""
    pieces: list[bytes] = []
    stream: _Stream | None = None
    at = 0
    while at < len(data):
        if stream is None:
            parts -= 1
            if parts < 0:
                return None
            stream = begin()
        fed = data[at : at + _SLICE]
        at += len(fed)
        piece = stream.decompress(fed)
        most -= len(piece)
        if most < 0:
            return None
        pieces.append(piece)
        if stream.eof:
            at -= len(stream.unused_data)
            stream = None
    return b"".join(pieces) if stream is None else None
