"""A cassette read from end to end, every checksum verified, without decoding what the records say.

Three things can be wrong with a file, and the scan tells them apart:

- a torn tail: the last record is not whole and nothing valid follows. So ends a recording that was killed or is still
  being written; everything before is complete, and `dropped` says how many bytes are not.
- damage: something valid follows a bad place, or records are missing, or a seal disagrees with what stands before it.
  `gaps` and `faults` say where; `check` raises.
- a bad INDEX, which is no loss: it can be made again.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .amounts import are, counted
from .errors import CassetteError, DamagedCassetteError
from .format import (
    CRC_RESIDUE,
    FILE_HEADER_SIZE,
    FRAME_HEADER,
    FRAME_HEADER_SIZE,
    MAX_CHAIN,
    PREFIX,
    REPAIR,
    SEAL_SIZE,
    FrameHeader,
    RecordType,
    Seal,
    lengths_allowed,
    refuse_newer,
)
from .index import column
from .packs import calls_in
from .records import scope_name
from .source import Frame, Source
from .stretches import Stretch

_MARKS_TRIED = 1 << 14
"""False frame marks that the searches for a next valid frame look at in all, before the scan gives up."""
_NAMES_FREE = 16 << 20
_INTERACTION, _BLOB, _INDEX, _SEAL, _PACK = (
    int(kind) for kind in (RecordType.INTERACTION, RecordType.BLOB, RecordType.INDEX, RecordType.SEAL, RecordType.PACK)
)


class Gap(NamedTuple):
    """A stretch of the file that is not whole: where, how many bytes, and how many records stood there."""

    offset: int
    length: int
    records: int


class SealPoint(NamedTuple):
    """A seal that the scan passed: where it is, what it says, whether its index is intact, and what stood before it."""

    offset: int
    seal: Seal
    index_intact: bool
    rows: int
    blobs: int

    @property
    def end(self) -> int:
        return self.offset + SEAL_SIZE


class Scan:
    """One pass over a file. The attributes are final once `frames` is exhausted.

    `end` is the offset after the last whole record, `dropped` the bytes after it, `records` the number that the next record
    would get, and `chain` the running CRC-32 over the frame headers (`format.link`).
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.gaps: list[Gap] = []
        self.faults: list[str] = []
        self.end = FILE_HEADER_SIZE
        self.records = 0
        self.chain = 0
        self.interactions = 0
        self.index_intact = False
        """Whether the INDEX that was passed last, and since the last seal, is as it was written."""
        self._sealed_before = 0  # interactions, by the last seal's count: lost ones included
        self._passed_before = 0  # interactions, as seen here, up to that seal
        self._tried = 0
        self._reread = 0

    @property
    def dropped(self) -> int:
        return self.source.size - self.end

    def frames(self) -> Iterator[Frame]:
        """Yield each whole record in file order. Raises CassetteError at one that only a newer respool understands."""
        for offset, _, _ in self.places():
            header = self.source.frame_header(offset)
            if header is not None:
                yield Frame(offset, header)

    def places(self) -> Iterator[tuple[int, int, int]]:
        """Like `frames`, as plain (offset, type, end)."""
        for stretch in self.stretches():
            at = stretch.offset
            for start, end, kind in zip(stretch.starts, stretch.ends, stretch.kinds, strict=True):
                yield at + start, kind, at + end

    def stretches(self) -> Iterator[Stretch]:
        """Like `frames`, many at once where they are plain: what a million records go through."""
        source, data, size, marker = self.source, self.source.map, self.source.size, self.source.marker
        crc32, unpack, head = zlib.crc32, FRAME_HEADER.unpack, FRAME_HEADER_SIZE
        offset, records, chain, calls = FILE_HEADER_SIZE, 0, 0, 0
        unbroken = True
        strides = source.strides()
        while offset < size:
            stretch = strides.stretch(offset, records)
            if stretch is not None:
                chain = stretch.chain(chain)
                records += len(stretch.starts)
                calls += stretch.calls
                offset = self.end = stretch.end
                yield stretch
                continue
            start = end = offset + head
            header = data[offset:start]
            mark, kind, seq = b"", 0, -1
            if crc32(header) == CRC_RESIDUE and start <= size:
                mark, kind, codec, flags, seq, stored_len, raw_len, payload_crc, _ = unpack(header)
                end = start + stored_len
                if mark != marker or end > size or not lengths_allowed(kind, codec, stored_len, raw_len):
                    seq = -1
                if seq >= 0 and crc32(data[start:end]) != payload_crc:
                    if kind == _INDEX:
                        self.index_intact = False
                    else:
                        seq = -1
                elif kind == _INDEX:
                    self.index_intact = True
                if seq >= records and (kind > _SEAL or codec > 1 or flags):
                    refuse_newer(
                        FrameHeader(kind, codec, flags, seq, stored_len, raw_len, payload_crc), offset, source.name
                    )
            if seq != records:
                found = (offset, seq) if seq > records else self._next_valid(offset, records)
                if found is None:
                    break
                self.gaps.append(Gap(offset, found[0] - offset, found[1] - records))
                unbroken = False
                if found[0] != offset:
                    offset, records = found
                    self.index_intact = False
                    continue
                records = seq
            if kind == _INTERACTION:
                calls += 1
            elif kind == _PACK:
                calls += self._calls_in(source.view[start:end], offset)
            elif kind == _SEAL:
                self.interactions = calls
                seal = Seal.unpack(data[start:end])
                chain, unbroken = self._compare(seal, offset, records, chain, unbroken), True
            chain = crc32(header[:-4], chain)  # what `link` does
            records += 1
            yield Stretch(offset, b"", (0,), (end - offset,), (kind,), b"")
            offset = self.end = end
            if kind == _SEAL:
                self.index_intact = False
        self.records, self.chain, self.interactions = records, chain, calls

    def check(self) -> None:
        """Raise DamagedCassetteError, saying what was lost, if the file is damaged; a torn tail is no damage."""
        if not self.gaps and not self.faults:
            return
        name = self.source.name
        if self.gaps:
            lost, size = sum(gap.records for gap in self.gaps), sum(gap.length for gap in self.gaps)
            places = "1 place" if len(self.gaps) == 1 else f"{len(self.gaps):,} places"
            whole = f"{counted(self.interactions, 'call')} {are(self.interactions)} whole"
            message = (
                f"{name} is damaged in {places}, first at byte {self.gaps[0].offset:,}: {counted(lost, 'record')} lost "
                f"in {counted(size, 'byte')}; {whole}"
            )
        else:
            message = f"{name} is damaged: {self.faults[0]}"
        raise DamagedCassetteError(message, REPAIR)

    def _compare(self, seal: Seal, offset: int, records: int, chain: int, unbroken: bool) -> int:
        """Hold a seal against what stands before it; returns the chain to go on with."""
        if self.gaps and self.gaps[-1] == (seal.index_offset, offset - seal.index_offset, 1):
            self.gaps.pop()  # all that was lost is an index
        counted = self._sealed_before + self.interactions - self._passed_before
        if seal.seal_offset != offset or seal.records != records:
            self.faults.append(f"the seal at byte {offset:,} was not written there")
        elif unbroken and (seal.chain, seal.interactions) != (chain, counted):
            self.faults.append(f"the records before byte {offset:,} are not those that were sealed")
        self._sealed_before, self._passed_before = seal.interactions, self.interactions
        return seal.chain

    def _calls_in(self, payload: memoryview, offset: int) -> int:
        try:
            return calls_in(payload)
        except CassetteError as error:
            self.faults.append(f"at byte {offset:,}, {error.message}")
            return 0

    def _next_valid(self, offset: int, records: int) -> tuple[int, int] | None:
        """The first intact record of this file after `offset` whose number is still to come: its offset and number."""
        source, at = self.source, offset + 1
        while (at := source.map.find(source.marker, at)) >= 0:
            header = source.frame_header(at)
            if header is not None and header.seq >= records:
                start = at + FRAME_HEADER_SIZE
                self._reread += header.stored_len
                if header.type == _INDEX or (
                    zlib.crc32(source.view[start : start + header.stored_len]) == header.payload_crc
                ):
                    return at, header.seq
            self._tried += 1
            if self._tried > _MARKS_TRIED or self._reread > 4 * source.size:
                self.faults.append(f"too many false records after byte {offset:,}")
                return None
            at += 1
        return None


