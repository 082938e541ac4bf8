"""New cassettes made of a part of one: `trim` keeps the calls that are chosen, `split` gives each thread a file of its own.

The cassette itself is read and never written. Each new file comes about whole or not at all. What is kept keeps its number,
its times, its notes, and fields and records that this version does not know. The file's id stays too: what is stored of
credentials is salted with it, and `joining` knows by it that parts belong together.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from pathlib import Path
from typing import TypeVar

from .amounts import counted
from .errors import CassetteError, UsageError
from .file_names import sibling
from .filters import Expression, Filter
from .folder import SUFFIX, is_name
from .reader import Reader
from .records import digest_of
from .storage import make_folder
from .summary import Row
from .text import clip
from .writer import Writer

EACH = 1000
"""Calls between two reports of progress."""
REST = "other-calls"
"""The name of the part that holds the calls that belong to no thread."""

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
    writer = begin(path, [reader], dict(reader.meta), overwrite=overwrite)
    try:
        for row in reported(reader.rows(), len(reader), progress):
            if fits(row):
                writer.append(reader.interaction(row), row.summary)
        if len(reader) and not writer.count:
            raise UsageError(
                f"none of the {len(reader):,} calls of {reader.path} fits, so nothing was written",
                "`respool ls --filter EXPR` shows what a filter finds",
            )
        writer.close()
    finally:
        writer.discard()
    return writer.count


def split(
    reader: Reader, folder: Path, *, shared: bool = False, overwrite: bool = False, progress: Progress | None = None
) -> list[Path]:
    """Write each thread to a file named by its id in `folder`, which is made if it is not there; returns their paths.

    The calls that belong to no thread go to a file of their own, or with `shared` into every other. Raises CassetteError,
    before anything is written, if one of the files exists (unless `overwrite`).
    """
    scopes = reader.scopes()
    rest = [scope for scope in scopes if scope.startswith("/")]
    parts = [(scope, [scope, *(rest if shared else ())]) for scope in scopes if not scope.startswith("/")]
    if rest and not (shared and parts):
        parts.append((REST, rest))
    places = list(_places(folder, [name for name, _ in parts]))
    for path in places:
        refuse(path, [reader], overwrite=overwrite)
    make_folder(folder)
    done, total = 0, sum(len(reader.rows_of_scope(name)) for _, names in parts for name in names) if progress else 0
    for path, (_, names) in zip(places, parts, strict=True):
        writer = begin(path, [reader], dict(reader.meta), overwrite=overwrite)
        try:
            for row in merge(*map(reader.rows_of_scope, names), key=_arrival):
                writer.append(reader.interaction(row), row.summary)
            writer.close()
        finally:
            writer.discard()
        done += writer.count
        if progress is not None:
            progress(done, total)
    return places


def begin(path: Path, sources: Iterable[Reader], meta: dict[str, object], *, overwrite: bool) -> Writer:
    """A writer of a cassette that is made of others, with the id of the first of them, and what nobody here knows of all."""
    sources = list(sources)
    refuse(path, sources, overwrite=overwrite)
    return carry(Writer.create(path, meta=meta, overwrite=overwrite, file_id=sources[0].file_id), sources)


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
    for number, row in enumerate(rows, 1):
        yield row
        if progress is not None and (number % EACH == 0 or number == total):
            progress(number, total)


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


def _places(folder: Path, names: Iterable[str]) -> Iterator[Path]:
    """A path for each name. What cannot name a file, or differs from another by case alone, is numbered."""
    taken: set[str] = set()
    for number, name in enumerate(names, 1):
        plain = name if is_name(name) and "/" not in name else f"thread-{number}"
        while plain.lower() in taken:
            plain = f"{plain}-{number}"
        taken.add(plain.lower())
        yield folder / (plain + SUFFIX)


def _arrival(row: Row) -> int:
    return row.summary.arrival
