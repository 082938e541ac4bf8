"""git, asked for one thing at a time: always by a list of arguments, never through a shell."""

import subprocess
from pathlib import Path

from ..cassettes.errors import UsageError
from ..cassettes.text import clip

NOTHING_THERE = (1, 5)
"""git config's exit status for a key that has no value, and for one that cannot be taken out because it is not there."""


def git(*arguments: str, folder: Path | None = None, allowed: tuple[int, ...] = ()) -> bytes:
    """What git prints. An exit status that is not `allowed` is a UsageError that says what git said."""
    try:
        command = ["git", *arguments]  # found on the PATH, as the user's own git is
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603 - git
    except FileNotFoundError as error:
        missing = folder is not None and not folder.is_dir()
        raise UsageError(
            f"there is no folder {folder}" if missing else "git is not installed, or not on the PATH"
        ) from error
    if done.returncode and done.returncode not in allowed:
        said = clip(done.stderr.decode("utf-8", "replace").strip(), 300) or f"exit status {done.returncode}"
        raise UsageError(f"git {clip(arguments[0], 40)}: {said}")
    return done.stdout


def work_tree(folder: Path | None = None) -> Path:
    """The top of the work tree. Raises UsageError where there is none."""
    try:
        top = git("rev-parse", "--show-toplevel", folder=folder)
    except UsageError as error:
        raise UsageError(
            f"this is not the work tree of a git repository ({error.message})", "change to one, or `git init`"
        ) from error
    return Path(top.decode("utf-8", "surrogateescape").removesuffix("\n"))


def configured(key: str, folder: Path) -> str | None:
    """The value of a key in the repository's own configuration."""
    value = git("config", "--local", "--get", key, folder=folder, allowed=NOTHING_THERE)
    return value.decode("utf-8", "surrogateescape").removesuffix("\n") if value else None
