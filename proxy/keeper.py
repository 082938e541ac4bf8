"""The copy of a body that a recording keeps while the body itself goes by.

Up to 1 MiB stays in memory and is decoded and redacted as a whole at the end. A larger body is decoded, scrubbed of the
values known to be secret and of what the rules find, and written to the cassette a piece at a time, so that memory stays bounded
at any size. A body that is not what its Content-Encoding says, up to its last byte, is kept as it came.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from ..cassettes.coding import CodingError, Decoder
from ..cassettes.interaction import BlobRef, Body
from ..cassettes.scrubber import Scrubber
from ..cassettes.secrets.cleaning import DEFAULT, Cleaning, Sweeper

IN_MEMORY = 1 << 20
IN_MEMORY_DECODED = 16 << 20
"""Bytes that such a body may come to when it is decoded; what comes to more is written a piece at a time too."""
PIECE = 1 << 20


class Store(Protocol):
    """Where the pieces of large bodies go: a cassette's writer, or memory."""

    def put(self, data: bytes | memoryview) -> BlobRef: ...

    def load(self, ref: BlobRef) -> bytes: ...


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
    `secrets` gives the values to scrub, and is asked when a body turns out to be large.
    `begin` makes an `observe`; it is called again, and the new one sees the body from its start, when decoding fails.
    """

    def __init__(
        self,
        writer: Store,
        coding: str,
        *,
        secrets: Callable[[], tuple[bytes, ...]],
        begin: Callable[[], Callable[[bytes], None]],
        cleaning: Cleaning = DEFAULT,
    ) -> None:
        self._writer = writer
        self._coding = coding
        self._secrets = secrets
        self._cleaning = cleaning
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
            self._begin_spool()

    def _begin_spool(self) -> "_Spool":
        spool = self._spool = _Spool(self._writer, self._coding, self._secrets(), self._begin, self._cleaning)
        for piece in self._pieces:
            spool.feed(piece)
        self._pieces.clear()
        return spool

    def raw(self) -> bytes:
        """What was fed, as it came, while it is in memory; nothing once it is spooled."""
        return b"".join(self._pieces)

    def finish(self, *, cut: bool = False) -> Kept:
        """All that was fed. `cut`: the body broke off."""
        if self._spool is not None:
            return self._spool.finish(cut=cut)
        pieces, coding = self._pieces, self._coding if self._size else ""  # of no bytes, nothing was undone
        if coding:
            try:
                pieces = _decoded(coding, pieces)
            except CodingError:
                coding = ""  # it is not what its header says: it stays as it came, header and all
        if pieces is None:
            return self._begin_spool().finish(cut=cut)
        return Kept(Body.of(b"".join(pieces)), coding, [len(piece) for piece in pieces], spooled=False)


def _decoded(coding: str, pieces: list[bytes]) -> list[bytes] | None:
    """The pieces decoded, or None when they come to too much to hold. Raises CodingError."""
    decoder = Decoder(coding)
    whole: list[bytes] = []
    room = IN_MEMORY_DECODED
    for piece in pieces:
        slices: list[bytes] = []
        for part in decoder.slices(piece):
            room -= len(part)
            if room < 0:
                return None
            slices.append(part)
        whole.append(b"".join(slices))
    return whole


class _Spool:
    """A large body on its way into the cassette, in both forms while it is decoded: which one counts, its end tells.

    The pieces of the other form stay in the cassette without a name.
    """

    def __init__(
        self,
        writer: Store,
        coding: str,
        secrets: tuple[bytes, ...],
        begin: Callable[[], Callable[[bytes], None]],
        cleaning: Cleaning,
    ) -> None:
        self._writer = writer
        self._coding = coding
        self._begin = begin
        self._observe = begin()
        self._as_it_came = _Form(writer, secrets, cleaning)
        self._decoder = Decoder(coding) if coding else None
        self._decoded = _Form(writer, secrets, cleaning) if coding else None

    def feed(self, data: bytes) -> None:
        kept = self._as_it_came.feed(data)
        self._as_it_came.mark()
        if self._decoder is None or self._decoded is None:
            self._observe(kept)
            return
        try:
            for piece in self._decoder.slices(data):
                self._observe(self._decoded.feed(piece))
        except CodingError:
            self._decoder = self._decoded = None
            self._coding = ""
            self._observe = self._begin()
            for piece in self._as_it_came.written():
                self._observe(piece)
        else:
            self._decoded.mark()

    def finish(self, *, cut: bool = False) -> Kept:
        form = self._decoded or self._as_it_came
        self._observe(form.finish(cut=cut))
        return Kept(Body(tuple(form.refs), self._writer.load), self._coding, form.lengths, spooled=True)


class _Form:
    """One form of a large body: scrubbed, and written 1 MiB at a time."""

    def __init__(self, writer: Store, secrets: tuple[bytes, ...], cleaning: Cleaning) -> None:
        self._writer = writer
        self._scrubber = Scrubber(secrets)
        self._sweeper = Sweeper(cleaning, secrets)
        self._buffer = bytearray()
        self.refs: list[BlobRef] = []
        self.lengths: list[int] = []
        self._since = 0

    def feed(self, data: bytes) -> bytes:
        """Take what comes next; returns what is written of it."""
        data = self._scrubber.feed(data)
        self._since += len(data)
        data = self._sweeper.feed(data)
        self._take(data)
        return data

    def mark(self) -> None:
        """What was fed since the last mark is a piece as it came."""
        self.lengths.append(self._since)
        self._since = 0

    def written(self) -> Iterator[bytes]:
        """What was written so far, from the start."""
        for ref in self.refs:
            yield self._writer.load(ref)
        yield bytes(self._buffer)

    def finish(self, *, cut: bool = False) -> bytes:
        """Write the rest, and return what of it `feed` did not."""
        held = self._scrubber.finish()
        self._since += len(held)
        held = self._sweeper.feed(held) + self._sweeper.finish(cut=cut)
        self._take(held)
        self.mark()
        self.lengths = _adjusted(self.lengths, self._sweeper.changes)
        if self._buffer:
            self.refs.append(self._writer.put(bytes(self._buffer)))
        return held

    def _take(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= PIECE:
            self.refs.append(self._writer.put(bytes(self._buffer[:PIECE])))
            del self._buffer[:PIECE]


def _adjusted(lengths: list[int], changes: list[tuple[int, int]]) -> list[int]:
    """The lengths of pieces after what was replaced in them: a place counts to the piece in which it ends."""
    adjusted: list[int] = []
    number = before = owed = 0
    for length in lengths:
        before += length
        owed += length
        while number < len(changes) and changes[number][0] <= before:
            owed += changes[number][1]
            number += 1
        adjusted.append(max(owed, 0))
        owed = min(owed, 0)
    return adjusted
