"""One writer a cassette: `flock` on the data file itself, and the name of whoever holds it.

Readers take no lock. The lock goes with the file descriptor, so a killed writer leaves none behind.
"""

import errno
import fcntl
import os
import time
from pathlib import Path

from .errors import CassetteError

_TRIES = 10
_WAIT_SECONDS = 0.005
"""Whoever only looks holds a lock for microseconds, and must not turn a writer away; another writer is still there after all."""


class CassetteInUseError(CassetteError):
    """Another writer has the cassette."""


def take_lock(fd: int, name: str) -> None:
    """Lock the open file for writing. Raises CassetteInUseError within a twentieth of a second if another writer has it."""
    for _ in range(_TRIES - 1):
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                break
        time.sleep(_WAIT_SECONDS)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise CassetteInUseError(
                f"another respool is recording to {name}{holder(fd)}", "stop it first, or record to another file"
            ) from error
        raise CassetteError(
            f"{name} cannot be locked: {error.strerror}", "record to a local disk, then copy the cassette"
        ) from error


def is_locked(fd: int) -> bool:
    """Whether a writer has the open file now. The lock is tried, not kept."""
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EWOULDBLOCK, errno.EACCES)
    fcntl.flock(fd, fcntl.LOCK_UN)  # a mapping of the file may outlive `fd`, and would keep the lock
    return False


def still_named(fd: int, path: Path | str, *, at: int | None = None) -> bool:
    """Whether `path` still names the open file; false when somebody replaced it between opening and locking.

    `at`: a descriptor of the folder in which the name is looked up.
    """
    try:
        there = os.stat(path, dir_fd=at)
    except OSError:
        return False
    here = os.fstat(fd)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def holder(fd: int) -> str:
    """Who has the lock: ` (process N)` where the kernel tells, else nothing: Linux only, and blind across containers."""
    try:
        inode = f":{os.fstat(fd).st_ino}"
        for line in Path("/proc/locks").read_text("ascii").splitlines():
            words = line.split()
            if len(words) > 5 and words[1] == "FLOCK" and words[5].endswith(inode) and int(words[4]) > 0:
                return f" (process {words[4]})"
    except (OSError, ValueError):
        pass
    return ""
