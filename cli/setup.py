"""`respool setup git`: teach the git repository at hand to show cassettes as text and to merge their threads.

What git runs is this Python with `-m respool`, so that it is found in a virtual environment too; `-P` keeps what lies in the
repository from being imported. That goes into the repository's own configuration, which is not shared; the line in
`.gitattributes` is. To those who have not run this it says one thing only: that git converts no line ends in a cassette.
"""

import argparse
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from ..cassettes.errors import UsageError
from .git import NOTHING_THERE, configured, git, work_tree
from .running import narrate

ATTRIBUTES = "*.cassette -text diff=respool merge=respool"
FORMER = "*.cassette diff=respool merge=respool"
"""The line of before: where another one makes text of all files, it let git convert line ends in cassettes."""
EXCLUDED = "*.cassette.conflict.txt"
SECTIONS = ("diff.respool", "merge.respool")


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "setup",
        help="set up git to show and merge cassettes",
        description="Set up the git repository at hand: `git diff`, `log -p` and `show` show cassettes as text, and `git merge` "
        "joins their threads. Says what it changes; once more changes nothing. See docs/review.md.",
    )
    parser.add_argument("what", choices=("git",), metavar="git", help="what to set up")
    parser.add_argument(
        "--cache", action="store_true", help="let git keep the texts of cassettes (as notes in the repository)"
    )
    parser.add_argument("--undo", action="store_true", help="take out what it set up")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    top = work_tree()
    if arguments.undo and arguments.cache:
        raise UsageError("--cache and --undo do not go together")
    told = list(_undone(top) if arguments.undo else _done(top, cache=arguments.cache))
    for line in told or ["nothing to do: " + ("nothing was set up" if arguments.undo else "all is set up already")]:
        narrate(f"respool: {line}")
    return 0


def settings(*, cache: bool) -> dict[str, str]:
    """git's configuration for cassettes: key → value."""
    respool = f"{shlex.quote(sys.executable)} -P -m respool"
    return {
        "diff.respool.textconv": f"{respool} show --textconv --",
        "diff.respool.cachetextconv": "true" if cache else "false",
        "merge.respool.name": "respool: join the threads of both branches",
        "merge.respool.recursive": "binary",  # a base that git makes of two is looked at by nobody
        "merge.respool.driver": f"{respool} merge --driver -- %O %A %B %P",
    }


def _done(top: Path, *, cache: bool) -> Iterator[str]:
    for key, value in settings(cache=cache).items():
        if configured(key, top) != value:
            git("config", "--local", "--replace-all", key, value, folder=top)
            yield f"set {key} = {value}"
    if _attributes(top) != ("respool", "respool", "unset"):
        yield from _removed(top / ".gitattributes", FORMER)
        yield from _added(top / ".gitattributes", ATTRIBUTES)
    yield from _added(_excludes(top), EXCLUDED)


def _undone(top: Path) -> Iterator[str]:
    for section in SECTIONS:
        known = git(
            "config",
            "--local",
            "--get-regexp",
            f"^{section.replace('.', chr(92) + '.')}{chr(92)}.",
            folder=top,
            allowed=NOTHING_THERE,
        )
        if known:
            git("config", "--local", "--remove-section", section, folder=top)
            yield f"took out {section}"
    yield from _removed(top / ".gitattributes", ATTRIBUTES)
    yield from _removed(top / ".gitattributes", FORMER)
    yield from _removed(_excludes(top), EXCLUDED)


def _attributes(top: Path) -> tuple[str, ...]:
    """How git would diff and merge a cassette in that repository, and whether it takes one for text."""
    told = git("check-attr", "-z", "diff", "merge", "text", "--", "some.cassette", folder=top)
    return tuple(told.decode("utf-8", "replace").split("\0")[2::3])


def _excludes(top: Path) -> Path:
    """The repository's own list of what git does not look at."""
    return top / git("rev-parse", "--git-path", "info/exclude", folder=top).decode(
        "utf-8", "surrogateescape"
    ).removesuffix("\n")


def _added(path: Path, line: str) -> Iterator[str]:
    lines = _lines(path)
    if line in (known.strip() for known in lines):
        return
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    _write(path, [*lines, line + "\n"])
    yield f"added to {path}: {line}"


def _removed(path: Path, line: str) -> Iterator[str]:
    lines = _lines(path)
    kept = [known for known in lines if known.strip() != line]
    if len(kept) == len(lines):
        return
    if kept or path.name != ".gitattributes":
        _write(path, kept)
    else:
        path.unlink()
    yield f"took out of {path}: {line}"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", "surrogateescape").splitlines(keepends=True)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _write(path: Path, lines: list[str]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(lines), "utf-8", "surrogateescape")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
