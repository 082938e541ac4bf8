"""New cassettes made of others, and the simplest of them: `trim` keeps the calls of one that are chosen.

The cassette itself is read and never written. Each new file comes about whole or not at all. What is kept keeps its number,
its times, its notes, and fields and records that this version does not know. The file's id stays too: what is stored of
credentials is salted with it, and `joining` knows by it that parts belong together.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TypeVar

from .amounts import counted
from .errors import CassetteError, UsageError
from .file_names import sibling
from .filters import Expression, Filter
from .reader import Reader
from .records import digest_of
from .summary import Row
from .text import clip
from .writer import Writer

EACH = 1000
"""Calls between two reports of progress."""

AnyWriter = TypeVar("AnyWriter", bound=Writer)

Progress = Callable[[int, int], None]
"""Is told, from time to time, how many of how many calls were looked at."""


def trim(
    reader: Reader,
    path: Path,
    expression: Expression | None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> int:
    """Write the calls that fit to `path`; returns their number. Raises UsageError if there are none, and writes nothing then."""
    fits = Filter(expression, reader)
    with whole(begin(path, [reader], dict(reader.meta), overwrite=overwrite)) as writer:
        for row in reported(reader.rows(), len(reader), progress):
            if fits(row):
                writer.append(reader.interaction(row), row.summary)
        if len(reader) and not writer.count:
            raise UsageError(
                f"none of the {len(reader):,} calls of {reader.path} fits, so nothing was written",
                "`respool ls --filter EXPR` shows what a filter finds",
            )
    return writer.count


def begin(path: Path, sources: Iterable[Reader], meta: dict[str, object], *, overwrite: bool) -> Writer:
    """A writer of a cassette that is made of others, with the id of the first of them, and what nobody here knows of all."""
    sources = list(sources)
    refuse(path, sources, overwrite=overwrite)
    return carry(Writer.create(path, meta=meta, overwrite=overwrite, file_id=sources[0].file_id), sources)


@contextmanager
def whole(writer: AnyWriter) -> Iterator[AnyWriter]:
    """The writer of a new file that gets its name when the block ends; where that fails, or anything in it, nothing is left.

    What is made of other files can be made again. A recording cannot: it is closed, and what there is of it stays.
    """
    try:
        yield writer
        writer.finish()
    finally:
        writer.discard()


def carry(writer: AnyWriter, sources: Iterable[Reader]) -> AnyWriter:
    """The writer, with the ancillary records of all sources in it; one that stands in several just the same is kept once."""
    seen: set[tuple[int, int, int, bytes]] = set()
    try:
        for source in sources:
            for header, payload in source.ancillary():
                same = header.type, header.codec, header.flags, digest_of(payload)
                if same not in seen:
                    seen.add(same)
                    writer.keep(header, payload)
    except BaseException:  # an interrupt, too, leaves nothing half made
        writer.discard()
        raise
    return writer


def refuse(path: Path, sources: Iterable[Reader], *, overwrite: bool) -> None:
    """Raise if nothing may be written to `path`: it is a source, or there is something."""
    ways = (path, sibling(path, ".partial"))  # the second is what it is while it is written
    for source in sources:
        if any(way.exists() and way.samefile(source.path) for way in ways):
            raise UsageError(f"{path} is the cassette that is read", "write to another file: the result is a new one")
    if os.path.lexists(path) and not overwrite:
        raise CassetteError(f"{path} exists already", "`--overwrite` replaces it")


def reported(rows: Iterator[Row], total: int, progress: Progress | None) -> Iterator[Row]:
    """The rows, and reports of progress as they pass."""
    one_more = counting(total, progress)
    for row in rows:
        yield row
        one_more()


def counting(total: int, progress: Progress | None) -> Callable[[], None]:
    """To be called behind each call that was looked at: reports of progress are made of it."""
    numbers = count(1)

    def one_more() -> None:
        number = next(numbers)
        if progress is not None and (number % EACH == 0 or number == total):
            progress(number, total)

    return one_more


def known_threads(reader: Reader, wanted: Iterable[str]) -> None:
    """Raise UsageError for a thread that was not recorded."""
    scopes = reader.scopes()
    threads = [scope for scope in scopes if not scope.startswith("/")]
    for name in wanted:
        if name not in scopes:
            some = ", ".join(clip(thread, 80) for thread in threads[:5]) or "none"
            raise UsageError(
                f"no thread {clip(name, 80)} in {reader.path}",
                f"it has {counted(len(threads), 'thread')}, the first: {some}",
            )
