"""Reads a cassette: rows from the index, or from a scan where there is no good index, and interactions one by one.

A sealed cassette opens in constant time. One without a seal, or whose index does not hold what it should, is scanned; what is
read is the same. Records that are not whole are never returned: damage raises, a torn tail is left out and counted.
"""

from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import Any, Self, TypeVar

from .catalogue import Catalogue
from .ending import Ending, ending_of, warning_of
from .errors import CassetteError, DamagedCassetteError
from .format import (
    ANCILLARY,
    FILE_HEADER_SIZE,
    FRAME_HEADER_SIZE,
    MAX_CHAIN_READ,
    REPAIR,
    FrameHeader,
    RecordType,
    Seal,
)
from .index import IndexView
from .interaction import BlobRef, Body, Interaction
from .pages import IndexDamaged
from .records import decode_bodies, decode_interaction, decode_meta, digest_of
from .scan import Contents, Gap, Scan
from .scopes import scope_hash
from .source import Source
from .summary import LAYOUT, Row

T = TypeVar("T")


class Reader:
    """An open cassette. Use it from one thread; body pieces are read through it, so it outlives what it returned.

    `format`: the version of the file, (major, minor). `sealed`: the file was closed cleanly, and its end is the end of the
    recording. `dropped_bytes`: what stands after the last whole record. `rebuilt`: why the index was not used, empty where it
    was or where there is none. `ending`: how the file ends. `warning`: what to tell the user where that is not with a seal, and
    on a second, indented line what to do about it.

    With `salvage`, also `gaps`: the places that are damaged; `faults`: what else is not as it was written; and `bad_indexes`:
    where an index is that is damaged, though nothing of the recording is.
    """

    def __init__(self, source: Source, *, salvage: bool = False) -> None:
        """Not to be called: see `open`."""
        self.path = Path(source.name)
        self.file_id = source.header.file_id
        self.created_us = source.header.created_us
        self.format = source.header.major, source.header.minor
        self.dropped_bytes = 0
        self.rebuilt = ""
        self.ending = Ending.SEALED
        self.gaps: list[Gap] = []
        self.faults: list[str] = []
        self.bad_indexes: list[int] = []
        self._source = source
        self._salvage = salvage
        self._segments: Sequence[IndexView | Catalogue] = []
        self._scanned = False
        self._closed = False
        self._ancillary: list[int] | None = None
        seal = source.last_seal()
        self.sealed = seal is not None
        if seal is None or salvage or not (seal.index_length or seal.previous_seal):
            self._scan()
        else:
            try:
                self._segments = self._follow(seal)
            except IndexDamaged as error:
                self._rebuild(error)
        self.meta = self._read_meta()

    @classmethod
    def open(cls, path: Path | str, *, salvage: bool = False, at: int | None = None) -> Self:
        """Open the cassette at `path`; with `at`, the file of its name in that open folder, following no link.

        Raises CassetteError for what is no cassette, cannot be read or is newer; DamagedCassetteError for damage before the
        end. With `salvage`, damage is passed over and listed in `gaps`: for repair only.
        """
        source = Source.open(Path(path), at=at)
        try:
            return cls(source, salvage=salvage)
        except BaseException:
            source.close()
            raise

    def __len__(self) -> int:
        """The number of interactions."""
        return sum(segment.rows for segment in self._segments)

    @property
    def warning(self) -> str:
        return warning_of(self.path, self.ending, len(self), self.dropped_bytes)

    def rows(self) -> Iterator[Row]:
        """All rows in order of arrival."""
        given = 0
        try:
            for row in self._in_order(0):
                given += 1
                yield row
        except IndexDamaged as error:
            self._rebuild(error)
            yield from self._in_order(given)

    def rows_by_scope(self) -> Iterator[Row]:
        """All rows, those of one scope together and in order of arrival; the scopes in no order that means anything."""
        given = 0
        try:
            for row in self._by_scope(0):
                given += 1
                yield row
        except IndexDamaged as error:
            self._rebuild(error)
            yield from self._by_scope(given)

    def rows_of_scope(self, name: str) -> list[Row]:
        """The rows of the scope with this name, in order of arrival."""
        return self.rows_of_scope_hash(scope_hash(name))

    def rows_of_scope_hash(self, scope: int) -> list[Row]:
        """The rows of the scope with this number, in order of arrival."""
        return self._ask(lambda: self._joined([segment.of_scope(scope) for segment in self._segments]))

    def rows_of_key(self, key: int) -> list[Row]:
        """The rows with this key, in order of arrival."""
        return self._ask(lambda: self._joined([segment.of_key(key) for segment in self._segments]))

    def scopes(self) -> list[str]:
        """The names of the scopes, in order of their first arrival."""
        return self._ask(self._scopes)

    def scope_name(self, scope: int) -> str:
        """The name of the scope with this number; empty if there is none."""
        return self._ask(lambda: self._name(scope))

    def interaction(self, row: Row) -> Interaction:
        """The interaction of a row of this reader; its bodies are read when they are asked for.

        Raises DamagedCassetteError if it is not there as the row says.
        """
        found = self._interaction_at(row)
        if found is None:
            self._rebuild(IndexDamaged(f"there is no such interaction at byte {row.offset:,}"))
            for again in self.rows_of_key(row.summary.key):
                if again.summary == row.summary:
                    found = self._interaction_at(again)
                    break
        if found is None:
            raise DamagedCassetteError(f"{self.path}: interaction {row.summary.arrival:,} is not whole", REPAIR)
        return found

    def bodies(self, row: Row) -> tuple[Body, ...]:
        """The bodies of a row's request and answer, where nothing else of it is asked for. Raises as `interaction` does."""
        record = self._source.record(row.offset, RecordType.INTERACTION)
        if record is not None and LAYOUT.unpack(record[0]) == row.summary:
            try:
                return decode_bodies(record[1], self.load)
            except CassetteError as error:
                raise self._named(error, row) from error
        found = self.interaction(row)
        return (found.request.body, *([found.response.body] if found.response is not None else []))

    def load(self, ref: BlobRef) -> bytes:
        """The bytes of a body piece. Raises CassetteError if it is not there, or the reader is closed."""
        if self._closed:
            raise CassetteError(f"{self.path} was closed before this body was read")
        data = self._blob(ref)
        if data is None and not self._scanned:
            self._rebuild(IndexDamaged("it lacks a body piece"))
            data = self._blob(ref)
        if data is None:
            raise DamagedCassetteError(f"{self.path} lacks a body piece of {ref.length:,} bytes", REPAIR)
        return data

    def ancillary(self) -> Iterator[tuple[FrameHeader, bytes]]:
        """The records that only a newer version knows and any may skip, in the order of the file: header and payload.

        The first call reads the file from end to end, since no index lists them.
        """
        if self._ancillary is None:
            places = Scan(self._source).places()
            self._ancillary = [offset for offset, kind, _ in places if kind >= ANCILLARY]
        for offset in self._ancillary:
            header = self._source.frame_header(offset)
            if header is not None:
                start = offset + FRAME_HEADER_SIZE
                yield header, bytes(self._source.view[start : start + header.stored_len])

    def close(self) -> None:
        """Let go of the file. Body pieces that were not read yet cannot be read any more."""
        self._segments = []
        self._closed = True
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _follow(self, seal: Seal) -> list[IndexView]:
        """The indexes that the chain of seals names, oldest first."""
        source = self._source
        interactions, segments, before = seal.interactions, [], source.size
        for _ in range(MAX_CHAIN_READ):
            frame = source.frame(seal.index_offset, RecordType.INDEX) if seal.index_length else None
            if frame is None or frame.end != seal.seal_offset or seal.seal_offset >= before:
                raise IndexDamaged("it is missing")
            segments.append(IndexView(*source.section(frame.payload_offset, frame.end)))
            if not seal.previous_seal:
                break
            before = seal.seal_offset
            earlier = source.seal_at(seal.previous_seal)
            if earlier is None:
                raise IndexDamaged("its earlier part is missing")
            seal = earlier
        else:
            raise IndexDamaged("it is in too many parts")
        if sum(segment.rows for segment in segments) != interactions:
            raise IndexDamaged("it does not list all interactions")
        return segments[::-1]

    def _rebuild(self, error: IndexDamaged) -> None:
        """Do without the index: scan instead, once. A row iterator that was begun before may come here a second time."""
        if not self._scanned:
            self.rebuilt = str(error)
            self._scan()

    def _scan(self) -> None:
        contents = Contents(self._source)
        found = contents.scan
        if self._salvage:
            self.gaps, self.faults = found.gaps, found.faults
            points = (point for point in contents.seals if not point.index_intact)
            self.bad_indexes = [point.seal.index_offset for point in points if point.seal.index_length]
        else:
            contents.check()
        self.ending = ending_of(self._source, found)
        self._scanned = True
        self.dropped_bytes = found.dropped
        self._segments = [Catalogue(contents)]

    def _ask(self, question: Callable[[], T]) -> T:
        """The answer of the index, or else of a scan."""
        try:
            return question()
        except IndexDamaged as error:
            self._rebuild(error)
            return question()

    def _in_order(self, skip: int) -> Iterator[Row]:
        if len(self._segments) == 1:
            return self._segments[0].in_order(skip)
        rows = merge(*(segment.in_order() for segment in self._segments), key=lambda row: row.summary.arrival)
        for _ in range(skip):
            next(rows)
        return rows

    def _by_scope(self, skip: int) -> Iterator[Row]:
        segments = (segment.by_scope() for segment in self._segments)
        return islice(merge(*segments, key=lambda row: (row.summary.scope, row.summary.arrival)), skip, None)

    def _joined(self, found: list[list[Row]]) -> list[Row]:
        return list(merge(*found, key=lambda row: row.summary.arrival)) if len(found) > 1 else found[0]

    def _scopes(self) -> list[str]:
        first: dict[str, int] = {}
        for segment in self._segments:
            for arrival, name in segment.entries():
                first[name] = min(arrival, first.get(name, arrival))
        return sorted(first, key=first.__getitem__)

    def _name(self, scope: int) -> str:
        for segment in self._segments:
            if (name := segment.name(scope)) is not None:
                return name
        return ""

    def _interaction_at(self, row: Row) -> Interaction | None:
        record = self._source.record(row.offset, RecordType.INTERACTION)
        if record is None or LAYOUT.unpack(record[0]) != row.summary:
            return None
        try:
            return decode_interaction(record[1], row.summary, self.load)
        except CassetteError as error:
            raise self._named(error, row) from error

    def _named(self, error: CassetteError, row: Row) -> CassetteError:
        """The same error, saying in which file and call it is."""
        return type(error)(f"{self.path}, interaction {row.summary.arrival:,}: {error.message}", error.hint)

    def _blob(self, ref: BlobRef) -> bytes | None:
        def find() -> int | None:
            for segment in self._segments:
                if (offset := segment.blob(ref.digest)) is not None:
                    return offset
            return None

        data = self._source.neighbour(ref.digest)
        if data is not None and len(data) == ref.length and digest_of(data) == ref.digest:
            return data
        offset = self._ask(find)
        record = None if offset is None else self._source.record(offset, RecordType.BLOB)
        if record is None:
            return None
        digest, data = record
        return data if digest == ref.digest and len(data) == ref.length and digest_of(data) == digest else None

    def _read_meta(self) -> dict[str, Any]:
        frame = self._source.frame(FILE_HEADER_SIZE, RecordType.META)
        if frame is None:
            if self._salvage:
                return {}
            raise DamagedCassetteError(f"the first record of {self.path} is damaged", REPAIR)
        try:
            return decode_meta(self._source.content(frame)[1])
        except CassetteError as error:
            if self._salvage:
                return {}
            raise DamagedCassetteError(
                f"the first record of {self.path} is damaged: {error.message}", REPAIR
            ) from error
