"""Packing: a cassette written anew with its calls in compressed blocks, thread by thread, and an index as ever.

What is read from it is the same; a packed cassette is some ten times smaller and is replayed, shown and appended to like any
other. What is appended later stands beside the blocks as it came.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from .batch import Batch
from .draft import Draft, opened_folder, publish
from .editing import Progress, carry, refuse, reported, whole
from .errors import CassetteError, DamagedCassetteError
from .file_names import sibling
from .format import PACKED, Codec, FrameHeader, RecordType
from .interaction import EMPTY
from .packs import LARGEST, MOST, TARGET, Dictionary, build_pack, place_of
from .reader import Reader
from .records import encode_interaction
from .writer import Writer

SAMPLES = 2_000
"""Calls that a dictionary is learned from."""
INDEXED_FROM = 1_025
"""Calls from which on a packed cassette has an index. Fewer are listed from the packs within some 10 ms, and an index of them
would be as large as all else."""
_SAMPLE = 16 << 10
"""Bytes of one piece that are learned from at most."""


class PackingWriter(Writer):
    """A writer whose interactions and body pieces go into packs. Nothing is in the file for sure before `close` returns."""

    features = PACKED
    indexed_from = INDEXED_FROM

    def __init__(self, fd: int, path: Path, draft: Draft | None, file_id: bytes) -> None:
        super().__init__(fd, path, draft, file_id)
        self._open: list[tuple[int, bytes, bytes]] = []
        self._size = 0
        self._dictionary: Dictionary | None = None

    def lean_on(self, dictionary: Dictionary) -> None:
        """Store the dictionary that the packs to come lean on, before anything else is stored."""
        self._dictionary = dictionary
        batch = super()._batch()
        batch.add(RecordType.DICTIONARY, Codec.RAW, b"", dictionary.data, len(dictionary.data))
        super()._write(batch)

    def keep(self, header: FrameHeader, payload: bytes | memoryview) -> None:
        self._flush()  # the open pack is to begin where it was said to
        super().keep(header, payload)

    def pack(self, kind: int, prefix: bytes, data: bytes | bytearray | memoryview) -> int:
        """Take a record into the open pack, or give a large one a frame of its own; returns its place."""
        if len(data) > LARGEST or self._size >= TARGET or len(self._open) == MOST:
            self._flush()
        if len(data) > LARGEST:
            batch = super()._batch()
            if kind == RecordType.BLOB:
                place = batch.add_blob(prefix, data)
            else:
                place = batch.add(kind, Codec.RAW, prefix, data, len(data))
            super()._write(batch)
            return place
        self._open.append((kind, prefix, bytes(data)))
        self._size += len(data)
        return place_of(self._end, len(self._open) - 1)

    def _batch(self) -> Batch:
        return _PackBatch(self, super()._batch())

    def _write(self, batch: Batch) -> None:
        if isinstance(batch, _PackBatch):
            self._note(batch)
        else:
            super()._write(batch)

    def _seal(self) -> None:
        self._flush()
        super()._seal()

    def _flush(self) -> None:
        if self._open:
            codec, payload, raw_len = build_pack(self._open, self._dictionary)
            batch = super()._batch()
            batch.add(RecordType.PACK, codec, b"", payload, raw_len)
            self._open, self._size = [], 0
            super()._write(batch)


class _PackBatch(Batch):
    """A batch whose records go into the writer's pack as they are added."""

    def __init__(self, writer: PackingWriter, plain: Batch) -> None:
        self.__dict__.update(plain.__dict__)
        self._writer = writer

    def add(
        self, kind: int, codec: int, prefix: bytes, rest: bytes | bytearray | memoryview, raw_len: int, flags: int = 0
    ) -> int:
        return self._writer.pack(kind, prefix, rest)

    def add_blob(self, digest: bytes, data: bytes | bytearray | memoryview) -> int:
        return self._writer.pack(RecordType.BLOB, digest, data)


def pack(reader: Reader, path: Path, *, overwrite: bool = False, progress: Progress | None = None) -> int:
    """Write all calls to `path`, packed; returns how many bytes it has. The file comes about whole or not at all."""
    refuse(path, [reader], overwrite=overwrite)
    with whole(PackingWriter.create(path, meta=reader.meta, overwrite=overwrite, file_id=reader.file_id)) as writer:
        dictionary = Dictionary.trained(list(_samples(reader)), reader.path.stat().st_size)
        if dictionary is not None:
            writer.lean_on(dictionary)
        carry(writer, [reader])
        for row in reported(reader.rows_by_scope(), len(reader), progress):
            writer.append(reader.interaction(row), row.summary)
    return path.stat().st_size


def pack_in_place(path: Path, *, progress: Progress | None = None) -> tuple[int, int]:
    """Put a packed cassette where `path` is, once it was read back and compared; returns the bytes before and after.

    Raises CassetteError, and leaves the file as it is, if it is not sealed, if it changed meanwhile, or if anything does not
    come back equal.
    """
    beside = sibling(path, ".packed")
    with Reader.open(path) as reader:
        if not reader.sealed:
            raise CassetteError(
                f"{path} was not closed cleanly, so it is not packed in place", "`-o OUT` packs what is whole"
            )
        before = path.stat()
        try:
            after = pack(reader, beside, overwrite=True, progress=progress)
            compare(reader, beside)
            now = path.stat()
            if (now.st_ino, now.st_size, now.st_mtime_ns) != (before.st_ino, before.st_size, before.st_mtime_ns):
                raise CassetteError(f"{path} was written to while it was packed, so it stays as it is", "try again")
            beside.chmod(before.st_mode & 0o777)
            at = opened_folder(path.parent)
            try:
                publish(beside, path, overwrite=True, at=at)
            finally:
                os.close(at)
        except OSError as error:
            raise CassetteError(f"{path} cannot be packed: {error.strerror}") from error
        finally:
            beside.unlink(missing_ok=True)
    return before.st_size, after


def compare(reader: Reader, path: Path) -> None:
    """Raise DamagedCassetteError unless the cassette at `path` holds exactly what `reader` does."""
    with Reader.open(path) as copy:
        same = copy.sealed and len(copy) == len(reader) and copy.meta == reader.meta
        for one, other in zip(reader.rows_by_scope(), copy.rows_by_scope(), strict=False):
            same = same and one.summary == other.summary and reader.interaction(one) == copy.interaction(other)
            if not same:
                break
    if not same:
        raise DamagedCassetteError(f"{path} did not come back as it was written", "check the disk, then try again")


def _samples(reader: Reader) -> Iterator[bytes]:
    """What records of this cassette look like: of calls at even distances, the fields and the pieces of the bodies."""
    step = max(1, len(reader) // SAMPLES)
    for number, row in enumerate(reader.rows()):
        if number % step:
            continue
        interaction = reader.interaction(row)
        yield encode_interaction(interaction, b"", b"")
        for body in (interaction.request.body, interaction.response.body if interaction.response else EMPTY):
            for part in body.parts:
                yield body.piece(part)[:_SAMPLE]
