"""A new file on its way to its name: made beside it, 0600 and locked, and given the name at once when it is finished.

All of it is done in the folder that was opened when the file was made, whatever its path leads to by then: what is made,
replaced, named or removed stands there and nowhere else. What is promised holds against a crash of the process at once, and
against a loss of power after `publish` returned.
"""

import errno
import os
import stat
import time
from pathlib import Path

from .errors import CassetteError
from .failures import RecordingFailed, astray, unpublished
from .lock import CassetteInUseError, still_named, take_lock
from .source import open_regular

_BEGIN_SECONDS = 0.05


class Draft:
    """The file `partial` in the folder `at` (a descriptor), which will be `path`; `overwrite` says whether there may be one."""

    def __init__(self, partial: Path, path: Path, at: int, *, overwrite: bool) -> None:
        """Not to be called: see `begin`."""
        self.partial = partial
        self._path = path
        self._at = at
        self._overwrite = overwrite

    @classmethod
    def begin(
        cls, path: Path, *, overwrite: bool = False, durable: bool = False, within: int | None = None
    ) -> tuple[int, "Draft"]:
        """Make the file that a new recording is written to, `PATH.partial`, empty; returns its descriptor, too.

        `within` is a descriptor of the folder, where that was checked: what `path` leads to by now must be the same.
        A leftover is refused with what to do about it, or replaced with `overwrite`; one that is being written is always
        refused. With `durable` its name lasts when this returns. Raises CassetteError.
        """
        partial = path.with_name(path.name + ".partial")
        try:
            at = opened_folder(path.parent, within)
        except OSError as error:
            raise _uncreated(partial, path, error) from error
        draft = cls(partial, path, at, overwrite=overwrite)
        try:
            return draft._make(durable=durable, checked=within is not None), draft
        except BaseException:
            draft.close()
            raise

    def _make(self, *, durable: bool, checked: bool) -> int:
        partial, path, at = self.partial, self._path, self._at
        self._refuse_leftovers()
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            fd = os.open(partial.name, flags, 0o600, dir_fd=at)
        except OSError as error:
            raise _uncreated(partial, path, error) from error
        try:
            if checked and not still_named(fd, partial):
                self.remove()
                raise CassetteError(f"the folder of {path} was replaced while the recording began", "try again")
            take_lock(fd, str(path))
            if not still_named(fd, partial.name, at=at):
                raise CassetteInUseError(
                    f"another respool is recording to {path}", "stop it first, or record to another file"
                )
            if durable:
                self._sync_name()
        except BaseException as error:
            if not isinstance(error, CassetteInUseError):
                self.remove()  # nobody else can have it: no locks on this file system, no room, or an interrupt
            os.close(fd)
            raise
        return fd

    def _refuse_leftovers(self) -> None:
        partial, path, at = self.partial, self._path, self._at
        if is_there(path, at):
            if not self._overwrite:
                raise CassetteError(f"{path} exists already", "`--append` adds to it, `--overwrite` replaces it")
            _claim(path, path, at, replace=False)
        if is_there(partial, at):
            _claim(partial, path, at, replace=self._overwrite)
            if not self._overwrite:
                if _is_empty(partial, at):  # another recorder may have made it just now, and be about to lock it
                    time.sleep(_BEGIN_SECONDS)
                    _claim(partial, path, at, replace=False)
                raise CassetteError(
                    f"{partial} is in the way: a recording that was cut short left it",
                    f"it opens as it is (`respool show {partial}`); move it away to keep it, or replace it with `--overwrite`",
                )

    def publish(self) -> None:
        """Give the finished file its name, and let go of the folder. Raises RecordingFailed.

        It does so, too, when the file has its name and the path leads to another folder by now.
        """
        try:
            publish(self.partial, self._path, overwrite=self._overwrite, at=self._at)
        except (OSError, CassetteInUseError) as error:
            raise unpublished(self.partial, self._path, error, named=not is_there(self.partial, self._at)) from error
        there = self._is_where_it_was()
        self.close()
        if not there:
            raise astray(self._path)

    def _is_where_it_was(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._at), self._path.parent.stat())
        except OSError:
            return False

    def remove(self, failed: RecordingFailed | None = None) -> None:
        """Remove the file. One that cannot be removed stays, for what happened before is what matters.

        `failed`: why it is removed, which then no longer says that the file is there.
        """
        try:
            os.unlink(self.partial.name, dir_fd=self._at)
        except OSError:
            return
        if failed is not None:
            failed.undone(self._path)

    def close(self) -> None:
        """Let go of the folder."""
        if self._at >= 0:
            os.close(self._at)
            self._at = -1

    def _sync_name(self) -> None:
        try:
            sync(self._at)
        except OSError as error:
            raise CassetteError(
                f"{self.partial} cannot be made to last: {error.strerror}", "record without --durable"
            ) from error


def publish(partial: Path, path: Path, *, overwrite: bool, at: int) -> None:
    """Give a finished file its name in the folder `at`, at once and for good.

    Without `overwrite`, raises FileExistsError if there is one. With it, raises CassetteInUseError if another writer is
    appending to the old one.
    """
    if overwrite:
        if is_there(path, at):
            _claim(path, path, at, replace=False)
        os.replace(partial.name, path.name, src_dir_fd=at, dst_dir_fd=at)
    else:
        try:
            os.link(partial.name, path.name, src_dir_fd=at, dst_dir_fd=at, follow_symlinks=False)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
                raise
            # A file system without hard links: the best there is leaves a moment in which another could take the name.
            if is_there(path, at):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from error
            os.rename(partial.name, path.name, src_dir_fd=at, dst_dir_fd=at)
        else:
            os.unlink(partial.name, dir_fd=at)
    sync(at)


def opened_folder(folder: Path, within: int | None = None) -> int:
    """A descriptor of a folder, to be closed: of `within`, where it was opened before."""
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) if within is None else os.dup(within)


def sync(at: int) -> None:
    """Make the names in an open folder last. A file system that cannot says EINVAL, and has nothing better to offer."""
    try:
        os.fsync(at)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise


def _claim(found: Path, path: Path, at: int, *, replace: bool) -> None:
    """Refuse what is no regular file or is being written to; else remove it, if so asked, while the lock is held."""
    link = stat.S_ISLNK(os.lstat(found.name, dir_fd=at).st_mode)
    if link:
        if replace:
            raise CassetteError(f"{found} is a symbolic link, which no recording left", "move it away")
        if not found.exists():
            return
    fd = open_regular(found, os.O_RDONLY, at=None if link else at)
    try:
        take_lock(fd, str(path))
        if replace and still_named(fd, found.name, at=at):
            os.unlink(found.name, dir_fd=at)
    except OSError as error:
        raise CassetteError(f"{found} cannot be replaced: {error.strerror}") from error
    finally:
        os.close(fd)


def is_there(path: Path, at: int) -> bool:
    """Whether there is anything by the name of `path` in an open folder, a link that leads nowhere too."""
    try:
        os.lstat(path.name, dir_fd=at)
    except OSError:
        return False
    return True


def _is_empty(path: Path, at: int) -> bool:
    try:
        return not os.lstat(path.name, dir_fd=at).st_size
    except OSError:
        return False


def _uncreated(partial: Path, path: Path, error: OSError) -> CassetteError:
    if error.errno == errno.ENOENT:
        return CassetteError(f"{partial} cannot be made: its folder does not exist", f"mkdir -p {path.parent}")
    if error.errno == errno.EEXIST:
        return CassetteInUseError(f"another respool is recording to {path}", "stop it first, or record to another file")
    return CassetteError(f"{partial} cannot be made: {error.strerror}")
