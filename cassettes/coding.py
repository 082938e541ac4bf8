"""Content codings: a body that came compressed is stored as what it says (RFC 9110 section 8.4).

gzip, deflate, br and zstd are undone, one at a time. Any other body stays as it came, with its header, and replays that way.
What may be undone has one measure for all that record, replay and import, since a request's key is made from the result.
Of files, not of bodies, xz and bzip2 are undone in the same measure.
"""

import bz2
import lzma
import zlib
from collections.abc import Iterator
from typing import Any, Protocol

import zstandard

MOST_DECODED = 256 << 20
"""A body of more bytes than this, in either form, stays as it came: what is small on the wire must not fill the disk."""
MOST_RATIO = 200
"""So does one that comes to more than this many times its length on the wire. JSON hardly comes to thirty times."""
FREE = 1 << 20
"""Bytes that may come out before the ratio counts."""
MOST_PARTS = 1000
"""gzip members (RFC 1952 section 2.2) or zstd frames (RFC 8878 section 3) that may stand on end as one body."""

_SLICE = {"gzip": 1024, "deflate": 1024, "zstd": 128, "br": 1024, "xz": 1024, "bz2": 128}
"""Bytes fed to a coding at a time. What comes of them at most is 1 MiB of deflate and 4 MiB of zstd, whose blocks of 128 KiB
take four bytes each; zstandard cannot be told how much to give at most. Of br, xz and bzip2 it is asked for _AT_ONCE at a
time. The ratio is looked at at multiples of this length, so that how a body is cut into pieces does not decide on it."""
_AT_ONCE = 1 << 20
_XZ_ROOM = 80 << 20
"""Bytes that a file of xz may ask for: what its highest preset needs."""


class CodingError(ValueError):
    """The body is not what its Content-Encoding says, or more than may be undone."""


class _Stream(Protocol):
    eof: Any
    unused_data: Any

    def decompress(self, data: bytes, /) -> bytes: ...


def undoable(content_encoding: bytes | None) -> str:
    """The coding to undo, or an empty string when there is none or it is not ours to undo."""
    coding = (content_encoding or b"").strip().lower().decode("latin-1")
    return {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate", "zstd": "zstd", "br": "br"}.get(coding, "")


class Decoder:
    """Undoes one coding, piece by piece. A body that was cut short decodes as far as it goes, and is not `whole`.

    `slices` and `feed` raise CodingError when the bytes are not in that coding, or when there are more than `most` bytes of
    the body, in either form, or MOST_RATIO is exceeded. How the body is cut into pieces does not count.
    """

    def __init__(self, coding: str, *, most: int = MOST_DECODED) -> None:
        self._coding = coding
        self._most = most
        self._taken = 0
        self._given = 0
        self._parts = 0
        self._stream: _Stream | None = None
        self._held = b""

    @property
    def whole(self) -> bool:
        """Whether what was fed ended where the coding says it ends."""
        return self._stream is None and self._parts > 0

    def feed(self, data: bytes) -> bytes:
        """What `data` comes to, all at once. For bodies of any size, see `slices`."""
        return b"".join(self.slices(data))

    def slices(self, data: bytes) -> Iterator[bytes]:
        """What `data` comes to, a few MiB at a time. To be read to its end before the next piece is fed."""
        if self._held:
            data, self._held = self._held + data, b""
        if self._parts == 0 and len(data) == 1 and self._coding == "deflate":
            self._held = data  # the second byte tells what this one is
            return
        step = _SLICE[self._coding]
        at = 0
        while at < len(data):
            stream = self._stream
            if stream is None:
                stream = self._stream = self._begin(data[at : at + 2])
            fed = data[at : at + step - self._taken % step]
            decoded = self._undone(stream, fed)
            while isinstance(stream, _Brotli | _Bounded) and stream.more:
                self._count(0, len(decoded), self._taken + len(fed) + -(self._taken + len(fed)) % step)
                yield decoded
                decoded = self._undone(stream, b"")
            taken = len(fed)
            if stream.eof:
                taken -= len(stream.unused_data)
                self._stream = None
            at += taken
            self._count(taken, len(decoded), self._taken + taken)
            if decoded:
                yield decoded

    def _undone(self, stream: _Stream, data: bytes) -> bytes:
        try:
            return stream.decompress(data)
        except (zlib.error, zstandard.ZstdError, lzma.LZMAError, OSError, EOFError) as error:  # of bzip2, an OSError
            raise CodingError(f"the body is not {self._coding}: {error}") from None

    def _count(self, taken: int, given: int, length: int) -> None:
        """Add up what was taken and given. `length`: bytes on the wire that count for the ratio, at a multiple of a slice."""
        self._taken += taken
        self._given += given
        if self._taken > self._most or self._given > self._most:
            raise CodingError(f"the {self._coding} body comes to more than is kept")
        if length % _SLICE[self._coding] == 0 and self._given > FREE + MOST_RATIO * length:
            raise CodingError(f"the {self._coding} body comes to more than is kept for its length")

    def _begin(self, first: bytes) -> _Stream:
        self._parts += 1
        if self._parts > (1 if self._coding in ("deflate", "br") else MOST_PARTS):
            raise CodingError(f"something follows the {self._coding} body")
        if self._coding == "zstd":
            return zstandard.ZstdDecompressor(max_window_size=8 << 20).decompressobj()
        if self._coding == "br":
            return _Brotli()
        if self._coding == "xz":
            return _Bounded(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_ROOM))
        if self._coding == "bz2":
            return _Bounded(bz2.BZ2Decompressor())
        if self._coding == "gzip":
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        # Some servers send raw deflate under this name; a zlib stream begins with 0x?8 and a multiple of 31.
        wrapped = len(first) < 2 or (first[0] & 0x0F == 8 and int.from_bytes(first, "big") % 31 == 0)
        return zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)


class _Bounded:
    """A stream of xz or bzip2, whose blocks come to more than may be had at once. `more` as for br."""

    def __init__(self, stream: "bz2.BZ2Decompressor | lzma.LZMADecompressor") -> None:
        self._stream = stream
        self.more = False

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, /) -> bytes:
        decoded = self._stream.decompress(data, _AT_ONCE)
        self.more = not (self._stream.eof or self._stream.needs_input)
        return decoded


class _Brotli:
    """A stream of br. What one piece comes to may have to be asked for again and again: `more`, with nothing fed."""

    unused_data = b""

    def __init__(self) -> None:
        self._stream, self._error = _brotli()
        self.more = False

    @property
    def eof(self) -> bool:
        return not self.more and self._stream.is_finished()

    def decompress(self, data: bytes, /) -> bytes:
        try:
            decoded = self._stream.process(data, output_buffer_limit=_AT_ONCE)
        except self._error:  # other text behind its end is an error too
            raise CodingError("the body is not br, or something follows it") from None
        self.more = len(decoded) >= _AT_ONCE
        return decoded


def _brotli() -> tuple[Any, type[Exception]]:
    """A decompressor and its error, of the package that aiohttp takes too. It is loaded for such a body only."""
    try:
        import brotlicffi as brotli  # pyright: ignore[reportMissingImports]
    except ImportError:
        import brotli
    return brotli.Decompressor(), brotli.error
