"""Opening a cassette to look at it, and saying so when it is not whole."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..cassettes.reader import Reader
from .running import narrate


@contextmanager
def opened(path: Path, *, before_warning: Callable[[], None] | None = None) -> Iterator[Reader]:
    """Open a cassette. One without a seal is read as far as it is whole, and stderr says why and what to do."""
    with Reader.open(path) as reader:
        if reader.warning:
            if before_warning is not None:
                before_warning()
            narrate(f"respool: {reader.warning}")
        yield reader
