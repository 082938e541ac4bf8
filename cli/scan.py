"""`respool scan`: look for secrets in cassettes, exports and folders, before they are handed on."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..cassettes.amounts import counted
from ..cassettes.errors import CassetteError
from .redacting import add_redaction, policy_of
from .running import narrate

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
    found = files = 0
    for path in (each for given in arguments.paths for each in _files(given)):
        files += 1
        for suspect in _suspects(path, policy):
            shown = scrub_text(str(path), (), cleaning)
            print(safe(f"{shown}: {suspect.place}: {suspect.rule}"))
            found += 1
    narrate(f"respool: {counted(found, 'place')} in {counted(files, 'file')} where something looks like a secret")
    return 1 if found else 0


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


def _suspects(path: Path, policy: "Policy") -> "Iterator[Suspect]":
    from ..cassettes.format import MAGIC
    from ..cassettes.secrets.audit import suspects_in, suspects_in_file, suspects_in_name
    from .opening import opened

    yield from suspects_in_name(path, policy)
    if _begins_with(path, MAGIC):
        with opened(path) as reader:
            yield from suspects_in(reader, policy)
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
