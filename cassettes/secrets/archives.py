"""What a file says that is packed: gzip, zstd, xz, bzip2, and the members of a zip (wheels and office documents are ones).

Each text comes with the place at which it stands, and what was not read comes with the reason instead: there is no silent
omission. One packed file within another is opened, none within that. Nothing is written, and no name of a member is ever opened.
All texts of a file together have one measure, and a member may come to so many times its length and no more (`coding`).
"""

import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

from ..coding import FREE, MOST_RATIO, CodingError, Decoder
from ..format import MAGIC

MOST_MEMBERS = 10_000
"""Of one zip. More are not listed: the list alone would take more room than the file."""
LAYERS = 2
NOT_OPENED = "packed, and cannot be looked into"
TOO_LARGE = "too large to look into"
TOO_MANY = "more members than are looked into"
A_CASSETTE = "a packed cassette: unpack it to have it looked into"
_CODINGS = {b"\x1f\x8b\x08": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"\xfd7zXZ\x00": "xz"}
_BZIP2 = (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")
"""What follows the four letters of bzip2: its first block, or its end."""
_OTHERS = (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x04\x22\x4d\x18", b"\x1f\x9d", b"LZIP", b"MSCF\x00\x00")
"""7z, RAR, lz4, compress, lzip, cabinets."""
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_LISTED = b"PK\x01\x02"
_END_OF_LIST = b"PK\x05\x06"
_FAR = 66_000
"""Bytes before the end in which a zip's list ends."""
_READ = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How a member may be packed. In the others it says itself how much room is made for it."""
_LOCAL = 30
"""Bytes of what stands before a member, without its name and what more there is (APPNOTE 4.3.7)."""
_DESCRIBED = 24
"""Bytes that may stand behind one, to say how long it was (APPNOTE 4.3.9)."""
_STEP = 1 << 16
_FAULTS = (
    zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError,
)  # fmt: skip
"""What a zip that is none raises."""


class Told(NamedTuple):
    """A text with the names of the members that it stands in; or, with a `fault`, why it was not read."""

    members: tuple[bytes, ...]
    text: bytes
    fault: str = ""


def texts_of(data: bytes, *, most: int) -> Iterator[Told]:
    """What a file says. `most`: bytes that all of it may come to."""
    yield from _Opening(most).texts(data, (), 0)


class _Opening:
    """One file's. Counts what it comes to."""

    def __init__(self, most: int) -> None:
        self._left = most

    def texts(self, data: bytes, members: tuple[bytes, ...], layer: int) -> Iterator[Told]:
        if (layer or members) and data.startswith(MAGIC):
            yield Told(members, b"", A_CASSETTE)
            return
        coding = _coding_of(data)
        zipped = data.startswith(_ZIP) or (not coding and _END_OF_LIST in data[-_FAR:])
        if not (coding or zipped or data.startswith(_OTHERS)):
            yield Told(members, data)
        elif layer == LAYERS or not (coding or zipped):
            yield Told(members, b"", NOT_OPENED)
        elif coding:
            yield from self._undone(data, coding, members, layer)
        else:
            yield from self._members(data, members, layer)

    def _undone(self, data: bytes, coding: str, members: tuple[bytes, ...], layer: int) -> Iterator[Told]:
        try:
            text = Decoder(coding, most=max(self._left, len(data))).feed(data)
        except CodingError:
            yield Told(members, b"", NOT_OPENED)
            return
        yield from self._taken(text, members, layer)

    def _members(self, data: bytes, members: tuple[bytes, ...], layer: int) -> Iterator[Told]:
        whole = data.startswith(_ZIP)
        if data.count(_LISTED) > MOST_MEMBERS:
            yield Told(members, b"", TOO_MANY)
            return
        if not whole:  # a program, or a picture, that a zip was written behind
            yield Told(members, data)
        try:
            packed = zipfile.ZipFile(BytesIO(data))
        except _FAULTS:
            if whole:
                yield Told(members, b"", NOT_OPENED)
            return
        with packed:
            if packed.comment:
                yield Told(members, packed.comment)
            if whole and (between := _between(data, packed)):
                yield Told(members, between)
                if _ZIP[0] in between:  # another zip, before this one
                    yield Told(members, b"", NOT_OPENED)
            for info in packed.infolist():
                inside = (*members, info.filename.encode("utf-8", "surrogateescape"))
                if info.comment:
                    yield Told(inside, info.comment)
                if info.is_dir():
                    yield Told(inside, b"")
                    continue
                text = self._member(packed, info)
                if isinstance(text, str):
                    yield Told(inside, b"", text)
                else:
                    yield from self._taken(text, inside, layer)

    def _member(self, packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | str:
        """What a member says, or why it was not read."""
        if info.compress_type not in _READ:
            return NOT_OPENED
        most = min(self._left, FREE + MOST_RATIO * info.compress_size)
        pieces: list[bytes] = []
        size = 0
        try:
            with packed.open(info) as file:
                while piece := file.read(_STEP):
                    size += len(piece)
                    if size > most:
                        self._left -= size
                        return TOO_LARGE
                    pieces.append(piece)
        except _FAULTS:
            self._left -= size
            return NOT_OPENED
        return b"".join(pieces)

    def _taken(self, text: bytes, members: tuple[bytes, ...], layer: int) -> Iterator[Told]:
        self._left -= len(text)
        if self._left < 0:
            yield Told(members, b"", TOO_LARGE)
        else:
            yield from self.texts(text, members, layer + 1)


def _between(data: bytes, packed: zipfile.ZipFile) -> bytes:
    """What a zip holds beside its members, its list and their heads: what is written behind it, or between two of them."""
    rest: list[bytes] = []
    done = 0
    for info in sorted(packed.infolist(), key=lambda info: info.header_offset):
        at = info.header_offset
        lengths = data[at + _LOCAL - 4 : at + _LOCAL]
        body = at + _LOCAL + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
        rest.append(data[done:at])
        done = max(done, body + info.compress_size)
    rest.append(data[done : packed.start_dir])
    end = data.find(_END_OF_LIST, packed.start_dir)
    rest.append(data[end + 22 + len(packed.comment) :] if end >= 0 else b"")
    return b"\n".join(piece for piece in rest if len(piece) > _DESCRIBED)


def _coding_of(data: bytes) -> str:
    if data.startswith(b"BZh") and data[4:10] in _BZIP2:
        return "bz2"
    return next((coding for mark, coding in _CODINGS.items() if data.startswith(mark)), "")