class Contents:
    """What a scan of a whole file found, in packed form: 64 bytes an interaction and 24 a blob, as the index has them."""

    def __init__(self, source: Source) -> None:
        self.scan = scan = Scan(source)
        self.rows = bytearray()
        self.blobs = bytearray()
        self._names: dict[int, str] | None = None
        self.seals: list[SealPoint] = []
        for stretch in scan.stretches():
            if stretch.data:
                self._list(stretch)
                continue
            offset, kind = stretch.offset, stretch.kinds[0]
            if kind in (_INTERACTION, _BLOB):
                start = offset + FRAME_HEADER_SIZE
                listed = self.rows if kind == _INTERACTION else self.blobs
                listed += source.map[start : start + PREFIX[kind]] + offset.to_bytes(8, "little")
            elif kind == _PACK:
                self._open(offset)
            elif kind == _SEAL:
                seal = Seal.unpack(source.view[offset + FRAME_HEADER_SIZE : stretch.end])
                intact = scan.index_intact and seal.index_length > 0
                self.seals.append(SealPoint(offset, seal, intact, len(self.rows) // 64, len(self.blobs) // 24))

    def _list(self, stretch: Stretch) -> None:
        self.rows += stretch.listed(RecordType.INTERACTION)
        self.blobs += stretch.listed(RecordType.BLOB)

    def _open(self, offset: int) -> None:
        """List what the pack at `offset` holds."""
        try:
            rows, blobs = self.scan.source.listed(offset)
        except CassetteError as error:
            self.scan.faults.append(error.message)
            return
        self.rows += rows
        self.blobs += blobs

    def names(self) -> dict[int, str]:
        """The name of each scope, by its number: from its first interaction; if that has none to tell, from its next.

        Read when they are first asked for. Raises CassetteError for names that come to much more than the file.
        """
        if self._names is None:
            source, names = self.scan.source, dict[int, str]()
            room = 4 * source.size + _NAMES_FREE  # names can be compressed, and are held as they are
            for scope, place in zip(column(self.rows, 1), column(self.rows, 7), strict=True):
                if scope in names:
                    continue
                try:
                    record = source.record(place, RecordType.INTERACTION)
                    name = None if record is None else scope_name(record[1])
                except CassetteError:
                    continue  # said when this interaction is asked for
                if name is not None:
                    names[scope] = name
                    room -= len(name)
                    if room < 0:
                        raise CassetteError(f"{source.name} has names of scopes that come to much more than the file")
            self._names = names
        return self._names

    def check(self) -> None:
        """Raise DamagedCassetteError if anything is missing but a torn tail: the META record, too."""
        self.scan.check()
        source = self.scan.source
        if source.frame(FILE_HEADER_SIZE, RecordType.META) is None:
            name = source.name
            raise DamagedCassetteError(f"{name} ends inside its first record, or lost it: nothing in it is whole")

    def chain_length(self) -> int:
        """Segments that the last seal's chain of indexes has; MAX_CHAIN if a link is not whole, as if it were full."""
        by_offset = {point.offset: point for point in self.seals}
        length, at = 0, self.seals[-1].offset if self.seals else 0
        while at and length < MAX_CHAIN:
            point = by_offset.get(at)
            if point is None or not point.index_intact or point.seal.previous_seal >= at:
                return MAX_CHAIN
            length, at = length + 1, point.seal.previous_seal
        return length

    def last_arrival(self) -> int:
        """The greatest arrival, -1 where there is no interaction."""
        return max(column(self.rows, 3), default=-1)


def scan(path: Path | str) -> Iterator[Frame]:
    """Yield each whole record of the cassette at `path`, in file order.

    Raises CassetteError if it cannot be opened or is newer, and, at the end, DamagedCassetteError if records were lost in the
    middle. A torn tail ends the iteration without an error.
    """
    source = Source.open(Path(path))
    try:
        whole = Scan(source)
        yield from whole.frames()
        whole.check()
    finally:
        source.close()
