"""What the top line says: which cassette this is, what is in it, and whether it is whole. Safe text."""

import contextlib

from ..cassettes.amounts import counted
from ..cassettes.reader import Reader
from ..cassettes.text import clip


def masthead(recording: Reader, threads: int) -> str:
    """The words of the top line, the most telling first."""
    words = [clip(recording.path.name, 100), counted(len(recording), "call"), counted(threads, "thread")]
    with contextlib.suppress(OSError):
        words.append(_size(recording.path.stat().st_size))
    return " · ".join(words if recording.sealed else [*words, "not closed cleanly"])


def _size(length: int) -> str:
    return f"{length / 1024:,.0f} KB" if length < 1 << 20 else f"{length / (1 << 20):,.1f} MB"
