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
from ..cassettes.errors import UsageError
from ..cassettes.file_names import sibling
from ..cassettes.text import safe
from .git import git
from .running import narrate

if TYPE_CHECKING:
    from ..cassettes.joining import Keep
    from ..cassettes.reader import Reader
    from ..cassettes.three_way import Plan

CONFLICT = ".conflict.txt"
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
    from ..cassettes.three_way import join_branches, plan

    with ExitStack() as stack:
        before, one, other = (_opened(stack, path) for path in (base, ours, theirs))
        if one is None or other is None:
            raise UsageError(f"{ours if one is None else theirs} is empty: there is no cassette to merge")
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


def _opened(stack: ExitStack, path: Path) -> "Reader | None":
    """A cassette; None for an empty file, which is what git gives where there is no base."""
    from .opening import opened

    if path.is_file() and not path.stat().st_size:
        return None
    return stack.enter_context(opened(path))


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
