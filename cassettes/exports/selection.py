"""Which interactions of a cassette are exported: all of them, or those of one thread, in order of arrival."""

from collections import Counter
from collections.abc import Iterator
from typing import Protocol

from ..conversation import Recorded
from ..editing import Progress, reported
from ..errors import UsageError
from ..interaction import Interaction
from ..summary import Row
from ..text import clip

Lost = Counter[str]
"""What an export leaves out, counted as it is written: each a few words that `losses` puts into a sentence."""

REPEATS = "reads that repeat the answer before them"


class Source(Recorded, Protocol):
    """What is exported: an open cassette (`reader.Reader`)."""

    @property
    def file_id(self) -> bytes: ...


def selected(source: Source, thread: str | None, progress: Progress | None = None) -> Iterator[tuple[Row, Interaction]]:
    """Each chosen row with its interaction. Raises UsageError at once where there is no such thread."""
    known(source, thread)
    rows = source.rows() if thread is None else iter(source.rows_of_scope(thread))
    return ((row, source.interaction(row)) for row in reported(rows, size_of(source, thread), progress))


def size_of(source: Source, thread: str | None) -> int:
    """How many calls are chosen."""
    return len(source) if thread is None else len(source.rows_of_scope(thread))


def known(source: Source, thread: str | None) -> None:
    """Raise UsageError where there is no such thread."""
    if thread is not None and thread not in source.scopes():
        raise UsageError(
            f"no thread {clip(thread, 80)} in {clip(str(source.path), 200)}", "`respool show CASSETTE` lists them"
        )
