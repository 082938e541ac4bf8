"""Opening a cassette to look at it, and saying so when it is not whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..cassettes.reader import Reader
from .running import narrate


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """Open a cassette. One that was not closed cleanly is read as far as it is whole, and that is said on stderr."""
    with Reader.open(path) as reader:
        if not reader.sealed:
            lost = f"; the last {reader.dropped_bytes:,} bytes are no whole record" if reader.dropped_bytes else ""
            narrate(f"respool: {path} was not closed cleanly (or is being recorded): {len(reader):,} whole calls{lost}")
        yield reader
