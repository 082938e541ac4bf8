"""The panels that are made when they are looked at: raw calls, what was taken out, and the log. In the thread that reads."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ..cassettes.reader import Reader
from ..cassettes.text import safe
from .document import Document, Line, plain
from .outline import Kind, Row
from .tabs import Tab

if TYPE_CHECKING:
    from ..cassettes.interaction import Interaction
    from .stories import Story

MOST_TEXT, MOST_LINES = 64_000, 1_000
NOT_COMPARED = plain(
    "Mark a row with m, go to another of its kind, and press d.",
    "Threads and runs are compared by what they mean, calls by their text.",
)
NO_MISS = plain(
    "A miss is a request that a replay had no answer to; the chosen row is none.",
    "`respool inspect` tells them while it is attached to a replay; a call's answer is in [5] Raw.",
)
LogLine = tuple[datetime, str]
"""When something was done, and what, in safe words."""


def made_for(recording: Reader, story: "Story", row: Row, tab: Tab, mode: str) -> Document:
    """What the panel has to show of a row. Raises DamagedCassetteError."""
    if tab is Tab.SECRETS:
        from .secrets import MOST_CALLS, policy_of, secrets

        calls = story.calls_of(row)
        taken = (recording.interaction(call) for call in calls[:MOST_CALLS])
        return secrets(taken, max(len(calls) - MOST_CALLS, 0), policy_of(recording.meta))
    call = story.call_of(row)
    if call is None:
        return plain("No call of this is recorded.")
    return call_document(recording.interaction(call), tab, mode)


def call_document(call: "Interaction", tab: Tab, mode: str) -> Document:
    """What a panel shows of one call: why it was a miss, as its client was told, else the call as it is."""
    if tab is not Tab.MISS:
        from .raw import raw

        return raw(call, mode)
    from ..cassettes.outcomes import error_text
    from .exchanges import is_miss

    return text_document(error_text(call.response), title="Why this is a miss") if is_miss(call) else NO_MISS


def load_the_rest() -> None:
    """Load what the first screen does not need, while it is looked at, so that no key waits for it."""
    from . import completion, differ, raw, requests, search, secrets, takeaway  # noqa: F401 - for who imports them next


def log_document(lines: Sequence[LogLine]) -> Document:
    """The log, the latest first."""
    if not lines:
        return plain("Nothing was done yet. Marks, copies, exports, filters and what went wrong are noted here.")
    return Document(
        tuple(
            Line(0, ((f"{moment:%H:%M:%S}  ", "dim"), (safe(text), "bad" if text.startswith("!") else "")), hang=10)
            for moment, text in reversed(lines)
        )
    )


def text_document(text: str, *, title: str) -> Document:
    """A text of several lines, as it is."""
    lines = text[:MOST_TEXT].split("\n")[:MOST_LINES]
    return plain(*(safe(line) for line in lines), title=title)


def line_of(document: Document, row: Row) -> int | None:
    """The line at which a row stands in a document: its own, that of its run, or for a thread none."""
    if row.kind in {Kind.THREAD, Kind.COLLECTION}:
        return None
    for each in (row, row._replace(kind=Kind.EXCHANGE), Row(Kind.RUN, row.scope, row.run)):
        if (line := document.anchors.get(each)) is not None:
            return line
    return None if row.arrival is not None else max(len(document.lines) - 1, 0)
