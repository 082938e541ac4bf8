"""An open cassette file, mapped for reading: its header, and frames that were checked before anything in them is used.

Regular files only. The file is seen at the length it had when it was opened, whatever is appended meanwhile.
"""

import errno
import mmap
import os
import stat
import zlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from .compression import expand
from .errors import CassetteError, DamagedCassetteError
from .foreign import foreign_file
from .format import (
    CRC_RESIDUE,
    FILE_HEADER_SIZE,
    FRAME_HEADER,
    FRAME_HEADER_SIZE,
    MAGIC,
    PACKED,
    PREFIX,
    REPAIR,
    SEAL_SIZE,
    FileHeader,
    FrameHeader,
    RecordType,
    Seal,
    lengths_allowed,
    refuse_newer,
)
from .lock import is_locked
from .packs import Dictionary, Pack, listed_in, split_place
from .records import decode_meta
from .stretches import Strides

_HEAD = 512
_AT_ONCE = 4096
"""Bytes that are read of a record before its length is known."""
_BEFORE = 4096
_NOTHING = 0, b"", 0
_INTERACTION = int(RecordType.INTERACTION)  # a number at hand: to look up a member of an enumeration takes longer
_PACKS_KEPT = 64
"""Expanded packs that are kept for the next look-up, less than 48 KiB each: neighbours of a call are in its pack, and calls in
order of arrival come from as many packs as there are threads at a time."""


class Frame(NamedTuple):
    """One intact record: where it stands, its header, and where its payload begins."""

    offset: int
    header: FrameHeader

    @property
    def payload_offset(self) -> int:
        return self.offset + FRAME_HEADER_SIZE

    @property
    def end(self) -> int:
        return self.offset + FRAME_HEADER_SIZE + self.header.stored_len


