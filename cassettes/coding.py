"""Content codings: a body that came compressed is stored as what it says (RFC 9110 section 8.4).

gzip, deflate and zstd are undone, one at a time. Any other body stays as it came, with its header, and replays that way.
"""

import zlib
from typing import Any, Protocol

import zstandard

MOST_DECODED = 64 << 20
"""A body that decodes to more than this stays as it came: what is small on the wire must not fill the disk."""
MOST_PARTS = 1000
"""gzip members (RFC 1952 section 2.2) or zstd frames (RFC 8878 section 3) that may stand on end as one body."""

_SLICE = 1024
"""zstandard cannot be told how much to give at most, so it is fed little by little: 1 KiB gives 30 MiB at worst."""


class CodingError(ValueError):
    """The body is not what its Content-Encoding says, or it grows beyond the cap."""


class _Stream(Protocol):
    eof: Any
    unused_data: Any

    def decompress(self, data: bytes, /) -> bytes: ...


def undoable(content_encoding: bytes | None) -> str:
    """The coding to undo, or an empty string when there is none or it is not ours to undo."""
    coding = (content_encoding or b"").strip().lower().decode("latin-1")
    return {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate", "zstd": "zstd"}.get(coding, "")


class Decoder:
    """Undoes one coding, piece by piece. A body that was cut short decodes as far as it goes, and is not `whole`.

    `feed` raises CodingError when the bytes are not in that coding, or when the body comes to more than `most` bytes.
    """

    def __init__(self, coding: str, *, most: int = MOST_DECODED) -> None:
        self._coding = coding
        self._room = most
        self._parts = 0
        self._stream: _Stream | None = None

    @property
    def whole(self) -> bool:
        """Whether what was fed ended where the coding says it ends."""
        return self._stream is None and self._parts > 0

    def feed(self, data: bytes) -> bytes:
        out: list[bytes] = []
        at = 0
        try:
            while at < len(data):
                stream = self._stream = self._stream or self._begin(data[at : at + 2])
                fed = data[at : at + _SLICE]
                at += len(fed)
                decoded = stream.decompress(fed)
                self._room -= len(decoded)
                if self._room < 0:
                    raise CodingError(f"the {self._coding} body comes to more than is kept")
                out.append(decoded)
                if stream.eof:
                    at -= len(stream.unused_data)
                    self._stream = None
        except (zlib.error, zstandard.ZstdError, EOFError) as error:
            raise CodingError(f"the body is not {self._coding}: {error}") from None
        return b"".join(out)

    def _begin(self, first: bytes) -> _Stream:
        self._parts += 1
        if self._parts > (1 if self._coding == "deflate" else MOST_PARTS):
            raise CodingError(f"something follows the {self._coding} body")
        if self._coding == "zstd":
            return zstandard.ZstdDecompressor(max_window_size=8 << 20).decompressobj()
        if self._coding == "gzip":
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        # Some servers send raw deflate under this name; a zlib stream begins with 0x?8 and a multiple of 31.
        wrapped = len(first) < 2 or (first[0] & 0x0F == 8 and int.from_bytes(first, "big") % 31 == 0)
        return zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
