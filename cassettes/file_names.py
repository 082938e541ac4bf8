"""A file's name as a person wrote it, in a setting or at a prompt: `~` is a home folder there, and not every name is one."""

from pathlib import Path

from .errors import CassetteError, UsageError
from .text import clip


def file_named(text: str) -> Path:
    """The path that is meant. Raises UsageError for the home of nobody, and for what no file can be called."""
    if "\0" in text:
        raise UsageError(f"{clip(text, 100)} cannot be the name of a file: it has a NUL in it")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UsageError(f"{clip(text, 100)}: there is no such home folder", "write the whole path") from None


def home() -> Path:
    """This user's home folder. Raises UsageError where he has none, as in some containers."""
    try:
        return Path.home()
    except RuntimeError:
        raise UsageError("this user has no home folder", "set HOME") from None


def sibling(path: Path, ending: str) -> Path:
    """The file beside `path` that is called as it is, and `ending`. Raises CassetteError for `/` and `.`, which are no files."""
    if not path.name:
        raise CassetteError(f"{path} is a directory, not a cassette file")
    return path.with_name(path.name + ending)
