"""Which file is a test's cassette, and which session its calls are.

A cassette without a name of its own is `MODULE/FUNCTION.cassette`, `MODULE/CLASS.FUNCTION.cassette` for a method, with
`-PARAMETERS` in front of the ending for a parametrised test. What no file name should hold becomes `-`, and eight
characters of a hash then tell apart what would have become the same.
"""

import hashlib
import re
from pathlib import Path

import pytest

from ...cassettes.errors import UsageError

SUFFIX = ".cassette"
FOLDER = "cassettes"
MOST = 120
"""Characters of a file's name that come from the test; most file systems take 255 bytes, ending and `.partial` included."""
_GIVEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


def cassette_path(item: pytest.Item, name: str | None, *, folder: Path | None, root: Path) -> Path:
    """The file of a test's cassette. `folder` holds those of the whole suite; without it they are beside the test file.

    Raises UsageError for a given name that is none.
    """
    base = folder_of(item, folder)
    if name is not None:
        name = name.removesuffix(SUFFIX)
        if not _GIVEN.fullmatch(name) or len(name) > 200:
            raise UsageError(
                f"{name!r} is no name for a cassette",
                "use letters, digits and . _ - with / between folders, 200 characters at most",
            )
        return base / (name + SUFFIX)
    if folder is not None and item.path.parent.is_relative_to(root):
        base /= item.path.parent.relative_to(root)  # two folders may hold test files of one name
    return base / item.path.stem / (default_name(item) + SUFFIX)


def folder_of(item: pytest.Item, folder: Path | None) -> Path:
    """The folder below which the cassette of a test is."""
    return folder or item.path.parent / FOLDER


def default_name(item: pytest.Item) -> str:
    """The name of a test within its file, fit for a file name."""
    classes = [node.name for node in item.listchain() if isinstance(node, pytest.Class)]
    function, bracket, parameters = item.name.partition("[")
    name = ".".join([*classes, function])
    if bracket:
        name += "-" + parameters.removesuffix("]")
    fit = _UNFIT.sub("-", name)
    if fit == name and len(fit) <= MOST:
        return fit
    return f"{fit[:MOST]}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def session_name(path: Path, worker: str, number: int) -> str:
    """A session that no other test, and no other attempt of the same test, has."""
    return f"{_UNFIT.sub('-', path.stem).lstrip('._-')[:60] or 'test'}~{worker}.{number}"
