"""Marks and notes of a person about a cassette, in a file beside it: `NAME.cassette.notes.json`.

They travel with the cassette and never touch it. The file may come from anyone: size, count and lengths are capped, a link
or a special file is not followed, and what is no list of marks raises instead of being written over. It is written whole or
not at all, and never over a file that could not be read.
"""

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .errors import CassetteError
from .file_names import sibling
from .text import clip

FORMAT = "respool-notes"
VERSION = 1
SUFFIX = ".notes.json"
LARGEST = 4 << 20
"""Bytes of the file."""
MOST = 10_000
"""Marks in it."""
LONGEST_NOTE = 2_000
_LONGEST_ID = 500


class Place(NamedTuple):
    """What is marked, by ids that stay: `kind` is `thread`, `run`, `step`, `call`, `exchange` and the like."""

    kind: str
    scope: str
    run: str = ""
    item: str = ""


class Notes:
    """The marks of one cassette, each with a note that may be empty, in the order in which they were made."""

    def __init__(self, cassette: Path, marks: dict[Place, str] | None = None) -> None:
        self.path = sibling(cassette, SUFFIX)
        self._marks = dict(marks or {})

    @classmethod
    def load(cls, cassette: Path) -> "Notes":
        """The notes beside a cassette; none where there is no file. Raises CassetteError for what cannot be used."""
        notes = cls(cassette)
        data = _read(notes.path)
        if data is not None:
            notes._marks = dict(_marks(data, notes.path))
        return notes

    @property
    def marks(self) -> dict[Place, str]:
        """The marks with their notes, as they would be saved."""
        return dict(self._marks)

    def __len__(self) -> int:
        return len(self._marks)

    def __iter__(self) -> Iterator[Place]:
        return iter(self._marks)

    def __contains__(self, place: Place) -> bool:
        return place in self._marks

    def note(self, place: Place) -> str:
        return self._marks.get(place, "")

    def mark(self, place: Place, note: str | None = None) -> bool:
        """Mark a place; with `note` say something of it. False when there are too many marks."""
        if place not in self._marks and len(self._marks) >= MOST:
            return False
        self._marks[place] = clip(note, LONGEST_NOTE) if note is not None else self._marks.get(place, "")
        return True

    def unmark(self, place: Place) -> None:
        self._marks.pop(place, None)

    def save(self) -> None:
        """Write the file, or take it away where nothing is marked. Raises CassetteError when that fails."""
        marks = [{**place._asdict(), "note": note} for place, note in self._marks.items()]
        text = json.dumps({"format": FORMAT, "version": VERSION, "marks": marks}, indent=1) + "\n"
        partial = self.path.with_name(f"{self.path.name}.{os.getpid()}.partial")
        try:
            if not marks:
                self.path.unlink(missing_ok=True)
                return
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.path)
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise CassetteError(f"{self.path} cannot be written: {error.strerror}") from error


def _read(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CassetteError(f"{path} cannot be read: {error.strerror}", "a link is not followed") from error
    try:
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise CassetteError(f"{path} is no ordinary file")
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise CassetteError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > LARGEST:
        raise CassetteError(f"{path} is larger than {LARGEST:,} bytes", "move it away to begin anew")
    return data


def _marks(data: bytes, path: Path) -> Iterator[tuple[Place, str]]:
    hint = "move it away to begin anew; it is left as it is"
    try:
        told: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CassetteError(f"{path} is no JSON", hint) from error
    if not isinstance(told, dict) or told.get("format") != FORMAT or not isinstance(told.get("marks"), list):
        raise CassetteError(f"{path} holds no marks of respool", hint)
    if told.get("version") != VERSION:
        raise CassetteError(f"{path} was written by a newer respool", hint)
    if len(told["marks"]) > MOST:
        raise CassetteError(f"{path} holds more than {MOST:,} marks", hint)
    for entry in told["marks"]:
        values = [entry.get(name, "") for name in (*Place._fields, "note")] if isinstance(entry, dict) else [None]
        texts = [value for value in values if isinstance(value, str)]
        if len(texts) < len(values) or max(map(len, texts[:-1])) > _LONGEST_ID or len(texts[-1]) > LONGEST_NOTE:
            raise CassetteError(f"{path} holds a mark that cannot be understood", hint)
        yield Place(*texts[:-1]), texts[-1]
