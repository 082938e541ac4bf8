"""A disk with a cache in front of it: what was written and not waited for may be kept, lost, garbled or torn.

While a `Disk` is in force the real files are written as ever, and it takes note. `lose_power` says what could be found in
the folder afterwards. What a sync returned for is there, and bytes that were synced are never harmed by later ones: that
much a disk owes. Names (made, linked, removed) last when their folder was synced; of later changes the first few may have.
"""

import os
import random
import stat
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PAGE = 4096
SECTOR = 512


class PowerLoss(BaseException):
    """The power fails before this call; nothing is done any more."""


@dataclass
class Image:
    """One file: what is on the disk for sure, and what was done since, as (offset, bytes); with None, cut there."""

    kept: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)


class Disk:
    """Notes every call of `os` that changes a file. From call number `fails_at` on, each raises PowerLoss."""

    CHANGES = ("write", "fdatasync", "fsync", "ftruncate", "link", "replace", "rename", "unlink", "open")

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, *, fails_at: int = 1 << 60) -> None:
        self.folder = folder
        self.calls = 0
        self.syncs = 0
        self._fails_at = fails_at
        self._images: dict[int, Image] = {}
        self._names: list[dict[str, int]] = [{}]
        self._settled = 0
        self._real = {name: getattr(os, name) for name in self.CHANGES}
        for name in self.CHANGES:
            patch.setattr(os, name, getattr(self, f"_{name}"))

    def lose_power(self, chance: random.Random, after: Path) -> None:
        """Put into the folder `after` what could be there when the power is back."""
        names = self._names[chance.randint(self._settled, len(self._names) - 1)]
        found = {number: self._found(image, chance) for number, image in self._images.items()}
        for name, number in names.items():
            (after / name).write_bytes(found[number])

    def _found(self, image: Image, chance: random.Random) -> bytes:
        pieces: list[tuple[int, bytes | None]] = []
        by_page = chance.random() < 0.5
        for offset, data in image.pending:
            if data is None or not by_page:
                pieces.append((offset, data))
                continue
            while data:
                part = data[: PAGE - offset % PAGE]
                pieces.append((offset, part))
                offset, data = offset + len(part), data[len(part) :]
        content = bytearray(image.kept)
        fates = chance.choice([[1, 0, 0, 0], [20, 1, 1, 1], [3, 1, 1, 1], [0, 1, 0, 0]])
        for offset, data in pieces:
            fate = chance.choices(["kept", "lost", "garbled", "torn"], fates)[0]
            if data is None:
                if fate == "kept":
                    del content[offset:]
                continue
            if fate == "lost":
                continue
            if fate == "garbled":
                at = chance.randrange(len(data))
                data = data[:at] + chance.randbytes(len(data[at : at + chance.randint(1, 600)])) + data[at + 600 :]
            elif fate == "torn":
                data = data[: max(1, len(data) * chance.randrange(SECTOR) // SECTOR)]
            content[len(content) :] = bytes(max(0, offset - len(content)))
            content[offset : offset + len(data)] = data
        if image.pending and chance.random() < 0.3:
            del content[chance.randint(len(image.kept), max(len(content), len(image.kept))) :]
        return bytes(content)

    def _counted(self) -> None:
        self.calls += 1
        if self.calls > self._fails_at:
            raise PowerLoss

    def _image(self, fd: int) -> Image:
        return self._images.setdefault(os.fstat(fd).st_ino, Image())

    def _write(self, fd: int, data: bytes) -> int:
        self._counted()
        at = os.lseek(fd, 0, os.SEEK_CUR)
        written = self._real["write"](fd, data)
        self._image(fd).pending.append((at, bytes(data[:written])))
        return written

    def _ftruncate(self, fd: int, length: int) -> None:
        self._counted()
        self._real["ftruncate"](fd, length)
        self._image(fd).pending.append((length, None))

    def _fdatasync(self, fd: int) -> None:
        self._fsync(fd)

    def _fsync(self, fd: int) -> None:
        self._counted()
        self.syncs += 1
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            self._settled = len(self._names) - 1
        else:
            image = self._image(fd)
            image.kept, image.pending = os.pread(fd, os.fstat(fd).st_size, 0), []

    def _named(self) -> None:
        names = {path.name: path.stat().st_ino for path in self.folder.iterdir()}
        if names != self._names[-1]:
            self._names.append(names)

    def _open(self, path: str | Path, flags: int, *arguments: int, **options: int) -> int:
        if flags & os.O_CREAT:
            self._counted()
        fd = self._real["open"](path, flags, *arguments, **options)
        if flags & os.O_CREAT:
            self._image(fd)
            self._named()
        return fd

    def _link(self, *arguments: object, **options: object) -> None:
        self._counted()
        self._real["link"](*arguments, **options)
        self._named()

    def _replace(self, *arguments: object) -> None:
        self._counted()
        self._real["replace"](*arguments)
        self._named()

    def _rename(self, *arguments: object) -> None:
        self._counted()
        self._real["rename"](*arguments)
        self._named()

    def _unlink(self, *arguments: object, **options: object) -> None:
        self._counted()
        self._real["unlink"](*arguments, **options)
        self._named()
