"""Where the sockets of running proxies are: in a folder that is the user's alone, each named by its data port and its process.

The folder is `respool` in XDG_RUNTIME_DIR, else `respool/run` in the user's cache folder. It is used only where it is a real
folder, belongs to this user and lets nobody else in: what another user may have laid there is refused.
"""

import contextlib
import os
import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ...cassettes.errors import UsageError
from ...cassettes.file_names import home
from .protocol import ControlError

_NAME = re.compile(r"([0-9]{1,5})-([0-9]{1,10})\.sock")
_MOST_NAMES = 1000


class Found(NamedTuple):
    """A socket that answers. `port`: the data port of its proxy; `pid`: its process."""

    path: Path
    port: int
    pid: int


def folder(*, make: bool = False) -> Path:
    """The folder of the sockets. Raises ControlError where it is not this user's alone, or cannot be made."""
    place = _place()
    try:
        if make:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                place.mkdir(mode=0o700)
        if os.path.lexists(place) and not _is_private(place):
            raise ControlError(
                f"{place} is not this user's alone",
                "remove it, or `chmod 700` it if it is yours; `--control PATH` takes another place",
            )
    except OSError as error:
        raise ControlError(f"{place} cannot be used for sockets: {error.strerror}") from error
    return place


def _place() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/") and _is_private(Path(runtime)):
        return Path(runtime) / "respool"
    cache = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(cache) if cache.startswith("/") else home() / ".cache") / "respool" / "run"
    except UsageError as error:
        raise ControlError(error.message, "set XDG_RUNTIME_DIR or HOME; `--control PATH` takes another place") from None


def _is_private(place: Path) -> bool:
    """Whether a path is a folder, and no link to one, of this user, that lets nobody else in."""
    try:
        found = place.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def place_for(port: int) -> Path:
    """The socket of this process, for the data port; those of dead processes go. Raises ControlError."""
    place = folder(make=True)
    for name in sorted(each.name for each in place.iterdir())[:_MOST_NAMES]:
        match = _NAME.fullmatch(name)
        if match is not None and not _lives(int(match[2])) and not answers(place / name):
            (place / name).unlink(missing_ok=True)
    return place / f"{port}-{os.getpid()}.sock"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def bind(path: Path) -> socket.socket:
    """Take a socket, mode 0600. One that a dead process left is replaced; a living one, or any other file, never.

    Raises UsageError.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{path} cannot be a control socket: {said}", "give --control another path") from None
    else:
        if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.getuid():
            raise UsageError(f"{path} is there, and is no socket of yours", "give --control another path")
        if answers(path):
            raise UsageError(f"another proxy listens on {path}", "give --control another path")
        path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except (OSError, ValueError) as error:
        listener.close()
        said = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"{path} cannot be a control socket: {said}", "give --control another path, a short one"
        ) from None
    finally:
        os.umask(before)
    listener.listen(64)
    listener.setblocking(False)
    return listener


def release(path: Path, listener: socket.socket, made: int) -> None:
    """Close a socket and take its file away, if it is still the one that was made: the inode tells."""
    listener.close()
    with contextlib.suppress(OSError):
        if path.lstat().st_ino == made:
            path.unlink()


def answers(path: Path) -> bool:
    """Whether a process listens on a socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (TimeoutError, BlockingIOError):
            return True  # it is too busy to take one more
        except (OSError, ValueError):
            return False
        return True


def running() -> Iterator[Found]:
    """The proxies of this user that answer now, by port. Raises ControlError where the folder cannot be trusted."""
    place = folder()
    try:
        names = sorted(each.name for each in place.iterdir())[:_MOST_NAMES]
    except OSError:
        return
    for name in names:
        match = _NAME.fullmatch(name)
        if match is not None and answers(place / name):
            yield Found(place / name, int(match[1]), int(match[2]))
