"""A folder of cassettes: names from outside become files in it, and never anything else.

The cassette `suite/refund` is `suite/refund.cassette` in the folder. A name is checked by its spelling first; then each part
of its path is opened from the folder it stands in, so that no symbolic link is followed, not even one that is put there
meanwhile. The folder itself may be reached through links: its path is the user's own.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import CassetteError

SUFFIX = ".cassette"
MOST_PARTS = 16
MOST_LISTED = 2000
"""Entries of the folder that are looked at for a list of names."""

_PART = r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*"
_NAME = re.compile(rf"(?=[A-Za-z0-9]){_PART}(?:/{_PART}){{0,{MOST_PARTS - 1}}}")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LONGEST = 255 - len(SUFFIX + ".partial")


class NoCassetteError(CassetteError):
    """The name leads to no cassette."""


def is_name(text: str) -> bool:
    """Whether this can name a cassette: parts of letters, digits and `._~-`, none of which begins with a dot."""
    return _NAME.fullmatch(text) is not None and all(len(part) <= _LONGEST for part in text.split("/"))


class Folder:
    """The folder at `path`. Raises CassetteError if it cannot be opened; nothing in it is opened yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise CassetteError(f"the folder {path} cannot be opened: {error.strerror}") from error

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def place(self, name: str) -> Path:
        """The path of the cassette with this name. Raises NoCassetteError for what cannot be a name."""
        if not is_name(name):
            raise NoCassetteError("a cassette is named by letters, digits and ._~-/, and no part begins with a dot")
        return self.path / (name + SUFFIX)

    def has(self, name: str) -> bool:
        """Whether there is something by this name: a cassette, or what a recording left of one."""
        return self._finds(name, SUFFIX) or self._finds(name, SUFFIX + ".partial")

    def stamp(self, name: str) -> tuple[int, ...]:
        """What tells one file by this name from another that took its place; empty where there is none."""
        try:
            with self.parent(name) as at:
                found = os.stat(name.rpartition("/")[2] + SUFFIX, dir_fd=at, follow_symlinks=False)
        except (OSError, CassetteError):
            return ()
        return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size

    def has_folder(self, name: str) -> bool:
        """Whether names may go on below this one."""
        return self._finds(name, "", folder=True)

    @contextmanager
    def parent(self, name: str, *, make: bool = False) -> Iterator[int]:
        """A descriptor of the folder that the cassette stands in, for the block; with `make`, folders are made (0700).

        Raises NoCassetteError where there is none, CassetteError where the way leads over a link or a file.
        """
        at = os.dup(self._fd)
        way = self.path
        try:
            for part in self.place(name).relative_to(self.path).parts[:-1]:
                way /= part
                if make:
                    _make(part, at, way)
                below = _step(part, at, way, name)
                os.close(at)
                at = below
            yield at
        finally:
            os.close(at)

    def names(self, most: int) -> list[str]:
        """Names of cassettes that are there, `most` at most, sorted; of a large folder, of its first entries."""
        found: list[str] = []
        looked = 0
        for folder, folders, files, _ in os.fwalk(dir_fd=self._fd, follow_symlinks=False):
            folders.sort()
            below = folder[2:] + "/" if folder != "." else ""
            names = [below + file.removesuffix(SUFFIX) for file in files if file.endswith(SUFFIX)]
            found += filter(is_name, names)
            looked += len(files) + len(folders)
            if looked > MOST_LISTED or folder.count("/") >= MOST_PARTS:
                break
        return sorted(found)[:most]

    def _finds(self, name: str, suffix: str, *, folder: bool = False) -> bool:
        if not is_name(name):
            return False
        try:
            with self.parent(name) as at:
                mode = os.stat(name.rpartition("/")[2] + suffix, dir_fd=at, follow_symlinks=False).st_mode
        except (OSError, CassetteError):
            return False
        return stat.S_ISDIR(mode) if folder else not stat.S_ISDIR(mode)


def _make(part: str, at: int, way: Path) -> None:
    try:
        os.mkdir(part, 0o700, dir_fd=at)
    except FileExistsError:
        return
    except OSError as error:
        raise CassetteError(f"the folder {way} cannot be made: {error.strerror}") from error


def _step(part: str, at: int, way: Path, name: str) -> int:
    try:
        return os.open(part, _FOLDER, dir_fd=at)
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise NoCassetteError(f"there is no cassette {name}: {way} does not exist") from error
        if error.errno in (errno.ENOTDIR, errno.ELOOP):
            raise CassetteError(f"{way} is no folder, or a symbolic link, which is not followed here") from error
        raise CassetteError(f"{way} cannot be opened: {error.strerror}") from error
