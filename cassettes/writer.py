"""Writes a cassette: append only, one `write()` an interaction, each body piece once.

A new recording grows in `PATH.partial` (0600) and gets its name when it is closed; an existing one is appended to in place.
What `append` returned for survives a crash of the process, what `close` or `sync` returned for a loss of power too.
"""

import os
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from .batch import Batch
from .draft import Draft
from .ending import ending_of, resumption_of
from .errors import CassetteError, DamagedCassetteError
from .failures import RecordingFailed, cut_back, not_synced, stopped
from .format import (
    FILE_HEADER_SIZE,
    MAJOR,
    MAX_CHAIN,
    MAX_INDEX,
    MINOR,
    Codec,
    FileHeader,
    FrameHeader,
    RecordType,
)
from .index import build_index, index_too_big
from .interaction import BlobRef, Interaction
from .packs import Dictionary
from .pieces import Pieces
from .records import encode_interaction, encode_meta
from .scan import Contents
from .scopes import scope_of
from .source import Source
from .storage import open_existing, set_aside, sync_folder, write_all
from .summary import Row, Summary

_MAX_ARRIVAL = 1 << 63


class Writer:
    """The one writer of a cassette. Make one with `create` or `append_to`; use it from one thread.

    `path` is the final name, `count` the interactions in the cassette, `bytes_written` what this writer added, `torn` where a
    torn tail was saved to, `warning` what to tell the user where `append_to` found no seal, `meta` the notes that open the file.
    `durable`: each `append` waits for the disk. As a context manager: closed on success; on an exception left as it is.
    """

    features = 0
    """Must-understand bits of the files that it creates."""
    indexed_from = 0  # interactions below which a file is sealed without an index

    def __init__(self, fd: int, path: Path, draft: Draft | None, file_id: bytes) -> None:
        """Not to be called: see `create` and `append_to`."""
        self.path, self.file_id = path, file_id
        self.meta: dict[str, Any] = {}
        self.count = self.bytes_written = 0
        self.torn: Path | None = None
        self.durable, self.warning = False, ""
        self._fd = fd
        self._draft = draft
        self._marker = file_id[:4]
        self._end = self._records = self._chain = self._previous_seal = 0
        self._last_arrival = self._last_stored = -1  # given out; stored
        self._rows = bytearray()
        self._pieces = Pieces(fd, str(path))
        self._names: dict[int, str] = {}
        self._sealed = False
        self._failure: RecordingFailed | None = None

    @classmethod
    def create(
        cls,
        path: Path | str,
        *,
        meta: Mapping[str, Any] | None = None,
        overwrite: bool = False,
        durable: bool = False,
        clock: Callable[[], float] = time.time,
        file_id: bytes | None = None,
        within: int | None = None,
    ) -> Self:
        """Start a new cassette in `PATH.partial`; `meta` is plain data that opens it. `within`: its folder's descriptor.

        Raises CassetteError if `path` or a leftover `.partial` is in the way (unless `overwrite`), or another writer at work.
        `clock` (Unix time in seconds) and `file_id` (16 bytes, random by default) are for reproducible files.
        """
        path = Path(path)
        notes = encode_meta(dict(meta or {}))
        file_id = os.urandom(16) if file_id is None else file_id
        header = FileHeader(MAJOR, MINOR, cls.features, 0, file_id, int(clock() * 1_000_000)).pack()
        fd, draft = Draft.begin(path, overwrite=overwrite, durable=durable, within=within)
        writer = cls(fd, path, draft, file_id)
        writer.durable, writer.meta = durable, dict(meta or {})
        batch = Batch(writer._marker, FILE_HEADER_SIZE, 0, 0)
        batch.add(RecordType.META, Codec.RAW, b"", notes, len(notes))
        batch.start = 0
        batch.buffer[0:0] = header
        try:
            writer._write(batch)
            if durable:
                writer.sync()
        except BaseException:  # an interrupt, too, comes before anything is recorded
            writer.discard()
            raise
        return writer

    @classmethod
    def append_to(
        cls, path: Path | str, *, create: bool = True, durable: bool = False, within: int | None = None
    ) -> Self:
        """Go on in an existing cassette, in place; with `create`, start a new one if there is none.

        The whole file is checked first. A torn tail is saved to `PATH.torn-N` and cut off; damage raises DamagedCassetteError.
        `within` as for `create`.
        """
        path = Path(path)
        if create and not os.path.lexists(path):
            return cls.create(path, durable=durable, within=within)
        fd = open_existing(path, within=within)
        try:
            with closing(Source(fd, str(path))) as source:
                contents = Contents(source)
                contents.check()
                writer = cls(fd, path, None, source.header.file_id)
                writer.durable, writer.meta = durable, source.notes()
                writer._resume(contents, source.dictionary())
                ending, dropped = ending_of(source, contents.scan), contents.scan.dropped
            if dropped:
                writer.torn = set_aside(fd, writer._end, path, within=within)
            writer.warning = resumption_of(path, ending, dropped, writer.torn)
            os.lseek(fd, writer._end, os.SEEK_SET)
            if durable:
                sync_folder(path.parent)
                writer.sync()
        except BaseException as error:
            os.close(fd)
            if isinstance(error, OSError):
                raise CassetteError(f"{path} cannot be appended to: {error.strerror}") from error
            raise
        return writer

    def next_arrival(self) -> int:
        """The number of the next request; each call gives another."""
        self._last_arrival += 1
        return self._last_arrival

    def put(self, data: bytes | memoryview) -> BlobRef:
        """Store one piece of a body (1 MiB at most) now, if it is not there already."""
        self._refuse()
        batch = self._batch()
        ref = self._pieces.store(batch, data)
        if batch.blobs:
            self._write(batch)
        return ref

    def keep(self, header: FrameHeader, payload: bytes | memoryview) -> None:
        """Store an ancillary record of another cassette as it stands there, whatever is in it."""
        self._refuse()
        batch = Writer._batch(self)
        batch.add(header.type, header.codec, b"", payload, header.raw_len, header.flags)
        self._write(batch)

    def load(self, ref: BlobRef) -> bytes:
        """Read back a piece that this writer stored. Raises DamagedCassetteError if it is not there."""
        return self._pieces.load(ref)

    def interaction(self, row: Row) -> Interaction:
        """Read back what `append` gave this row for. Raises CassetteError if it cannot be read."""
        self._refuse()
        return self._pieces.interaction(row)

    def append(self, interaction: Interaction, summary: Summary, *, wait: bool = True) -> Row:
        """Store an interaction, and those pieces of its bodies that are not stored yet, with one `write()`; returns its row.

        An empty scope is filled in. Raises CassetteError if a field cannot be stored (later appends go on), and RecordingFailed,
        now and ever after, when the file could not be written: it is cut back to the last whole record. Where a durable writer
        is not to `wait`, the caller sees to `sync`.
        """
        self._refuse()
        batch = self._batch()
        response = interaction.response
        if not interaction.scope:
            interaction = replace(interaction, scope=scope_of(interaction.request, response))
        body = self._pieces.store_body(batch, interaction.request.body)
        response_body = self._pieces.store_body(batch, response.body) if response is not None else b""
        fields = encode_interaction(interaction, body, response_body)
        try:
            packed = summary.pack()
        except struct.error as error:
            raise CassetteError(f"this summary cannot be stored in a cassette: {error}") from error
        if summary.arrival >= _MAX_ARRIVAL:
            raise CassetteError(f"an arrival number cannot be {summary.arrival:,}")
        offset = batch.add(RecordType.INTERACTION, Codec.RAW, packed, fields, len(fields))
        batch.row = summary, packed + offset.to_bytes(8, "little"), interaction.scope
        self._write(batch)
        if self.durable and wait:
            self.sync()
        return Row(summary, offset)

    def sync(self) -> None:
        """Wait until all that was appended before this call is on the disk.

        May be called in another thread, but not during `close`. Raises RecordingFailed if the disk says no: what was written
        since the last time may be lost then, and no more is taken.
        """
        self._refuse()
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            self._failure = not_synced(self.count, self._place(), error)
            raise self._failure from error

    def close(self) -> Path:
        """Write index and seal, wait until all is on the disk, and give the file its name; returns the path it is at.

        A second call does nothing. Raises RecordingFailed if that, or an earlier write, did not succeed: the file then stays
        where it is, complete up to the last interaction, and opens.
        """
        if self._fd < 0:
            return self._place()
        try:
            self.finish()
        finally:
            self.abandon()
        return self.path

    def finish(self) -> None:
        """What `close` does, for who lets go of the file alone: with `discard`, where half of it is worth nothing."""
        self._refuse()
        if not self._sealed:
            self._seal()
        if self._draft is not None:
            try:
                self._draft.publish()
            except RecordingFailed as failed:
                self._failure = failed
                raise
            self._draft = None

    @property
    def closed(self) -> bool:
        """Whether `close`, `abandon` or `discard` was called; only the first is sure to have left a sealed cassette."""
        return self._fd < 0

    def discard(self) -> None:
        """Let go of the file and remove the `.partial` of a new recording; one that is appended to stays as it is."""
        if self._fd >= 0 and self._draft is not None:
            self._draft.remove(self._failure)
        self.abandon()

    def abandon(self) -> None:
        """Let go of the file and leave it as it is, unsealed, as a crash would."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._draft is not None:
            self._draft.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        end = self.close if kind is None else self.abandon
        end()

    def _resume(self, contents: Contents, dictionary: Dictionary | None) -> None:
        """Take up the state that a scan found."""
        found = contents.scan
        self._end, self._records, self._chain = found.end, found.records, found.chain
        self.count = found.interactions
        self._last_arrival = self._last_stored = contents.last_arrival()
        if self._last_arrival >= _MAX_ARRIVAL:
            raise DamagedCassetteError(f"{self.path} holds an arrival number that cannot be: {self._last_arrival:,}")
        rows = blobs = 0
        if contents.seals:
            last = contents.seals[-1]
            self._sealed = found.end == last.end
            if contents.chain_length() < MAX_CHAIN:
                self._previous_seal, rows, blobs = last.offset, last.rows, last.blobs
        self._rows = contents.rows[64 * rows :]
        self._pieces.resume(contents.blobs, blobs, dictionary)
        self._names = contents.names()

    def _batch(self) -> Batch:
        return Batch(self._marker, self._end, self._records, self._chain)

    def _write(self, batch: Batch) -> None:
        """Write a batch and take note of it. Whatever comes in between, an interrupt too, ends the recording cleanly."""
        try:
            write_all(self._fd, batch.buffer)
            self._end, self._records, self._chain = batch.end, batch.records, batch.chain
            self._sealed = False
            self.bytes_written += len(batch.buffer)
            self._note(batch)
        except OSError as error:
            raise self._fail(error.strerror or str(error)) from error
        except BaseException as error:
            self._fail(type(error).__name__)
            raise

    def _note(self, batch: Batch) -> None:
        """Take note of where the records of a batch stand."""
        self._pieces.note(batch)
        if batch.row is not None:
            summary, row, scope = batch.row
            self._rows += row
            self._names.setdefault(summary.scope, scope)
            self._last_stored = max(self._last_stored, summary.arrival)
            self._last_arrival = max(self._last_arrival, summary.arrival)
            self.count += 1

    def _fail(self, why: str) -> RecordingFailed:
        """Cut the file back to its last whole record and take no more."""
        place = self._place()
        self._failure = stopped(self.count, place, why, cut_back(self._fd, self._end, place))
        return self._failure

    def _refuse(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._fd < 0:
            raise CassetteError(f"the recording to {self.path} is closed")

    def _seal(self) -> None:
        """Write the index of this segment and the seal, and wait for the disk."""
        index, previous, batch = None, self._previous_seal, Writer._batch(self)
        try:
            names = sum(4 * len(name) for name in self._names.values())
            rows, blobs = len(self._rows) // 64, len(self._pieces.rows) // 24
            if self.count < self.indexed_from or index_too_big(rows, blobs, names, MAX_INDEX):
                previous = 0
            else:
                index = build_index(self._rows, self._pieces.rows, self._names)
            batch.add_seal(index, previous, self.count, max(self._last_stored, 0))
            write_all(self._fd, batch.buffer)
            os.fdatasync(self._fd)
            self._end, self._records, self._chain = batch.end, batch.records, batch.chain
            self.bytes_written += len(batch.buffer)
            self._sealed = True
        except OSError as error:
            raise self._fail(error.strerror or str(error)) from error

    def _place(self) -> Path:
        return self.path if self._draft is None else self._draft.partial
