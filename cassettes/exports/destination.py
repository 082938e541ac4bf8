"""Where an export goes: a new file that appears when it is whole, readable by its owner as the cassette is."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from ..errors import CassetteError
from ..file_names import sibling


def write(pieces: Iterable[str], destination: Path, *, overwrite: bool = False) -> None:
    """Write the pieces to a file. Raises CassetteError where there is one (unless `overwrite`) or it cannot be written."""
    if not overwrite and os.path.lexists(destination):
        raise CassetteError(f"{destination} exists", "Name another file, or replace it with --overwrite.")
    partial = sibling(destination, ".partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        hint = f"no export is at work there? Then one that was killed left it: rm {partial}"
        raise CassetteError(f"{partial} is in the way", hint) from error
    except OSError as error:
        raise CassetteError(f"{partial} cannot be made: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(pieces)
        if overwrite:
            partial.replace(destination)
        else:
            os.link(partial, destination)  # unlike a rename, it never replaces what came into being meanwhile
    except OSError as error:
        raise CassetteError(f"{destination} cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()
