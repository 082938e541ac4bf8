"""The files in which a person settles things: the nearest `pyproject.toml`, and TOML beside a cassette. What they say is others'.

Raises UsageError for a file that cannot be read, is too large, or is no TOML.
"""

import tomllib
from pathlib import Path
from typing import Any

from .errors import UsageError
from .text import clip

PROJECT = "pyproject.toml"
OF_THE_INSPECTOR = "keys"
"""A table in `[tool.respool]` that the inspector reads."""
LARGEST = 1 << 20
"""Bytes of a settings file."""


def table_near(cassette: Path, name: str, folder: Path | None = None) -> list[tuple[str, object]]:
    """The tables of this name in `[tool.respool]` near a cassette and the working directory, each with where it stands."""
    found: list[tuple[str, object]] = []
    places = (cassette.absolute().parent, (folder or Path()).absolute())
    for project in dict.fromkeys(filter(None, map(project_of, places))):
        table = loaded(project).get("tool", {})
        table = table.get("respool", {}) if isinstance(table, dict) else {}
        if isinstance(table, dict) and name in table:
            found.append((f"[tool.respool] in {project}", table[name]))
    return found


def project_of(folder: Path) -> Path | None:
    """The nearest `pyproject.toml`, upward of a folder."""
    for parent in (folder, *folder.parents):
        path = parent / PROJECT
        if path.is_file():
            return path
    return None


def loaded(path: Path) -> dict[str, Any]:
    """What a file of TOML says."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise UsageError(f"{path} is larger than {LARGEST:,} bytes")
        return tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{path} is no TOML: {clip(str(error), 200)}", "respool looks there for its settings"
        ) from error
