"""One line an interaction, for `ls`: what was called, when, how it came out, and to which thread it belongs.

Rows are read one by one, so a list of any length starts at once and needs no memory. Numbers come from the index; the
path, the size and who cut a call come from the record. Headers and bodies are not read.
"""

from collections.abc import Callable, Iterator

from .conversation import Recorded
from .operations import OPERATIONS
from .outcomes import ENDS, held_text
from .summary import STREAM, Row
from .text import clip

MAX_TARGET = 300
"""Characters of a path that are shown."""

_NAMES = {operation.number: operation.name for operation in OPERATIONS}


def lines(recording: Recorded, *, keeps: Callable[[Row], bool] | None = None) -> Iterator[str]:
    """Lines without line ends, in order of arrival; with `keeps` of the calls alone that it is true for.

    Columns: number, seconds since the first request, method, status (`-` for none), seconds it took, bytes of the
    answer's decoded body, operation (`-` for other paths), scope, path with query, and `stream`, who cut it, or who held it.
    """
    first: int | None = None
    for row in recording.rows():
        summary = row.summary
        first = summary.started_us if first is None else first
        if keeps is not None and not keeps(row):
            continue
        interaction = recording.interaction(row)
        response = interaction.response
        ended = [ENDS.get(interaction.end, ""), "stream" if summary.flags & STREAM else "", held_text(interaction)]
        yield "  ".join(
            (
                f"{summary.arrival:>6}",
                f"{(summary.started_us - first) / 1_000_000:>+12.3f} s",
                f"{clip(interaction.request.method, 20):<6}",
                f"{summary.status or '-':>3}",
                f"{summary.duration_us / 1_000_000:>8.3f} s",
                f"{response.body.length if response else 0:>11,} B",
                f"{_NAMES.get(summary.operation, '-'):<21}",
                f"{clip(recording.scope_name(summary.scope), MAX_TARGET):<31}",
                clip(interaction.request.target, MAX_TARGET),
                ", ".join(filter(None, ended)),
            )
        ).rstrip()
