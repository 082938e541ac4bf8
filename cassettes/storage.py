"""Files on their way to the disk: a new one that nobody else can have made, whole writes, and a rename that replaces nothing.

What is promised holds against a crash of the process at once, and against a loss of power after `publish` returned.
"""

import errno
import os
import re
import stat
import time
from pathlib import Path

from .errors import CassetteError
from .lock import CassetteInUseError, still_named, take_lock
from .source import open_regular

_BEGIN_SECONDS = 0.05


def create_partial(
    partial: Path, path: Path, *, overwrite: bool, durable: bool = False, within: int | None = None
) -> int:
    """Make the file that a new recording is written to, empty, 0600 and locked; returns its descriptor.

    With `within`, a descriptor of the folder that was checked, it is made there, wherever the path leads by now.
    A leftover is refused with what to do about it, or replaced with `overwrite`; one that is being written is always refused.
    With `durable` its name lasts when this returns.
    """
    if os.path.lexists(path):
        if not overwrite:
            raise CassetteError(f"{path} exists already", "`--append` adds to it, `--overwrite` replaces it")
        _claim(path, path, replace=False)
    if os.path.lexists(partial):
        _claim(partial, path, replace=overwrite)
        if not overwrite:
            if _is_empty(partial):  # another recorder may have made it just now, and be about to lock it
                time.sleep(_BEGIN_SECONDS)
                _claim(partial, path, replace=False)
            raise CassetteError(
                f"{partial} is in the way: a recording that was cut short left it",
                f"it opens as it is (`respool show {partial}`); move it away to keep it, or replace it with `--overwrite`",
            )
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(partial if within is None else partial.name, flags, 0o600, dir_fd=within)
    except OSError as error:
        raise _uncreated(partial, path, error) from error
    if within is not None and not still_named(fd, partial):
        os.close(fd)
        os.unlink(partial.name, dir_fd=within)
        raise CassetteError(f"the folder of {path} was replaced while the recording began", "try again")
    try:
        take_lock(fd, str(path))
        if not still_named(fd, partial):
            raise CassetteInUseError(
                f"another respool is recording to {path}", "stop it first, or record to another file"
            )
        if durable:
            _sync_name(partial)
    except CassetteError as error:
        if not isinstance(error, CassetteInUseError):
            remove(partial)  # nobody else can have it: this file system has no locks, or no room
        os.close(fd)
        raise
    return fd


def open_existing(path: Path) -> int:
    """Open and lock a cassette for appending."""
    fd = open_regular(path, os.O_RDWR)
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


def set_aside(fd: int, offset: int, path: Path) -> Path:
    """Copy the bytes of `fd` from `offset` on to the first free PATH.torn-N, then cut them off; returns that path."""
    for number in range(1, 10_000):
        aside = path.with_name(f"{path.name}.torn-{number}")
        try:
            target = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            continue
        try:
            at = offset
            while piece := os.pread(fd, 1 << 20, at):
                write_all(target, piece)
                at += len(piece)
            os.fsync(target)
        finally:
            os.close(target)
        sync_folder(aside.parent)  # nothing is cut off before its copy lasts
        os.ftruncate(fd, offset)
        return aside
    raise CassetteError(f"there are too many files {path}.torn-N", "move them away")


def is_final(path: Path) -> bool:
    """Whether a cassette by this name says that its recording has ended: one in progress, or set aside as cut, does not."""
    return path.suffix != ".partial" and re.fullmatch(r"\.cut-[0-9]+", path.suffix) is None


def keep_partial(path: Path) -> Path:
    """Give what an interrupted recording of `path` left the first free name PATH.cut-N; returns that path.

    Raises CassetteInUseError if it is being written. What is there by such a name already stays.
    """
    partial = path.with_name(path.name + ".partial")
    fd = open_regular(partial, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        take_lock(fd, str(path))
        for number in range(1, 10_000):
            aside = path.with_name(f"{path.name}.cut-{number}")
            if not os.path.lexists(aside):
                partial.rename(aside)
                return aside
    finally:
        os.close(fd)
    raise CassetteError(f"there are too many files {path}.cut-N", "move them away")


def publish(partial: Path, path: Path, *, overwrite: bool) -> None:
    """Give a finished file its name, at once and for good. Without `overwrite`, raises FileExistsError if there is one.

    With it, raises CassetteInUseError if another writer is appending to the old one.
    """
    if overwrite:
        if os.path.lexists(path):
            _claim(path, path, replace=False)
        partial.replace(path)
    else:
        try:
            path.hardlink_to(partial)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
                raise
            # A file system without hard links: the best there is leaves a moment in which another could take the name.
            if os.path.lexists(path):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from error
            partial.rename(path)
        else:
            partial.unlink()
    sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a file that nobody needs. One that cannot be removed stays, for what happened before is what matters."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        pass


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last. A file system that cannot says EINVAL, and has nothing better to offer."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(fd)


def _sync_name(partial: Path) -> None:
    try:
        sync_folder(partial.parent)
    except OSError as error:
        raise CassetteError(
            f"{partial} cannot be made to last: {error.strerror}", "record without --durable"
        ) from error


def _claim(found: Path, path: Path, *, replace: bool) -> None:
    """Refuse what is no regular file or is being written to; else remove it, if so asked, while the lock is held."""
    if stat.S_ISLNK(found.lstat().st_mode):
        if replace:
            raise CassetteError(f"{found} is a symbolic link, which no recording left", "move it away")
        if not found.exists():
            return
    fd = open_regular(found, os.O_RDONLY)
    try:
        take_lock(fd, str(path))
        if replace and still_named(fd, found):
            found.unlink(missing_ok=True)
    except OSError as error:
        raise CassetteError(f"{found} cannot be replaced: {error.strerror}") from error
    finally:
        os.close(fd)


def _is_empty(path: Path) -> bool:
    try:
        return not path.lstat().st_size
    except OSError:
        return False


def _uncreated(partial: Path, path: Path, error: OSError) -> CassetteError:
    if error.errno == errno.ENOENT:
        return CassetteError(f"{partial} cannot be made: its folder does not exist", f"mkdir -p {path.parent}")
    if error.errno == errno.EEXIST:
        return CassetteInUseError(f"another respool is recording to {path}", "stop it first, or record to another file")
    return CassetteError(f"{partial} cannot be made: {error.strerror}")
