"""Files that are there, on their way to the disk: opened to be appended to, written whole, set aside, their names made to last.

What a new recording is written to is a `draft`.
"""

import errno
import os
import re
from pathlib import Path

from .draft import is_there, opened_folder, sync
from .errors import CassetteError
from .lock import still_named, take_lock
from .source import open_regular


def open_existing(path: Path, *, within: int | None = None) -> int:
    """Open and lock a cassette for appending. `within` is a descriptor of its folder, where that was checked."""
    fd = open_regular(path, os.O_RDWR, at=within)
    try:
        take_lock(fd, str(path))
        if not still_named(fd, path):
            raise CassetteError(f"{path} was replaced while it was opened", "try again")
    except CassetteError:
        os.close(fd)
        raise
    return fd


def write_all(fd: int, data: bytes | bytearray | memoryview) -> None:
    """Write all of `data`, in one call where the system takes it in one."""
    view = memoryview(data)
    while view:
        try:
            written = os.write(fd, view)
        except InterruptedError:
            continue
        if written <= 0:
            raise OSError(errno.EIO, "nothing was written")
        view = view[written:]


def set_aside(fd: int, offset: int, path: Path, *, within: int | None = None) -> Path:
    """Copy the bytes of `fd` from `offset` on to the first free PATH.torn-N, then cut them off; returns that path."""
    at = opened_folder(path.parent, within)
    try:
        for number in range(1, 10_000):
            aside = path.with_name(f"{path.name}.torn-{number}")
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                target = os.open(aside.name, flags, 0o600, dir_fd=at)
            except FileExistsError:
                continue
            try:
                place = offset
                while piece := os.pread(fd, 1 << 20, place):
                    write_all(target, piece)
                    place += len(piece)
                os.fsync(target)
            finally:
                os.close(target)
            sync(at)  # nothing is cut off before its copy lasts
            os.ftruncate(fd, offset)
            return aside
    finally:
        os.close(at)
    raise CassetteError(f"there are too many files {path}.torn-N", "move them away")


def make_folder(folder: Path) -> None:
    """Make a folder, and those on the way that are not there, for the user alone. Raises CassetteError."""
    try:
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except FileNotFoundError:
            if folder.parent == folder:
                raise
            make_folder(folder.parent)  # `parents=True` would leave their mode to the umask
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise CassetteError(f"the folder {folder} cannot be made: {error.strerror}") from error


def is_final(path: Path) -> bool:
    """Whether a cassette by this name says that its recording has ended: one in progress, or set aside as cut, does not."""
    return path.suffix != ".partial" and re.fullmatch(r"\.cut-[0-9]+", path.suffix) is None


def keep_partial(path: Path, *, within: int | None = None) -> Path:
    """Give what an interrupted recording of `path` left the first free name PATH.cut-N; returns that path.

    Raises CassetteInUseError if it is being written. What is there by such a name already stays. `within` is as above.
    """
    partial = path.with_name(path.name + ".partial")
    at = opened_folder(path.parent, within)
    try:
        fd = open_regular(partial, os.O_RDONLY, at=at)
        try:
            take_lock(fd, str(path))
            for number in range(1, 10_000):
                aside = path.with_name(f"{path.name}.cut-{number}")
                if not is_there(aside, at):
                    os.rename(partial.name, aside.name, src_dir_fd=at, dst_dir_fd=at)
                    return aside
        finally:
            os.close(fd)
    finally:
        os.close(at)
    raise CassetteError(f"there are too many files {path}.cut-N", "move them away")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last."""
    fd = opened_folder(folder)
    try:
        sync(fd)
    finally:
        os.close(fd)
