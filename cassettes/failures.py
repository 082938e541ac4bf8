"""What is said when a recording cannot be written on: what failed, where the recording is, and how much of it is whole."""

import os
from pathlib import Path

from .amounts import counted
from .errors import CassetteError
from .lock import CassetteInUseError


class RecordingFailed(CassetteError):
    """The cassette could not be written on (a full disk, say). What was appended before is whole; no more is taken."""

    why: str = ""
    """What failed, where it is worth telling of a file that was removed since."""

    def undone(self, path: Path) -> None:
        """Say that nothing is left of the file. It is removed while this error is on its way to whoever is told."""
        if self.why:
            self.message, self.hint = (
                f"{path} cannot be written: {self.why}",
                "nothing is left of what was written of it",
            )
            self.args = (self.message,)


def stopped(count: int, place: Path, why: str, kept: str) -> RecordingFailed:
    calls = counted(count, "call")
    failed = RecordingFailed(f"the recording stopped after {calls}: writing to {place} failed ({why})", kept)
    failed.why = why
    return failed


def cut_back(fd: int, end: int, place: Path) -> str:
    """Cut the file back to its last whole record; returns how much of it is kept."""
    try:
        os.ftruncate(fd, end)
        os.lseek(fd, end, os.SEEK_SET)
    except OSError:
        return f"what was recorded before is in {place}, with a torn record after it"
    return f"what was recorded before is whole in {place}"


def not_synced(count: int, place: Path, error: OSError) -> RecordingFailed:
    """After a failed sync the kernel may have forgotten what it could not write, and another one would not tell."""
    kept = f"what the disk took before is whole in {place}; `respool doctor` says what else is"
    return stopped(count, place, f"the disk did not take it: {error.strerror or error}", kept)


def unpublished(place: Path, path: Path, error: OSError | CassetteInUseError, *, named: bool) -> RecordingFailed:
    """`named`: the file has its name, and only that this lasts is not sure."""
    if named:
        why = error.message if isinstance(error, CassetteInUseError) else error.strerror
        return RecordingFailed(
            f"{path} is complete, and a loss of power may still take its name away: {why}", "run `sync`"
        )
    if isinstance(error, FileExistsError):
        why = f"{path} came into being while it was recorded"
    else:
        why = error.message if isinstance(error, CassetteInUseError) else f"renaming failed ({error.strerror})"
    failed = RecordingFailed(f"the finished recording stays in {place}: {why}", f"it is complete: mv {place} NAME")
    failed.why = why
    return failed


def astray(path: Path) -> RecordingFailed:
    """The file is where it was begun, and whoever looks for it by its path finds another folder."""
    return RecordingFailed(
        f"the finished recording {path.name} stands in the folder that {path.parent} was when it began; that was moved meanwhile",
        "look for it where the folder is now",
    )