class Source:
    """The bytes of one cassette. `size` is its length at opening; `view` is all of it, without a copy.

    `locked`: it had no seal at its end when it was opened by `open`, and a writer was at work on it.
    """

    def __init__(self, fd: int, name: str) -> None:
        """Map the open file `fd`, which stays the caller's to close. Raises CassetteError if it is no cassette of ours."""
        self.name = name
        self.locked = False
        self.size = os.fstat(fd).st_size
        head = os.pread(fd, _HEAD, 0)
        if not head.startswith(MAGIC):
            raise foreign_file(head, name)
        self.header = FileHeader.unpack(head, name)
        self.marker = self.header.marker
        try:
            self.map = mmap.mmap(fd, self.size, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise CassetteError(f"{name} cannot be mapped into memory: {error}", "copy it to a local disk") from error
        self._fd = os.dup(fd)
        self.view = memoryview(self.map)
        self._sections: list[memoryview] = []
        self._packs: OrderedDict[int, Pack] = OrderedDict()
        self._dictionary: Dictionary | None = None
        self._before: tuple[int, bytes, int] = _NOTHING

    @classmethod
    def open(cls, path: Path, *, at: int | None = None) -> "Source":
        """Open the file at `path`; with `at`, the one of that name in an open folder, following no link."""
        fd = open_regular(path, os.O_RDONLY, at=at)
        try:
            source = cls(fd, str(path))
            try:
                source.locked = source.last_seal() is None and is_locked(fd)
            except BaseException:
                source.close()
                raise
            return source
        finally:
            os.close(fd)

    def close(self) -> None:
        for section in self._sections:
            section.release()
        self.view.release()
        os.close(self._fd)
        try:
            self.map.close()
        except BufferError:
            pass  # an error on its way up holds a slice in its traceback; the map goes when that goes

    def section(self, start: int, end: int) -> tuple[memoryview, Callable[[int, int], bytes]]:
        """A part of the file, without a copy, and what reads so many bytes of it; until this source is closed."""
        section, fd = self.view[start:end], self._fd
        self._sections.append(section)

        def read(at: int, length: int) -> bytes:
            try:
                return os.pread(fd, length, start + at)
            except OSError as error:
                raise CassetteError(f"{self.name} cannot be read at byte {start + at:,}: {error}") from error

        return section, read

    def strides(self) -> Strides:
        """What finds stretches of plain records in this file, for one scan."""
        return Strides(self._fd, self.size, self.marker)

    def frame_header(self, offset: int) -> FrameHeader | None:
        """The header of the frame at `offset`; None unless it is ours, intact, within the caps and within the file."""
        return self._header_in(self.view[offset : offset + FRAME_HEADER_SIZE], offset)

    def _header_in(self, data: bytes | memoryview, offset: int) -> FrameHeader | None:
        """The header that `data`, as many bytes as one has, holds; None unless it is as `frame_header` says of `offset`."""
        if offset < FILE_HEADER_SIZE or len(data) != FRAME_HEADER_SIZE or zlib.crc32(data) != CRC_RESIDUE:
            return None
        fields = FRAME_HEADER.unpack(data)
        marker, kind, codec, _, _, stored_len, raw_len, _, _ = fields
        if marker != self.marker or offset + FRAME_HEADER_SIZE + stored_len > self.size:
            return None
        if not lengths_allowed(kind, codec, stored_len, raw_len):
            return None
        return tuple.__new__(FrameHeader, fields[1:8])

    def frame(self, offset: int, kind: RecordType) -> Frame | None:
        """The frame of this type at `offset`, its payload checked too; None if there is none.

        Raises CassetteError if a newer respool wrote it. An INDEX payload is not checked: its pages are, one by one.
        """
        header = self.frame_header(offset)
        if header is None or header.type != kind:
            return None
        if kind != RecordType.INDEX:
            start = offset + FRAME_HEADER_SIZE
            if zlib.crc32(self.view[start : start + header.stored_len]) != header.payload_crc:
                return None
        refuse_newer(header, offset, self.name)
        return Frame(offset, header)

    def content(self, frame: Frame) -> tuple[bytes, bytes]:
        """The prefix (digest, summary or nothing) of a checked frame's payload, and the rest, expanded."""
        return self._split(frame.offset, frame.header, bytes(self.view[frame.payload_offset : frame.end]))

    def _split(self, offset: int, header: FrameHeader, payload: bytes) -> tuple[bytes, bytes]:
        prefix = PREFIX.get(header.type, 0)
        try:
            return payload[:prefix], expand(header.codec, payload[prefix:], header.raw_len)
        except CassetteError as error:
            raise self._damaged(offset, error) from error

    def record(self, place: int, kind: RecordType) -> tuple[bytes, bytes] | None:
        """The record of this type at `place` (see `packs`), checked: prefix and expanded rest. None if there is none."""
        offset, number = split_place(place)
        if number < 0:
            found = self._read(offset, kind)
            return None if found is None else self._split(offset, *found)
        pack = self._packs.get(offset)
        if pack is None:
            found = self._read(offset, RecordType.PACK)
            if found is None:
                return None
            header, payload = found
            try:
                pack = Pack(header.codec, payload, header.raw_len, self.dictionary())
            except CassetteError as error:
                raise self._damaged(offset, error) from error
            self._packs[offset] = pack
            if len(self._packs) > _PACKS_KEPT:
                self._packs.popitem(last=False)
        else:
            self._packs.move_to_end(offset)
        self._before = _NOTHING
        return pack.record(number, kind)

    def neighbour(self, digest: bytes) -> bytes | None:
        """The body piece with this digest, if it stands shortly before the record that was read last, or in its pack.

        There a writer puts what nobody sent before. None if it is elsewhere.
        """
        first, data, end = self._before
        if not end:
            pack = next(reversed(self._packs.values()), None)
            return None if pack is None else pack.blob(digest)
        at = data.find(digest, 0, end) - FRAME_HEADER_SIZE
        if at < 0:
            return None
        start = at + FRAME_HEADER_SIZE
        header = self._header_in(data[at:start], first + at)
        if header is None or header.type != RecordType.BLOB:
            return None
        payload = data[start : start + header.stored_len]
        if len(payload) != header.stored_len or zlib.crc32(payload) != header.payload_crc:
            return None
        return self._split(first + at, header, payload)[1]

    def _read(self, offset: int, kind: RecordType) -> tuple[FrameHeader, bytes] | None:
        """The frame of this type at `offset`, checked. Read, not mapped: for a page here and there that takes half the time.

        With an interaction, what stands before it is read at once, for `neighbour`.
        """
        before = min(offset, _BEFORE) if kind == _INTERACTION else 0
        try:
            data = os.pread(self._fd, before + _AT_ONCE, offset - before)
            if before:
                self._before = offset - before, data, before
            start = before + FRAME_HEADER_SIZE
            header = self._header_in(data[before:start], offset)
            if header is None or header.type != kind:
                return None
            length = header.stored_len
            payload = data[start : start + length]
            if missing := length - len(payload):
                payload += os.pread(self._fd, missing, offset + FRAME_HEADER_SIZE + len(payload))
        except (OSError, OverflowError) as error:
            raise CassetteError(f"{self.name} cannot be read at byte {offset:,}: {error}") from error
        if len(payload) != length or zlib.crc32(payload) != header.payload_crc:
            return None
        refuse_newer(header, offset, self.name)
        return header, payload

    def listed(self, offset: int) -> tuple[bytes, bytes]:
        """What an index lists of the pack whose intact frame begins at `offset`: see `packs.listed_in`."""
        _, _, codec, _, _, stored_len, _, _, _ = FRAME_HEADER.unpack_from(self.view, offset)
        start = offset + FRAME_HEADER_SIZE
        try:
            return listed_in(codec, self.view[start : start + stored_len], offset)
        except CassetteError as error:
            raise self._damaged(offset, error) from error

    def dictionary(self) -> Dictionary | None:
        """The dictionary that packs lean on, which is the record after META; None where there is none."""
        if self._dictionary is None and self.header.must_understand & PACKED:
            first = self.frame(FILE_HEADER_SIZE, RecordType.META)
            frame = None if first is None else self.frame(first.end, RecordType.DICTIONARY)
            if frame is not None:
                self._dictionary = Dictionary(self.content(frame)[1])
        return self._dictionary

    def _damaged(self, offset: int, error: CassetteError) -> DamagedCassetteError:
        return DamagedCassetteError(f"{self.name}, byte {offset:,}: {error.message}", REPAIR)

    def seal_at(self, offset: int) -> Seal | None:
        """The seal whose frame begins at `offset`; None if there is none, or one that was not written there."""
        frame = self.frame(offset, RecordType.SEAL)
        if frame is None:
            return None
        seal = Seal.unpack(self.view[frame.payload_offset : frame.end])
        return seal if seal.seal_offset == offset and seal.records == frame.header.seq else None

    def notes(self) -> dict[str, Any]:
        """The notes that open the file; none where they are not whole."""
        frame = self.frame(FILE_HEADER_SIZE, RecordType.META)
        return {} if frame is None else decode_meta(self.content(frame)[1])

    def last_seal(self) -> Seal | None:
        """The seal that ends the file; None for a cassette that was not closed cleanly, or is being written."""
        return self.seal_at(self.size - SEAL_SIZE)


def open_regular(path: Path, flags: int, *, at: int | None = None) -> int:
    """Open an existing regular file, or raise CassetteError saying why not. A FIFO is refused without waiting for it.

    With `at`, the name is looked up in that open folder and no symbolic link is followed.
    """
    flags |= os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    try:
        fd = os.open(path, flags) if at is None else os.open(path.name, flags | os.O_NOFOLLOW, dir_fd=at)
    except OSError as error:
        raise _unopened(path, error, link_followed=at is None) from error
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode):
        return fd
    os.close(fd)
    raise CassetteError(f"{path} is {_kind(mode)}, not a cassette file")


def _unopened(path: Path, error: OSError, *, link_followed: bool) -> CassetteError:
    partial = path.with_name(path.name + ".partial")
    if error.errno == errno.ENOENT:
        if partial.exists():
            return CassetteError(
                f"{path} does not exist, but {partial.name} does: a recording in progress, or one that was cut short",
                f"it opens as it is: name {partial}",
            )
        ended = path.with_name(path.name + ".cassette")
        return CassetteError(f"{path} does not exist", f"{ended} does" if ended.exists() else "")
    if error.errno == errno.EISDIR:
        return CassetteError(f"{path} is a directory, not a cassette file")
    if error.errno == errno.ELOOP and not link_followed:
        return CassetteError(f"{path} is a symbolic link, which is not followed here")
    return CassetteError(f"{path} cannot be opened: {error.strerror}")


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a directory"
    if stat.S_ISFIFO(mode):
        return "a FIFO"
    if stat.S_ISSOCK(mode):
        return "a socket"
    return "a device"
