"""`respool scan`: look for secrets in cassettes, exports and folders, before they are handed on."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..cassettes.amounts import counted
from ..cassettes.errors import CassetteError
from .redacting import add_redaction, policy_of
from .running import clear_progress, narrate, progress_of

if TYPE_CHECKING:
    from ..cassettes.secrets.audit import Suspect
    from ..cassettes.secrets.policy import Policy


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "scan",
        help="look for secrets in cassettes, exports and folders",
        description="Print where something stands that looks like a secret, and the rule that says so, never what stands "
        "there. Exit status 1 if there is anything. A folder is looked through, hidden files in it left out.",
    )
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH")
    add_redaction(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..cassettes.redaction import scrub_text
    from ..cassettes.secrets.cleaning import Cleaning
    from ..cassettes.text import safe

    policy = policy_of(arguments, None)
    cleaning = Cleaning(policy)
    files = [each for given in arguments.paths for each in _files(given)]
    watch = _Watch(len(files))
    found = 0
    try:
        for path in files:
            for suspect in _suspects(path, policy, watch):
                shown = scrub_text(str(path), (), cleaning)
                watch.clear()
                print(safe(f"{shown}: {suspect.place}: {suspect.rule}"), flush=watch.shows)
                found += 1
            watch.one_more()
    finally:
        watch.clear()
    narrate(f"respool: {counted(found, 'place')} in {counted(len(files), 'file')} where something looks like a secret")
    return 1 if found else 0


class _Watch:
    """Progress on a terminal: of the files, or of the calls where there is one file alone; findings stand above it."""

    def __init__(self, files: int) -> None:
        progress = progress_of("scanning", "calls" if files == 1 else "files")
        self.shows = progress is not None
        self.calls = progress if files == 1 else None
        self._report = None if files == 1 else progress
        self._done, self._files = 0, files

    def one_more(self) -> None:
        self._done += 1
        if self._report is not None:
            self._report(self._done, self._files)

    def clear(self) -> None:
        if self.shows:
            clear_progress()


def _files(path: Path) -> Iterator[Path]:
    """A file, or the files in a folder. Raises CassetteError for a folder that cannot be read: a gate passes nothing over."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path, onerror=_unreadable):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for each in (Path(folder, name) for name in sorted(names) if not name.startswith(".")):
            if each.is_file() and not each.is_symlink():
                yield each


def _unreadable(error: OSError) -> None:
    raise CassetteError(f"{error.filename} cannot be read: {error.strerror}") from error


def _suspects(path: Path, policy: "Policy", watch: _Watch) -> "Iterator[Suspect]":
    from ..cassettes.format import MAGIC
    from ..cassettes.secrets.audit import suspects_in, suspects_in_file, suspects_in_name
    from .opening import opened

    yield from suspects_in_name(path, policy)
    if _begins_with(path, MAGIC):
        with opened(path, before_warning=watch.clear) as reader:
            yield from suspects_in(reader, policy, progress=watch.calls)
    else:
        yield from suspects_in_file(path, policy)


def _begins_with(path: Path, magic: bytes) -> bool:
    """Whether a file begins so. One that cannot be read is told by whoever reads it next."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(magic)) == magic
    except OSError:
        return False
