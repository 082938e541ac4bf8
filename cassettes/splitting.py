"""`split`: a cassette of its own for each thread of one, and one for the calls that belong to none.

All of the files come about, or none does: whatever comes in between, an interrupt too, takes with it what was made, and the
folder where it was not there before. A file that is to be replaced stays until all that take such places are whole.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from heapq import merge
from pathlib import Path

from .draft import opened_folder, publish
from .editing import Progress, begin, refuse, whole
from .errors import CassetteError
from .file_names import sibling
from .folder import SUFFIX, is_name
from .lock import take_lock
from .reader import Reader
from .source import open_regular
from .storage import make_folder
from .summary import Row

REST = "other-calls"
"""The name of the part that holds the calls that belong to no thread."""


def split(
    reader: Reader, folder: Path, *, shared: bool = False, overwrite: bool = False, progress: Progress | None = None
) -> list[Path]:
    """Write each thread to a file named by its id in `folder`, which is made if it is not there; returns their paths.

    The calls that belong to no thread go to a file of their own, or with `shared` into every other. Raises CassetteError,
    before anything is written, if one of the files exists (unless `overwrite`).
    """
    scopes = reader.scopes()
    rest = [scope for scope in scopes if scope.startswith("/")]
    parts = [(scope, [scope, *(rest if shared else ())]) for scope in scopes if not scope.startswith("/")]
    if rest and not (shared and parts):
        parts.append((REST, rest))
    places = list(_places(folder, [name for name, _ in parts]))
    for path in places:
        refuse(path, [reader], overwrite=overwrite)
        if overwrite and path.exists():
            _replaceable(path)
    done, total = 0, sum(len(reader.rows_of_scope(name)) for _, names in parts for name in names) if progress else 0
    with _Made(folder) as made:
        for path, (_, names) in zip(places, parts, strict=True):
            beside = made.place_of(path) if overwrite else path
            with whole(begin(beside, [reader], dict(reader.meta), overwrite=overwrite)) as writer:
                made.note(beside)
                for row in merge(*map(reader.rows_of_scope, names), key=_arrival):
                    writer.append(reader.interaction(row), row.summary)
            done += writer.count
            if progress is not None:
                progress(done, total)
    return places


class _Made:
    """What was made in a folder, and the folder: it stays when the block ends well, and else nothing of it does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folders = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
        self._files: dict[Path, os.stat_result] = {}
        self._replaced: dict[Path, Path] = {}

    def place_of(self, path: Path) -> Path:
        """Where a file is written that is to stand at `path`: beside it, where there is one that is to be replaced."""
        if not os.path.lexists(path):
            return path
        self._replaced[path] = sibling(path, ".new")
        return self._replaced[path]

    def note(self, path: Path) -> None:
        """Take note of the file that was begun and will be `path`, so that no other by this name is taken for it."""
        self._files[path] = sibling(path, ".partial").stat()

    def __enter__(self) -> "_Made":
        try:
            make_folder(self._folder)
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._replace()
                self._files, self._folders = {}, []
        finally:
            self._remove()

    def _replace(self) -> None:
        at = opened_folder(self._folder)
        try:
            for path, new in self._replaced.items():
                publish(new, path, overwrite=True, at=at)
        except OSError as error:
            raise CassetteError(f"{self._folder} cannot be written to: {error.strerror}") from error
        finally:
            os.close(at)

    def _remove(self) -> None:
        for path, made in self._files.items():
            with contextlib.suppress(OSError):  # what cannot be removed stays; what happened before is what is told
                if os.path.samestat(path.lstat(), made):
                    path.unlink()
        for folder in self._folders:
            with contextlib.suppress(OSError):  # somebody else has put something into it
                folder.rmdir()


def _replaceable(path: Path) -> None:
    """Raise CassetteError for what cannot be replaced: no file, one that is being written, one with a `.new` beside it."""
    fd = open_regular(path, os.O_RDONLY)
    try:
        take_lock(fd, str(path))
    finally:
        os.close(fd)
    new = sibling(path, ".new")
    if os.path.lexists(new):
        raise CassetteError(f"{new} is in the way", "move it away: the part is written there until all are whole")


def _places(folder: Path, names: Iterable[str]) -> Iterator[Path]:
    """A path for each name. What cannot name a file, or differs from another by case alone, is numbered."""
    taken: set[str] = set()
    for number, name in enumerate(names, 1):
        plain = name if is_name(name) and "/" not in name else f"thread-{number}"
        while plain.lower() in taken:
            plain = f"{plain}-{number}"
        taken.add(plain.lower())
        yield folder / (plain + SUFFIX)


def _arrival(row: Row) -> int:
    return row.summary.arrival
