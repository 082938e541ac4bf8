"""Content codings: a body that came compressed is stored as what it says (RFC 9110 section 8.4).

gzip, deflate and zstd are undone, one at a time. Any other body stays as it came, with its header, and replays that way.
"""

import zlib
from typing import Protocol

import zstandard

MOST_DECODED = 64 << 20
"""A body that decodes to more than this stays as it came: what is small on the wire must not fill the disk."""

_SLICE = 1024
"""zstandard cannot be told how much to give at most, so it is fed little by little: 1 KiB gives 30 MiB at worst."""


class CodingError(ValueError):
    """The body is not what its Content-Encoding says, or it grows beyond the cap."""


class _Inflater(Protocol):
    def decompress(self, data: bytes, /) -> bytes: ...


def undoable(content_encoding: bytes | None) -> str:
    """The coding to undo, or an empty string when there is none or it is not ours to undo."""
    coding = (content_encoding or b"").strip().lower().decode("latin-1")
    return {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate", "zstd": "zstd"}.get(coding, "")


class Decoder:
    """Undoes one coding, piece by piece. A body that was cut short decodes as far as it goes.

    `feed` raises CodingError when the bytes are not in that coding, or when the body comes to more than `most` bytes.
    """

    def __init__(self, coding: str, *, most: int = MOST_DECODED) -> None:
        self._coding = coding
        self._room = most
        self._inflater: _Inflater | None = None

    def feed(self, data: bytes) -> bytes:
        if not data:
            return b""
        if self._inflater is None:
            self._inflater = _inflater(self._coding, data)
        out: list[bytes] = []
        try:
            for start in range(0, len(data), _SLICE):
                decoded = self._inflater.decompress(data[start : start + _SLICE])
                self._room -= len(decoded)
                if self._room < 0:
                    raise CodingError(f"the {self._coding} body comes to more than is kept")
                out.append(decoded)
        except (zlib.error, zstandard.ZstdError, EOFError) as error:
            raise CodingError(f"the body is not {self._coding}: {error}") from None
        return b"".join(out)


def _inflater(coding: str, first: bytes) -> _Inflater:
    if coding == "gzip":
        return zlib.decompressobj(16 + zlib.MAX_WBITS)
    if coding == "deflate":
        # Some servers send raw deflate under this name; a zlib stream begins with 0x?8 and a multiple of 31.
        wrapped = len(first) >= 2 and first[0] & 0x0F == 8 and int.from_bytes(first[:2], "big") % 31 == 0
        return zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
    return zstandard.ZstdDecompressor(max_window_size=8 << 20).decompressobj()
