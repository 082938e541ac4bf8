"""`respool scan`: look for secrets in cassettes, exports and folders, before they are handed on."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..cassettes.amounts import counted
from .redacting import add_redaction
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
    from ..cassettes.settings import redaction_for
    from ..cassettes.text import safe

    policy = redaction_for(None, redact=arguments.redact, allow=arguments.redact_allow, pii=arguments.redact_pii).policy
    found = files = 0
    for path in (each for given in arguments.paths for each in _files(given)):
        files += 1
        for suspect in _suspects(path, policy):
            print(safe(f"{path}: {suspect.place}: {suspect.rule}"))
            found += 1
    narrate(f"respool: {counted(found, 'place')} in {counted(files, 'file')} where something looks like a secret")
    return 1 if found else 0


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        inside = sorted(each for each in path.rglob("*") if each.is_file() and not each.is_symlink())
        yield from (each for each in inside if not any(part.startswith(".") for part in each.relative_to(path).parts))
    else:
        yield path


def _suspects(path: Path, policy: "Policy") -> "Iterator[Suspect]":
    from ..cassettes.format import MAGIC
    from ..cassettes.secrets.audit import suspects_in, suspects_in_file
    from .opening import opened

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
