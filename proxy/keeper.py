"""The copy of a body that a recording keeps while the body itself goes by.

Up to 1 MiB stays in memory and is decoded and redacted as a whole at the end. A larger body is decoded, scrubbed of the
values known to be secret, and written to the cassette a piece at a time, so that memory stays bounded at any size.
"""

from collections.abc import Callable
from typing import NamedTuple

from ..cassettes.coding import CodingError, Decoder
from ..cassettes.interaction import BlobRef, Body
from ..cassettes.scrubber import Scrubber
from ..cassettes.writer import Writer

IN_MEMORY = 1 << 20
PIECE = 1 << 20


class Kept(NamedTuple):
    """`coding` is what was undone (empty: nothing was). `lengths` are the decoded lengths of the pieces as they came."""

    body: Body
    coding: str
    lengths: list[int]
    spooled: bool


class BodyKeeper:
    """Takes a body piece by piece (`feed`), gives it back as a `Body` (`finish`).

    `observe` sees each piece of a large body as it is written, decoded and scrubbed: key and answer digests are made
    from it. It is not called for a body that stayed in memory.
    """

    def __init__(
        self, writer: Writer, coding: str, *, secrets: tuple[bytes, ...], begin: Callable[[], Callable[[bytes], None]]
    ) -> None:
        self._writer = writer
        self._coding = coding
        self._secrets = secrets
        self._begin = begin
        self._pieces: list[bytes] = []
        self._size = 0
        self._spool: _Spool | None = None

    @property
    def size(self) -> int:
        """Bytes fed so far."""
        return self._size

    def feed(self, data: bytes) -> None:
        self._size += len(data)
        if self._spool is not None:
            self._spool.feed(data)
            return
        self._pieces.append(data)
        if self._size > IN_MEMORY:
            self._spool = _Spool(self._writer, self._coding, self._secrets, self._begin())
            for piece in self._pieces:
                self._spool.feed(piece)
            self._pieces.clear()

    def raw(self) -> bytes:
        """What was fed, as it came, while it is in memory; nothing once it is spooled."""
        return b"".join(self._pieces)

    def finish(self) -> Kept:
        if self._spool is not None:
            return self._spool.finish()
        pieces, coding = self._pieces, self._coding
        if coding:
            try:
                decoder = Decoder(coding)
                pieces = [decoder.feed(piece) for piece in pieces]
            except CodingError:
                coding = ""  # it is not what its header says: it stays as it came, header and all
                pieces = self._pieces
        return Kept(Body.of(b"".join(pieces)), coding, [len(piece) for piece in pieces], spooled=False)


class _Spool:
    """A large body on its way into the cassette."""

    def __init__(
        self, writer: Writer, coding: str, secrets: tuple[bytes, ...], observe: Callable[[bytes], None]
    ) -> None:
        self._writer = writer
        self._coding = coding
        self._decoder = Decoder(coding, most=1 << 40) if coding else None
        self._scrubber = Scrubber(secrets)
        self._observe = observe
        self._buffer = bytearray()
        self._refs: list[bytes | BlobRef] = []
        self._lengths: list[int] = []

    def feed(self, data: bytes) -> None:
        if self._decoder is not None:
            try:
                data = self._decoder.feed(data)
            except CodingError:
                # The start was that coding and is written already; what follows is kept as it came.
                self._decoder = None
        data = self._scrubber.feed(data)
        self._lengths.append(len(data))
        self._take(data)

    def _take(self, data: bytes) -> None:
        self._observe(data)
        self._buffer += data
        while len(self._buffer) >= PIECE:
            self._refs.append(self._writer.put(bytes(self._buffer[:PIECE])))
            del self._buffer[:PIECE]

    def finish(self) -> Kept:
        held = self._scrubber.finish()
        self._lengths.append(len(held))
        self._take(held)
        if self._buffer:
            self._refs.append(self._writer.put(bytes(self._buffer)))
        return Kept(Body(tuple(self._refs), self._writer.load), self._coding, self._lengths, spooled=True)
