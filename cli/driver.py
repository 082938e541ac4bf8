"""The merge of two branches' cassettes: as git's merge driver, and once more when a conflict is resolved.

As a driver it is given the base, ours and theirs as files, and leaves the result in the place of ours. Where both branches
changed a thread, ours stays as it is, a file beside the cassette shows both conversations, and the exit status is 1.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..cassettes.amounts import counted
from ..cassettes.ending import Ending
from ..cassettes.errors import CassetteError, DamagedCassetteError, UsageError
from ..cassettes.file_names import sibling
from ..cassettes.text import safe
from .git import git
from .running import narrate

if TYPE_CHECKING:
    from ..cassettes.joining import Keep
    from ..cassettes.reader import Reader
    from ..cassettes.three_way import Plan

CONFLICT = ".conflict.txt"
ONE_SIDE = (
    "`git checkout --ours` or `--theirs` takes one side as it is; `respool doctor --repair` keeps what is whole of one"
)
MOST_TOLD = 5
"""Conflicts that are told on stderr, each in a line."""


def drive(arguments: argparse.Namespace) -> int:
    """`merge --driver BASE OURS THEIRS [NAME]`."""
    paths: list[Path] = arguments.cassettes
    if len(paths) not in (3, 4):
        raise UsageError(
            "--driver takes the files of base, ours and theirs, and the cassette's name", "git calls it: %O %A %B %P"
        )
    base, ours, theirs = paths[:3]
    name = paths[3] if len(paths) == 4 else ours
    return _merge(base, ours, theirs, ours, name, arguments.keep)


def resolve(arguments: argparse.Namespace) -> int:
    """`merge --resolve --keep first|last CASSETTE`: merge what git's index holds of a conflict."""
    if len(arguments.cassettes) != 1 or arguments.keep is None:
        raise UsageError("--resolve takes the cassette that is in conflict, and --keep first (ours) or last (theirs)")
    (path,) = arguments.cassettes
    with _stages(path) as (base, ours, theirs):
        _merge(base, ours, theirs, path, path, arguments.keep)
    with suppress(OSError):
        sibling(path, CONFLICT).unlink()
    narrate(
        f"  {'our' if arguments.keep == 'first' else 'their'} recording of each conflict was kept; next: git add {path}"
    )
    return 0


def _merge(base: Path, ours: Path, theirs: Path, result: Path, name: Path, keep: "Keep | None") -> int:
    versions = [(base, f"the base of {name}"), (ours, f"our {name}"), (theirs, f"their {name}")]
    try:
        return _joined(versions, result, name, keep)
    except DamagedCassetteError as error:  # found as it is read
        told = error.message
        for path, called in versions:
            told = told.replace(str(path), called)
        raise CassetteError(told, ONE_SIDE) from error


def _joined(versions: list[tuple[Path, str]], result: Path, name: Path, keep: "Keep | None") -> int:
    """Merge the three versions, each with what it is called."""
    from ..cassettes.three_way import join_branches, plan

    base, ours, theirs = versions
    with ExitStack() as stack:
        before = _opened(stack, *base) if base[0].stat().st_size else None  # git gives an empty one for none
        one, other = _whole(stack, *ours), _whole(stack, *theirs)
        found = plan(before, one, other)
        if found.conflicts and keep is None:
            _tell(found, one, other, name)
            return 1
        joined = sibling(result, ".joined")
        calls = join_branches(before, one, other, found, joined, keep=keep or "first", overwrite=True)
    joined.replace(result)
    changes = [
        f"{counted(len(found.taken), 'thread')} from theirs" if found.taken else "",
        f"{counted(len(found.removed), 'thread')} of ours replaced or removed" if found.removed else "",
        f"{counted(len(found.conflicts), 'conflict')} settled" if found.conflicts else "",
    ]
    told = ", ".join(filter(None, changes)) or "nothing from theirs"
    narrate(f"respool: {name} merged, {counted(calls, 'call')}: {told}")
    return 0


def _opened(stack: ExitStack, path: Path, called: str) -> "Reader":
    """One of the three versions. What is wrong with it is told of the cassette, not of the file that git made of it."""
    from ..cassettes.reader import Reader

    try:
        reader = stack.enter_context(Reader.open(path))
    except CassetteError as error:
        raise CassetteError(error.message.replace(str(path), called), ONE_SIDE) from error
    if reader.warning:
        narrate(f"respool: {reader.warning.splitlines()[0].replace(str(path), called)}")
    return reader


def _whole(stack: ExitStack, path: Path, called: str) -> "Reader":
    """A version that can be merged: what one lacks that was cut short would be taken for removed."""
    if not path.stat().st_size:
        raise CassetteError(f"{called} is empty: there is no cassette to merge", ONE_SIDE)
    reader = _opened(stack, path, called)
    if reader.ending is Ending.CUT:
        raise CassetteError(
            f"{called} may lack calls at its end, and what it lacks must not be merged as removed", ONE_SIDE
        )
    return reader


def _tell(found: "Plan", ours: "Reader", theirs: "Reader", name: Path) -> None:
    from ..cassettes.conflicts import conflict_text, findings_of, summary

    beside = sibling(name, CONFLICT)
    advice = [
        "Our recording is in place. To take one recording of each of these threads, and all else from both branches:",
        f"  respool merge --resolve --keep first {safe(str(name))}     (ours)",
        f"  respool merge --resolve --keep last {safe(str(name))}      (theirs)",
        f"  git add {safe(str(name))}",
    ]
    told = "\n  ".join(summary(each, findings_of(each, ours, theirs)) for each in found.conflicts[:MOST_TOLD])
    more = f"\n  and {len(found.conflicts) - MOST_TOLD:,} more" if len(found.conflicts) > MOST_TOLD else ""
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(line + "\n" for line in conflict_text(name.name, found.conflicts, ours, theirs, advice))
        where = f"both conversations, side by side: {beside}"
    except OSError as error:
        where = f"{beside} cannot be written: {error.strerror}"
    changed = counted(len(found.conflicts), "thread")
    narrate(
        f"respool: conflict in {name}: {changed} changed on both sides\n  {told}{more}\n  {where}\n  "
        + "\n  ".join(advice)
    )


@contextmanager
def _stages(path: Path) -> Iterator[tuple[Path, Path, Path]]:
    """The three versions of a file that is in conflict, as git's index has them."""
    folder = path.parent if path.parent.is_dir() else None
    listed = git("--literal-pathspecs", "ls-files", "--unmerged", "-z", "--", path.name, folder=folder)
    stages: dict[int, str] = {}
    for entry in listed.decode("utf-8", "surrogateescape").split("\0"):
        words = entry.partition("\t")[0].split(" ")
        if len(words) == 3:
            stages[int(words[2])] = words[1]
    if 2 not in stages or 3 not in stages:
        raise UsageError(
            f"git has no conflict in {path}",
            "`git status` lists what is in conflict; one that is settled needs no merge",
        )
    with tempfile.TemporaryDirectory(prefix="respool-") as place:
        found: list[Path] = []
        for number, word in ((1, "base"), (2, "ours"), (3, "theirs")):
            file = Path(place) / f"{word}-{path.name}"
            file.write_bytes(git("cat-file", "blob", stages[number], folder=folder) if number in stages else b"")
            found.append(file)
        yield found[0], found[1], found[2]
